//! Why there is no usable answer.

use std::fmt;

use reqwest::header::HeaderMap;

use crate::connector::{ConnectorError, ErrorKind};

/// What decides what can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpErrorKind {
    /// The server said no, and will say so again; or, without a status, it is asked no more.
    Status,
    /// It never got through (DNS, connection, TLS), however often it was tried.
    NotSent,
    /// It was not sent, for the server's certificate is not one to trust.
    Untrusted,
    /// The server was too busy or not well, or did not answer, however often it was tried. Of a
    /// write: the server said each time that it did not act.
    Temporary,
    /// The answer is none: no JSON, cut, empty; each time.
    Broken,
    /// The answer is whole, and not what was asked for; each time.
    Unusable,
    /// What came finds no room on this machine.
    NotKept,
    /// A write that may have arrived.
    Uncertain,
    /// The server points elsewhere, where the request may not go.
    Redirect,
    /// A signal asked to stop. A write was not sent.
    Interrupted,
    /// The request may not be made at all, by the config. Nothing was sent.
    Usage,
}

/// What the server says in the body of an error: `{"code": …, "message": …}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError {
    /// For programs: the same in every language.
    pub code: String,
    /// For people, scrubbed and shortened.
    pub message: String,
}

/// Why there is no usable answer.
#[derive(Clone, thiserror::Error)]
#[error("{message}")]
pub struct HttpError {
    /// What decides what can be done about it.
    pub kind: HttpErrorKind,
    /// The last attempt's status, where there was an answer.
    pub status: Option<u16>,
    /// What the server says in the body, where it is JSON with a code.
    pub code: Option<StoreError>,
    /// How the body begins, scrubbed, in one line. Empty where there was none.
    pub body: String,
    /// The headers of the last answer, as they were sent: they may hold secrets.
    pub headers: Box<HeaderMap>,
    /// The whole story for a person, scrubbed.
    pub message: String,
}

/// Without the headers, which may hold secrets.
impl fmt::Debug for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpError({:?}, {:?}, {:?})", self.kind, self.status, self.message)
    }
}

impl HttpError {
    /// An error that no answer led to.
    pub fn new(kind: HttpErrorKind, message: impl Into<String>) -> HttpError {
        HttpError {
            kind,
            status: None,
            code: None,
            body: String::new(),
            headers: Box::default(),
            message: message.into(),
        }
    }
}

impl From<HttpError> for ConnectorError {
    fn from(error: HttpError) -> ConnectorError {
        let kind = match error.kind {
            _ if matches!(error.status, Some(401 | 403)) => ErrorKind::Credentials,
            HttpErrorKind::NotSent
            | HttpErrorKind::Temporary
            | HttpErrorKind::Broken
            | HttpErrorKind::Uncertain => ErrorKind::Temporary,
            HttpErrorKind::Status
            | HttpErrorKind::Untrusted
            | HttpErrorKind::Redirect
            | HttpErrorKind::Unusable
            | HttpErrorKind::NotKept => ErrorKind::Source,
            HttpErrorKind::Usage => ErrorKind::Usage,
            HttpErrorKind::Interrupted => ErrorKind::Interrupted,
        };
        ConnectorError { kind, message: error.message }
    }
}
