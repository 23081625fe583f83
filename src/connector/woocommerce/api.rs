//! The shop's JSON as types: what is asked for and nothing else, and lenient where plugins are.
//!
//! Source: the WooCommerce REST API documentation, "Products", "Product variations", "Settings";
//! what real shops answer beyond it is in README.md.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::connector::loose::Loose;

/// A product or a variation, as far as it was asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Product<'a> {
    pub(super) id: u64,
    /// 0 where it has no parent or does not say.
    #[serde(default)]
    pub(super) parent_id: u64,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) sku: Loose,
    #[serde(default)]
    pub(super) global_unique_id: Loose,
    #[serde(default)]
    pub(super) name: Loose,
    #[serde(default)]
    pub(super) regular_price: Loose,
    #[serde(default)]
    pub(super) sale_price: Loose,
    #[serde(borrow, default)]
    pub(super) manage_stock: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) stock_quantity: Loose,
    /// The ids of a variable product's variations.
    #[serde(default)]
    pub(super) variations: Option<Vec<u64>>,
    /// In the answer to a batch: this item was refused.
    #[serde(default)]
    pub(super) error: Option<ItemError>,
}

/// Why one item of a batch was refused; the batch itself answers 200.
#[derive(Debug, Deserialize)]
pub(super) struct ItemError {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

/// Where an item's stock is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StockAt {
    /// At the item itself.
    Item,
    /// At the variable product that it is a variation of.
    Parent,
    /// Nowhere.
    Nobody,
}

impl Product<'_> {
    /// Whether it only holds others together and is nothing that could be sold by itself. Plugins
    /// add kinds of variable products, whose names begin alike.
    pub(super) fn is_container(&self) -> bool {
        self.holds_variations() || self.kind == "grouped"
    }

    /// Whether it has variations.
    pub(super) fn holds_variations(&self) -> bool {
        self.kind.starts_with("variable")
            || self.variations.as_ref().is_some_and(|ids| !ids.is_empty())
    }

    /// Where its stock is counted: `manage_stock` is `true`, `false` or, of variations, `"parent"`.
    pub(super) fn stock_at(&self) -> StockAt {
        match self.manage_stock.map(RawValue::get) {
            Some("true") => StockAt::Item,
            Some("\"parent\"") => StockAt::Parent,
            _ => StockAt::Nobody,
        }
    }
}

/// `system_status`, cut to what is needed.
#[derive(Debug, Default, Deserialize)]
pub(super) struct SystemStatus {
    #[serde(default)]
    pub(super) environment: Environment,
    #[serde(default)]
    pub(super) settings: StatusSettings,
}

/// The versions of a shop's programs.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Environment {
    #[serde(default)]
    pub(super) version: Option<String>,
}

/// A shop's settings, as far as its status has them.
#[derive(Debug, Default, Deserialize)]
pub(super) struct StatusSettings {
    #[serde(default)]
    pub(super) currency: Option<String>,
    #[serde(default)]
    pub(super) number_of_decimals: Option<u32>,
}

/// `data/currencies/current`.
#[derive(Debug, Deserialize)]
pub(super) struct ShopCurrency {
    pub(super) code: String,
}

/// One of `settings/…`.
#[derive(Debug, Deserialize)]
pub(super) struct Setting {
    #[serde(default)]
    pub(super) value: Loose,
}

/// `wp-json/`: what a site's API offers.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    #[serde(default)]
    pub(super) namespaces: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_stock_is_counted_is_never_guessed() {
        let at = |json: &str| serde_json::from_str::<Product<'_>>(json).unwrap().stock_at();
        assert_eq!(at(r#"{"id":1,"manage_stock":true}"#), StockAt::Item);
        assert_eq!(at(r#"{"id":1,"manage_stock":"parent"}"#), StockAt::Parent);
        for nobody in [r#"{"id":1,"manage_stock":false}"#, r#"{"id":1}"#] {
            assert_eq!(at(nobody), StockAt::Nobody);
        }
    }
}
