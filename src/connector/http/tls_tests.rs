//! TLS: which servers are trusted, and how the others are named.

use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use super::testing::{Server, good};
use super::{Client, HttpError, HttpErrorKind, HttpSettings, Method, Request, Url};
use crate::around::Around;
use crate::settings::Text;

/// An issuer that only `ca.pem` makes trusted.
fn issuer() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A server with a certificate of this issuer for these names.
fn server(
    issuer: &CertifiedIssuer<'static, KeyPair>,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> Server {
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    serve(&params.signed_by(&key, issuer).unwrap(), &key)
}

/// A server with this certificate.
fn serve(certificate: &Certificate, key: &KeyPair) -> Server {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    let config = Arc::new(config);
    Server::wrapped([good()], move |stream: TcpStream| {
        Some(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).ok()?, stream))
    })
}

fn read(server: &Server, folder: &Path, ca_file: Option<&str>) -> Result<Value, HttpError> {
    let ca_file = ca_file.map(|name| Text::plain(name, 1));
    let settings = HttpSettings {
        ca_file,
        retries: 0,
        timeout: Duration::from_secs(20),
        ..HttpSettings::default()
    };
    let client = Client::new(&settings, folder, &Around::nobody(), "x", Vec::new()).unwrap();
    let url = Url::parse(&format!("https://localhost:{}/", server.address.port())).unwrap();
    let request = Request { method: Method::Get, url, body: None, auth: None };
    client.read(&request).map(|answer| answer.value)
}

fn refused(server: &Server, folder: &Path, ca_file: Option<&str>) -> String {
    let error = read(server, folder, ca_file).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Untrusted, "{error}");
    assert_eq!(server.count(), 0);
    error.message
}

#[test]
fn a_server_is_trusted_by_the_certificates_in_ca_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (issuer, other) = (issuer(), issuer());
    let both = format!("{}{}", other.pem(), issuer.pem());
    std::fs::write(folder.path().join("ca.pem"), both).unwrap();
    let server = server(&issuer, &["localhost"], |_| {});
    let why = refused(&server, folder.path(), None);
    assert!(why.contains("no secure connection to localhost"), "{why}");
    assert!(why.contains("`http.ca_file`"), "{why}");
    assert_eq!(read(&server, folder.path(), Some("ca.pem")).unwrap(), serde_json::json!([1]));
}

#[test]
fn an_expired_certificate_and_one_for_another_host_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = issuer();
    std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
    let expired = server(&issuer, &["localhost"], |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let why = refused(&expired, folder.path(), Some("ca.pem"));
    assert!(why.ends_with("its certificate has expired"), "{why}");
    let elsewhere = server(&issuer, &["shop.example"], |_| {});
    let why = refused(&elsewhere, folder.path(), Some("ca.pem"));
    assert!(why.ends_with("its certificate is for another host: shop.example"), "{why}");
}

#[test]
fn a_server_that_uses_an_issuers_own_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = issuer();
    std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
    let server = server(&issuer, &["localhost"], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let why = refused(&server, folder.path(), Some("ca.pem"));
    assert!(why.contains("an issuer's own (CA:TRUE)"), "{why}");
}

#[test]
fn a_servers_own_certificate_is_trusted_where_ca_file_holds_that_very_one() {
    let folder = tempfile::tempdir().unwrap();
    // As `openssl req -x509` makes them: an issuer's and a server's in one.
    let own = |name: &str, year: i32| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("own.pem"), certificate.pem()).unwrap();
        serve(&certificate, &key)
    };
    let server = own("localhost", 2090);
    assert_eq!(read(&server, folder.path(), Some("own.pem")).unwrap(), serde_json::json!([1]));
    // Another one that says the same of itself is not it.
    let other = own("localhost", 2090);
    let _last = own("localhost", 2090);
    let why = refused(&other, folder.path(), Some("own.pem"));
    assert!(why.contains("an issuer's own (CA:TRUE)"), "{why}");
    let elsewhere = own("shop.example", 2090);
    let why = refused(&elsewhere, folder.path(), Some("own.pem"));
    assert!(why.ends_with("its certificate is for another host: shop.example"), "{why}");
    let expired = own("localhost", 2020);
    let why = refused(&expired, folder.path(), Some("own.pem"));
    assert!(why.ends_with("its certificate has expired"), "{why}");
}

#[test]
fn a_server_without_tls_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::wrapped([good()], |mut stream: TcpStream| {
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        Some(stream)
    });
    let error = read(&server, folder.path(), None).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::NotSent);
    assert!(error.message.contains("does not speak TLS"), "{error}");
}

#[test]
fn a_ca_file_that_cannot_be_used_is_an_error_that_names_the_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty"), "").unwrap();
    std::fs::write(
        folder.path().join("bad"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    for name in ["missing", "empty", "bad"] {
        let settings =
            HttpSettings { ca_file: Some(Text::plain(name, 1)), ..HttpSettings::default() };
        let made = Client::new(&settings, folder.path(), &Around::nobody(), "x", Vec::new());
        let Err(error) = made else { panic!("{name}") };
        assert!(error.message.starts_with("`http.ca_file`: "), "{error}");
        assert!(!error.message.contains(name) || name == "empty", "{error}");
    }
}
