//! The client: how one request becomes an answer or an error, whatever it takes.

use std::path::Path;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

use super::{Answer, HttpError, HttpErrorKind, HttpSettings, Method, Request};
use crate::around::Around;
use crate::connector::ConnectorError;
use crate::settings::Secret;

/// One integration's way to its server.
pub struct Client {
    http: reqwest::blocking::Client,
    around: Around,
    name: String,
    secrets: Vec<Secret>,
    concurrency: usize,
    retries: u32,
}

impl Client {
    /// `secrets` are the texts that must never be shown, whatever the server says.
    ///
    /// The error is one of usage: nobody has been contacted.
    pub fn new(
        settings: &HttpSettings,
        _folder: &Path,
        around: &Around,
        name: &str,
        secrets: Vec<Secret>,
    ) -> Result<Client, ConnectorError> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::blocking::Client::builder()
            .user_agent(concat!("invsync/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .http1_only()
            .timeout(settings.timeout)
            .connect_timeout(settings.connect_timeout)
            .build()
            .map_err(|why| ConnectorError::usage(format!("`http`: {why}")))?;
        let concurrency = usize::try_from(settings.concurrency.max(1)).unwrap_or(1);
        let (around, name) = (around.clone(), name.to_owned());
        Ok(Client { http, around, name, secrets, concurrency, retries: settings.retries })
    }

    /// Reads JSON.
    pub fn read<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<Answer<T>, HttpError> {
        self.once(request, HttpErrorKind::Temporary)
    }

    /// Sends an absolute write.
    pub fn write<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
    ) -> Result<Answer<T>, HttpError> {
        self.once(request, HttpErrorKind::Uncertain)
    }

    fn once<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
        lost: HttpErrorKind,
    ) -> Result<Answer<T>, HttpError> {
        let failed = |kind, why: reqwest::Error| {
            HttpError::new(kind, self.scrub(&format!("{}: {}", request.method, why.without_url())))
        };
        let mut url = request.url.clone();
        let mut headers = HeaderMap::new();
        if let Some(auth) = request.auth {
            auth.sign(request.method.as_str(), &mut url, &mut headers);
        }
        let mut builder = match request.method {
            Method::Get => self.http.get(url),
            Method::Post => self.http.post(url),
        };
        builder = builder.headers(headers);
        if let Some(body) = &request.body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        let answer = builder.send().map_err(|why| {
            failed(if why.is_connect() { HttpErrorKind::NotSent } else { lost }, why)
        })?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().map_err(|why| failed(lost, why))?;
        let path = request.url.path();
        self.around.progress.detail(&format!("{}: {} {path} {status}", self.name, request.method));
        if !(200..300).contains(&status) {
            let message = format!("{} {path}: {status}", request.method);
            let error = HttpError::new(HttpErrorKind::Status, message);
            return Err(HttpError { status: Some(status), headers, ..error });
        }
        let value = serde_json::from_slice(&bytes).map_err(|why| {
            HttpError::new(HttpErrorKind::Broken, format!("{} {path}: {why}", request.method))
        })?;
        Ok(Answer { status, headers, value, preamble: None, url: request.url.clone() })
    }

    /// Waits before the attempt-th (1, 2, …) repetition. `false`: enough tried, or interrupted.
    pub fn pause(&self, attempt: u32) -> bool {
        attempt <= self.retries && self.around.sleep(Duration::from_millis(500))
    }

    /// How many requests may be under way at once.
    pub fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// The text with everything secret replaced by `***`.
    pub fn scrub(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| {
            if secret.expose().is_empty() { text } else { text.replace(secret.expose(), "***") }
        })
    }

    /// Whom to tell and whether to stop.
    pub fn around(&self) -> &Around {
        &self.around
    }
}

/// Whether credentials may go to this URL: over https, to this machine, or where the config
/// allows it. The error is one of usage.
pub fn check_scheme(url: &Url, settings: &HttpSettings) -> Result<(), ConnectorError> {
    if url.scheme() == "https" || settings.allow_http || is_loopback(url) {
        return Ok(());
    }
    Err(ConnectorError::usage(format!(
        "`url` is plain http, so that everyone on the way to {} could read the credentials: use \
         https://, or allow it with `http = {{ allow_http = true }}`",
        url.host_str().unwrap_or("it")
    )))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}
