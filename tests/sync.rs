//! A sync: all pulls, then all pushes.

use crate::support::{STORE_A, Shop};

const MIXED: &str = r#"
[integrations.store-a.stock]
direction = "download"
warehouse = "main"
[integrations.store-a.prices]
direction = "send"
price_group = "retail"
"#;
const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";

fn shop() -> Shop {
    Shop::new()
        .config(STORE_A)
        .config(MIXED)
        .file("store.csv", STORE)
        .inventory("sku,stock.main,price.retail\nMUG-01,5,13\n")
}

#[test]
fn each_section_goes_its_own_way() {
    let shop = shop();
    let ran = shop
        .run("sync store-a --format json")
        .code(0)
        .stock("main", "MUG-01", "3")
        .price("retail", "MUG-01", "13.00")
        .wrote("store.csv", &STORE.replace("12.30", "13.00"));
    let runs = ran.json();
    let commands: Vec<_> =
        runs["runs"].as_array().unwrap().iter().map(|run| run["command"].clone()).collect();
    assert_eq!(commands, ["pull", "push"]);
}

#[test]
fn the_second_sync_changes_nothing() {
    let shop = shop();
    shop.run("sync --all").code(0);
    let (values, file) = (shop.values(), shop.read("store.csv"));
    shop.run("sync --all").code(0).stdout_lacks("applied").wrote("store.csv", &file);
    assert_eq!(shop.values(), values);
}

#[test]
fn a_second_store_gets_what_the_first_delivered() {
    let second = STORE_A.replace("store-a", "store-b").replace("store.csv", "second.csv");
    let send = MIXED.replace("store-a", "store-b").replace("download", "send");
    let shop =
        shop().config(&second).config(&send).file("second.csv", STORE.replace("Mug,3", "Mug,99"));
    shop.run("sync --all").code(0).wrote("second.csv", &STORE.replace("12.30", "13.00"));
}

#[test]
fn a_dry_run_shows_both_directions_and_writes_nothing() {
    let shop = shop();
    let before = shop.all_files();
    shop.run("sync --all --dry-run")
        .code(0)
        .stdout("store-a → main (store-a is superior)")
        .stdout("retail → store-a (the inventory is superior)");
    shop.is_untouched_since(&before);
}

#[test]
fn a_push_runs_even_when_a_guard_stopped_the_pull() {
    let rows: String = (1..=20).map(|n| format!("{n},S{n},,,0,1\n")).collect();
    let products: String = (1..=20).map(|n| format!("S{n},5,{}\n", n + 1)).collect();
    let shop = Shop::new()
        .config(STORE_A)
        .config(MIXED)
        .file("store.csv", format!("id,sku,ean,name,qty,price\n{rows}"))
        .inventory(&format!("sku,stock.main,price.retail\n{products}"));
    let config = shop.read("invsync.toml") + "guard = { max_changed = \"100%\" }\n";
    shop.write("invsync.toml", config);
    let ran = shop
        .run("sync store-a --format json --allow max_price_change")
        .code(4)
        .stock("main", "S1", "5");
    assert_eq!(ran.json()["runs"][0]["status"], "blocked");
    assert_eq!(ran.json()["runs"][1]["changed"]["prices"], 20);
}

#[test]
fn only_what_is_due_runs() {
    let shop = shop();
    let config = shop.read("invsync.toml").replace("\"main\"\n[", "\"main\"\nevery = \"1h\"\n[");
    shop.write("invsync.toml", config);
    shop.run("sync --all --due").code(0).stock("main", "MUG-01", "3").wrote("store.csv", STORE);
    shop.run("inventory set MUG-01 stock.main=9").code(0);
    shop.run("sync --all --due").code(0).stdout("nothing to do").stock("main", "MUG-01", "9");
    shop.run("sync --all --due --quiet").code(0).silent();
    shop.run("sync --all").code(0).stock("main", "MUG-01", "3");
}
