//! One shop: its address, its keys, what is known of it, and how it is asked.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;

use super::api::{Setting, ShopCurrency, SystemStatus};
use super::auth::{Keys, Signer, Way};
use super::diagnose;
use crate::connector::ConnectorError;
use crate::connector::http::{Answer, Client, HttpError, Method, Request, Url};
use crate::model::Currency;
use crate::settings::Secret;

/// The most items that a shop lists or takes in one request.
pub(super) const PAGE: usize = 100;

/// A shop and what is known of it.
pub(super) struct Shop {
    pub(super) client: Client,
    /// The integration's name.
    pub(super) name: String,
    /// The site's address, with a slash at its end.
    pub(super) site: Url,
    keys: Keys,
    facts: OnceLock<Facts>,
    /// Whether it lists all variations at once; `None`: not tried yet.
    lists_variations: OnceLock<bool>,
    /// Whether a quantity with decimals was seen.
    pub(super) has_fractions: AtomicBool,
    has_told_way: AtomicBool,
}

/// What the shop's prices are.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// The version of WooCommerce, for `-v`.
    pub(super) version: Option<String>,
    /// The currency; `None` where the key may not see it.
    pub(super) currency: Option<Currency>,
    /// The decimals that its prices are shown with; `None` where the key may not see them.
    pub(super) price_decimals: Option<u32>,
}

/// A list or item to ask for: the path below the API's root, and the query.
pub(super) type Query<'q> = &'q [(&'q str, &'q str)];

impl Shop {
    /// Nothing is asked yet.
    pub(super) fn new(
        client: Client,
        name: String,
        site: Url,
        key: Secret,
        secret: Secret,
    ) -> Shop {
        Shop {
            client,
            name,
            keys: Keys::new(key, secret, &site),
            site,
            facts: OnceLock::new(),
            lists_variations: OnceLock::new(),
            has_fractions: AtomicBool::new(false),
            has_told_way: AtomicBool::new(false),
        }
    }

    /// Reads what stands at a path of the API.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query<'_>,
    ) -> Result<Answer<T>, HttpError> {
        self.signed(|signer| {
            let url = self.address(path, query);
            self.client.read(&Request { method: Method::Get, url, body: None, auth: Some(signer) })
        })
    }

    /// Writes absolute values.
    pub(super) fn write<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &str,
    ) -> Result<Answer<T>, HttpError> {
        self.signed(|signer| {
            let url = self.api(path);
            let (body, auth) = (Some(body.to_owned()), Some(signer as &_));
            self.client.write(&Request { method: Method::Post, url, body, auth })
        })
    }

    /// Asks in the way that the site is known to understand; where it did not see any keys, in the
    /// next one. What it did not see it did not act upon.
    fn signed<T>(
        &self,
        ask: impl Fn(&Signer<'_>) -> Result<Answer<T>, HttpError>,
    ) -> Result<Answer<T>, HttpError> {
        loop {
            let way = self.keys.way();
            let asked = ask(&Signer { keys: &self.keys, way });
            let Err(error) = &asked else {
                if !self.has_told_way.swap(true, Ordering::Relaxed) {
                    self.detail(&format!("the shop understands {}", way.name()));
                }
                return asked;
            };
            let Some((next, is_taken_here)) =
                has_seen_no_keys(error).then(|| self.keys.go_on_from(way)).flatten()
            else {
                return asked;
            };
            if is_taken_here {
                let (way, next) = (way.name(), next.name());
                self.detail(&format!("the shop does not see {way}; going on with {next}"));
            }
        }
    }

    /// Says something for who looks closely (`-v`).
    pub(super) fn detail(&self, message: &str) {
        self.client.around().progress.detail(&format!("{}: {message}", self.name));
    }

    /// The way that requests are signed now.
    pub(super) fn way(&self) -> Way {
        self.keys.way()
    }

    /// The address of a path of the API.
    fn api(&self, path: &str) -> Url {
        let mut url = self.site.clone();
        url.set_path(&format!("{}wp-json/wc/v3/{path}", self.site.path()));
        url
    }

    /// The same with a query; a parameter that says nothing passes caches that keep answers for
    /// days, whoever asks.
    fn address(&self, path: &str, query: Query<'_>) -> Url {
        let mut url = self.api(path);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        url.query_pairs_mut().extend_pairs(query).append_pair("_", &now.as_millis().to_string());
        url
    }

    /// What the shop's prices are; asked once.
    pub(super) fn facts(&self) -> Result<&Facts, ConnectorError> {
        if let Some(facts) = self.facts.get() {
            return Ok(facts);
        }
        let facts = self.ask_facts()?;
        if let Some(version) = &facts.version {
            self.detail(&format!("WooCommerce {version}"));
        }
        Ok(self.facts.get_or_init(|| facts))
    }

    /// What the shop's prices are, where it was asked.
    pub(super) fn known_facts(&self) -> Option<&Facts> {
        self.facts.get()
    }

    fn ask_facts(&self) -> Result<Facts, ConnectorError> {
        const FIELDS: &str = "environment.version,settings.currency,settings.number_of_decimals";
        let asked = self.read::<SystemStatus>("system_status", &[("_fields", FIELDS)]);
        let status = match asked {
            Ok(answer) => answer.value,
            // A key of somebody who may see products and nothing of the shop.
            Err(error) if matches!(error.status, Some(403 | 404)) => SystemStatus::default(),
            Err(error) => return Err(diagnose::explain(self, error)),
        };
        let currency = match status.settings.currency {
            Some(code) => Some(code),
            None => self.ask_currency()?,
        };
        Ok(Facts {
            version: status.environment.version.map(|version| self.client.scrub(&version)),
            currency: currency.and_then(|code| Currency::parse(&code)),
            price_decimals: match status.settings.number_of_decimals {
                Some(decimals) => Some(decimals),
                None => {
                    let value = self.setting("general/woocommerce_price_num_decimals")?;
                    value.and_then(|text| text.parse().ok())
                }
            },
        })
    }

    fn ask_currency(&self) -> Result<Option<String>, ConnectorError> {
        match self.read::<ShopCurrency>("data/currencies/current", &[]) {
            Ok(answer) => Ok(Some(answer.value.code)),
            Err(error) if matches!(error.status, Some(403 | 404)) => Ok(None),
            Err(error) => Err(diagnose::explain(self, error)),
        }
    }

    /// A setting's value, such as `yes`; `None` where the key may not see it.
    pub(super) fn setting(&self, path: &str) -> Result<Option<String>, ConnectorError> {
        match self.read::<Setting>(&format!("settings/{path}"), &[]) {
            Ok(answer) => Ok(answer.value.value.text().map(str::to_owned)),
            Err(error) if matches!(error.status, Some(401 | 403 | 404)) => Ok(None),
            Err(error) => Err(diagnose::explain(self, error)),
        }
    }

    /// Whether the entered prices include tax; `None` where the shop calculates no tax, or the key
    /// may not see it.
    pub(super) fn prices_include_tax(&self) -> Result<Option<bool>, ConnectorError> {
        if self.setting("general/woocommerce_calc_taxes")?.as_deref() != Some("yes") {
            return Ok(None);
        }
        let value = self.setting("tax/woocommerce_prices_include_tax")?;
        Ok(value.map(|value| value == "yes"))
    }

    /// Whether the shop counts stock at all; `None` where the key may not see it.
    pub(super) fn counts_stock(&self) -> Result<Option<bool>, ConnectorError> {
        let value = self.setting("products/woocommerce_manage_stock")?;
        Ok(value.map(|value| value == "yes"))
    }

    /// Whether it lists all variations at once; `None`: not tried yet.
    pub(super) fn lists_variations(&self) -> Option<bool> {
        self.lists_variations.get().copied()
    }

    /// Remembers whether it lists all variations at once.
    pub(super) fn set_lists_variations(&self, does: bool) {
        // It does not change within a run.
        let _ = self.lists_variations.set(does);
    }

    /// Remembers that a quantity with decimals was seen.
    pub(super) fn saw_fraction(&self) {
        self.has_fractions.store(true, Ordering::Relaxed);
    }
}

/// Whether a site answered as if no keys had come: they were stripped on the way, or it does not
/// look for them there.
fn has_seen_no_keys(error: &HttpError) -> bool {
    let is_code = |code: &str| code.starts_with("woocommerce_rest_cannot_");
    error.status == Some(401) && error.code.as_ref().is_some_and(|error| is_code(&error.code))
}
