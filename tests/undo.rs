//! Undo: what a run changed is put back, where it has not changed since.

use crate::support::{STORE_A, Shop};

const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n2,TEA-01,,Tea,7,39\n";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,\nTEA-01,5,41\n";

fn pulled() -> Shop {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    shop.run("pull store-a").code(0);
    shop
}

#[test]
fn an_undone_pull_leaves_the_inventory_as_it_was() {
    let before = Shop::downloading(STORE).inventory(INVENTORY).values();
    let shop = pulled();
    let run = shop.run("undo 2 --format json").code(0).one_run();
    // Four values and two links.
    assert_eq!((run.text("command"), run.changes().len()), ("undo", 6));
    assert_eq!(shop.values(), before);
    shop.run("undo 2").code(0);
    assert_eq!(shop.values(), before);
}

#[test]
fn what_somebody_changed_since_is_skipped() {
    let shop = pulled();
    shop.run("inventory set MUG-01 stock.main=9").code(0);
    shop.run("undo 2")
        .code(3)
        .stock("main", "MUG-01", "9")
        .stock("main", "TEA-01", "5")
        .price("retail", "TEA-01", "41.00");
}

#[test]
fn an_undo_can_be_undone() {
    let shop = pulled();
    let after = shop.values();
    shop.run("undo 2").code(0);
    shop.run("undo 3").code(0);
    assert_eq!(shop.values(), after);
}

#[test]
fn an_undone_push_puts_the_store_back() {
    let shop = Shop::sending(STORE, INVENTORY);
    shop.run("push store-a").code(0);
    shop.run("undo 2").code(0).wrote("store.csv", STORE);
}

#[test]
fn products_and_links_that_a_pull_made_go_again() {
    let create = STORE_A.replacen("connector", "unlinked = \"create\"\nconnector", 1);
    let shop = Shop::new()
        .config(&create)
        .config(crate::support::DOWNLOAD)
        .file("store.csv", STORE)
        .inventory("sku\nTEA-01\n");
    shop.run("pull store-a").code(0);
    assert_eq!(shop.skus(), ["MUG-01", "TEA-01"]);
    shop.run("undo 2").code(0);
    assert_eq!(shop.skus(), ["TEA-01"]);
    assert_eq!(shop.json("link list store-a")["links"].as_array().unwrap().len(), 0);
}

#[test]
fn a_dry_run_of_an_undo_writes_nothing() {
    let shop = pulled();
    let before = shop.all_files();
    shop.run("undo 2 --dry-run").code(0).stdout("planned");
    shop.is_untouched_since(&before);
}

#[test]
fn an_unknown_run_cannot_be_undone() {
    pulled().run("undo 99").code(2).stderr("99");
}
