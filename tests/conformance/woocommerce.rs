//! WooCommerce, on the fake shop. What is a variant becomes a variation of a variable product.

use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::Shop;
use crate::support::conformance::{Cell, Change, Item, On, Party, Store, Trouble, fault_of};
use crate::support::woocommerce::{
    Catalogue, Fake, Fault, Item as Product, KEY, Permissions, SECRET,
};

struct WooCommerce {
    fake: Fake,
    /// The SKUs in the order of the ids that their items have got: the first one has 1.
    skus: Mutex<Vec<&'static str>>,
}

impl Party for WooCommerce {
    const BROKEN: i32 = 7;

    fn start() -> WooCommerce {
        WooCommerce { fake: Fake::start(Catalogue::new()), skus: Mutex::default() }
    }

    fn config(&self) -> String {
        format!(
            r#"
connector = "woocommerce"
url = "{}"
consumer_key = "{KEY}"
consumer_secret = "{SECRET}"
http = {{ max_requests_per_second = 0, retries = 1, retry_budget = "2s" }}
"#,
            self.fake.url()
        )
    }

    fn deliver(&self, _: &Shop, items: &[Item]) {
        self.fake.heal();
        let ids = self.ids(items);
        let catalogue = catalogue(&ids, items);
        self.fake.catalogue(|now| *now = catalogue);
        let is_decimal = |cell| matches!(cell, Cell::Is(text) if text.contains('.'));
        let has_decimals = items.iter().any(|item| is_decimal(item.quantity));
        self.fake.settings(|shop| shop.decimal_stock = has_decimals);
        // What is no number comes from a plugin, as a text.
        let words: Vec<_> = ids.into_iter().zip(items).filter_map(word).collect();
        if !words.is_empty() {
            self.fake.fail(Fault::answer(move |answer| {
                for row in answer.as_array_mut().into_iter().flatten() {
                    if let Some((_, word)) = words.iter().find(|(id, _)| row["id"] == *id) {
                        row["stock_quantity"] = (*word).into();
                    }
                }
            }));
        }
    }

    fn deliver_cut(&self, shop: &Shop, items: &[Item]) {
        self.deliver(shop, items);
        self.fake.fail(Fault::cut_in_body().on("GET products"));
    }

    fn deliver_text(&self, _: &Shop, text: &str) {
        self.fake.heal();
        self.fake.fail(Fault::text(text));
    }

    fn contents(&self, _: &Shop) -> String {
        self.fake.catalogue(|catalogue| shown(catalogue))
    }

    fn contents_of(&self, items: &[Item]) -> String {
        shown(&catalogue(&self.ids(items), items))
    }

    fn item_id(&self, sku: &str) -> String {
        self.id(sku).to_string()
    }

    fn place(&self) -> String {
        "GET /wp-json/wc/v3/products".to_owned()
    }
}

impl Store for WooCommerce {
    const MAY_SEND: &'static [&'static str] =
        &["update", "id", "product_id", "stock_quantity", "regular_price", "_fields"];

    fn writes(&self) -> Vec<Value> {
        let log = self.fake.log().into_iter();
        let writes = log.filter(|request| request.method != "GET");
        writes.map(|request| request.body.unwrap_or_default()).collect()
    }

    fn requests(&self) -> usize {
        self.fake.log().len()
    }

    fn trouble(&self, trouble: Trouble, on: On) {
        self.fake.fail(fault_of(trouble, on, (SECRET, &format!("No: {KEY}:{SECRET}"))));
    }

    fn heal(&self) {
        self.fake.heal();
    }

    fn refuse(&self, sku: &str) {
        let id = self.id(sku);
        self.fake.catalogue(|catalogue| {
            catalogue.change(id, |item| item.refusal = Some(("example", "The plugin says no.")));
        });
    }

    fn change_before(&self, nth: usize, change: Change) {
        let (Change::Removed(sku) | Change::Sold(sku, _)) = change;
        let id = self.id(sku);
        self.fake.before_nth(nth, "", move |catalogue| match change {
            Change::Removed(_) => catalogue.remove(id),
            Change::Sold(_, quantity) => catalogue.set_stock(id, quantity),
        });
    }

    fn revoke(&self) {
        self.fake.key(|key| key.consumer_key = "ck_another".to_owned());
    }

    fn forbid_writes(&self) {
        self.fake.key(|key| key.permissions = Permissions::Read);
    }

    fn secrets(&self) -> Vec<String> {
        let pair = STANDARD.encode(format!("{KEY}:{SECRET}"));
        vec![KEY.to_owned(), SECRET.to_owned(), pair]
    }
}

impl WooCommerce {
    /// The id of each item: the one that an item with its SKU has had before, or a new one.
    fn ids(&self, items: &[Item]) -> Vec<u64> {
        let mut skus = self.skus.lock().unwrap_or_else(PoisonError::into_inner);
        let mut ids: Vec<u64> = Vec::new();
        for item in items {
            let known =
                (1..).zip(skus.iter()).find(|(id, sku)| **sku == item.sku && !ids.contains(id));
            let known = known.map(|(id, _)| id);
            ids.push(known.unwrap_or_else(|| {
                skus.push(item.sku);
                skus.len() as u64
            }));
        }
        ids
    }

    fn id(&self, sku: &str) -> u64 {
        let skus = self.skus.lock().unwrap_or_else(PoisonError::into_inner);
        (1..).zip(skus.iter()).find(|(_, known)| **known == sku).unwrap().0
    }
}

/// The quantity of an item where a shop can only show it as a text.
fn word((id, item): (u64, &Item)) -> Option<(u64, &'static str)> {
    let Cell::Is(text) = item.quantity else { return None };
    let is_number =
        text.parse::<f64>().is_ok_and(|number| number.is_finite() && number.to_string() == text);
    (!is_number).then_some((id, text))
}

fn catalogue(ids: &[u64], items: &[Item]) -> Catalogue {
    let mut catalogue = Catalogue::new();
    for (id, item) in ids.iter().copied().zip(items) {
        if item.is_variant {
            // The product that holds it is no item, and stands behind all of them.
            let product = Product::variable(1_000 + id, &format!("{}-ALL", item.sku));
            let product = product.name(item.name);
            catalogue
                .add(product.variation(id, item.sku, |variation| with_values(variation, item)));
            catalogue.change(id, |variation| variation.name = item.name.to_owned());
        } else {
            let product = Product::simple(id, item.sku).name(item.name);
            catalogue.add(with_values(product, item));
        }
    }
    catalogue
}

fn with_values(product: Product, item: &Item) -> Product {
    let product = match item.quantity {
        Cell::Is(text) => product.stock(text),
        Cell::Empty => product.with(|product| product.manages_stock = true),
        Cell::Absent => product,
    };
    match item.price {
        Cell::Is(text) => product.price(text),
        Cell::Empty | Cell::Absent => product,
    }
}

/// All that a shop has, but for when it was saved.
fn shown(catalogue: &Catalogue) -> String {
    let items = catalogue.items().cloned();
    let items = items.map(|item| item.with(|item| item.modified = 0));
    format!("{:#?}", items.collect::<Vec<_>>())
}

every_promise! { WooCommerce }
every_store_promise! { WooCommerce }
