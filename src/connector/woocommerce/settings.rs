//! The connector's keys in `[integrations.NAME]`.

use std::path::PathBuf;
use std::sync::Arc;

use super::connector::WooConnector;
use super::shop::Shop;
use crate::around::Around;
use crate::connector::http::{Client, HttpSettings, check_scheme, needed, site};
use crate::connector::{Connector, ConnectorError, Context, Settings, may_be_written};
use crate::model::{Section, StorePlaces};
use crate::settings::{Secret, Table, Text};

/// Which of a product's prices is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PriceField {
    /// `regular_price`: what it costs when there is no sale.
    Regular,
    /// `sale_price`: what it costs in a sale.
    Sale,
}

impl PriceField {
    /// The field's name in the shop's JSON.
    pub(super) fn name(self) -> &'static str {
        match self {
            PriceField::Regular => "regular_price",
            PriceField::Sale => "sale_price",
        }
    }
}

/// `[integrations.NAME]` of a WooCommerce shop, before its texts are resolved.
#[derive(Clone, Debug)]
pub(super) struct WooSettings {
    name: String,
    folder: PathBuf,
    http: HttpSettings,
    is_store: bool,
    url: Text,
    consumer_key: Text,
    consumer_secret: Text,
    /// What the reading and writing of values depends on.
    pub(super) values: ValueSettings,
}

/// What the reading and writing of values depends on.
#[derive(Clone, Debug)]
pub(super) struct ValueSettings {
    pub(super) price_field: PriceField,
    /// Whether the shop's prices are meant to include tax; `None`: as they are.
    pub(super) prices_include_tax: Option<bool>,
    /// Decimals that a quantity can have there; `None`: as the shop shows.
    pub(super) stock_decimals: Option<u32>,
}

impl WooSettings {
    /// Takes the keys out of the table. `None` where errors, added to its problems, leave none.
    pub(super) fn read(table: &mut Table<'_>, context: &Context) -> Option<WooSettings> {
        let mut text = |key| {
            let name = table.name_of(key);
            table.require(key)?.text(&name)
        };
        let (url, key) = (text("url"), text("consumer_key"));
        let secret = table.secret("consumer_secret");
        let prices = [("regular_price", PriceField::Regular), ("sale_price", PriceField::Sale)];
        let price_field = table.choice("price_field", &prices).unwrap_or(PriceField::Regular);
        let prices_include_tax = table.bool("prices_include_tax");
        let stock_decimals = table.integer("stock_decimals", 0..7);
        Some(WooSettings {
            name: context.name.clone(),
            folder: context.folder.clone(),
            http: context.http.clone(),
            is_store: context.is_store,
            url: url?,
            consumer_key: key?,
            consumer_secret: secret?,
            values: ValueSettings {
                price_field,
                prices_include_tax,
                stock_decimals: stock_decimals.and_then(|places| u32::try_from(places).ok()),
            },
        })
    }

    /// A part of a key pair, which has a known beginning: what is swapped or cut is found at once.
    fn key(&self, key: &str, text: &Text, start: &str) -> Result<Secret, ConnectorError> {
        let found = needed(key, text, &self.folder)?;
        let is_plain = found.expose().bytes().all(|byte| byte.is_ascii_graphic());
        if is_plain && found.expose().starts_with(start) {
            return Ok(found);
        }
        Err(ConnectorError::usage(format!(
            "`{key}` is none: it begins with {start}. Make a key in WooCommerce → Settings → \
             Advanced → REST API"
        )))
    }
}

impl Settings for WooSettings {
    fn connect(
        &self,
        around: &Around,
        _: &StorePlaces,
    ) -> Result<Box<dyn Connector>, ConnectorError> {
        let url = needed("url", &self.url, &self.folder)?;
        let site = site(url.expose(), &["wp-json", "index.php"])?;
        check_scheme(&site, &self.http)?;
        let key = self.key("consumer_key", &self.consumer_key, "ck_")?;
        let secret = self.key("consumer_secret", &self.consumer_secret, "cs_")?;
        let secrets = super::auth::forms(&key, &secret);
        let client = Client::new(&self.http, &self.folder, around, &self.name, secrets)?;
        let shop = Shop::new(client, self.name.clone(), site, key, secret);
        Ok(Box::new(WooConnector::new(Arc::new(shop), self.values.clone())))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn provides(&self, _: Section) -> Result<(), String> {
        Ok(())
    }

    fn can_write(&self, _: Section) -> Result<(), String> {
        may_be_written(self.is_store)
    }
}
