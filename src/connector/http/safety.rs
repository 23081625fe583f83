//! What may be sent where.

use reqwest::Url;

use super::{HttpSettings, Request};
use crate::connector::ConnectorError;

/// Whether credentials may go to this URL: over https, to this machine, or where the config
/// allows it. The error is one of usage.
pub fn check_scheme(url: &Url, settings: &HttpSettings) -> Result<(), ConnectorError> {
    if url.scheme() == "https" || settings.allow_http || is_loopback(url) {
        return Ok(());
    }
    Err(ConnectorError::usage(format!(
        "plain http would show the credentials to everyone on the way to {}: use https://, or \
         allow it with `http = {{ allow_http = true }}`",
        url.host_str().unwrap_or("the server")
    )))
}

/// Whether a request may be sent at all, or else why not.
pub(super) fn check(request: &Request<'_>, settings: &HttpSettings) -> Result<(), String> {
    let url = &request.url;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err("`url` must begin with https:// or http:// and a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`url` must hold no user name and no password".to_owned());
    }
    if request.auth.is_some() {
        check_scheme(url, settings).map_err(|error| error.message)?;
    }
    Ok(())
}

/// Whether what is sent there stays on this machine.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(url: &str, allow_http: bool) -> bool {
        let settings = HttpSettings { allow_http, ..HttpSettings::default() };
        check_scheme(&Url::parse(url).unwrap(), &settings).is_ok()
    }

    #[test]
    fn credentials_go_over_plain_http_only_to_this_machine() {
        for url in
            ["https://a.example", "http://localhost:80/x", "http://127.9.0.1:1", "http://[::1]/"]
        {
            assert!(allowed(url, false), "{url}");
        }
        for url in ["http://a.example", "http://localhost.a.example", "http://10.0.0.1"] {
            assert!(!allowed(url, false), "{url}");
            assert!(allowed(url, true), "{url}");
        }
    }
}
