//! OAuth 1.0a as WooCommerce checks it: one-legged, everything in the query or in a header.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::http::{percent_decoded, percent_encoded};

/// A request as it is signed.
pub(crate) struct Signed<'a> {
    pub(crate) method: &'a str,
    /// The scheme that WordPress sees, the host as the client wrote it, the path; no query.
    pub(crate) url: &'a str,
    /// Every parameter of the query and of OAuth, decoded, without the signature.
    pub(crate) parameters: &'a [(String, String)],
}

impl Signed<'_> {
    /// The text that the signature is made of. Names and values are encoded before they are
    /// joined, and again with the whole: a comma becomes `%252C`.
    pub(crate) fn base_string(&self) -> String {
        let mut sorted: Vec<_> = self.parameters.iter().collect();
        sorted.sort();
        let pair = |(name, value): &&(String, String)| {
            percent_encoded(&format!("{}={}", percent_encoded(name), percent_encoded(value)))
        };
        let pairs: Vec<_> = sorted.iter().map(pair).collect();
        format!("{}&{}&{}", self.method, percent_encoded(self.url), pairs.join("%26"))
    }

    /// The signature; `None` for a method that WooCommerce does not know.
    pub(crate) fn signature(&self, method: &str, consumer_secret: &str) -> Option<String> {
        let (text, key) = (self.base_string(), format!("{consumer_secret}&"));
        let (text, key) = (text.as_bytes(), key.as_bytes());
        let bytes = match method {
            "HMAC-SHA1" => {
                let mac = Hmac::<Sha1>::new_from_slice(key).ok()?.chain_update(text);
                mac.finalize().into_bytes().to_vec()
            }
            "HMAC-SHA256" => {
                let mac = Hmac::<Sha256>::new_from_slice(key).ok()?.chain_update(text);
                mac.finalize().into_bytes().to_vec()
            }
            _ => return None,
        };
        Some(STANDARD.encode(bytes))
    }
}

/// The parameters of an `Authorization: OAuth …` header.
pub(super) fn header_parameters(header: &str) -> Vec<(String, String)> {
    let Some(list) = header.strip_prefix("OAuth ") else { return Vec::new() };
    let pairs = list.split(',').filter_map(|pair| pair.trim().split_once('='));
    let pairs = pairs.filter(|(name, _)| *name != "realm");
    pairs.map(|(name, value)| (name.to_owned(), percent_decoded(value.trim_matches('"')))).collect()
}
