//! A real Medusa: at least 500 variants, two locations, two currencies.
//!
//! All tests share one server, one after the other, and each begins with what it has by then.

use std::io::{BufRead, BufReader};
use std::process::Command;

use serde_json::Value;

use super::{Server, curl};
use crate::support::Shop;

/// A shop whose `web` is the server, with what it has in both locations and currencies.
struct Live {
    server: Server,
    shop: Shop,
}

const PLACES: &str = r#"
[inventory]
path = "inventory.db"
[warehouses]
main = "Main"
outlet = "Outlet"
[price_groups]
retail = { name = "Retail", currency = "PLN" }
euro = { name = "Euro", currency = "EUR" }
"#;

fn sections(direction: &str, prices: &str) -> String {
    format!(
        "[integrations.web.stock]\ndirection = \"{direction}\"\nwarehouse = \"main\"\n\
         location = \"Main\"\n[integrations.web.prices]\ndirection = \"{direction}\"\n{prices}\n"
    )
}

const PLN: &str = "price_group = \"retail\"";

impl Live {
    /// All that the server has is pulled; then the inventory is superior.
    fn start() -> Live {
        let live = Live { server: Server::find("medusa"), shop: Shop::new() };
        live.configure("unlinked = \"create\"", &sections("download", PLN));
        live.shop.run("pull web").code(0);
        live.configure("", &sections("send", PLN));
        live
    }

    fn configure(&self, more: &str, sections: &str) {
        let (url, key) = (self.server.text("base"), self.server.text("key"));
        let config = format!(
            "{PLACES}[integrations.web]\ntype = \"store\"\nconnector = \"medusa\"\n\
             url = \"{url}\"\napi_key = \"{key}\"\n{more}\n\
             http = {{ retries = 1, retry_budget = \"3s\" }}\n{sections}"
        );
        self.shop.write("invsync.toml", config);
    }

    fn get(&self, path: &str) -> Value {
        let (url, key) = (self.server.text("base"), self.server.text("key"));
        curl(&["-u", &format!("{key}:"), &format!("{url}/admin/{path}")])
    }

    /// A variant as the server has it.
    fn variant(&self, sku: &str) -> Value {
        let fields = "id,sku,title,prices.id,prices.currency_code,prices.amount,\
                      prices.price_rules.attribute,prices.price_rules.value,\
                      inventory_items.inventory.location_levels.location_id,\
                      inventory_items.inventory.location_levels.stocked_quantity,\
                      inventory_items.inventory.location_levels.reserved_quantity";
        self.get(&format!("product-variants?sku={sku}&fields={fields}"))["variants"][0].clone()
    }

    /// The stock of a variant at a location: `–`, or what lies there.
    fn stock(&self, sku: &str, location: usize) -> String {
        let variant = self.variant(sku);
        let location = &self.server.seed["locations"][location];
        let levels = &variant["inventory_items"][0]["inventory"]["location_levels"];
        let mut levels = levels.as_array().unwrap().iter();
        let level = levels.find(|level| level["location_id"] == *location);
        level.map_or_else(|| "–".to_owned(), |level| level["stocked_quantity"].to_string())
    }

    /// The prices of a variant: `eur 2.3`, `eur 9.99 region`, sorted.
    fn prices(&self, sku: &str) -> Vec<String> {
        let variant = self.variant(sku);
        let shown = |price: &Value| {
            let region = if price["rules"]["region_id"].is_string() { " region" } else { "" };
            let code = price["currency_code"].as_str().unwrap();
            format!("{code} {}{region}", price["amount"])
        };
        let mut prices: Vec<_> = variant["prices"].as_array().unwrap().iter().map(shown).collect();
        prices.sort();
        prices
    }

    /// Sets the stock of many products to this number, and their price.
    fn set_many(&self, range: std::ops::Range<usize>, stock: usize, price: &str) {
        let rows = range.map(|n| format!("SKU-{n:05},{stock},{price}\n"));
        let csv = format!("sku,stock.main,price.retail\n{}", rows.collect::<String>());
        self.shop.write("many.csv", csv);
        self.shop.run("inventory import many.csv").code(0);
    }
}

#[test]
#[ignore = "a real Medusa: tests/live/run"]
fn a_pull_reads_every_variant_once_and_the_second_finds_nothing_new() {
    let live = Live::start();
    let variants = live.server.seed["variants"].as_u64().unwrap();
    assert!(variants >= 500);
    live.configure("", &sections("download", PLN));
    let run = live.shop.run("pull web --format json").code(0).one_run();
    assert_eq!((run.number("items"), run.number("linked")), (variants, variants));
    assert!(run.changes().is_empty());
    let kinds = run.problems();
    let unmanaged = kinds.iter().filter(|problem| problem.starts_with("not_managed")).count();
    // One that nobody counts, a kit, and the two variants that it shares its parts with.
    assert_eq!((unmanaged, kinds.len()), (4, 4), "{kinds:?}");
    // Prices are sums in binary there: 10 + 16 * 0.07 is 11.120000000000001.
    assert_eq!(live.shop.price("retail", "SKU-00091").unwrap(), "16.37");
    live.shop.run("check web").code(0).stderr("\"Second\"");
}

#[test]
#[ignore = "a real Medusa: tests/live/run"]
fn a_push_sends_what_differs_touches_nothing_else_and_is_taken_back() {
    let live = Live::start();
    let before = (live.prices("SKU-00010"), live.stock("SKU-00010", 1));
    live.shop.run("inventory set SKU-00010 stock.main=321 price.retail=11.11").code(0);
    live.shop.run("inventory set NEW-1 stock.main=8").code(0);
    let dry = live.shop.run("push web --dry-run --format json").code(0).one_run();
    assert_eq!(dry.changes().len(), 3);
    assert_eq!(live.stock("NEW-1", 0), "–");
    let run = live.shop.run("push web --format json").code(0).one_run();
    assert_eq!(run.0["changes"][0]["location"], "Main");
    assert!(run.changes().iter().all(|change| change.ends_with("applied")), "{:?}", run.changes());
    assert_eq!((live.stock("SKU-00010", 0), live.stock("NEW-1", 0)), ("321".into(), "8".into()));
    // The other location, the other currency and the region's price are as they were.
    let mut expected = before.0.clone();
    expected.retain(|price| !price.starts_with("pln"));
    expected.push("pln 11.11".to_owned());
    assert_eq!((live.prices("SKU-00010"), live.stock("SKU-00010", 1)), (expected, before.1));
    assert!(live.shop.run("push web --format json").code(0).one_run().changes().is_empty());
    let undo = format!("undo {} --format json", run.number("run_id"));
    // What had no level before cannot be made to have none again.
    let undone = live.shop.run(&undo).code(3).one_run();
    assert_eq!(undone.changes().iter().filter(|c| c.ends_with("applied")).count(), 2);
    assert_eq!(live.prices("SKU-00010"), before.0);
}

#[test]
#[ignore = "a real Medusa: tests/live/run"]
fn a_sync_pulls_one_section_and_sends_the_other() {
    let live = Live::start();
    let stock = "[integrations.web.stock]\ndirection = \"download\"\nwarehouse = \"outlet\"\n\
                 location = \"Second\"\n[integrations.web.prices]\ndirection = \"send\"\n\
                 price_group = \"euro\"\nregion = \"DE\"\n";
    live.configure("", stock);
    live.shop.run("inventory set SKU-00020 price.euro=7.77").code(0);
    live.shop.run("sync web").code(0);
    let own = live.stock("SKU-00020", 1);
    live.shop.run("sync web").code(0).stock("outlet", "SKU-00020", &own);
    assert!(live.prices("SKU-00020").contains(&"eur 7.77 region".to_owned()));
    assert_eq!(live.prices("SKU-00020").len(), 3);
}

#[test]
#[ignore = "a real Medusa: tests/live/run"]
fn prices_of_a_price_list_are_sent_by_their_ids() {
    let live = Live::start();
    live.configure("", &sections("send", &format!("{PLN}\nprice_list = \"Sale\"")));
    let usual = live.prices("SKU-00030");
    // The first fifty variants are in the list.
    live.shop.write("p.csv", "sku,price.retail\nSKU-00030,8.88\nSKU-00130,18.88\n");
    live.shop.run("inventory import p.csv").code(0);
    live.shop.run("push web --only prices --sku SKU-00030 --sku SKU-00130").code(0);
    let list = live.server.text("price_list");
    let fields = "id,amount,currency_code,price_set.variant.sku";
    let prices = live.get(&format!("price-lists/{list}/prices?limit=1000&fields={fields}"));
    let of = |sku: &str| -> Vec<String> {
        let all = prices["prices"].as_array().unwrap().iter();
        let own = all.filter(|price| price["price_set"]["variant"]["sku"] == sku);
        own.map(|price| price["amount"].to_string()).collect()
    };
    assert_eq!((of("SKU-00030"), of("SKU-00130")), (vec!["8.88".into()], vec!["18.88".into()]));
    assert_eq!(live.prices("SKU-00030"), usual);
    let again = "push web --only prices --sku SKU-00030 --sku SKU-00130 --format json";
    assert!(live.shop.run(again).code(0).one_run().changes().is_empty());
}

#[test]
#[ignore = "a real Medusa: tests/live/run"]
fn a_refused_item_stops_no_other() {
    let live = Live::start();
    live.set_many(200..260, 70, "21.50");
    live.shop.run("inventory set SKU-00230 stock.main=-3").code(0);
    let run = live.shop.run("push web --format json --allow all").code(3).one_run();
    let changes = run.changes();
    let refused: Vec<_> = changes.iter().filter(|change| change.ends_with("refused")).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    assert!(refused[0].starts_with("SKU-00230 stock"));
    assert_eq!(changes.iter().filter(|c| c.ends_with("applied")).count(), changes.len() - 1);
    assert_eq!(live.stock("SKU-00259", 0), "70");
}

#[test]
#[ignore = "a real Medusa: tests/live/run"]
fn a_server_that_is_killed_in_the_middle_of_a_push_is_made_whole_by_the_next() {
    let live = Live::start();
    let last = live.server.seed["variants"].as_u64().unwrap() as usize - 3;
    live.set_many(2..last, 55, "33.33");
    let mut push = live.shop.start("push web -v --allow all");
    let mut lines = BufReader::new(push.stderr.take().unwrap()).lines();
    // The first batch is there, the next one is on its way.
    lines.by_ref().map(Result::unwrap).find(|line| line.contains("POST ")).unwrap();
    let pid = std::fs::read_to_string(live.server.folder.join("server.pid")).unwrap();
    assert!(Command::new("kill").args(["-9", pid.trim()]).status().unwrap().success());
    lines.map(Result::unwrap).for_each(drop);
    let ended = push.wait().unwrap();
    start_again(&live.server);
    assert_eq!(ended.code(), Some(7));
    let first = live.shop.json("runs 3");
    let count = |status: &str| {
        let changes = first["runs"][0]["changes"].as_array().unwrap().iter();
        changes.filter(|change| change["status"] == status).count()
    };
    assert!(count("applied") >= 400, "{} applied", count("applied"));
    live.shop.run("push web --allow all").code(0);
    assert_eq!(
        (live.stock("SKU-00002", 0), live.stock("SKU-00499", 0)),
        ("55".into(), "55".into())
    );
    assert_eq!(live.prices("SKU-00499").iter().filter(|p| *p == "pln 33.33").count(), 1);
    let third = live.shop.run("push web --format json").code(0).one_run();
    assert!(third.changes().is_empty());
    let left = live.shop.json("runs 3");
    let mut changes = left["runs"][0]["changes"].as_array().unwrap().iter();
    assert!(changes.all(|change| change["status"] != "uncertain"));
}

fn start_again(server: &Server) {
    let base = server.text("base");
    let port: u16 = base.rsplit(':').next().unwrap().parse().unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/live/medusa-start.sh");
    let ports = [port.to_string(), (port + 1).to_string()];
    let started = Command::new(script).arg(&server.folder).args(ports).status().unwrap();
    assert!(started.success());
}

#[test]
#[ignore = "a real Medusa: tests/live/run"]
fn several_locations_are_sent_from_a_warehouse_each() {
    let live = Live::start();
    let stock = "[integrations.web.stock]\ndirection = \"send\"\n\
                 locations = { Main = \"main\", Second = \"outlet\" }\n";
    live.configure("", stock);
    live.shop.run("inventory set SKU-00050 stock.main=41 stock.outlet=42").code(0);
    let run = live.shop.run("push web --sku SKU-00050 --format json").code(0).one_run();
    assert_eq!(run.changes().len(), 2);
    let stock = (live.stock("SKU-00050", 0), live.stock("SKU-00050", 1));
    assert_eq!(stock, ("41".into(), "42".into()));
    let again = live.shop.run("push web --sku SKU-00050 --format json").code(0).one_run();
    assert!(again.changes().is_empty());
}
