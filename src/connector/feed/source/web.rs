//! `source = "https://…"`: one file, fetched whole by http before anything of it is used.

use std::cell::Cell;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use glob::Pattern;
use sha2::{Digest, Sha256};

use super::bytes;
use super::fetched::{Fetched, rewind};
use super::login::Login;
use super::unpack::{self, UnpackLimit, Zips};
use crate::around::Around;
use crate::connector::http::{Client, Fetch, HttpSettings, Request, Url, parse_time};
use crate::connector::{ConnectorError, ErrorKind, Origin, Validators};
use crate::settings::Secret;

/// How much of what came is looked at before it is taken for a feed.
const HEAD_BYTES: u64 = 16 << 10;
/// A part of a URL as short as this is no secret, and would be found everywhere.
const SHORTEST_SECRET: usize = 4;

/// A file on a web server.
pub(super) struct Web {
    client: Client,
    url: Url,
    login: Login,
    member: Option<Pattern>,
    limit: UnpackLimit,
    /// Scheme, host and path, for messages.
    name: String,
    integration: String,
    around: Around,
}

impl std::fmt::Debug for Web {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Web({})", self.name)
    }
}

/// What came of asking for a file.
pub(super) enum Asked {
    /// It is the one that is known.
    Unchanged(Origin),
    /// This one.
    Came(Fetched),
}

impl Web {
    /// Contacts nobody. `secrets` are the parts of the URL that must not be shown.
    pub(super) fn new(
        url: &str,
        mut secrets: Vec<Secret>,
        login: Login,
        (member, limit): (Option<Pattern>, UnpackLimit),
        context: &WebContext<'_>,
    ) -> Result<Web, ConnectorError> {
        let url = parse(url)?;
        if login.is_some() {
            crate::connector::http::check_scheme(&url, context.http)?;
        }
        secrets.extend(url.query_pairs().map(|(_, value)| Secret::new(value.into_owned())));
        secrets.retain(|secret| secret.expose().len() >= SHORTEST_SECRET);
        secrets.extend(login.secrets.iter().cloned());
        let around = context.around;
        let client =
            Client::new(context.http, context.folder, around, context.integration, secrets)?;
        let mut shown = url.clone();
        shown.set_query(None);
        let name = client.scrub(shown.as_str());
        let (integration, around) = (context.integration.to_owned(), around.clone());
        Ok(Web { client, url, login, member, limit, name, integration, around })
    }

    /// Asks for the file, unless it is the one that is `known`.
    pub(super) fn fetch(&self, known: Option<&Validators>) -> Result<Asked, ConnectorError> {
        let known = known.filter(|known| known.place == self.place());
        let progress = &self.around.progress;
        let began = Cell::new(false);
        let told = |received, total| {
            if !began.replace(true) {
                progress.begin(&format!("fetching {}, bytes", self.integration), total);
            }
            progress.advance(received);
        };
        let answer = self.client.download(&Fetch {
            request: Request {
                method: self.login.method,
                url: self.url.clone(),
                body: self.login.body.as_ref().map(|body| body.expose().to_owned()),
                auth: self.login.is_some().then_some(&self.login),
            },
            etag: known.and_then(|known| known.etag.as_deref()),
            last_modified: known.and_then(|known| known.last_modified.as_deref()),
            told: &told,
            judge: &|file| self.judge(file),
        });
        if began.get() {
            progress.begin(&format!("reading {}", self.integration), None);
        }
        let answer = answer.map_err(|error| self.explained(error.into()))?;
        let Some(file) = answer.file else {
            let validators = known.cloned().unwrap_or_default();
            let said = validators.last_modified.as_deref();
            let modified = answer.modified.or_else(|| said.and_then(parse_time));
            return Ok(Asked::Unchanged(Origin { modified, validators }));
        };
        let origin = Origin {
            modified: answer.modified,
            validators: Validators {
                place: self.place(),
                etag: answer.etag,
                last_modified: answer.last_modified,
                ..Validators::default()
            },
        };
        Ok(Asked::Came(Fetched::temporary(self.name.clone(), file, origin)?))
    }

    /// What is asked for and as whom, for validators say nothing of anything else. It is kept in the
    /// inventory, so it is too short to tell anything of a secret that went into it.
    fn place(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.login.method.as_str());
        hash.update(self.url.as_str());
        for secret in &self.login.secrets {
            hash.update([0]);
            hash.update(secret.expose());
        }
        hash.finalize().iter().take(2).map(|byte| format!("{byte:02x}")).collect()
    }

    /// An HTML page instead of a feed may be gone with the next attempt.
    fn judge(&self, file: &File) -> Result<(), String> {
        let Ok(file) = file.try_clone().map(Arc::new) else { return Ok(()) };
        let head = || {
            rewind(&file)?;
            let mut head = Vec::new();
            (&*file).take(HEAD_BYTES).read_to_end(&mut head)?;
            if unpack::is_packed(&head) {
                rewind(&file)?;
                head.clear();
                let length = file.metadata()?.len();
                let zips = Zips::Opened(self.member.as_ref());
                let input = unpack::unpacked(&file, length, zips, self.limit)?;
                input.take(HEAD_BYTES).read_to_end(&mut head)?;
            }
            Ok::<_, std::io::Error>(head)
        };
        // What cannot be unpacked is told when it is read.
        match head().ok().and_then(|head| bytes::page(&head)) {
            None => Ok(()),
            Some(page) => Err(page),
        }
    }

    fn explained(&self, mut error: ConnectorError) -> ConnectorError {
        if error.kind == ErrorKind::Credentials {
            let integration = &self.integration;
            error.message += &match self.login.is_some() {
                true => format!("; check [integrations.{integration}.login]"),
                false => format!(
                    "; give it the credentials that it asks for in [integrations.{integration}.login]"
                ),
            };
        }
        error
    }
}

/// What a web source needs of the integration.
pub(super) struct WebContext<'a> {
    pub integration: &'a str,
    pub folder: &'a std::path::Path,
    pub http: &'a HttpSettings,
    pub around: &'a Around,
}

fn parse(url: &str) -> Result<Url, ConnectorError> {
    let mut parsed = Url::parse(url)
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| ConnectorError::usage("`source` is no URL; write https://host/path"))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(ConnectorError::usage(
            "`source` holds a user name or password; write `username` and `password` into \
             [integrations.NAME.login]",
        ));
    }
    parsed.set_fragment(None);
    Ok(parsed)
}
