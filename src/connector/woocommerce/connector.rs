//! The shop as a connector: what is read, what is said about it, what writes to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::diagnose;
use super::read;
use super::rows::{RowMaker, WooReader};
use super::settings::ValueSettings;
use super::shop::Shop;
use super::write::{Decimals, WooWriter};
use crate::connector::{Connector, ConnectorError, Delivery, Reader, Want, Writer};

/// A WooCommerce shop.
pub(super) struct WooConnector {
    shop: Arc<Shop>,
    values: ValueSettings,
}

impl WooConnector {
    pub(super) fn new(shop: Arc<Shop>, values: ValueSettings) -> WooConnector {
        WooConnector { shop, values }
    }

    /// What is wrong with the shop's prices as a whole.
    fn tax_problem(&self) -> Result<Option<String>, ConnectorError> {
        let Some(wanted) = self.values.prices_include_tax else { return Ok(None) };
        let words = |includes| if includes { "with tax" } else { "without tax" };
        Ok(match self.shop.prices_include_tax()? {
            Some(includes) if includes != wanted => Some(format!(
                "the store's prices are entered {}, and `prices_include_tax` says {}; no price was \
                 used. Change the key, or WooCommerce → Settings → Tax",
                words(includes),
                words(wanted)
            )),
            _ => None,
        })
    }
}

impl Connector for WooConnector {
    fn open(&self, want: Want) -> Result<Box<dyn Reader>, ConnectorError> {
        let catalogue = read::catalogue(&self.shop, want)?;
        let mut problems = Vec::new();
        let currency = if want.prices { self.shop.facts()?.currency } else { None };
        let mut maker = RowMaker::new(&self.shop, want, &self.values, currency);
        if want.prices
            && let Some(problem) = self.tax_problem()?
        {
            maker.prices_are_unusable = true;
            problems.push(problem);
        }
        if want.stock && !catalogue.has_managed && self.shop.counts_stock()? == Some(false) {
            problems.push(
                "the store counts no stock at all; no quantity was used. Switch on \"Enable stock \
                 management\" in WooCommerce → Settings → Products → Inventory"
                    .to_owned(),
            );
        }
        Ok(Box::new(WooReader::new(catalogue, maker, problems)))
    }

    fn writer(&self, _: &Delivery) -> Result<Option<Box<dyn Writer>>, ConnectorError> {
        let facts = self.shop.known_facts();
        let decimals = match self.values.stock_decimals {
            Some(places) => Some(places),
            // Without a plugin for it a shop cuts the decimals off without a word.
            None if !self.shop.has_fractions.load(Ordering::Relaxed) => Some(0),
            None => None,
        };
        // Shops have two, unless somebody changed that and the key may see it.
        let price_decimals = facts.and_then(|facts| facts.price_decimals).unwrap_or(2);
        let want = Want { stock: true, prices: true, names: false };
        let maker = RowMaker::new(&self.shop, want, &self.values, None);
        let decimals = Decimals { stock: decimals, prices: price_decimals };
        Ok(Some(Box::new(WooWriter::new(Arc::clone(&self.shop), maker, decimals))))
    }

    fn check(&self, sends: bool) -> Result<(), ConnectorError> {
        if sends {
            diagnose::check_write(&self.shop)?;
        }
        if let Some(includes) = self.shop.prices_include_tax()? {
            let words = if includes { "with tax" } else { "without tax" };
            self.shop.detail(&format!("prices are entered {words}"));
        }
        Ok(())
    }
}
