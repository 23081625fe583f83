//! A pull: the integration is superior, its values overwrite the inventory's.

use crate::support::{DOWNLOAD, STORE_A, Shop};

const STORE: &str = "\
id,sku,ean,name,qty,price
1,MUG-01,,Mug,3,12.30
2,TEA-01,,Teapot,7,39.00
";

#[test]
fn a_pull_overwrites_what_the_inventory_had() {
    Shop::downloading(STORE)
        .inventory("sku,stock.main,price.retail\nMUG-01,4,12.30\nTEA-01,,41\n")
        .run("pull store-a")
        .code(0)
        .stock("main", "MUG-01", "3")
        .stock("main", "TEA-01", "7")
        .price("retail", "TEA-01", "39.00");
}

#[test]
fn the_table_says_who_is_superior_and_what_changed() {
    Shop::downloading(STORE)
        .inventory("sku,name,stock.main,price.retail\nMUG-01,Mug,4,12.30\nTEA-01,Teapot,,41\n")
        .run("pull store-a")
        .code(0)
        .stdout("store-a → main (store-a is superior)\nSKU name before after difference status")
        .stdout("MUG-01 Mug 4 3 -1 applied\nTEA-01 Teapot – 7 applied")
        .stdout("store-a → retail (store-a is superior)")
        .stdout("TEA-01 Teapot 41.00 39.00 -2.00 applied")
        .stdout("pull store-a: 2 items, 2 linked, 0 unlinked · 2 stock, 1 prices changed");
}

#[test]
fn the_second_pull_says_that_there_is_nothing_to_change() {
    let shop = Shop::downloading(STORE).inventory("sku\nMUG-01\nTEA-01\n");
    shop.run("pull store-a").code(0).stdout("2 stock, 2 prices changed");
    shop.run("pull store-a")
        .code(0)
        .stdout("nothing to change")
        .stdout("0 stock, 0 prices changed");
}

#[test]
fn equal_decimals_written_differently_are_no_change() {
    let shop = Shop::downloading("id,sku,ean,name,qty,price\n1,MUG-01,,,3.000,12.3\n")
        .inventory("sku,stock.main,price.retail\nMUG-01,3,12.30\n");
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert!(run.changes().is_empty());
}

#[test]
fn a_pull_makes_a_missing_inventory_and_says_so() {
    let shop = Shop::downloading(STORE);
    shop.run("pull store-a").code(0).stderr("inventory.db").stdout("2 unlinked");
    assert!(shop.skus().is_empty());
}

#[test]
fn the_seed_is_imported_once_as_a_run_of_its_own() {
    let config = crate::support::BASE.replace("[warehouses]", "seed = \"seed.csv\"\n[warehouses]");
    let shop = Shop::new()
        .file("invsync.toml", config)
        .config(STORE_A)
        .config(DOWNLOAD)
        .file("store.csv", STORE)
        .file("seed.csv", "sku,stock.main\nMUG-01,4\nOLD,9\n");
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3").stock("main", "OLD", "9");
    let runs = shop.json("runs");
    let commands: Vec<_> =
        runs["runs"].as_array().unwrap().iter().map(|run| run["command"].clone()).collect();
    assert_eq!(commands, ["pull", "import"]);
    shop.write("seed.csv", "sku,stock.main\nOLD,1\n");
    shop.run("pull store-a").code(0).stock("main", "OLD", "9");
}

#[test]
fn a_missing_seed_makes_no_inventory() {
    let config = crate::support::BASE.replace("[warehouses]", "seed = \"seed.csv\"\n[warehouses]");
    let shop = Shop::new()
        .file("invsync.toml", config)
        .config(STORE_A)
        .config(DOWNLOAD)
        .file("store.csv", STORE);
    shop.run("pull store-a").code(2).stderr("seed.csv");
    assert!(!shop.path("inventory.db").exists());
}

#[test]
fn sections_have_directions_of_their_own() {
    let sections = r#"
        [integrations.store-a.stock]
        direction = "download"
        warehouse = "outlet"
        [integrations.store-a.prices]
        direction = "off"
        price_group = "retail"
    "#;
    Shop::new()
        .config(STORE_A)
        .config(sections)
        .file("store.csv", STORE)
        .inventory("sku\nMUG-01\nTEA-01\n")
        .run("pull store-a")
        .code(0)
        .stock("outlet", "MUG-01", "3")
        .stock("main", "MUG-01", "–")
        .price("retail", "MUG-01", "–");
}

#[test]
fn only_one_section_is_pulled_when_asked() {
    Shop::downloading(STORE)
        .inventory("sku\nMUG-01\nTEA-01\n")
        .run("pull store-a --only prices")
        .code(0)
        .stock("main", "MUG-01", "–")
        .price("retail", "MUG-01", "12.30");
}

#[test]
fn only_the_named_products_are_pulled_and_absence_means_nothing() {
    let shop = Shop::downloading(STORE).inventory("sku,stock.main\nMUG-01,4\nTEA-01,4\n");
    shop.run("pull store-a --sku TEA-01")
        .code(0)
        .stock("main", "MUG-01", "4")
        .stock("main", "TEA-01", "7");
    shop.run("pull store-a --sku TEA-O1").code(2).stderr("TEA-01");
}

#[test]
fn a_price_in_another_currency_changes_nothing() {
    let store = STORE_A.replace("price = \"price\"", "price = \"price\"\ncurrency = \"cur\"");
    let shop = Shop::new()
        .config(&store)
        .config(DOWNLOAD)
        .file(
            "store.csv",
            "id,sku,ean,name,qty,price,cur\n1,MUG-01,,,3,12.30,USD\n2,TEA-01,,,7,39,EUR\n",
        )
        .inventory("sku,price.retail\nMUG-01,10\nTEA-01,\n");
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!(run.problems(), ["currency_mismatch 1 2"]);
    assert_eq!(shop.price("retail", "MUG-01").unwrap(), "10.00");
    assert_eq!(shop.price("retail", "TEA-01").unwrap(), "39.00");
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
}

#[test]
fn a_failed_pull_writes_no_value_and_the_next_integration_still_runs() {
    let other = STORE_A.replace("store-a", "store-b").replace("store.csv", "gone.csv");
    let shop = Shop::downloading(STORE)
        .config(&other)
        .config(&DOWNLOAD.replace("store-a", "store-b").replace("\"main\"", "\"outlet\""))
        .inventory("sku\nMUG-01\nTEA-01\n");
    let ran = shop.run("pull store-b store-a --format json").code(1).stock("main", "MUG-01", "3");
    let runs = ran.json();
    assert_eq!(
        (&runs["runs"][0]["status"], &runs["runs"][1]["status"]),
        (&"failed".into(), &"ok".into())
    );
    assert!(runs["runs"][0]["error"].as_str().unwrap().contains("gone.csv"));
}

#[test]
fn two_pulls_of_one_store_do_not_see_each_others_products() {
    let shop = Shop::downloading("id,sku,ean,name,qty,price\n1,007,,Bond,1,1\n2,7,,Seven,2,2\n3,a,,Small,3,3\n4,A,,Big,4,4\n")
        .inventory("sku\n007\n7\na\nA\n");
    shop.run("pull store-a")
        .code(0)
        .stock("main", "007", "1")
        .stock("main", "7", "2")
        .stock("main", "a", "3")
        .stock("main", "A", "4");
}

#[test]
fn keys_are_trimmed_of_every_kind_of_blank() {
    Shop::downloading("id,sku,ean,name,qty,price\n1,\u{feff} MUG-01\u{a0},,,3,\u{202f}12.30 \n")
        .inventory("sku\nMUG-01\n")
        .run("pull store-a")
        .code(0)
        .stock("main", "MUG-01", "3")
        .price("retail", "MUG-01", "12.30");
}

#[test]
fn a_run_of_one_product_tells_no_problems_of_others() {
    let store = "id,sku,ean,name,qty,price\n1,MUG-01,,,4,1\n2,CUP-01,,,many,1\n3,POT-01,,,1,1\n";
    let shop = Shop::downloading(store).inventory("sku\nMUG-01\nCUP-01\n");
    let run = shop.run("pull store-a --sku MUG-01 --format json").code(0);
    assert_eq!(run.json()["runs"][0]["problems"], serde_json::json!([]));
    shop.run("pull store-a --sku CUP-01").code(3);
    shop.run("pull store-a").code(3);
}
