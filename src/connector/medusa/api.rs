//! The shop's JSON as types: what is asked for and nothing else.
//!
//! Source: the Medusa Admin API reference, "Product Variants", "Inventory Items", "Price Lists",
//! "Stock Locations", "Regions", "Stores"; what real shops answer beyond it is in README.md.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::connector::loose::Loose;

/// A page of `product-variants`.
#[derive(Debug, Deserialize)]
pub(super) struct VariantPage<'a> {
    #[serde(borrow)]
    pub(super) variants: Vec<Variant<'a>>,
    /// How many there are in all.
    pub(super) count: u64,
}

/// A variant, as far as it was asked for.
#[derive(Debug, Deserialize)]
pub(super) struct Variant<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) product_id: Cow<'a, str>,
    #[serde(default)]
    pub(super) title: Loose,
    #[serde(default)]
    pub(super) sku: Loose,
    #[serde(default)]
    pub(super) ean: Loose,
    #[serde(default)]
    pub(super) barcode: Loose,
    #[serde(default)]
    pub(super) upc: Loose,
    #[serde(default)]
    pub(super) product: Option<Product>,
    #[serde(default)]
    pub(super) manage_inventory: bool,
    #[serde(borrow, default)]
    pub(super) inventory_items: Vec<ItemLink<'a>>,
    /// The base prices, as they came: they are sent back as they are.
    #[serde(borrow, default)]
    pub(super) prices: Option<&'a RawValue>,
}

/// What a variant belongs to.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Product {
    #[serde(default)]
    pub(super) title: Loose,
}

/// Of what, and how much of it, a variant consists.
#[derive(Debug, Deserialize)]
pub(super) struct ItemLink<'a> {
    #[serde(borrow)]
    pub(super) inventory_item_id: Cow<'a, str>,
    #[serde(default)]
    pub(super) required_quantity: Loose,
    #[serde(borrow, default)]
    pub(super) inventory: Option<InventoryItem<'a>>,
}

/// Where an inventory item is kept.
#[derive(Debug, Deserialize)]
pub(super) struct InventoryItem<'a> {
    #[serde(borrow, default)]
    pub(super) location_levels: Vec<Level<'a>>,
}

/// How much of an inventory item is at one location; also as the echo of a write.
#[derive(Debug, Deserialize)]
pub(super) struct Level<'a> {
    #[serde(borrow, default)]
    pub(super) inventory_item_id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) location_id: Cow<'a, str>,
    #[serde(default)]
    pub(super) stocked_quantity: Loose,
    #[serde(default)]
    pub(super) reserved_quantity: Loose,
}

/// The echo of a batch of levels.
#[derive(Debug, Deserialize)]
pub(super) struct LevelEcho<'a> {
    #[serde(borrow, default)]
    pub(super) created: Vec<Level<'a>>,
    #[serde(borrow, default)]
    pub(super) updated: Vec<Level<'a>>,
}

/// A price of a variant, or of a price list. What is sent back is kept as it came.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Price<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) currency_code: Cow<'a, str>,
    #[serde(borrow)]
    pub(super) amount: &'a RawValue,
    #[serde(borrow, default)]
    pub(super) min_quantity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) max_quantity: Option<&'a RawValue>,
    /// Of a variant's prices.
    #[serde(borrow, default)]
    pub(super) rules: Option<&'a RawValue>,
    /// Of the prices of a price list.
    #[serde(default)]
    pub(super) price_rules: Vec<Rule>,
    #[serde(borrow, default)]
    pub(super) price_set: Option<PriceSet<'a>>,
}

/// A condition of a price.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Rule {
    pub(super) attribute: String,
    #[serde(default)]
    pub(super) value: Loose,
}

impl Price<'_> {
    /// Whether it counts for any quantity.
    pub(super) fn is_for_any_quantity(&self) -> bool {
        let is_none = |bound: Option<&RawValue>| bound.is_none_or(|bound| bound.get() == "null");
        is_none(self.min_quantity) && is_none(self.max_quantity)
    }

    /// Its conditions; `None` where they are of a kind that nobody knows.
    pub(super) fn conditions(&self) -> Option<BTreeMap<String, String>> {
        let mut conditions = BTreeMap::new();
        if let Some(rules) = self.rules {
            conditions = serde_json::from_str(rules.get()).ok()?;
        }
        let listed = self.price_rules.iter();
        conditions.extend(listed.map(|rule| {
            (rule.attribute.clone(), rule.value.text().unwrap_or_default().to_owned())
        }));
        Some(conditions)
    }
}

/// What a price of a price list is of.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PriceSet<'a> {
    #[serde(borrow, default)]
    pub(super) variant: Option<Id<'a>>,
}

/// Something of which only the id matters.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Id<'a> {
    #[serde(borrow)]
    pub(super) id: Cow<'a, str>,
}

/// A page of a price list's prices.
#[derive(Debug, Deserialize)]
pub(super) struct PricePage<'a> {
    #[serde(borrow)]
    pub(super) prices: Vec<Price<'a>>,
    pub(super) count: u64,
}

/// The echo of a batch of variants.
#[derive(Debug, Deserialize)]
pub(super) struct VariantEcho<'a> {
    #[serde(borrow, default)]
    pub(super) updated: Vec<Variant<'a>>,
}

/// The echo of a batch of a price list's prices.
#[derive(Debug, Deserialize)]
pub(super) struct PriceEcho<'a> {
    #[serde(borrow, default)]
    pub(super) created: Vec<Price<'a>>,
    #[serde(borrow, default)]
    pub(super) updated: Vec<Price<'a>>,
}

/// One of the shop's places.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Place {
    pub(super) id: String,
    /// Of a price list it is the title.
    #[serde(default, alias = "title")]
    pub(super) name: Loose,
    /// Of a region.
    #[serde(default)]
    pub(super) currency_code: Loose,
}

/// `stock-locations`.
#[derive(Debug, Deserialize)]
pub(super) struct Locations {
    pub(super) stock_locations: Vec<Place>,
}

/// `regions`.
#[derive(Debug, Deserialize)]
pub(super) struct Regions {
    pub(super) regions: Vec<Place>,
}

/// `price-lists`.
#[derive(Debug, Deserialize)]
pub(super) struct PriceLists {
    pub(super) price_lists: Vec<Place>,
}

/// `stores`: there is one.
#[derive(Debug, Deserialize)]
pub(super) struct Stores {
    pub(super) stores: Vec<StoreRow>,
}

/// The shop's own settings.
#[derive(Debug, Deserialize)]
pub(super) struct StoreRow {
    #[serde(default)]
    pub(super) supported_currencies: Vec<StoreCurrency>,
}

/// A currency that the shop sells in.
#[derive(Debug, Deserialize)]
pub(super) struct StoreCurrency {
    pub(super) currency_code: String,
    /// Whether it is the usual one.
    #[serde(default)]
    pub(super) is_default: bool,
}

/// `currencies`.
#[derive(Debug, Deserialize)]
pub(super) struct Currencies {
    pub(super) currencies: Vec<CurrencyRow>,
}

/// What a currency is like.
#[derive(Debug, Deserialize)]
pub(super) struct CurrencyRow {
    pub(super) code: String,
    pub(super) decimal_digits: Option<u32>,
}

/// `price-preferences`.
#[derive(Debug, Deserialize)]
pub(super) struct Preferences {
    pub(super) price_preferences: Vec<Preference>,
}

/// Whether the prices of a currency or region include tax.
#[derive(Debug, Deserialize)]
pub(super) struct Preference {
    pub(super) attribute: String,
    pub(super) value: Option<String>,
    pub(super) is_tax_inclusive: bool,
}
