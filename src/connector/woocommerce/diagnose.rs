//! What is wrong with a shop that does not answer as it should, and what to do about it.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::api::Index;
use super::auth::Way;
use super::shop::Shop;
use crate::connector::http::{HttpError, HttpErrorKind, Method, Request};
use crate::connector::{ConnectorError, ErrorKind};

const KEYS: &str = "WooCommerce → Settings → Advanced → REST API";

/// What to do about an error.
struct Advice {
    text: Cow<'static, str>,
    /// Waiting will not help: the config or the shop's settings must change.
    is_lasting: bool,
}

impl Advice {
    const NONE: Advice = Advice { text: Cow::Borrowed(""), is_lasting: false };

    fn lasting(text: impl Into<Cow<'static, str>>) -> Advice {
        Advice { text: text.into(), is_lasting: true }
    }
}

impl<T: Into<Cow<'static, str>>> From<T> for Advice {
    fn from(text: T) -> Advice {
        Advice { text: text.into(), is_lasting: false }
    }
}

/// An error of reading in words for a person.
pub(super) fn explain(shop: &Shop, error: HttpError) -> ConnectorError {
    let advice = match (error.kind, error.status) {
        (HttpErrorKind::Status, Some(401)) => unauthorised(shop, &error),
        (HttpErrorKind::Status, Some(403)) => forbidden(&error),
        (HttpErrorKind::Status, Some(405 | 406 | 501)) => FIREWALL.into(),
        (HttpErrorKind::Status, Some(404)) | (HttpErrorKind::Broken, _) => {
            wrong_place(shop, &error)
        }
        _ => Advice::NONE,
    };
    with(error, &advice)
}

/// An error of writing: what could be read cannot be written.
pub(super) fn explain_write(shop: &Shop, error: HttpError) -> ConnectorError {
    let advice = match (error.kind, error.status, &error.code) {
        (HttpErrorKind::Status, Some(401), Some(_)) => Advice::from(format!(
            "The key may read and not write: give it the permission \"Read/Write\" in {KEYS}"
        )),
        (HttpErrorKind::Status, Some(403), Some(_)) => forbidden(&error),
        (HttpErrorKind::Status, Some(403 | 405 | 406 | 501), None) => FIREWALL.into(),
        (HttpErrorKind::Status, Some(401), None) => unauthorised(shop, &error),
        _ => Advice::NONE,
    };
    with(error, &advice)
}

/// The shop's own words about a request that it refused.
pub(super) fn words(error: &HttpError) -> String {
    match &error.code {
        Some(own) => format!("{}: {}", own.code, own.message),
        None => error.message.clone(),
    }
}

/// Whether the key may write: an empty batch changes nothing, and is refused to who may not.
pub(super) fn check_write(shop: &Shop) -> Result<(), ConnectorError> {
    match shop.write::<Box<RawValue>>("products/batch", "{\"update\":[]}") {
        Ok(_) => Ok(()),
        Err(error) => Err(explain_write(shop, error)),
    }
}

const FIREWALL: &str = "A firewall or security plugin of the site refuses invsync: let it allow \
                        requests to /wp-json/wc/ with the User-Agent invsync";

fn with(error: HttpError, advice: &Advice) -> ConnectorError {
    let mut error = ConnectorError::from(error);
    if !advice.text.is_empty() {
        let stop = if error.message.ends_with(['.', '!', '?']) { "" } else { "." };
        error.message = format!("{}{stop} {}", error.message, advice.text);
    }
    if advice.is_lasting && error.kind == ErrorKind::Temporary {
        error.kind = ErrorKind::Source;
    }
    error
}

fn unauthorised(shop: &Shop, error: &HttpError) -> Advice {
    let code = error.code.as_ref().map(|own| own.code.as_str()).unwrap_or_default();
    if code == "woocommerce_rest_authentication_error" {
        let clock = match shop.way() {
            Way::OAuth => {
                ", or the clock of this machine or of the shop is off by more than 15 \
                          minutes"
            }
            _ => "",
        };
        return Advice::from(format!(
            "The key pair is wrong, or the key may not read{clock}. Look at it in {KEYS}: it needs \
             \"Read\", or \"Read/Write\" to be written"
        ));
    }
    Advice::from(format!(
        "The shop knows no such key, or it does not see the keys at all (a server that strips the \
         Authorization header, or a proxy that ends TLS without telling WordPress); every way to \
         send them was tried. Look at the key in {KEYS}"
    ))
}

fn forbidden(error: &HttpError) -> Advice {
    if error.code.is_none() {
        return FIREWALL.into();
    }
    Advice::from(format!(
        "The key's user may not do this: give the user the role \"Shop manager\", or make the key \
         for one who has it, in {KEYS}"
    ))
}

/// Looks for the API where it ought to be, and says what is there instead.
fn wrong_place(shop: &Shop, error: &HttpError) -> Advice {
    let is_json = error.code.is_some();
    let index = index(shop);
    match index {
        Ok(index) if !index.namespaces.iter().any(|space| space == "wc/v3") => Advice::lasting(
            "WordPress answers at this `url`, but without WooCommerce's API (wc/v3): \
                 WooCommerce is switched off, or older than 3.5",
        ),
        // The API is there: it is only this request that failed.
        // What was cut, packed wrong or too large, no plugin printed.
        Ok(_) if error.kind == HttpErrorKind::Broken && !error.body.is_empty() => {
            "The API itself is there: a plugin prints into its answers or breaks them. Look into \
             the shop's PHP log, and switch WP_DEBUG_DISPLAY off"
                .into()
        }
        Ok(_) => Advice::NONE,
        Err(_) if is_json => Advice::NONE,
        Err(_) => wrong_site(shop),
    }
}

/// What a site without an API at `wp-json/` is.
fn wrong_site(shop: &Shop) -> Advice {
    // That the API is where it was looked for says nothing about the address.
    let own = format!("{}wp-json", shop.site);
    let link = home_link(shop).filter(|link| !link.starts_with(&own));
    match link.as_deref() {
        Some(link) if link.contains("rest_route=") => Advice::lasting(
            "The shop uses plain permalinks, with which WooCommerce's keys do not work: choose \
             another structure than \"Plain\" in WordPress → Settings → Permalinks, such as \"Post \
             name\"",
        ),
        Some(link) => Advice::lasting(format!(
            "The site says that its API is at {link}: put what stands before /wp-json/ into `url`",
        )),
        None => "No WordPress answers at this `url`: it must be the shop's own address, with the \
                 folder that it is in, such as https://example.com/shop; or the site shows a page \
                 of its own (maintenance, log-in, a firewall's question) to everybody"
            .into(),
    }
}

fn index(shop: &Shop) -> Result<Index, HttpError> {
    let mut url = shop.site.clone();
    url.set_path(&format!("{}wp-json/", shop.site.path()));
    url.set_query(Some("_fields=namespaces"));
    let request = Request { method: Method::Get, url, body: None, auth: None };
    shop.client.read::<Index>(&request).map(|answer| answer.value)
}

/// Where the home page says that the API is.
fn home_link(shop: &Shop) -> Option<String> {
    let url = shop.site.clone();
    let request = Request { method: Method::Get, url, body: None, auth: None };
    let error = shop.client.read::<Box<RawValue>>(&request).err()?;
    let links = error.headers.get_all("link").iter().filter_map(|link| link.to_str().ok());
    let mut all = links.flat_map(|links| links.split(','));
    let link = all.find(|link| link.contains("https://api.w.org/"))?;
    let address = link.split(['<', '>']).nth(1)?;
    Some(shop.client.scrub(address))
}
