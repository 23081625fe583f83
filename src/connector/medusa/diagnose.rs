//! What is wrong with a shop that does not answer as it should, and what to do about it.

use crate::connector::http::{HttpError, HttpErrorKind};
use crate::connector::{ConnectorError, ErrorKind};

const KEYS: &str = "Medusa Admin → Settings → Secret API Keys";

/// An error in words for a person.
pub(super) fn explain(error: HttpError) -> ConnectorError {
    let advice = match (error.kind, error.status) {
        (HttpErrorKind::Status, Some(401)) => format!(
            "The shop does not know the key: it was revoked, or is of another shop. Make one in \
             {KEYS}"
        ),
        (HttpErrorKind::Status, Some(403)) if error.code.is_some() => "The shop gives rights by \
             roles (its module `rbac`), and refuses them to every API key. invsync cannot work \
             with such a shop"
            .to_owned(),
        (HttpErrorKind::Status, Some(403 | 405 | 406 | 501)) => {
            "A firewall before the shop refuses invsync: let it allow requests to /admin/ with the \
             User-Agent invsync"
                .to_owned()
        }
        (HttpErrorKind::Status, Some(404)) if error.code.is_none() => no_medusa(),
        (HttpErrorKind::Broken, _) if !error.body.is_empty() => no_medusa(),
        _ => String::new(),
    };
    let is_page = error.kind == HttpErrorKind::Status && error.status == Some(404);
    let mut error = ConnectorError::from(error);
    if !advice.is_empty() {
        let stop = if error.message.ends_with(['.', '!', '?']) { "" } else { "." };
        error.message = format!("{}{stop} {advice}", error.message);
    }
    if is_page && error.kind == ErrorKind::Temporary {
        error.kind = ErrorKind::Source;
    }
    error
}

fn no_medusa() -> String {
    "No Medusa 2 answers at this `url`: it must be the address of the shop's server (the one with \
     /admin and /store), not that of its storefront; Medusa 1 is not supported"
        .to_owned()
}

/// The shop's own words about a request that it refused.
pub(super) fn words(error: &HttpError) -> String {
    match &error.code {
        Some(own) => format!("{}: {}", own.code, own.message),
        None => error.message.clone(),
    }
}
