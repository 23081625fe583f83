//! Medusa, on the fake shop. Every item is a variant, of a product of its own.

use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::Shop;
use crate::support::conformance::{Cell, Change, Item, On, Party, Store, Trouble, fault_of};
use crate::support::medusa::{Catalogue, Fake, KEY};
use crate::support::woocommerce::Fault;

struct Medusa {
    fake: Fake,
    /// The SKUs in the order of the numbers that their items have got: the first one has 1.
    skus: Mutex<Vec<&'static str>>,
}

impl Party for Medusa {
    const BROKEN: i32 = 7;

    fn start() -> Medusa {
        Medusa { fake: Fake::start(Catalogue::default()), skus: Mutex::default() }
    }

    fn config(&self) -> String {
        format!(
            r#"
connector = "medusa"
url = "{}"
api_key = "{KEY}"
http = {{ max_requests_per_second = 0, retries = 1, retry_budget = "2s" }}
"#,
            self.fake.url()
        )
    }

    fn deliver(&self, _: &Shop, items: &[Item]) {
        self.fake.heal();
        let catalogue = catalogue(&self.numbers(items), items);
        self.fake.catalogue(|now| *now = catalogue);
    }

    fn deliver_cut(&self, shop: &Shop, items: &[Item]) {
        self.deliver(shop, items);
        self.fake.fail(Fault::cut_in_body().on("GET product-variants"));
    }

    fn deliver_text(&self, _: &Shop, text: &str) {
        self.fake.heal();
        self.fake.fail(Fault::text(text));
    }

    fn contents(&self, _: &Shop) -> String {
        self.fake.catalogue(|catalogue| format!("{catalogue:#?}"))
    }

    fn contents_of(&self, items: &[Item]) -> String {
        format!("{:#?}", catalogue(&self.numbers(items), items))
    }

    fn item_id(&self, sku: &str) -> String {
        format!("variant_{:06}", self.number(sku))
    }

    fn place(&self) -> String {
        "GET /admin/product-variants".to_owned()
    }
}

impl Store for Medusa {
    const MAY_SEND: &'static [&'static str] = &[
        "update",
        "create",
        "id",
        "inventory_item_id",
        "location_id",
        "stocked_quantity",
        // All prices of a variant are sent back, with all that they have.
        "prices",
        "currency_code",
        "amount",
        "rules",
        "min_quantity",
        "max_quantity",
    ];

    fn writes(&self) -> Vec<Value> {
        let log = self.fake.log().into_iter();
        let writes = log.filter(|request| request.method != "GET");
        writes.map(|request| request.body.unwrap_or_default()).collect()
    }

    fn requests(&self) -> usize {
        self.fake.log().len()
    }

    fn trouble(&self, trouble: Trouble, on: On) {
        self.fake.fail(fault_of(trouble, on, (KEY, &format!("No: {KEY}"))));
    }

    fn heal(&self) {
        self.fake.heal();
    }

    fn refuse(&self, sku: &str) {
        let number = self.number(sku);
        self.fake.catalogue(|catalogue| catalogue.variant(number).is_refused = true);
    }

    fn change_before(&self, nth: usize, change: Change) {
        let (Change::Removed(sku) | Change::Sold(sku, _)) = change;
        let number = self.number(sku);
        self.fake.before_nth(nth, "", move |catalogue| match change {
            Change::Removed(_) => catalogue.remove(number),
            Change::Sold(_, quantity) => {
                catalogue.set_level(&format!("iitem_{number:06}"), "sloc_1", quantity);
            }
        });
    }

    fn revoke(&self) {
        self.fake.revoke();
    }

    fn forbid_writes(&self) {
        self.fake.forbid_writes();
    }

    fn secrets(&self) -> Vec<String> {
        vec![KEY.to_owned(), STANDARD.encode(format!("{KEY}:"))]
    }
}

impl Medusa {
    /// The number of each item: the one that an item with its SKU has had before, or a new one.
    fn numbers(&self, items: &[Item]) -> Vec<usize> {
        let mut skus = self.skus.lock().unwrap_or_else(PoisonError::into_inner);
        let mut numbers: Vec<usize> = Vec::new();
        for item in items {
            let known =
                (1..).zip(skus.iter()).find(|(n, sku)| **sku == item.sku && !numbers.contains(n));
            let known = known.map(|(n, _)| n);
            numbers.push(known.unwrap_or_else(|| {
                skus.push(item.sku);
                skus.len()
            }));
        }
        numbers
    }

    fn number(&self, sku: &str) -> usize {
        let skus = self.skus.lock().unwrap_or_else(PoisonError::into_inner);
        (1..).zip(skus.iter()).find(|(_, known)| **known == sku).unwrap().0
    }
}

fn catalogue(numbers: &[usize], items: &[Item]) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (n, item) in numbers.iter().copied().zip(items) {
        let variant = catalogue.add(n, item.sku);
        (variant.title, variant.product_title) = (item.name.to_owned(), item.name.to_owned());
        variant.manages = !matches!(item.quantity, Cell::Absent);
        if let Cell::Is(price) = item.price {
            let id = format!("price_{n:06}_eur");
            variant.prices.push(crate::support::medusa::Price::new(&id, "eur", price));
        }
        if let Cell::Is(quantity) = item.quantity {
            catalogue.set_level(&format!("iitem_{n:06}"), "sloc_1", quantity);
        }
    }
    catalogue
}

every_promise! { Medusa }
every_store_promise! { Medusa }
