//! Medusa shops: their places, the prices that stand beside ours, what has no stock of its own, and
//! what a refused batch leads to. What every store promises stands in `conformance`.

use crate::support::Shop;
use crate::support::medusa::{Catalogue, Fake, Price};
use crate::support::woocommerce::Fault;

const PRODUCTS: &str = "sku,stock.main,price.retail\nMUG-01,17,13\nTEA-01,2,39.50\n";

/// Two variants at one location, each with a price in EUR.
fn two() -> Catalogue {
    Catalogue::default().with(1, "MUG-01", "3", "12.30").with(2, "TEA-01", "2", "39.00")
}

/// The same shop with a second location.
fn located() -> Catalogue {
    let mut catalogue = two();
    catalogue.locations.push(("sloc_2".to_owned(), "Second".to_owned()));
    catalogue.set_level("iitem_000001", "sloc_2", "8");
    catalogue
}

fn shop(fake: &Fake, stock: &str, prices: &str) -> Shop {
    let sections =
        format!("[integrations.web.stock]\n{stock}\n[integrations.web.prices]\n{prices}\n");
    Shop::new().config(&fake.config(&sections)).inventory(PRODUCTS)
}

const SEND_STOCK: &str = "direction = \"send\"\nwarehouse = \"main\"";
const SEND_PRICES: &str = "direction = \"send\"\nprice_group = \"retail\"";
const OFF: &str = "direction = \"off\"";

/// What an inventory item has at a location.
fn level(fake: &Fake, n: usize, location: &str) -> String {
    let item = format!("iitem_{n:06}");
    let level = fake.catalogue(|all| all.level(&item, location).map(|own| own.stocked.clone()));
    level.unwrap_or_else(|| "–".to_owned())
}

#[test]
fn a_location_is_named_by_its_id_or_its_name() {
    for named in ["sloc_2", "Second", " Second "] {
        let fake = Fake::start(located());
        let shop = shop(&fake, &format!("{SEND_STOCK}\nlocation = \"{named}\""), OFF);
        let run = shop.run("push web --format json").code(0).one_run();
        assert_eq!(run.changes(), ["MUG-01 stock 8→17 applied", "TEA-01 stock –→2 applied"]);
        let location = named.trim();
        assert_eq!(run.0["changes"][0]["location"], location);
        assert_eq!(
            (level(&fake, 1, "sloc_1"), level(&fake, 1, "sloc_2")),
            ("3".into(), "17".into())
        );
        let recorded = shop.json(&format!("runs {}", run.number("run_id")));
        assert_eq!(recorded["runs"][0]["changes"][0]["location"], location);
        shop.run("push web").code(0).stdout(&format!("main → web/{location}"));
    }
}

#[test]
fn a_location_that_is_not_clear_stops_the_run_and_names_what_there_is() {
    let fake = Fake::start(located());
    let there_is = "\"Main\" (sloc_1), \"Second\" (sloc_2)";
    for (location, why) in [("", "several"), ("location = \"Nowhere\"", "no location of that id")] {
        let shop = shop(&fake, &format!("{SEND_STOCK}\n{location}"), OFF);
        let run = shop.run("push web --format json").code(1).one_run();
        let error = run.text("error");
        assert!(error.contains(why) && error.contains(there_is), "{error}");
        shop.run("check web").code(5).stdout("Second");
    }
    fake.catalogue(|all| all.locations[1].1 = "Main".to_owned());
    let shop = shop(&fake, &format!("{SEND_STOCK}\nlocation = \"Main\""), OFF);
    shop.run("push web").code(1).stderr("give the id instead");
    assert!(fake.writes().is_empty());
}

#[test]
fn check_lists_the_places_of_the_store() {
    let fake = Fake::start(located());
    let shop = shop(&fake, &format!("{SEND_STOCK}\nlocation = \"Main\""), SEND_PRICES);
    shop.run("check web")
        .code(0)
        .stderr("stock locations: \"Main\" (sloc_1), \"Second\" (sloc_2)")
        .stderr("regions: \"DE\" (reg_1)")
        .stderr("price lists: \"Sale\" (plist_1)");
}

#[test]
fn every_price_beside_the_one_that_is_sent_stays_as_it_is() {
    let fake = Fake::start(two());
    fake.catalogue(|all| {
        all.variant(1).prices.extend([
            Price::new("price_pln", "pln", "10.120000000000001"),
            Price::new("price_region", "eur", "9.99").of_region("reg_1"),
            Price::new("price_many", "eur", "8").from(10),
        ]);
    });
    let web = shop(&fake, OFF, SEND_PRICES);
    web.run("push web").code(0);
    let prices = |n| fake.catalogue(|all| all.prices(n));
    let others = ["eur 8 from 10", "eur 9.99 {\"region_id\": \"reg_1\"}", "pln 10.120000000000001"];
    assert_eq!(prices(1), ["eur 13", others[0], others[1], others[2]].map(str::to_owned));
    // The price of a region is another one, and what has none gets one.
    let web = shop(&fake, OFF, &format!("{SEND_PRICES}\nregion = \"DE\""));
    web.run("push web --format json").code(0);
    let expected = ["eur 13", "eur 13 {\"region_id\": \"reg_1\"}", others[0], others[2]];
    assert_eq!(prices(1), expected.map(str::to_owned));
    assert_eq!(prices(2), ["eur 39.5", "eur 39.5 {\"region_id\": \"reg_1\"}"]);
    assert!(web.run("push web --format json").code(0).one_run().changes().is_empty());
}

#[test]
fn a_price_list_gets_no_second_price_of_a_kind() {
    let fake = Fake::start(two());
    let listed = ("plist_1".to_owned(), "variant_000001".to_owned());
    let own = Price::new("price_in_list", "eur", "11");
    fake.catalogue(|all| all.listed.push((listed.0, listed.1, own)));
    let shop = shop(&fake, OFF, &format!("{SEND_PRICES}\nprice_list = \"Sale\""));
    let run = shop.run("push web --format json").code(0).one_run();
    assert_eq!(
        run.changes(),
        ["MUG-01 prices 11.00→13.00 applied", "TEA-01 prices –→39.50 applied"]
    );
    assert_eq!(fake.writes(), ["price-lists/plist_1/prices/batch 1+1"]);
    assert!(shop.run("push web --format json").code(0).one_run().changes().is_empty());
    let prices = fake.catalogue(|all| (all.listed.len(), all.prices(1)));
    assert_eq!(prices, (2, vec!["eur 12.3".to_owned()]));
}

#[test]
fn what_was_sent_to_one_place_is_not_put_back_at_another() {
    let fake = Fake::start(located());
    let shop = shop(&fake, &format!("{SEND_STOCK}\nlocation = \"Main\""), OFF);
    let sent = shop.run("push web --format json").code(0).one_run().number("run_id");
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", config.replace("\"Main\"", "\"Second\""));
    let undo = format!("undo {sent}");
    shop.run(&undo).code(2).stderr("location \"Main\"");
    assert_eq!(level(&fake, 1, "sloc_2"), "8");
    shop.write("invsync.toml", config);
    shop.run(&undo).code(0);
    assert_eq!((level(&fake, 1, "sloc_1"), level(&fake, 1, "sloc_2")), ("3".into(), "8".into()));
}

#[test]
fn drift_is_measured_at_the_place_where_a_value_was_confirmed() {
    let fake = Fake::start(located());
    let at =
        |location: &str| format!("{SEND_STOCK}\non_drift = \"hold\"\nlocation = \"{location}\"");
    let shop = shop(&fake, &at("Main"), OFF);
    shop.run("push web").code(0);
    let config = shop.read("invsync.toml");
    // At the other location nothing was confirmed yet.
    shop.write("invsync.toml", config.replace("\"Main\"", "\"Second\""));
    shop.run("push web").code(0);
    shop.write("invsync.toml", config);
    fake.catalogue(|all| all.set_level("iitem_000001", "sloc_1", "16"));
    shop.run("push web").code(4).stdout("held back");
}

#[test]
fn what_has_no_stock_of_its_own_is_not_managed() {
    let mut catalogue = two().with(3, "SET-01", "1", "1").with(4, "BOX-01", "1", "1");
    catalogue.variant(3).items =
        vec![("iitem_000001".to_owned(), 1), ("iitem_000002".to_owned(), 2)];
    catalogue.variant(4).items[0].1 = 6;
    let more = catalogue.with(5, "LID-01", "4", "1");
    let fake = Fake::start(more);
    fake.catalogue(|all| all.variant(5).items.clear());
    let shop =
        shop(&fake, SEND_STOCK, OFF).inventory("sku,stock.main\nSET-01,5\nBOX-01,5\nLID-01,5\n");
    let run = shop.run("push web --format json").code(0).one_run();
    // The set's parts are the mug and the teapot: their stock is shared.
    assert!(run.changes().is_empty(), "{:?}", run.changes());
    let kinds = run.problems();
    assert_eq!(kinds.iter().filter(|kind| kind.starts_with("not_managed")).count(), 5, "{kinds:?}");
}

#[test]
fn what_is_reserved_lies_on_the_shelf_and_is_not_free() {
    let mut catalogue = two();
    let key = ("iitem_000001".to_owned(), "sloc_1".to_owned());
    catalogue.levels.get_mut(&key).unwrap().reserved = "2".to_owned();
    let fake = Fake::start(catalogue);
    let web = shop(&fake, SEND_STOCK, OFF);
    assert_eq!(web.json("list web")["items"][0]["quantity"], "3");
    let config = web
        .read("invsync.toml")
        .replace("api_key", "quantity_field = \"available_quantity\"\napi_key");
    web.write("invsync.toml", config);
    assert_eq!(web.json("list web")["items"][0]["quantity"], "1");
    let run = web.run("push web --format json").code(0).one_run();
    assert_eq!(run.changes(), ["MUG-01 stock 1→17 applied"]);
    assert_eq!(level(&fake, 1, "sloc_1"), "19");
    assert!(web.run("push web --format json").code(0).one_run().changes().is_empty());
}

#[test]
fn a_store_that_does_not_sell_in_the_price_groups_currency_gets_no_price() {
    let fake = Fake::start(two());
    fake.catalogue(|all| all.currencies = vec!["pln", "usd"]);
    let shop = shop(&fake, SEND_STOCK, SEND_PRICES);
    let run = shop.run("push web --format json").code(3).one_run();
    assert_eq!(run.changes(), ["MUG-01 stock 3→17 applied"]);
    assert!(run.problems()[0].starts_with("currency_mismatch"));
}

#[test]
fn prices_that_are_entered_with_tax_are_not_taken_for_others() {
    let fake = Fake::start(two());
    fake.catalogue(|all| all.with_tax = vec!["eur"]);
    let shop = shop(&fake, OFF, SEND_PRICES);
    let config = shop.read("invsync.toml");
    let with = |word: &str| {
        let keys = format!("prices_include_tax = {word}\napi_key");
        shop.write("invsync.toml", config.replace("api_key", &keys));
    };
    with("false");
    assert!(shop.run("push web --format json").code(3).one_run().changes().is_empty());
    with("true");
    assert_eq!(shop.run("push web --format json").code(0).one_run().changes().len(), 2);
}

#[test]
fn what_a_refusal_names_is_left_out_and_the_rest_sent_at_once() {
    let many = (3..40).fold(two(), |all, n| all.with(n, &format!("SKU-{n:02}"), "1", "1"));
    let fake = Fake::start(many);
    let stock = |n: i32| if n == 20 { -4 } else { n };
    let rows: String = (3..40).map(|n| format!("SKU-{n:02},{}\n", stock(n))).collect();
    let shop = shop(&fake, SEND_STOCK, OFF).inventory(&format!("sku,stock.main\n{rows}"));
    let run = shop.run("push web --format json --allow all").code(3).one_run();
    let refused: Vec<_> =
        run.changes().into_iter().filter(|change| !change.ends_with("applied")).collect();
    assert_eq!(refused, ["SKU-20 stock 1→-4 refused"]);
    let path = "inventory-items/location-levels/batch";
    assert_eq!(fake.writes(), [format!("{path} 38+0 → 400"), format!("{path} 37+0")]);
}

#[test]
fn a_level_that_somebody_makes_or_takes_away_meanwhile_is_left_alone() {
    let fake = Fake::start(located());
    let shop = shop(&fake, &format!("{SEND_STOCK}\nlocation = \"Second\""), OFF);
    fake.before_nth(1, "POST", |all| all.set_level("iitem_000002", "sloc_2", "6"));
    let run = shop.run("push web --format json").code(3).one_run();
    assert_eq!(run.changes(), ["MUG-01 stock 8→17 applied", "TEA-01 stock –→2 refused"]);
    assert_eq!(level(&fake, 2, "sloc_2"), "6");
}

#[test]
fn a_shop_that_looks_at_the_product_in_the_address_gets_each_product_by_itself() {
    let fake = Fake::start(two());
    fake.look_at_product();
    let shop = shop(&fake, OFF, SEND_PRICES);
    let run = shop.run("push web --format json").code(0).one_run();
    assert_eq!(run.changes().iter().filter(|change| change.ends_with("applied")).count(), 2);
    assert_eq!(
        fake.writes(),
        [
            "products/prod_000001/variants/batch 2+0 → 400",
            "products/prod_000001/variants/batch 1+0",
            "products/prod_000002/variants/batch 1+0",
        ]
    );
}

#[test]
fn a_variant_that_is_gone_is_refused_and_the_rest_sent() {
    let fake = Fake::start(two());
    fake.before_nth(1, "POST", |all| all.remove(1));
    let shop = shop(&fake, OFF, SEND_PRICES);
    let run = shop.run("push web --format json").code(3).one_run();
    let changes = ["MUG-01 prices 12.30→13.00 refused", "TEA-01 prices 39.00→39.50 applied"];
    assert_eq!(run.changes(), changes);
}

#[test]
fn thousands_of_variants_are_read_in_pages_that_meet_whatever_happens_meanwhile() {
    let many = (3..2_502).fold(two(), |all, n| all.with(n, &format!("SKU-{n:04}"), "1", "1"));
    let fake = Fake::start(many);
    let shop = shop(&fake, "direction = \"download\"\nwarehouse = \"outlet\"", OFF);
    // While the second page is asked for, the first variant goes, and one comes behind all others.
    fake.before_nth(1, "GET product-variants?offset=999", |all| {
        all.remove(1);
        all.add(9_999, "LAST-1");
    });
    let run = shop.run("pull web --format json").code(0).one_run();
    assert_eq!(run.number("items"), 2_501);
    let pages = fake.log().iter().filter(|request| request.path == "product-variants").count();
    assert_eq!(pages, 6);
}

#[test]
fn a_server_that_is_no_medusa_and_a_key_that_is_no_key_are_named() {
    let fake = Fake::start(two());
    let shop = shop(&fake, SEND_STOCK, OFF);
    let config = shop.read("invsync.toml");
    fake.fail(Fault::status(404));
    shop.run("check web").code(1).stderr("No Medusa 2 answers");
    fake.heal();
    shop.write("invsync.toml", config.replace("api_key = \"sk_", "api_key = \"pk_"));
    shop.run("push web").code(2).stderr("no secret API key");
    shop.write("invsync.toml", config.replace("127.0.0.1", "user:pass@127.0.0.1"));
    shop.run("push web").code(2).stderr("must not hold credentials");
    assert!(fake.writes().is_empty());
}

const BOTH: &str = "direction = \"send\"\nlocations = { Main = \"main\", sloc_2 = \"outlet\" }";

/// Two locations and prices at once, and what the inventory has for them.
fn both(fake: &Fake) -> Shop {
    shop(fake, BOTH, SEND_PRICES)
        .inventory("sku,stock.main,stock.outlet\nMUG-01,17,4\nTEA-01,2,6\n")
}

#[test]
fn several_locations_are_sent_from_a_warehouse_each_on_one_reading() {
    let fake = Fake::start(located());
    let shop = both(&fake);
    let run = shop.run("push web --format json").code(0).one_run();
    let changes: Vec<_> = run.0["changes"].as_array().unwrap().iter().collect();
    let shown = |change: &&serde_json::Value| {
        let texts = ["warehouse", "location", "before", "after"];
        let text = |name| change[name].as_str().unwrap_or("–").to_owned();
        format!("{} {}", change["sku"].as_str().unwrap(), texts.map(text).join(" "))
    };
    assert_eq!(
        changes.iter().map(shown).collect::<Vec<_>>(),
        [
            "MUG-01 main Main 3 17",
            "MUG-01 outlet sloc_2 8 4",
            "TEA-01 outlet sloc_2 – 6",
            "MUG-01 – – 12.30 13.00",
            "TEA-01 – – 39.00 39.50",
        ]
    );
    // Each item is counted once, and read once.
    assert_eq!((run.number("items"), run.number("linked")), (2, 2));
    let reads = fake.log().iter().filter(|request| request.path == "product-variants").count();
    assert_eq!(reads, 1);
    assert_eq!((level(&fake, 1, "sloc_1"), level(&fake, 1, "sloc_2")), ("17".into(), "4".into()));
    let again = shop.run("push web --format json").code(0).one_run();
    assert!(again.changes().is_empty());
    // Each goes back where it came from.
    let undone =
        shop.run(&format!("undo {} --format json", run.number("run_id"))).code(3).one_run();
    assert_eq!(undone.changes().iter().filter(|c| c.ends_with("applied")).count(), 4);
    assert_eq!((level(&fake, 1, "sloc_1"), level(&fake, 1, "sloc_2")), ("3".into(), "8".into()));
}

#[test]
fn several_locations_are_pulled_into_a_warehouse_each() {
    let fake = Fake::start(located());
    let pull = BOTH.replace("send", "download");
    let shop = shop(&fake, &pull, OFF);
    let run = shop.run("pull web").code(0).stdout("web/Main → main").stdout("web/sloc_2 → outlet");
    run.stock("main", "MUG-01", "3").stock("outlet", "MUG-01", "8");
    assert_eq!(shop.stock("outlet", "TEA-01"), None);
    shop.run("check web").code(0).stdout("2 items, 2 linked");
    let again = shop.run("pull web --format json").code(0).one_run();
    assert!(again.changes().is_empty());
    shop.run("list web").code(0).stderr("the items at sloc_2");
}

#[test]
fn what_is_wrong_with_an_item_is_told_once_for_all_locations() {
    let fake = Fake::start(located());
    fake.catalogue(|all| all.variant(2).manages = false);
    let shop = both(&fake);
    let run = shop.run("push web --format json").code(0).one_run();
    assert_eq!(run.problems(), ["not_managed variant_000002 –"]);
}

#[test]
fn a_push_to_several_locations_that_got_no_answer_is_settled_at_each() {
    let fake = Fake::start(located());
    let shop = both(&fake);
    fake.fail(Fault::close().after_applying().on("POST").times(1));
    fake.fail(Fault::status(503).skip(2));
    let run = shop.run("push web --only stock --format json").code(7).one_run();
    assert!(
        run.changes().contains(&"MUG-01 stock 3→17 uncertain".to_owned()),
        "{:?}",
        run.changes()
    );
    fake.heal();
    shop.run("push web --only stock").code(0);
    assert_eq!((level(&fake, 1, "sloc_1"), level(&fake, 1, "sloc_2")), ("17".into(), "4".into()));
    let first = shop.json(&format!("runs {}", run.number("run_id")));
    let changes = first["runs"][0]["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["status"] != "uncertain"));
}
