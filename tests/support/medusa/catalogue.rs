//! What the shop has. Numbers are kept as the JSON that they are shown as.

use std::collections::BTreeMap;

/// A shop's places, variants, levels and price lists.
#[derive(Clone, Debug)]
pub(crate) struct Catalogue {
    /// Ids and names.
    pub(crate) locations: Vec<(String, String)>,
    /// Codes; the first is the usual one.
    pub(crate) currencies: Vec<&'static str>,
    /// Ids, names and currencies.
    pub(crate) regions: Vec<(String, String, &'static str)>,
    /// Currencies whose prices are entered with tax.
    pub(crate) with_tax: Vec<&'static str>,
    /// Ids and titles.
    pub(crate) lists: Vec<(String, String)>,
    /// The prices of lists: the list, the variant, the price.
    pub(crate) listed: Vec<(String, String, Price)>,
    /// In the order of their ids.
    pub(crate) variants: Vec<Variant>,
    /// By inventory item and location.
    pub(crate) levels: BTreeMap<(String, String), Level>,
}

impl Default for Catalogue {
    fn default() -> Catalogue {
        Catalogue {
            locations: vec![("sloc_1".to_owned(), "Main".to_owned())],
            currencies: vec!["eur", "pln"],
            regions: vec![("reg_1".to_owned(), "DE".to_owned(), "eur")],
            with_tax: Vec::new(),
            lists: vec![("plist_1".to_owned(), "Sale".to_owned())],
            listed: Vec::new(),
            variants: Vec::new(),
            levels: BTreeMap::new(),
        }
    }
}

/// How much of an inventory item is at a location.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    pub(crate) stocked: String,
    pub(crate) reserved: String,
}

/// A price with its conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    pub(crate) id: String,
    pub(crate) currency: String,
    pub(crate) amount: String,
    pub(crate) min_quantity: Option<u64>,
    pub(crate) rules: BTreeMap<String, String>,
}

impl Price {
    pub(crate) fn new(id: &str, currency: &str, amount: &str) -> Price {
        let (id, currency, amount) = (id.to_owned(), currency.to_owned(), number(amount));
        Price { id, currency, amount, min_quantity: None, rules: BTreeMap::new() }
    }

    pub(crate) fn of_region(mut self, region: &str) -> Price {
        self.rules.insert("region_id".to_owned(), region.to_owned());
        self
    }

    pub(crate) fn from(mut self, quantity: u64) -> Price {
        self.min_quantity = Some(quantity);
        self
    }

    /// Whether both count for the same: then one replaces the other.
    pub(crate) fn is_same_kind(&self, other: &Price) -> bool {
        (&self.currency, self.min_quantity, &self.rules)
            == (&other.currency, other.min_quantity, &other.rules)
    }
}

/// A variant of a product.
#[derive(Clone, Debug)]
pub(crate) struct Variant {
    pub(crate) id: String,
    pub(crate) product: String,
    pub(crate) product_title: String,
    pub(crate) title: String,
    pub(crate) sku: String,
    pub(crate) ean: Option<String>,
    pub(crate) manages: bool,
    /// Inventory items and how many of each.
    pub(crate) items: Vec<(String, u32)>,
    pub(crate) prices: Vec<Price>,
    /// A plugin refuses to save it.
    pub(crate) is_refused: bool,
}

impl Catalogue {
    /// Adds the variant `variant_N` of a product of its own, with one inventory item and no level.
    pub(crate) fn add(&mut self, n: usize, sku: &str) -> &mut Variant {
        let variant = Variant {
            id: format!("variant_{n:06}"),
            product: format!("prod_{n:06}"),
            product_title: sku.to_owned(),
            title: sku.to_owned(),
            sku: sku.to_owned(),
            ean: None,
            manages: true,
            items: vec![(format!("iitem_{n:06}"), 1)],
            prices: Vec::new(),
            is_refused: false,
        };
        let at = self.variants.partition_point(|known| known.id < variant.id);
        self.variants.insert(at, variant);
        &mut self.variants[at]
    }

    /// The same with a stock at `sloc_1` and a price in EUR.
    pub(crate) fn with(mut self, n: usize, sku: &str, stock: &str, price: &str) -> Catalogue {
        let id = format!("price_{n:06}_eur");
        self.add(n, sku).prices.push(Price::new(&id, "eur", price));
        self.set_level(&format!("iitem_{n:06}"), "sloc_1", stock);
        self
    }

    pub(crate) fn set_level(&mut self, item: &str, location: &str, stocked: &str) {
        let level = self.levels.entry((item.to_owned(), location.to_owned()));
        let level =
            level.or_insert_with(|| Level { stocked: String::new(), reserved: "0".to_owned() });
        level.stocked = number(stocked);
    }

    pub(crate) fn level(&self, item: &str, location: &str) -> Option<&Level> {
        self.levels.get(&(item.to_owned(), location.to_owned()))
    }

    /// The variant with this number.
    pub(crate) fn variant(&mut self, n: usize) -> &mut Variant {
        let id = format!("variant_{n:06}");
        self.variants.iter_mut().find(|variant| variant.id == id).unwrap()
    }

    /// The prices of a variant as texts: `eur 9.99 {"region_id": "reg_1"}`.
    pub(crate) fn prices(&self, n: usize) -> Vec<String> {
        let id = format!("variant_{n:06}");
        let variant = self.variants.iter().find(|variant| variant.id == id).unwrap();
        let shown = |price: &Price| {
            let Price { currency, amount, min_quantity, rules, .. } = price;
            let from = min_quantity.map(|from| format!(" from {from}")).unwrap_or_default();
            let rules = if rules.is_empty() { String::new() } else { format!(" {rules:?}") };
            format!("{currency} {amount}{from}{rules}")
        };
        let mut prices: Vec<_> = variant.prices.iter().map(shown).collect();
        prices.sort();
        prices
    }

    pub(crate) fn remove(&mut self, n: usize) {
        let id = format!("variant_{n:06}");
        self.variants.retain(|variant| variant.id != id);
    }
}

/// A number as JSON shows it: `13.00` is 13. What is none is a text.
pub(crate) fn number(text: &str) -> String {
    if serde_json::from_str::<serde_json::Number>(text).is_err() && !text.starts_with("1e") {
        return serde_json::Value::from(text).to_string();
    }
    match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text.to_owned(),
    }
}
