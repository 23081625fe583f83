//! `explain SKU`: where values came from, and what the next runs would do with them.

use std::fs;

use serde_json::json;

use crate::support::{STORE_A, Shop};

const STORE: &str = "\
id,sku,ean,name,qty,price
17,MUG-01,,Mug,3,12.30
18,TEA-01,,Tea,,390
19,CUP-01,,Cup,1,2.00
";
const INVENTORY: &str = "\
sku,name,stock.main,price.retail
MUG-01,Mug,4,12.30
TEA-01,Tea,7,39
CUP-01,Cup,1,
JAR-01,Jar,2,5
";
/// Stock comes from the store, prices go to it.
const BOTH: &str = "[integrations.store-a.stock]\ndirection = \"download\"\nwarehouse = \"main\"\n\
                    [integrations.store-a.prices]\ndirection = \"send\"\nprice_group = \"retail\"\n";

fn shop() -> Shop {
    Shop::new().config(STORE_A).config(BOTH).file("store.csv", STORE).inventory(INVENTORY)
}

/// What the next runs would do, as `command section: before→after status`, and the reason.
fn next(shop: &Shop, sku: &str) -> Vec<String> {
    let json = shop.json(&format!("explain {sku}"));
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("–").to_owned();
    let steps = json["next"].as_array().unwrap().iter();
    steps
        .map(|step| {
            format!(
                "{} {}: {}→{} {}: {}",
                text(&step["command"]),
                text(&step["section"]),
                text(&step["before"]),
                text(&step["after"]),
                text(&step["status"]),
                text(&step["message"])
            )
        })
        .collect()
}

#[test]
fn every_value_names_the_run_that_it_came_from() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    let mut json = shop.json("explain MUG-01 --offline");
    for value in json["values"].as_array_mut().unwrap() {
        assert!(value["run_id"].is_null() || value["at"].take().as_str().unwrap().len() == 20);
    }
    let nobody = json!({"section": "stock", "warehouse": "outlet", "value": null, "before": null,
        "run_id": null, "at": null, "command": null, "integration": null, "item_id": null});
    assert_eq!(
        json,
        json!({"schema_version": 1, "sku": "MUG-01", "ean": null, "name": "Mug", "values": [
            {"section": "stock", "warehouse": "main", "value": "3", "before": "4", "run_id": 2,
             "at": null, "command": "pull", "integration": "store-a", "item_id": "17"},
            nobody,
            {"section": "prices", "price_group": "retail", "currency": "EUR", "value": "12.30",
             "before": null, "run_id": 1, "at": null, "command": "import", "integration": null,
             "item_id": null}],
            "next": []})
    );
}

#[test]
fn offline_contacts_nobody_and_the_next_part_reads() {
    let shop = shop();
    fs::remove_file(shop.path("store.csv")).unwrap();
    shop.run("explain MUG-01 --offline").code(0).stdout("stock.main");
    shop.run("explain MUG-01").code(1).stdout("pull store-a: failed: ").stdout("stock.main");
}

#[test]
fn an_integration_whose_secret_is_missing_does_not_hide_the_others() {
    let web = "[integrations.web]\ntype = \"store\"\nconnector = \"woocommerce\"\n\
               url = \"https://127.0.0.1:1\"\nconsumer_key = \"${NO_KEY}\"\n\
               consumer_secret = \"${NO_SECRET}\"\n\
               stock = { direction = \"download\", warehouse = \"outlet\" }\n";
    let shop = shop().config(web);
    let ran = shop.run("explain MUG-01").code(2);
    ran.stdout("pull web: failed: ").stdout("NO_KEY").stdout("pull store-a, stock.main: 4 → 3");
}

#[test]
fn the_table_reads_as_sentences() {
    let shop = shop();
    let ran = shop.run("explain MUG-01").code(0);
    let at = ran.stdout.find("20").map(|at| ran.stdout[at..at + 20].to_owned()).unwrap();
    insta::assert_snapshot!(ran.stdout.replace(&at, "TIME"), @r"
    MUG-01  Mug

    value         before    now  from
    stock.main         –      4  run 1: import, TIME
    stock.outlet              –  nobody has said anything yet
    price.retail       –  12.30  run 1: import, TIME

    what the next runs would do
    pull store-a, stock.main: 4 → 3, planned: store-a is superior (item 17, linked by sku)
    push store-a, price.retail: equal: there is nothing to change (item 17, linked by sku)
    ");
}

#[test]
fn what_the_next_runs_would_do_has_its_reason() {
    let shop = shop();
    let all = ["MUG-01", "TEA-01", "CUP-01", "JAR-01"].map(|sku| next(&shop, sku).join("\n"));
    insta::assert_snapshot!(all.join("\n"), @r"
    pull stock: 4→3 planned: store-a is superior
    push prices: 12.30→12.30 –: equal: there is nothing to change
    pull stock: 7→– –: unknown at store-a: the inventory keeps its value
    push prices: 390.00→39.00 held_back: a change by 90% is held back (max_price_change 80%). Accept it with --allow max_price_change
    pull stock: 1→1 –: equal: there is nothing to change
    push prices: 2.00→– –: unknown in the inventory: there is nothing to send
    pull stock: 2→– –: not linked: no item has its SKU or EAN (link_by), and none is linked by hand
    push prices: –→5.00 –: not linked: no item has its SKU or EAN (link_by), and none is linked by hand
    ");
}

#[test]
fn a_kept_link_without_its_item_and_a_section_that_is_off() {
    let shop = shop();
    shop.run("pull store-a").code(0);
    shop.write("store.csv", STORE.replace("19,CUP-01,,Cup,1,2.00\n", ""));
    let off = shop.read("invsync.toml").replace("direction = \"send\"", "direction = \"off\"");
    shop.write("invsync.toml", off);
    insta::assert_snapshot!(next(&shop, "CUP-01").join("\n"), @r#"
    pull stock: 1→– –: linked to item 19, which store-a does not deliver: the value stays
    – prices: –→– –: direction = "off": no run touches it
    "#);
}

#[test]
fn an_unknown_product_is_wrong_usage_and_the_nearest_are_named() {
    shop().run("explain MUG-02").code(2).stderr("did you mean MUG-01");
    shop().run("explain MUG-01 store-b").code(2).stderr("did you mean `store-a`?");
}

#[test]
fn nothing_is_written() {
    let shop = shop();
    let before = shop.all_files();
    shop.run("explain MUG-01").code(0);
    shop.run("explain TEA-01 --format csv").code(0).stdout("fact,section,target");
    shop.is_untouched_since(&before);
}

#[test]
fn a_guard_that_would_stop_the_run_is_named() {
    let rows: String = (10..40).map(|n| format!("{n},S{n},,,9,1\n")).collect();
    let old: String = (10..40).map(|n| format!("S{n},5,1\n")).collect();
    let shop = Shop::downloading(&format!("id,sku,ean,name,qty,price\n{rows}"))
        .inventory(&format!("sku,stock.main,price.retail\n{old}"));
    insta::assert_snapshot!(next(&shop, "S10").join("\n"), @r"
    pull stock: 5→9 planned: store-a is superior, but the guard max_changed would stop stock: 100% (limit 50%). Accept it with --allow max_changed
    pull prices: 1.00→1.00 –: equal: there is nothing to change
    ");
    let config = shop.read("invsync.toml");
    let guarded = config.replace("source =", "guard = { min_items = 100 }\nsource =");
    shop.write("invsync.toml", guarded);
    let stopped = "5→9 planned: store-a is superior, but the guard min_items would stop everything";
    assert!(next(&shop, "S10")[0].contains(stopped), "{:?}", next(&shop, "S10"));
}
