//! WooCommerce shops, read and written by the real binary against a fake that speaks the real
//! protocol. One file a topic.

mod check;
mod credentials;
mod drift_and_sales;
mod faults;
mod prices;
mod reading;
mod requests;
mod secrets;
mod sending;
mod uncertain;

use serde_json::Value;

use crate::support::woocommerce::{Catalogue, Fake, Logged};
use crate::support::{SEND, Shop};

/// The versions that differ in what they can list.
const VERSIONS: [&str; 2] = ["10.9.1", "9.3.3"];

/// Lets runs that meet faults end soon. Stands in the table `http`.
const QUICK: &str = "retries = 2\nretry_budget = \"5s\"\ntimeout = \"1s\"";

/// What is in stock is sent, and nothing else.
const SEND_STOCK: &str = "
[integrations.store-a.stock]
direction = \"send\"
warehouse = \"main\"
";

/// A mug, tea, and a tee in one size.
fn catalogue() -> Catalogue {
    Catalogue::new()
        .simple(45, "MUG-01", |p| p.stock("3").price("12.30").name("Mug"))
        .simple(46, "TEA-01", |p| p.stock("7").price("39").gtin("4006381333931"))
        .variable(50, "TEE", |p| {
            p.name("Tee").variation(51, "TEE-S", |v| v.stock("5").price("20.00"))
        })
}

/// Of the catalogue's items one quantity, one price, and both.
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,12.30\nTEA-01,7,41\nTEE-S,6,21\n";

/// A shop that does this with the fake.
fn shop(fake: &Fake, sections: &str, inventory: &str) -> Shop {
    Shop::new().config(&fake.config(sections)).config(QUICK).inventory(inventory)
}

/// Tries all cases at once: most of the time of each is waiting.
fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, case: impl Fn(T) + Sync) {
    let case = &case;
    std::thread::scope(|scope| {
        let threads: Vec<_> = cases.into_iter().map(|one| scope.spawn(move || case(one))).collect();
        for thread in threads {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        }
    });
}

/// Another value of a key of the table `http`.
fn set_http(shop: &Shop, key: &str, value: &str) {
    let is_key = |line: &str| line.starts_with(&format!("{key} = "));
    let text = shop.read("invsync.toml");
    let (table, others): (Vec<_>, Vec<_>) = text.lines().partition(|line| is_key(line));
    assert!(table.len() < 2, "{key} stands in {table:?}");
    let head = "[integrations.store-a.http]";
    let config = others.join("\n").replace(head, &format!("{head}\n{key} = {value}"));
    shop.write("invsync.toml", config + "\n");
}

/// A fake that sells so many items, and a shop whose inventory has another quantity of each.
fn selling(items: u64, sections: &str) -> (Fake, Shop) {
    let fake = Fake::start(Catalogue::new().simples(1..=items, |p| p.stock("5").price("10")));
    let rows: String = (1..=items).map(|id| format!("SKU-{id:05},6,10\n")).collect();
    let shop = shop(&fake, sections, &format!("sku,stock.main,price.retail\n{rows}"));
    (fake, shop.config("[integrations.store-a.guard]\nmax_changed = \"100%\""))
}

/// Sells the catalogue, of which the inventory has other values.
fn sending() -> (Fake, Shop) {
    let fake = Fake::start(catalogue());
    let shop = shop(&fake, SEND, INVENTORY);
    (fake, shop)
}

/// The items as `id sku quantity price`.
fn listed(shop: &Shop) -> Vec<String> {
    let list = shop.json("list store-a");
    let text = |value: &Value| value.as_str().unwrap_or("–").to_owned();
    let items = list["items"].as_array().unwrap().iter();
    let fields = |item: &Value| ["item_id", "sku", "quantity", "price"].map(|key| text(&item[key]));
    items.map(|item| fields(item).join(" ")).collect()
}

/// The bodies that were sent, in their order.
fn bodies(fake: &Fake) -> Vec<Value> {
    fake.log().into_iter().filter_map(|request| request.body).collect()
}

/// The ids that the shop saved, in the order in which it did.
fn saved(fake: &Fake) -> Vec<u64> {
    fake.log().into_iter().flat_map(|request| request.saved).collect()
}

/// The requests as lines, sorted: several are under way at once. Without what is random.
fn requests(fake: &Fake) -> Vec<String> {
    let plain = |mut request: Logged| {
        request.query.retain(|(name, _)| name != "_");
        request.to_string()
    };
    let mut lines: Vec<_> = fake.log().into_iter().map(plain).collect();
    lines.sort();
    lines
}
