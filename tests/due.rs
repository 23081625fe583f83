//! `sync --due`: which sections run, and when they run again.

use crate::support::{STORE_A, Shop};

const ROWS: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";

/// Stock comes from the store every quarter of an hour, prices go there every four hours.
const BOTH_WAYS: &str = r#"
[integrations.store-a.stock]
direction = "download"
warehouse = "main"
every = "15m"
[integrations.store-a.prices]
direction = "send"
price_group = "retail"
every = "4h"
"#;

fn shop() -> Shop {
    Shop::new()
        .config(STORE_A)
        .config(BOTH_WAYS)
        .file("store.csv", ROWS)
        .inventory("sku,stock.main,price.retail\nMUG-01,5,13\n")
}

/// As if all that was recorded had been so long ago.
fn pass(shop: &Shop, minutes: i64) {
    let sql = "UPDATE runs SET started_ms = started_ms - ?1, finished_ms = finished_ms - ?1";
    shop.sql().execute(sql, [minutes * 60_000]).unwrap();
}

/// What a tick of the timer runs: `pull stock`.
fn tick(shop: &Shop, code: i32) -> Vec<String> {
    let newest = "SELECT coalesce(max(id), 0) FROM runs";
    let newest: i64 = shop.sql().query_row(newest, [], |row| row.get(0)).unwrap();
    shop.run("sync --all --due --quiet").code(code);
    let conn = shop.sql();
    let sql = "SELECT command || ' ' || sections FROM runs WHERE id > ?1 ORDER BY id";
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([newest], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn each_section_is_due_by_its_own_every() {
    let shop = shop();
    assert_eq!(tick(&shop, 0), ["pull stock", "push prices"]);
    assert!(tick(&shop, 0).is_empty());
    pass(&shop, 15);
    assert_eq!(tick(&shop, 0), ["pull stock"]);
    pass(&shop, 4 * 60);
    assert_eq!(tick(&shop, 0), ["pull stock", "push prices"]);
}

#[test]
fn what_was_missed_runs_once() {
    let shop = shop();
    tick(&shop, 0);
    pass(&shop, 7 * 24 * 60);
    assert_eq!(tick(&shop, 0), ["pull stock", "push prices"]);
    assert!(tick(&shop, 0).is_empty());
}

#[test]
fn after_failures_the_distance_grows_up_to_every() {
    let shop = shop();
    tick(&shop, 0);
    pass(&shop, 15);
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    for minutes in [1, 2, 4, 8, 15, 15] {
        assert_eq!(tick(&shop, 1), ["pull stock"]);
        pass(&shop, minutes - 1);
        assert!(tick(&shop, 0).is_empty(), "{minutes} minutes had not passed");
        pass(&shop, 1);
    }
    shop.write("store.csv", ROWS);
    assert_eq!(tick(&shop, 0), ["pull stock"]);
    pass(&shop, 14);
    assert!(tick(&shop, 0).is_empty(), "after a success it is every again");
    pass(&shop, 1);
    assert_eq!(tick(&shop, 0), ["pull stock"]);
}

#[test]
fn what_a_guard_stopped_waits_for_its_every() {
    let shop = shop();
    let config = shop.read("invsync.toml") + "guard = { min_items = 2 }\n";
    shop.write(
        "invsync.toml",
        config.replace(
            "[integrations.store-a.prices]",
            "guard = { min_items = 2 }\n[integrations.store-a.prices]",
        ),
    );
    let pulled = tick(&shop, 4);
    assert!(pulled.contains(&"pull stock".to_owned()), "{pulled:?}");
    pass(&shop, 13);
    assert!(!tick(&shop, 0).contains(&"pull stock".to_owned()));
    pass(&shop, 2);
    assert!(tick(&shop, 4).contains(&"pull stock".to_owned()));
}

#[test]
fn jitter_puts_a_section_off_by_less_than_it_is_long() {
    let shop = shop();
    let config = shop.read("invsync.toml").replace("\"15m\"", "\"15m\"\njitter = \"10m\"");
    shop.write("invsync.toml", config);
    tick(&shop, 0);
    let mut ran_after = None;
    for minutes in 1..=26 {
        pass(&shop, 1);
        if tick(&shop, 0).contains(&"pull stock".to_owned()) {
            ran_after.get_or_insert(minutes);
        }
    }
    let ran_after = ran_after.unwrap();
    assert!((14..=25).contains(&ran_after), "ran after {ran_after} minutes");
}

#[test]
fn what_is_not_due_needs_no_secrets() {
    let shop = Shop::new().config(
        r#"
[integrations.store-a]
type = "store"
connector = "csv"
source = "${STORE_A_FILE}"
fields = { sku = "sku", quantity = "qty" }
stock = { direction = "download", warehouse = "main", every = "1h" }
"#,
    );
    shop.write("store.csv", ROWS);
    shop.run("sync --all --due").code(2).stderr("STORE_A_FILE is not set");
    shop.run_with(("STORE_A_FILE", "store.csv"), "sync --all --due").code(0);
    shop.run("sync --all --due").code(0).stdout("nothing to do");
}
