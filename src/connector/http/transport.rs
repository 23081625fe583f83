//! Makes the client that speaks HTTP/1.1 and TLS, from the config: certificates, proxy, limits of
//! time.

use std::path::Path;
use std::time::Duration;

use reqwest::blocking::{Client, ClientBuilder};
use reqwest::{NoProxy, Proxy, Url, redirect, retry};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{HttpSettings, trusting};
use crate::connector::ConnectorError;
use crate::settings::{Secret, Text};

/// Who asks.
const USER_AGENT: &str = concat!("invsync/", env!("CARGO_PKG_VERSION"));
/// Shorter than what servers usually keep a connection that nobody uses, so that a write seldom
/// meets one that is just being closed and is then of unknown fate.
const IDLE: Duration = Duration::from_secs(4);
/// Headers of one answer. Their length is checked elsewhere.
const MAX_HEADERS: usize = 256;

/// The client and what of its settings must never be shown.
pub(super) struct Transport {
    pub client: Client,
    pub secrets: Vec<Secret>,
}

/// Contacts nobody. The error is one of usage.
pub(super) fn build(settings: &HttpSettings, folder: &Path) -> Result<Transport, ConnectorError> {
    // An error says that the process has one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = match &settings.ca_file {
        Some(text) => certificates(text, folder)?,
        None => Vec::new(),
    };
    let (proxy, secrets) = match &settings.proxy {
        Some(text) => proxy(text, folder)?,
        None => (None, Vec::new()),
    };
    let builder = || {
        let builder = basics(settings);
        match &proxy {
            Some(proxy) => builder.proxy(proxy.clone()),
            None => builder,
        }
    };
    let unusable =
        || ConnectorError::usage("`http.ca_file`: one of its certificates cannot be used");
    let client = match certificates.is_empty() {
        // A machine without certificates can still speak plain http to itself.
        true => builder().build().or_else(|_| builder().tls_certs_only([]).build()),
        false => {
            let tls = trusting(certificates).map_err(|_| unusable())?;
            builder().tls_backend_preconfigured(tls).build()
        }
    };
    let client = client.map_err(|_| unusable())?;
    Ok(Transport { client, secrets })
}

fn basics(settings: &HttpSettings) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .http1_only()
        .http1_max_headers(MAX_HEADERS)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .pool_idle_timeout(IDLE)
        // A connection that takes as long as the whole request may: still one that never was.
        .connect_timeout(settings.connect_timeout.min(settings.timeout))
        // Each request brings its own.
        .timeout(None)
}

fn certificates(
    text: &Text,
    folder: &Path,
) -> Result<Vec<CertificateDer<'static>>, ConnectorError> {
    let failed = |why: &str| ConnectorError::usage(format!("`http.ca_file`: {why}"));
    let path = text.resolve(folder).map_err(|why| failed(&why.to_string()))?;
    let pem = std::fs::read(folder.join(path.expose()))
        .map_err(|why| failed(&format!("the file cannot be read: {why}")))?;
    let certificates = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| failed("the file holds a certificate that is not well-formed PEM"))?;
    if certificates.is_empty() {
        return Err(failed(
            "the file holds no certificate: it must be PEM, with `-----BEGIN CERTIFICATE-----`",
        ));
    }
    Ok(certificates)
}

fn proxy(text: &Text, folder: &Path) -> Result<(Option<Proxy>, Vec<Secret>), ConnectorError> {
    let failed = |why: &str| ConnectorError::usage(format!("`http.proxy`: {why}"));
    let value = text.resolve(folder).map_err(|why| failed(&why.to_string()))?;
    let no_url = || failed("write it as http://host:port");
    let url = Url::parse(value.expose()).map_err(|_| no_url())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(no_url());
    }
    let proxy = Proxy::all(url.as_str()).map_err(|_| no_url())?;
    Ok((Some(proxy.no_proxy(NoProxy::from_env())), proxy_secrets(&url)))
}

/// The password in a proxy's URL, and as it goes into a header.
fn proxy_secrets(url: &Url) -> Vec<Secret> {
    let Some(password) = url.password() else { return Vec::new() };
    let decoded =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let both = format!("{}:{}", decoded(url.username()), decoded(password));
    [password.to_owned(), decoded(password), both].map(Secret::new).into()
}
