//! What became of one attempt: a usable answer, or what it is instead and whether to try again.

use std::fs::File;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;

use super::attempt::Reply;
use super::body::{self, Useless};
use super::failure::Failure;
use super::limits::Limits;
use super::retry::{self, Meaning};
use super::scrub::Scrubber;
use super::{HttpError, HttpErrorKind, StoreError};

/// Whether and when to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Again {
    /// It would be the same.
    Never,
    /// After a while; after this one where the server asks for it.
    Later(Option<Duration>),
    /// After a while, but not often.
    Seldom,
}

/// An attempt without a usable answer.
#[derive(Debug)]
pub(super) struct Failed {
    pub again: Again,
    /// Its message says what came, not yet who asked for what.
    pub error: Box<HttpError>,
}

/// A usable answer.
pub(super) struct Usable<T> {
    pub value: T,
    /// What stood before the JSON, scrubbed.
    pub preamble: Option<String>,
}

impl Failed {
    pub(super) fn new(kind: HttpErrorKind, again: Again, what: impl Into<String>) -> Failed {
        Failed { again, error: Box::new(HttpError::new(kind, what)) }
    }

    fn with(mut self, status: u16, headers: &HeaderMap) -> Failed {
        self.error.status = Some(status);
        self.error.headers = Box::new(headers.clone());
        self
    }

    /// The same of a write: what may have arrived is uncertain, and only what surely did not is
    /// tried again.
    pub(super) fn of_a_write(mut self) -> Failed {
        let may_have_arrived = match self.error.kind {
            HttpErrorKind::NotSent
            | HttpErrorKind::Untrusted
            | HttpErrorKind::Redirect
            | HttpErrorKind::Interrupted
            | HttpErrorKind::NotKept
            | HttpErrorKind::Usage
            | HttpErrorKind::Uncertain => false,
            HttpErrorKind::Broken | HttpErrorKind::Unusable => true,
            HttpErrorKind::Temporary => self.error.status.is_none_or(retry::may_have_acted),
            HttpErrorKind::Status => self.error.status.is_some_and(retry::may_have_acted),
        };
        if may_have_arrived {
            self.again = Again::Never;
            self.error.kind = HttpErrorKind::Uncertain;
        }
        self
    }
}

/// What it means that no answer came.
pub(super) fn of_failure(failure: Failure) -> Failed {
    let (kind, again) = match &failure {
        Failure::NotSent(_) => (HttpErrorKind::NotSent, Again::Later(None)),
        // It will be the same one in a minute.
        Failure::Untrusted(_) => (HttpErrorKind::Untrusted, Again::Never),
        Failure::NoAnswer(_) => (HttpErrorKind::Temporary, Again::Later(None)),
        Failure::Broken(_) => (HttpErrorKind::Broken, Again::Seldom),
        Failure::TooLarge(_) => (HttpErrorKind::Broken, Again::Never),
        Failure::NotKept(_) => (HttpErrorKind::NotKept, Again::Never),
        Failure::Interrupted => (HttpErrorKind::Interrupted, Again::Never),
        Failure::Impossible(_) => (HttpErrorKind::Usage, Again::Never),
    };
    Failed::new(kind, again, failure.words())
}

/// What an answer is, other than one that points elsewhere.
pub(super) fn of_reply<T: DeserializeOwned>(
    reply: &Reply,
    scrubber: &Scrubber,
    limits: &Limits,
) -> Result<Usable<T>, Failed> {
    let found = match retry::meaning(reply.status) {
        Meaning::Done => read(reply, scrubber, limits),
        _ => Err(of_status(reply, scrubber, limits)),
    };
    found.map_err(|failed| failed.with(reply.status, &reply.headers))
}

/// The JSON of an answer that says that all is well.
fn read<T: DeserializeOwned>(
    reply: &Reply,
    scrubber: &Scrubber,
    limits: &Limits,
) -> Result<Usable<T>, Failed> {
    let broken = |useless: &Useless| {
        let again = if useless.is_final { Again::Never } else { Again::Seldom };
        let what = format!("{}, {}", named(reply.status), useless.what);
        Failed::new(HttpErrorKind::Broken, again, what)
    };
    if let Some(flaw) = &reply.flaw {
        let what = flaw.words().to_owned();
        let is_final = matches!(flaw, Failure::TooLarge(_));
        return Err(broken(&Useless { what, is_final }));
    }
    let text = body::unpack(&reply.headers, &reply.body, limits).map_err(|why| broken(&why))?;
    let found = body::json(&text, scrubber).map_err(|why| {
        let mut failed = broken(&why);
        failed.error.body = body::excerpt(&text, scrubber);
        failed
    })?;
    let notice = &text[..found.preamble_bytes];
    let preamble = (!notice.is_empty()).then(|| body::excerpt(notice, scrubber));
    Ok(Usable { value: found.value, preamble })
}

/// The whole body of an answer that says that all is well, in a file. `judge` says what it is
/// instead of what was asked for.
pub(super) fn of_download(
    reply: &mut Reply,
    judge: &dyn Fn(&File) -> Result<(), String>,
    scrubber: &Scrubber,
    limits: &Limits,
) -> Result<File, Failed> {
    saved(reply, judge, scrubber, limits)
        .map_err(|failed| failed.with(reply.status, &reply.headers))
}

fn saved(
    reply: &mut Reply,
    judge: &dyn Fn(&File) -> Result<(), String>,
    scrubber: &Scrubber,
    limits: &Limits,
) -> Result<File, Failed> {
    let Some(file) = reply.file.take() else { return Err(of_status(reply, scrubber, limits)) };
    let said = |what: &str| format!("{}, {what}", named(reply.status));
    match &reply.flaw {
        None => {}
        Some(Failure::NotKept(why)) => {
            return Err(Failed::new(HttpErrorKind::NotKept, Again::Never, why));
        }
        Some(flaw) => {
            return Err(Failed::new(HttpErrorKind::Broken, Again::Seldom, said(flaw.words())));
        }
    }
    if reply.status == 206 {
        let what = said("a part of what was asked for");
        return Err(Failed::new(HttpErrorKind::Broken, Again::Seldom, what));
    }
    if body::is_foreign(&reply.headers) {
        let what = said("packed in a way that was not asked for");
        return Err(Failed::new(HttpErrorKind::Unusable, Again::Seldom, what));
    }
    match judge(&file) {
        Ok(()) => Ok(file),
        Err(what) => {
            let what = said(&scrubber.scrub(&what));
            Err(Failed::new(HttpErrorKind::Unusable, Again::Seldom, what))
        }
    }
}

/// An answer that says that something is wrong.
fn of_status(reply: &Reply, scrubber: &Scrubber, limits: &Limits) -> Failed {
    let status = reply.status;
    let (kind, again) = match retry::meaning(status) {
        Meaning::NotNow | Meaning::Unwell => {
            (HttpErrorKind::Temporary, Again::Later(retry::retry_after(&reply.headers)))
        }
        _ => (HttpErrorKind::Status, Again::Never),
    };
    let text = match body::unpack(&reply.headers, &reply.body, limits) {
        Ok(text) => text,
        Err(useless) => {
            return Failed::new(kind, again, format!("{}, {}", named(status), useless.what));
        }
    };
    let code = body::store_error(&text, scrubber);
    let what = match &code {
        Some(StoreError { code, message }) => format!("{}: {message} ({code})", named(status)),
        None => format!("{}, {}", named(status), body::what_it_is(&text, scrubber)),
    };
    let mut failed = Failed::new(kind, again, what);
    failed.error.code = code;
    failed.error.body = body::excerpt(&text, scrubber);
    failed
}

/// An answer that points elsewhere, where the request does not go.
pub(super) fn of_redirect(reply: &Reply, why: &str) -> Failed {
    let what = format!("{} {why}", named(reply.status));
    Failed::new(HttpErrorKind::Redirect, Again::Never, what).with(reply.status, &reply.headers)
}

/// `502 Bad Gateway`.
fn named(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    match reason {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}
