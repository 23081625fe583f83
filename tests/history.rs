//! What happened: runs, one run with all its changes, the history of a product.

use crate::support::Shop;

const STORE: &str = "id,sku,ean,name,qty,price\n1,MUG-01,,Mug,3,12.30\n";

fn shop() -> Shop {
    let shop = Shop::downloading(STORE).inventory("sku,name,stock.main\nMUG-01,Mug,4\n");
    shop.run("pull store-a").code(0);
    shop.run("inventory set MUG-01 stock.main=9").code(0);
    shop.run("pull store-a").code(0);
    shop
}

#[test]
fn every_change_of_a_product_is_in_its_history_oldest_first() {
    let history = shop().json("history MUG-01");
    let changes: Vec<_> = history["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let text = |key: &str| change[key].as_str().unwrap_or("–").to_owned();
            format!(
                "{} {} {} {}→{}",
                change["run_id"],
                text("command"),
                text("section"),
                text("before"),
                text("after")
            )
        })
        .collect();
    assert_eq!(
        changes,
        [
            "1 import stock –→4",
            "2 pull stock 4→3",
            "2 pull prices –→12.30",
            "3 set stock 3→9",
            "4 pull stock 9→3",
        ]
    );
}

#[test]
fn runs_are_listed_newest_first_without_changes() {
    let runs = shop().json("runs");
    let runs = runs["runs"].as_array().unwrap();
    let shown: Vec<_> =
        runs.iter().map(|run| format!("{} {}", run["run_id"], run["command"])).collect();
    assert_eq!(shown, ["4 \"pull\"", "3 \"set\"", "2 \"pull\"", "1 \"import\""]);
    assert!(runs.iter().all(|run| run.get("changes").is_none()));
}

#[test]
fn one_run_is_shown_as_it_was_reported() {
    let shop = Shop::downloading(STORE).inventory("sku\nMUG-01\n");
    let told = shop.run("pull store-a --format json").code(0).json();
    assert_eq!(shop.json("runs 2"), told);
}

#[test]
fn an_unknown_run_or_product_is_wrong_usage() {
    let shop = shop();
    shop.run("runs 99").code(2).stderr("99");
    shop.run("history MUG-O1").code(2).stderr("MUG-01");
}

#[test]
fn a_failed_run_is_recorded() {
    let shop = shop();
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    shop.run("pull store-a").code(1);
    let runs = shop.json("runs");
    assert_eq!(runs["runs"][0]["status"], "failed");
    assert!(runs["runs"][0]["error"].as_str().unwrap().contains("store.csv"));
}

#[test]
fn values_and_history_follow_a_renamed_warehouse() {
    let shop = shop();
    let config = shop
        .read("invsync.toml")
        .replace("main = \"Main warehouse\"", "hall = { name = \"Hall\", renamed_from = \"main\" }")
        .replace("warehouse = \"main\"", "warehouse = \"hall\"");
    shop.write("invsync.toml", config);
    shop.run("pull store-a").code(0).stdout("nothing to change").stock("hall", "MUG-01", "3");
    let history = shop.json("history MUG-01");
    assert_eq!(history["changes"][0]["warehouse"], "hall");
}
