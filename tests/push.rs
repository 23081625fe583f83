//! A push: the inventory is superior, its values are sent to the store.

use crate::support::{SEND, STORE_A, Shop};

const STORE: &str = "\
id,sku,ean,name,qty,price
1,MUG-01,,Mug,3,12.30
2,TEA-01,,Teapot,7,39.00
";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,5,12.30\nTEA-01,7,41\n";

#[test]
fn a_push_writes_the_inventorys_values_into_the_file() {
    Shop::sending(STORE, INVENTORY)
        .run("push store-a")
        .code(0)
        .stdout("main → store-a (the inventory is superior)")
        .stdout("MUG-01 3 5 +2 applied")
        .stdout("retail → store-a (the inventory is superior)")
        .wrote("store.csv", &STORE.replace("Mug,3", "Mug,5").replace("39.00", "41.00"))
        .stock("main", "MUG-01", "5");
}

#[test]
fn the_inventory_is_not_changed_by_a_push() {
    let shop = Shop::sending(STORE, INVENTORY);
    let before = shop.values();
    shop.run("push store-a").code(0);
    assert_eq!(shop.values(), before);
}

#[test]
fn a_push_needs_an_inventory() {
    let shop = Shop::new().config(STORE_A).config(SEND).file("store.csv", STORE);
    shop.run("push store-a").code(2).stderr("init").wrote("store.csv", STORE);
    assert!(!shop.path("inventory.db").exists());
}

#[test]
fn only_one_section_or_product_is_pushed_when_asked() {
    let shop = Shop::sending(STORE, INVENTORY);
    shop.run("push store-a --only prices --sku MUG-01").code(0).wrote("store.csv", STORE);
    shop.run("push store-a --only stock")
        .code(0)
        .wrote("store.csv", &STORE.replace("Mug,3", "Mug,5"));
}

#[test]
fn what_was_sent_is_in_the_record() {
    let shop = Shop::sending(STORE, INVENTORY);
    let sent = shop.run("push store-a --format json").code(0).one_run();
    let recorded = shop.json("runs 2");
    assert_eq!(recorded["runs"][0]["changes"], sent.0["changes"]);
    assert_eq!(sent.changes(), ["MUG-01 stock 3→5 applied", "TEA-01 prices 39.00→41.00 applied"]);
}

#[test]
fn drift_is_named_and_overwritten() {
    let shop = Shop::sending(STORE, INVENTORY);
    shop.run("push store-a").code(0);
    let pushed = shop.read("store.csv");
    shop.write("store.csv", pushed.replace("41.00", "35.00"));
    let run = shop.run("push store-a --format json").code(0).one_run();
    assert_eq!(run.problems(), ["changed_elsewhere 2 –"]);
    assert_eq!(run.changes(), ["TEA-01 prices 35.00→41.00 applied"]);
    assert_eq!(shop.read("store.csv"), pushed);
}

#[test]
fn drift_is_held_where_the_config_says_so() {
    let shop = Shop::sending(STORE, INVENTORY);
    let config = shop.read("invsync.toml") + "on_drift = \"hold\"\n";
    shop.write("invsync.toml", config);
    shop.run("push store-a").code(0);
    let drifted = shop.read("store.csv").replace("41.00", "35.00").replace("Mug,5", "Mug,1");
    shop.write("store.csv", &drifted);
    let run = shop.run("push store-a --format json").code(4).one_run();
    assert_eq!(run.changes(), ["MUG-01 stock 1→5 applied", "TEA-01 prices 35.00→41.00 held_back"]);
    assert_eq!(shop.read("store.csv"), drifted.replace("Mug,1", "Mug,5"));
    shop.run("push store-a --allow on_drift").code(0);
    assert_eq!(shop.read("store.csv"), drifted.replace("Mug,1", "Mug,5").replace("35.00", "41.00"));
}

#[test]
fn items_linked_by_hand_may_share_a_product() {
    let store = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n9,MUG-GIFT,,Mug in a box,1,15\n";
    let shop = Shop::sending(store, "sku,stock.main\nMUG-01,5\n");
    shop.run("link set store-a 1 MUG-01").code(0);
    shop.run("link set store-a 9 MUG-01").code(0);
    shop.run("push store-a --only stock")
        .code(0)
        .wrote("store.csv", &store.replace("Mug,3", "Mug,5").replace("box,1", "box,5"));
}

#[test]
fn a_store_file_that_cannot_be_written_is_caught_in_the_config() {
    for source in
        ["\"store.csv.gz\"", "\"https://example.com/store.csv\"", "{ exec = [\"cat\", \"x\"] }"]
    {
        let store = STORE_A.replace("\"store.csv\"", source);
        Shop::new().config(&store).config(SEND).run("push store-a").code(2).stderr("send");
    }
    let computed =
        STORE_A.replace("quantity = \"qty\"", "quantity = { sum = [\"qty\", \"more\"] }");
    Shop::new()
        .config(&computed)
        .config(SEND)
        .run("push store-a")
        .code(2)
        .stderr("fields.quantity");
}

#[cfg(unix)]
#[test]
fn a_link_to_the_file_stays_a_link() {
    let shop = Shop::sending(STORE, INVENTORY);
    std::fs::rename(shop.path("store.csv"), shop.path("real.csv")).unwrap();
    std::os::unix::fs::symlink("real.csv", shop.path("store.csv")).unwrap();
    shop.run("push store-a").code(0);
    assert!(shop.path("store.csv").symlink_metadata().unwrap().is_symlink());
    assert!(shop.read("real.csv").contains("41.00"));
}

/// Makes the last push look as if it had been killed before it heard what became of its changes.
fn forget_the_answers(shop: &Shop) {
    let forget = "UPDATE changes SET status = 6 WHERE run_id = (SELECT max(id) FROM runs);
        UPDATE runs SET status = 'running', finished_ms = NULL
            WHERE id = (SELECT max(id) FROM runs);
        DELETE FROM confirmed";
    shop.sql().execute_batch(forget).unwrap();
}

fn statuses(shop: &Shop, run: u32) -> Vec<String> {
    let run = shop.json(&format!("runs {run}"));
    let changes = run["runs"][0]["changes"].as_array().unwrap().iter();
    changes.map(|change| change["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_killed_push_had_sent_is_settled_by_reading_the_store() {
    let shop = Shop::sending(STORE, INVENTORY);
    let config = shop.read("invsync.toml") + "on_drift = \"hold\"\n";
    shop.write("invsync.toml", config);
    shop.run("push store-a").code(0);
    forget_the_answers(&shop);
    assert_eq!(statuses(&shop, 2), ["uncertain", "uncertain"]);
    let run = shop.run("push store-a --format json").code(0).stderr("settled 2 of 2").one_run();
    assert!(run.changes().is_empty());
    assert_eq!(statuses(&shop, 2), ["applied", "applied"]);
    // What was settled is confirmed: from now on another value is drift.
    let drifted = shop.read("store.csv").replace("41.00", "35.00");
    shop.write("store.csv", drifted);
    shop.run("push store-a").code(4).stdout("held back");
}

#[test]
fn what_a_killed_push_had_not_sent_is_sent_by_the_next() {
    let shop = Shop::sending(STORE, INVENTORY);
    shop.run("push store-a").code(0);
    forget_the_answers(&shop);
    let sent = shop.read("store.csv");
    shop.write("store.csv", STORE);
    let run = shop.run("push store-a --format json").code(0).stderr("run 2").one_run();
    assert_eq!(run.changes().len(), 2);
    assert_eq!(shop.read("store.csv"), sent);
    assert!(!statuses(&shop, 2).contains(&"applied".to_owned()));
}

/// What the first version of the inventory had, which knew no places at a store.
const FIRST_VERSION: &str = "
    DROP TABLE run_places;
    ALTER TABLE confirmed RENAME TO newer;
    CREATE TABLE confirmed (
        integration_id INTEGER NOT NULL REFERENCES integrations (id),
        section INTEGER NOT NULL CHECK (section IN (0, 1)),
        item_id TEXT NOT NULL,
        value INTEGER NOT NULL,
        run_id INTEGER NOT NULL REFERENCES runs (id),
        PRIMARY KEY (integration_id, section, item_id)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO confirmed SELECT integration_id, section, item_id, value, run_id FROM newer;
    DROP TABLE newer;
    PRAGMA user_version = 1;";

#[test]
fn an_inventory_of_the_first_version_goes_on_working() {
    let shop = Shop::sending(STORE, INVENTORY);
    let sent = shop.run("push store-a --format json").code(0).one_run().number("run_id");
    shop.sql().execute_batch(FIRST_VERSION).unwrap();
    // The values that the store has confirmed are still known.
    let config = shop.read("invsync.toml") + "on_drift = \"hold\"\n";
    shop.write("invsync.toml", config);
    let store = shop.read("store.csv");
    shop.write("store.csv", store.replace("41.00", "44.00"));
    shop.run("push store-a --dry-run").code(4).stdout("held back");
    shop.write("store.csv", store);
    shop.run(&format!("undo {sent}")).code(0).wrote("store.csv", STORE);
    let version = shop.sql().pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0));
    assert_eq!(version.unwrap(), 2);
}
