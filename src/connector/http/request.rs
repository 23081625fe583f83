//! What is asked of a server and what it answers, as types.

use std::fmt;
use std::fs::File;
use std::time::SystemTime;

use reqwest::Url;
use reqwest::header::HeaderMap;

/// What is done to the other side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    #[default]
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

/// A file to fetch: a body that may be longer than memory, and may be anywhere.
pub struct Fetch<'a> {
    /// What to ask. Its body may be in any form.
    pub request: Request<'a>,
    /// Only if the server's version has another mark than this, or …
    pub etag: Option<&'a str>,
    /// … is newer than this time, as the server wrote it.
    pub last_modified: Option<&'a str>,
    /// Is told of the bytes that came by now, and of how many are announced.
    pub told: &'a dyn Fn(u64, Option<u64>),
    /// What a whole body is instead of what was asked for; then it is asked for again, seldom.
    pub judge: &'a dyn Fn(&File) -> Result<(), String>,
}

/// What was fetched.
#[derive(Debug)]
pub struct Fetched {
    /// All of it, in a file without a name; `None`: it is the version that is known.
    pub file: Option<File>,
    /// The server's mark of this version.
    pub etag: Option<String>,
    /// Its time, as the server wrote it.
    pub last_modified: Option<String>,
    /// Its time.
    pub modified: Option<SystemTime>,
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
