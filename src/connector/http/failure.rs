//! Why an attempt brought no answer, in words for a person.

use std::error::Error;
use std::io;

use rustls::CertificateError;

use super::tls::is_ca_as_server;
use crate::connector::ConnectorError;

/// Why an attempt brought no usable answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It did not arrive: the connection was never made.
    NotSent(String),
    /// It did not arrive: the server's certificate is not one to trust.
    Untrusted(String),
    /// It may have arrived, and no answer came.
    NoAnswer(String),
    /// Something came that is no answer.
    Broken(String),
    /// The answer is larger than an answer may be.
    TooLarge(String),
    /// What came finds no room on this machine.
    NotKept(String),
    /// A signal asked to stop. It was not sent, or only reads.
    Interrupted,
    /// It cannot be sent at all.
    Impossible(String),
}

impl Failure {
    pub(super) fn words(&self) -> &str {
        match self {
            Failure::NotSent(words)
            | Failure::Untrusted(words)
            | Failure::NoAnswer(words)
            | Failure::Broken(words)
            | Failure::TooLarge(words)
            | Failure::NotKept(words)
            | Failure::Impossible(words) => words,
            Failure::Interrupted => "interrupted by a signal",
        }
    }
}

/// Why sending, or waiting for the headers, failed. The error's own text is never used whole: it
/// holds the URL.
pub(super) fn of_sending(error: &reqwest::Error, peer: &str) -> Failure {
    if error.is_builder() {
        return Failure::Impossible(format!("it cannot be sent: {}", deepest(error)));
    }
    if error.is_connect() {
        return connecting(error, peer);
    }
    if error.is_timeout() {
        return Failure::NoAnswer("no answer in time".to_owned());
    }
    let words = deepest(error);
    if words.starts_with("message head is too large") {
        return Failure::TooLarge("an answer with too large headers".to_owned());
    }
    if words.starts_with("invalid HTTP") || words.starts_with("invalid content-length") {
        return Failure::Broken(format!("an answer that is no HTTP ({words})"));
    }
    if words.contains("connection closed") || words.contains("end of file") {
        return Failure::NoAnswer("the connection was cut before an answer came".to_owned());
    }
    Failure::NoAnswer(format!("no answer: {words}"))
}

/// Why the connection was not made.
fn connecting(error: &reqwest::Error, peer: &str) -> Failure {
    if let Some(tls) = causes(error).find_map(tls_error) {
        let words = format!("no secure connection to {peer}: {}", of_tls(tls));
        return match tls {
            rustls::Error::InvalidCertificate(_) => Failure::Untrusted(words),
            _ => Failure::NotSent(words),
        };
    }
    Failure::NotSent(not_connected(error, peer))
}

fn not_connected(error: &reqwest::Error, peer: &str) -> String {
    if error.is_dns() {
        return format!("the name {peer} cannot be resolved: {}", deepest(error));
    }
    if error.is_timeout() {
        return format!("no connection to {peer} within `http.connect_timeout`");
    }
    let kind = causes(error).filter_map(|cause| cause.downcast_ref::<io::Error>()).last();
    let words = match kind.map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        Some(io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => {
            "the connection was cut while it was made".to_owned()
        }
        Some(io::ErrorKind::HostUnreachable) => "the host is unreachable".to_owned(),
        Some(io::ErrorKind::NetworkUnreachable) => "the network is unreachable".to_owned(),
        _ => deepest(error),
    };
    format!("no connection to {peer}: {words}")
}

/// The errors behind an error, from the outside in. What an `io::Error` wraps is not its source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| -> Option<&'a (dyn Error + 'static)> {
        match cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => cause.source(),
        }
    })
}

/// The text of the innermost error.
pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    match causes(error).last() {
        Some(cause) if !cause.is::<reqwest::Error>() => cause.to_string(),
        _ => "no cause is known".to_owned(),
    }
}

fn tls_error<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    cause.downcast_ref()
}

/// Why TLS failed. `None` where something else did.
pub fn tls_failure(why: &io::Error) -> Option<ConnectorError> {
    let error = causes(why).find_map(tls_error)?;
    let message = format!("no secure connection: {}", of_tls(error));
    Some(match error {
        // It will be the same one later.
        rustls::Error::InvalidCertificate(_) => ConnectorError::source(message),
        _ => ConnectorError::temporary(message),
    })
}

fn of_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(why) => of_certificate(why),
        rustls::Error::InvalidMessage(_) => {
            "it does not speak TLS there (is it an address for http://?)".to_owned()
        }
        other => other.to_string(),
    }
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet (is the clock of this machine right?)".to_owned()
        }
        CertificateError::NotValidForName => "its certificate is for another host".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("its certificate is for another host{}", names(presented))
        }
        CertificateError::UnknownIssuer => "its certificate is self-signed, or of an issuer that \
            this machine does not trust; if it is yours, name the issuer's certificate in \
            `http.ca_file`"
            .to_owned(),
        CertificateError::Revoked => "its certificate was revoked".to_owned(),
        other if is_ca_as_server(other) => {
            "its certificate is an issuer's own (CA:TRUE), which a server must not use; make one \
             for the server, signed by it, or put that very one into `http.ca_file`"
                .to_owned()
        }
        other => format!("its certificate cannot be trusted: {other}"),
    }
}

/// `: shop.example, www.shop.example`. They come as `DnsName("shop.example")`.
fn names(presented: &[String]) -> String {
    let names: Vec<&str> = presented
        .iter()
        .map(|name| name.trim_start_matches("DnsName(\"").trim_end_matches("\")"))
        .take(3)
        .collect();
    if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) }
}
