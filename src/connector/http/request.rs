//! What is asked of a server and what it answers, as types.

use std::fmt;

use reqwest::Url;
use reqwest::header::HeaderMap;

/// What is done to the other side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Writes.
    Post,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing to ask, however many attempts it takes.
pub struct Request<'a> {
    /// Reading or writing.
    pub method: Method,
    /// Where to, without credentials.
    pub url: Url,
    /// The body, which is JSON.
    pub body: Option<String>,
    /// What makes it known who asks.
    pub auth: Option<&'a dyn Authentication>,
}

/// Signs requests.
pub trait Authentication: Send + Sync {
    /// Adds headers or query parameters to one attempt. Called anew for every attempt, for nonces
    /// and timestamps wear out. `url` is where this attempt goes, after redirects.
    fn sign(&self, method: &str, url: &mut Url, headers: &mut HeaderMap);
}

/// A usable answer.
#[derive(Clone)]
pub struct Answer<T> {
    /// 200 … 299.
    pub status: u16,
    /// The headers as they were sent: they may hold what was in the signed query.
    pub headers: HeaderMap,
    /// The body.
    pub value: T,
    /// Text that stood before the JSON and was skipped: its beginning, scrubbed.
    pub preamble: Option<String>,
    /// Where it was answered: after redirects, without credentials.
    pub url: Url,
}

/// Without the headers, which may hold secrets.
impl<T: fmt::Debug> fmt::Debug for Answer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Answer({}, {:?}, {})", self.status, self.value, self.url.path())
    }
}

impl<T> Answer<T> {
    /// A header's text. `None` where there is none or it is no text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}
