//! What the fake was asked: every request in the order in which they were answered.

use std::fmt;

use serde_json::Value;

use super::auth::{Auth, presented};
use super::http::Request;

/// A request, what became of it, and nothing secret.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) method: String,
    /// Below the API's root: `products/batch`. Of other addresses the whole path: `/wp-json/`.
    pub(crate) path: String,
    /// The parameters by name, decoded, without those of authentication.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) body: Option<Value>,
    pub(crate) auth: Auth,
    pub(crate) agent: Option<String>,
    /// `None`: no answer was given.
    pub(crate) status: Option<u16>,
    /// The ids of the items that it saved.
    pub(crate) saved: Vec<u64>,
}

impl Logged {
    /// `root`: what stands before the paths of the API.
    pub(crate) fn new(request: &Request, root: &str) -> Logged {
        let (path, all) = (request.path(), request.query());
        let is_secret = |name: &str| name.starts_with("oauth_") || name.starts_with("consumer_");
        let mut query: Vec<_> =
            all.0.iter().filter(|(name, _)| !is_secret(name)).cloned().collect();
        query.sort();
        Logged {
            method: request.method.clone(),
            path: path.strip_prefix(root).unwrap_or(path).to_owned(),
            query,
            body: serde_json::from_slice(&request.body).ok(),
            auth: presented(request, &all),
            agent: request.header("user-agent").map(str::to_owned),
            status: None,
            saved: Vec::new(),
        }
    }

    /// The request without ids and parameters, to count by: `POST products/*/variations/batch`.
    pub(crate) fn kind(&self) -> String {
        let part =
            |part: &str| if part.parse::<u64>().is_ok() { "*".to_owned() } else { part.to_owned() };
        let parts: Vec<_> = self.path.split('/').map(part).collect();
        format!("{} {}", self.method, parts.join("/"))
    }
}

/// `GET products?_fields=id&page=2`, `POST products/batch (100)`; behind it what was answered
/// other than 200: `→ 500`, `→ no answer`.
impl fmt::Display for Logged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)?;
        for (place, (name, value)) in self.query.iter().enumerate() {
            write!(f, "{}{name}={value}", if place == 0 { '?' } else { '&' })?;
        }
        let items = self.body.as_ref().and_then(|body| body["update"].as_array());
        if let Some(items) = items {
            write!(f, " ({})", items.len())?;
        }
        match self.status {
            Some(200) => Ok(()),
            Some(status) => write!(f, " → {status}"),
            None => write!(f, " → no answer"),
        }
    }
}

/// Which requests are meant: `POST products/batch`, `GET products?page=2`, `GET`,
/// `products/*/variations`. `*` in a path is any text; of parameters those named must be there.
pub(crate) struct Pattern {
    method: Option<String>,
    path: Option<String>,
    query: Vec<(String, String)>,
}

impl Pattern {
    pub(crate) fn new(text: &str) -> Pattern {
        let is_method = |word: &&str| word.chars().all(|sign| sign.is_ascii_uppercase());
        let mut words = text.split_whitespace().peekable();
        let method = words.next_if(is_method).map(str::to_owned);
        let (path, query) = words.next().map_or((None, ""), |word| {
            let (path, query) = word.split_once('?').unwrap_or((word, ""));
            (Some(path.to_owned()), query)
        });
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let query = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Pattern { method, path, query }
    }

    pub(crate) fn matches(&self, request: &Logged) -> bool {
        self.method.as_ref().is_none_or(|method| *method == request.method)
            && self.path.as_ref().is_none_or(|path| fits(path, &request.path))
            && self.query.iter().all(|pair| request.query.contains(pair))
    }
}

/// Whether a text is a pattern's, whose `*` are any text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|left| {
            (0..=left.len()).any(|at| left.is_char_boundary(at) && fits(rest, &left[at..]))
        }),
    }
}
