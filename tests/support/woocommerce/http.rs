//! HTTP/1.1 as far as the fake needs it: requests as they came, responses before they are sent.

use std::io::{self, BufRead};

use serde_json::Value;

/// A request, read to its end.
pub(crate) struct Request {
    pub(crate) method: String,
    /// The target as it was sent: path and query.
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The next request of a connection; `None` where the client has closed it.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Request>> {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let (method, target) = (method.to_owned(), target.to_owned());
        let headers = read_headers(from)?;
        let mut request = Request { method, target, headers, body: Vec::new() };
        let length = request.header("content-length").and_then(|text| text.parse().ok());
        request.body.resize(length.unwrap_or(0), 0);
        from.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    /// A header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query as PHP reads it.
    pub(crate) fn query(&self) -> Query {
        Query::parse(self.target.split_once('?').map_or("", |(_, query)| query))
    }

    /// The body, where it is JSON and says so. WordPress drops a body of another type.
    pub(crate) fn json(&self) -> Option<Result<Value, serde_json::Error>> {
        let is_json = self.header("content-type")?.starts_with("application/json");
        (is_json && !self.body.is_empty()).then(|| serde_json::from_slice(&self.body))
    }
}

fn read_headers(from: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if from.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.push((name.to_owned(), value.trim().to_owned())),
            None if line.trim_end().is_empty() => return Ok(headers),
            None => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// A query's parameters, decoded, in the order they came.
#[derive(Clone, Default)]
pub(crate) struct Query(pub(crate) Vec<(String, String)>);

impl Query {
    /// PHP numbers the values of `name[]`, so the server never sees the name that was sent.
    fn parse(text: &str) -> Query {
        let mut all: Vec<(String, String)> = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (mut name, value) = (form_decoded(name), form_decoded(value));
            if let Some(list) = name.strip_suffix("[]") {
                let start = format!("{list}[");
                let number = all.iter().filter(|(known, _)| known.starts_with(&start)).count();
                name = format!("{start}{number}]");
            }
            all.retain(|(known, _)| *known != name);
            all.push((name, value));
        }
        Query(all)
    }

    /// A parameter. Of a repeated one PHP keeps the last.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A list: `name=a,b` or `name[0]=a&name[1]=b`. Empty where it is not there.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        if let Some(text) = self.get(name) {
            let parts = text.split(',').map(str::trim);
            return parts.filter(|part| !part.is_empty()).map(str::to_owned).collect();
        }
        let start = format!("{name}[");
        let members = self.0.iter().filter(|(known, _)| known.starts_with(&start));
        members.map(|(_, value)| value.clone()).collect()
    }
}

/// A part of a query without its `%XX` and `+`.
fn form_decoded(text: &str) -> String {
    percent_decoded(&text.replace('+', " "))
}

/// A text without its `%XX`; a sign that starts none stays.
pub(crate) fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| {
        let digits = text.get(at + 1..at + 3)?;
        u8::from_str_radix(digits, 16).ok()
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match hex(at).filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A text by RFC 3986: only letters, digits and `-._~` stay.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// An answer, before it is sent.
#[derive(Clone)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Response {
        let response = Response { status, headers: Vec::new(), body: body.into() };
        response.with("Server", "nginx").with("Content-Type", content_type)
    }

    pub(crate) fn html(status: u16, body: impl Into<Vec<u8>>) -> Response {
        Response::new(status, "text/html; charset=UTF-8", body)
    }

    /// What WordPress gives for an answer of its API.
    pub(crate) fn json(status: u16, body: &Value) -> Response {
        Response::new(status, "application/json; charset=UTF-8", body.to_string())
            .with("X-Robots-Tag", "noindex")
            .with("X-Content-Type-Options", "nosniff")
            .with("Access-Control-Expose-Headers", "X-WP-Total, X-WP-TotalPages, Link")
            .with("Cache-Control", "no-cache, must-revalidate, max-age=0, no-store, private")
    }

    pub(crate) fn with(mut self, name: &str, value: impl AsRef<str>) -> Response {
        self.set(name, value);
        self
    }

    /// Sets a header, in the place of one of that name.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<str>) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    /// The status line and the headers, to the empty line.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

/// The words that go with a status.
pub(crate) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        301 => "Moved Permanently",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Large",
        425 => "Too Early",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Temporarily Unavailable",
        504 => "Gateway Time-out",
        _ => "Status",
    }
}
