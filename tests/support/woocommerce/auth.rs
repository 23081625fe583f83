//! Who a request comes from, as WooCommerce finds it out.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::call::{Caller, Error};
use super::http::{Query, Request};
use super::oauth::{Signed, header_parameters};
use super::settings::{Key, Permissions, Settings};

/// How a client said who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    Nothing,
    Basic,
    /// The key and its secret in the query.
    Query,
    /// OAuth in the query.
    Signature,
    /// OAuth in the `Authorization` header.
    SignedHeader,
}

/// How a request says who it is, whatever becomes of that.
pub(super) fn presented(request: &Request, query: &Query) -> Auth {
    match request.header("authorization") {
        Some(header) if header.starts_with("Basic ") => Auth::Basic,
        Some(header) if header.starts_with("OAuth ") => Auth::SignedHeader,
        _ if query.get("consumer_key").is_some() => Auth::Query,
        _ if query.get("oauth_consumer_key").is_some() => Auth::Signature,
        _ => Auth::Nothing,
    }
}

/// The shop's key and what was signed with it.
pub(super) struct Door<'a> {
    pub(super) settings: &'a Settings,
    pub(super) key: &'a mut Key,
    pub(super) nonces: &'a mut HashSet<String>,
}

/// The parameters that OAuth needs.
const PARAMETERS: [&str; 5] = [
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
];

impl Door<'_> {
    /// The caller of a request; credentials that are wrong, not missing, are an error.
    pub(super) fn caller(&mut self, request: &Request, query: &Query) -> Result<Caller, Error> {
        let by_secret =
            if self.settings.sees_tls { self.by_secret(request, query)? } else { false };
        if !by_secret && !self.by_signature(request, query)? {
            return Ok(Caller::Nobody);
        }
        self.may(&request.method)?;
        Ok(if self.key.manager { Caller::Manager } else { Caller::Customer })
    }

    /// Basic or the query. An unknown key is no error: it is as if none had come.
    fn by_secret(&mut self, request: &Request, query: &Query) -> Result<bool, Error> {
        let in_query = query.get("consumer_key").zip(query.get("consumer_secret"));
        let in_query = in_query.map(|(key, secret)| (key.to_owned(), secret.to_owned()));
        let Some((key, secret)) = in_query.or_else(|| self.basic(request)) else {
            return Ok(false);
        };
        if !self.knows(&key) {
            return Ok(false);
        }
        if secret != self.key.consumer_secret {
            return Err(Error::authentication("Consumer secret is invalid."));
        }
        Ok(true)
    }

    fn basic(&self, request: &Request) -> Option<(String, String)> {
        let encoded = self.authorization(request)?.strip_prefix("Basic ")?;
        let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        text.split_once(':').map(|(key, secret)| (key.to_owned(), secret.to_owned()))
    }

    fn authorization<'r>(&self, request: &'r Request) -> Option<&'r str> {
        request.header("authorization").filter(|_| !self.settings.strip_authorization)
    }

    fn by_signature(&mut self, request: &Request, query: &Query) -> Result<bool, Error> {
        let mut parameters = query.0.clone();
        if let Some(header) = self.authorization(request) {
            parameters.extend(header_parameters(header));
        }
        let own = |name: &str| {
            let found = parameters.iter().find(|(known, value)| known == name && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        let missing: Vec<_> = PARAMETERS.into_iter().filter(|name| own(name).is_none()).collect();
        if missing.len() == PARAMETERS.len() {
            return Ok(false);
        }
        let [Some(key), Some(time), Some(nonce), Some(signature), Some(method)] =
            PARAMETERS.map(own)
        else {
            let which = if missing.len() == 1 { "parameter" } else { "parameters" };
            let message = format!("Missing OAuth {which} {}", missing.join(", "));
            return Err(Error::authentication(&message));
        };
        if !self.knows(&key) {
            return Err(Error::authentication("Consumer key is invalid."));
        }
        parameters.retain(|(name, _)| name != "oauth_signature");
        self.check_signature(request, &parameters, &method, &signature)?;
        self.check_time_and_nonce(&time, nonce)?;
        Ok(true)
    }

    fn check_signature(
        &self,
        request: &Request,
        parameters: &[(String, String)],
        method: &str,
        signature: &str,
    ) -> Result<(), Error> {
        let url = format!(
            "{}://{}{}",
            self.settings.scheme(),
            request.header("host").unwrap_or_default(),
            request.path()
        );
        let signed = Signed { method: &request.method, url: &url, parameters };
        let Some(expected) = signed.signature(method, &self.key.consumer_secret) else {
            let message = "Invalid signature - signature method is invalid.";
            return Err(Error::authentication(message));
        };
        // A `+` that nobody encoded has become a blank.
        if signature.replace(' ', "+") == expected {
            return Ok(());
        }
        let message = "Invalid signature - provided signature does not match.";
        Err(Error::authentication(message))
    }

    fn check_time_and_nonce(&mut self, time: &str, nonce: String) -> Result<(), Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_secs());
        let now = now.cast_signed() + self.settings.clock_ahead_s;
        let distance = now.abs_diff(time.parse().unwrap_or(0));
        if distance > 15 * 60 {
            return Err(Error::authentication("Invalid timestamp."));
        }
        if !self.nonces.insert(nonce) {
            let message = "Invalid nonce - nonce has already been used.";
            return Err(Error::authentication(message));
        }
        Ok(())
    }

    /// Whether the shop has this key and it was not revoked yet.
    fn knows(&mut self, key: &str) -> bool {
        if key != self.key.consumer_key || self.key.valid_requests == Some(0) {
            return false;
        }
        if let Some(left) = &mut self.key.valid_requests {
            *left -= 1;
        }
        true
    }

    fn may(&self, method: &str) -> Result<(), Error> {
        let (lacking, what) = match method {
            "GET" | "HEAD" => (Permissions::Write, "read"),
            _ => (Permissions::Read, "write"),
        };
        if self.key.permissions == lacking {
            let message = format!("The API key provided does not have {what} permissions.");
            return Err(Error::authentication(&message));
        }
        Ok(())
    }
}
