//! How a request makes known who asks: three ways, of which a site understands some.
//!
//! Sources: the WooCommerce REST API documentation, "Authentication", and RFC 5849 (OAuth 1.0).

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::Sha256;

use crate::connector::http::{Authentication, HeaderMap, HeaderValue, Url};
use crate::settings::Secret;

/// A way to make known who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// HTTP Basic: what a site behind TLS understands.
    Basic,
    /// Key and secret in the query: where a server strips the `Authorization` header.
    Query,
    /// OAuth 1.0a, signed for `http://`: on plain http, and behind a proxy that ends TLS without
    /// telling the site.
    OAuth,
}

impl Way {
    /// For `-v`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Way::Basic => "HTTP Basic",
            Way::Query => "keys in the query",
            Way::OAuth => "OAuth 1.0a",
        }
    }

    fn next(self) -> Option<Way> {
        match self {
            Way::Basic => Some(Way::Query),
            Way::Query => Some(Way::OAuth),
            Way::OAuth => None,
        }
    }

    fn from_code(code: u8) -> Way {
        match code {
            0 => Way::Basic,
            1 => Way::Query,
            _ => Way::OAuth,
        }
    }

    fn code(self) -> u8 {
        match self {
            Way::Basic => 0,
            Way::Query => 1,
            Way::OAuth => 2,
        }
    }
}

/// The key pair, and the way that this site was found to understand.
pub(super) struct Keys {
    key: Secret,
    secret: Secret,
    way: AtomicU8,
}

impl Keys {
    /// Over plain http, keys are never sent as they are: there they would be seen, and refused.
    pub(super) fn new(key: Secret, secret: Secret, site: &Url) -> Keys {
        let way = if site.scheme() == "http" { Way::OAuth } else { Way::Basic };
        Keys { key, secret, way: AtomicU8::new(way.code()) }
    }

    /// The way that requests are signed now.
    pub(super) fn way(&self) -> Way {
        Way::from_code(self.way.load(Ordering::Relaxed))
    }

    /// Takes the way after `from`, unless another thread has done so. The way to go on with, and
    /// whether it was taken here; `None`: there is no other.
    pub(super) fn go_on_from(&self, from: Way) -> Option<(Way, bool)> {
        let next = from.next()?;
        let (old, new) = (from.code(), next.code());
        let taken = self.way.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed);
        Some((self.way(), taken.is_ok()))
    }
}

/// The key pair, used in one way.
pub(super) struct Signer<'k> {
    pub(super) keys: &'k Keys,
    pub(super) way: Way,
}

impl Authentication for Signer<'_> {
    fn sign(&self, method: &str, url: &mut Url, headers: &mut HeaderMap) {
        let (key, secret) = (self.keys.key.expose(), self.keys.secret.expose());
        match self.way {
            Way::Basic => {
                let text = format!("Basic {}", BASE64.encode(format!("{key}:{secret}")));
                if let Ok(mut value) = HeaderValue::from_str(&text) {
                    value.set_sensitive(true);
                    headers.insert("authorization", value);
                }
            }
            Way::Query => {
                url.query_pairs_mut()
                    .append_pair("consumer_key", key)
                    .append_pair("consumer_secret", secret);
            }
            Way::OAuth => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let nonce = format!("{:032x}", fastrand::u128(..));
                let once = Once { timestamp: now.as_secs(), nonce: &nonce, digest: "HMAC-SHA256" };
                let sign = |text: &str| hmac::<Hmac<Sha256>>(&format!("{secret}&"), text);
                sign_oauth(method, url, key, &once, sign);
            }
        }
    }
}

/// Every form in which the keys travel: what must never be shown.
pub(super) fn forms(key: &Secret, secret: &Secret) -> Vec<Secret> {
    let pair = format!("{}:{}", key.expose(), secret.expose());
    vec![secret.clone(), key.clone(), Secret::new(BASE64.encode(pair))]
}

/// What makes one signature different from all others.
struct Once<'a> {
    timestamp: u64,
    nonce: &'a str,
    digest: &'a str,
}

/// Adds the OAuth parameters and the signature to the query.
fn sign_oauth(
    method: &str,
    url: &mut Url,
    key: &str,
    once: &Once<'_>,
    sign: impl FnOnce(&str) -> String,
) {
    let mut parameters: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (encode(&name), encode(&value))).collect();
    let timestamp = once.timestamp.to_string();
    for (name, value) in [
        ("oauth_consumer_key", key),
        ("oauth_timestamp", &timestamp),
        ("oauth_nonce", once.nonce),
        ("oauth_signature_method", once.digest),
    ] {
        parameters.push((name.to_owned(), encode(value)));
    }
    parameters.sort();
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = pairs.join("&");
    let base = format!("{method}&{}&{}", encode(&plain_address(url)), encode(&query));
    let signature = encode(&sign(&base));
    url.set_query(Some(&format!("{query}&oauth_signature={signature}")));
}

/// The address as a site sees it that believes to be asked over http: with the port where it is
/// not the usual one, without the query.
fn plain_address(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("http://{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}

fn hmac<M: Mac + KeyInit>(key: &str, text: &str) -> String {
    // HMAC takes keys of any length.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(text.as_bytes());
    BASE64.encode(mac.finalize().into_bytes())
}

/// What RFC 3986 does not reserve stays; all else is encoded.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use sha1::Sha1;

    use super::*;

    const NONCE: &str = "0123456789abcdef0123456789abcdef";

    /// The signature of a request with the keys that all vectors share.
    fn signature(method: &str, address: &str, query: &[(&str, &str)], digest: &str) -> String {
        let mut url = Url::parse(address).unwrap();
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let (key, secret) = ("a".repeat(40), "b".repeat(40));
        let once = Once { timestamp: 1_760_000_000, nonce: NONCE, digest };
        let secret = format!("cs_{secret}&");
        sign_oauth(method, &mut url, &format!("ck_{key}"), &once, |text| match digest {
            "HMAC-SHA1" => hmac::<Hmac<Sha1>>(&secret, text),
            _ => hmac::<Hmac<Sha256>>(&secret, text),
        });
        let pairs: Vec<_> = url.query_pairs().into_owned().collect();
        pairs.into_iter().find(|(name, _)| name == "oauth_signature").unwrap().1
    }

    #[test]
    fn a_real_shop_accepts_these_signatures() {
        let shop = "http://shop.example/wp-json/wc/v3/products";
        let list = [
            ("per_page", "100"),
            ("page", "2"),
            ("orderby", "id"),
            ("order", "asc"),
            ("_fields", "id,sku"),
        ];
        let get = |query: &[_]| signature("GET", shop, query, "HMAC-SHA1");
        assert_eq!(get(&list), "YUVPNI0nTTWYRNjhYW8tFujKq6Y=");
        assert_eq!(
            signature("GET", shop, &list, "HMAC-SHA256"),
            "SZjnjRiv4mWi4O3JzbJN0g7c8fmOVdNZA9Y0uxJ6W+4="
        );
        assert_eq!(get(&[("sku", "ŻÓŁ/5 ą+b~c*'\"")]), "1ZFnd1UCx5MVAdZIGfGGjw7ryZI=");
        assert_eq!(get(&[("search", "100%25 & 50%")]), "qHajaA5KW5uIlIbh9jhQIe0SKdU=");
        assert_eq!(
            get(&[("modified_after", "2026-11-24T02:00:00+01:00")]),
            "zKZHG0lsuruSBll4kHLXw1PbenI="
        );
        let batch = format!("{shop}/batch");
        let post = signature("POST", &batch, &[], "HMAC-SHA1");
        assert_eq!(post, "mWkhic7EwvY3YdPaEkc42VkyqwU=");
        for (address, is) in [
            ("http://shop.example/sklep/wp-json/wc/v3/products", "UhEnS1EkYX9NdkGuI3c8oOGravk="),
            ("http://shop.example:8081/wp-json/wc/v3/products", "LdAcSgkFEGpuNUPApZRU5Fkzwgw="),
        ] {
            assert_eq!(signature("GET", address, &[("page", "1")], "HMAC-SHA1"), is);
        }
    }

    #[test]
    fn a_site_behind_a_proxy_is_signed_for_as_it_sees_itself() {
        let url = |text| plain_address(&Url::parse(text).unwrap());
        assert_eq!(url("https://shop.example/a/b?c=d"), "http://shop.example/a/b");
        assert_eq!(url("http://shop.example:80/"), "http://shop.example/");
    }

    #[test]
    fn the_ways_are_tried_in_order_and_keys_never_go_over_plain_http() {
        let keys = |site| {
            let secret = |text: &str| Secret::new(text.to_owned());
            Keys::new(secret("ck_1"), secret("cs_2"), &Url::parse(site).unwrap())
        };
        let tls = keys("https://shop.example/");
        assert_eq!(tls.way(), Way::Basic);
        assert_eq!(tls.go_on_from(Way::Basic), Some((Way::Query, true)));
        // Two threads that were refused at once go on by one.
        assert_eq!(tls.go_on_from(Way::Basic), Some((Way::Query, false)));
        assert_eq!(tls.go_on_from(Way::Query), Some((Way::OAuth, true)));
        assert_eq!(tls.go_on_from(Way::OAuth), None);

        let plain = keys("http://shop.example/");
        let mut url = Url::parse("http://shop.example/x").unwrap();
        let mut headers = HeaderMap::new();
        Signer { keys: &plain, way: plain.way() }.sign("GET", &mut url, &mut headers);
        assert!(headers.is_empty() && !url.as_str().contains("cs_2"), "{url}");
        assert!(url.as_str().contains("oauth_signature="));
    }
}
