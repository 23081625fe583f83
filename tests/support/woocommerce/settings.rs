//! What the shop, its key and its web server are like; a test may change any of it at any time.

use std::time::Duration;

/// The shop's key. Nothing else looks like it, so that a leak is found.
pub(crate) const KEY: &str = "ck_c0ffee5eedc0ffee5eedc0ffee5eedc0ffee5eed";
/// The key's secret.
pub(crate) const SECRET: &str = "cs_5ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4";

/// The shop and what stands before it.
pub(crate) struct Settings {
    /// WooCommerce's version: `"10.9.1"`. Older ones lack routes and filters, and lose rows.
    pub(crate) version: &'static str,
    pub(crate) currency: &'static str,
    pub(crate) number_of_decimals: u8,
    pub(crate) decimal_separator: &'static str,
    pub(crate) timezone: &'static str,
    /// `woocommerce_manage_stock`: off, every item shows `manage_stock: false`, and stock that is
    /// written is ignored.
    pub(crate) manage_stock: bool,
    pub(crate) prices_include_tax: bool,
    pub(crate) calc_taxes: bool,
    /// A plugin that takes and shows decimals in stock.
    pub(crate) decimal_stock: bool,
    /// At this stock or below it an item is out of stock.
    pub(crate) no_stock_amount: i64,
    /// How many items a batch may have.
    pub(crate) batch_limit: usize,
    /// Whether lists do not know `offset`, as behind some caches.
    pub(crate) ignores_offset: bool,
    /// Whether a batch of variations knows but the parent in its address.
    pub(crate) ignores_product_id: bool,
    /// The folder of the site: `"/sklep"`; empty for none.
    pub(crate) folder: &'static str,
    pub(crate) plain_permalinks: bool,
    pub(crate) woocommerce_active: bool,
    /// Whether WordPress believes that the request came by https. Tests speak plain http.
    pub(crate) sees_tls: bool,
    /// Whether the `Authorization` header gets lost before WordPress.
    pub(crate) strip_authorization: bool,
    /// How far the server's clock is ahead.
    pub(crate) clock_ahead_s: i64,
    /// Whether answers are compressed for clients that take it.
    pub(crate) gzip: bool,
    /// Whether answers come in chunks, without a length.
    pub(crate) chunked: bool,
    /// How long every answer takes at least.
    pub(crate) latency: Duration,
    /// The largest body that the web server lets through.
    pub(crate) body_limit_bytes: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            version: "10.9.1",
            currency: "EUR",
            number_of_decimals: 2,
            decimal_separator: ".",
            timezone: "Europe/Warsaw",
            manage_stock: true,
            prices_include_tax: true,
            calc_taxes: false,
            decimal_stock: false,
            no_stock_amount: 0,
            batch_limit: 100,
            ignores_offset: false,
            ignores_product_id: false,
            folder: "",
            plain_permalinks: false,
            woocommerce_active: true,
            sees_tls: false,
            strip_authorization: false,
            clock_ahead_s: 0,
            gzip: false,
            chunked: false,
            latency: Duration::ZERO,
            body_limit_bytes: 1 << 20,
        }
    }
}

impl Settings {
    /// Whether WooCommerce is of this version or newer.
    pub(super) fn since(&self, version: [u32; 3]) -> bool {
        let mut parts = self.version.split('.').map(|part| part.parse().unwrap_or(0));
        let own = [(); 3].map(|()| parts.next().unwrap_or(0));
        own >= version
    }

    /// The scheme that WordPress believes the request to have come by.
    pub(super) fn scheme(&self) -> &'static str {
        if self.sees_tls { "https" } else { "http" }
    }
}

/// What a key may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permissions {
    Read,
    Write,
    ReadWrite,
}

/// The one key that the shop has.
pub(crate) struct Key {
    /// Changed, the key of the config is unknown to the shop.
    pub(crate) consumer_key: String,
    pub(crate) consumer_secret: String,
    pub(crate) permissions: Permissions,
    /// Whether the key's user may manage the shop.
    pub(crate) manager: bool,
    /// After this many requests the key is revoked.
    pub(crate) valid_requests: Option<usize>,
}

impl Default for Key {
    fn default() -> Key {
        Key {
            consumer_key: KEY.to_owned(),
            consumer_secret: SECRET.to_owned(),
            permissions: Permissions::ReadWrite,
            manager: true,
            valid_requests: None,
        }
    }
}
