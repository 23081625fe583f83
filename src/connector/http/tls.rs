//! TLS: whose certificate is trusted.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// What a client needs that trusts whom the system trusts, and these certificates: those of issuers,
/// and those that a server shows as its own.
///
/// The error is that of a certificate that cannot be used, or of a system without any.
pub fn trusting(certificates: Vec<CertificateDer<'static>>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let usual = Verifier::new_with_extra_roots(certificates.clone(), Arc::clone(&provider))?;
    let verifier = Trust { usual, certificates };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// The usual rules, and one more: `openssl req -x509` makes certificates that are an issuer's and a
/// server's in one, which the rules refuse. Who names that very certificate means it.
#[derive(Debug)]
struct Trust {
    usual: Verifier,
    certificates: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let usual = self.usual.verify_server_cert(shown, intermediates, name, ocsp_response, now);
        let is_named = || self.certificates.iter().any(|known| known.as_ref() == shown.as_ref());
        match usual {
            Err(why) if is_issuers_own(&why) && is_named() => {
                // Its dates were looked at before that; its name was not.
                verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            usual => usual,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Whether a certificate was refused because it is an issuer's and a server shows it.
fn is_issuers_own(why: &Error) -> bool {
    let Error::InvalidCertificate(why) = why else { return false };
    is_ca_as_server(why)
}

/// The same of the reason alone, which has no name of its own.
pub(super) fn is_ca_as_server(why: &CertificateError) -> bool {
    why.to_string().contains("CaUsedAsEndEntity")
}
