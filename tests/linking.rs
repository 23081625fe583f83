//! Links: which item is which product.

use crate::support::{DOWNLOAD, STORE_A, Shop};

const HEAD: &str = "id,sku,ean,name,qty,price\n";
const EAN: &str = "4006381333931";

fn shop(rows: &str, inventory: &str) -> Shop {
    Shop::downloading(&format!("{HEAD}{rows}")).inventory(inventory)
}

fn links(shop: &Shop) -> Vec<String> {
    let list = shop.json("link list store-a");
    let links = list["links"].as_array().unwrap().iter();
    links
        .map(|link| {
            let text = |key: &str| link[key].as_str().unwrap_or("–").to_owned();
            format!("{} {} {}", text("item_id"), text("sku"), text("linked_by"))
        })
        .collect()
}

#[test]
fn items_are_linked_by_sku_then_by_ean() {
    let shop = shop(
        &format!("1,MUG-01,,,3,1\n2,,{EAN},,4,1\n3,NEW,,,5,1\n"),
        &format!("sku,ean\nMUG-01,\nTEA-01,0{EAN}\n"),
    );
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!((run.number("linked"), run.number("unlinked")), (2, 1));
    assert_eq!(run.problems(), ["unlinked 3 4"]);
    assert_eq!(links(&shop), ["1 MUG-01 sku", "2 TEA-01 ean"]);
    assert_eq!(shop.stock("main", "TEA-01").unwrap(), "4");
}

#[test]
fn an_ean_with_a_wrong_check_digit_links_nothing() {
    for ean in ["4006381333932", "400638133393", "0000000000000", "EANRP1"] {
        let shop = shop(&format!("1,,{ean},,3,1\n"), &format!("sku,ean\nMUG-01,{ean}\n"));
        let run = shop.run("pull store-a --format json").code(0).one_run();
        assert_eq!(run.number("linked"), 0, "{ean}");
    }
}

#[test]
fn the_sku_beats_the_ean_and_the_config_says_the_order() {
    let rows = format!("1,MUG-01,{EAN},,3,1\n");
    let inventory = format!("sku,ean\nMUG-01,\nTEA-01,{EAN}\n");
    shop(&rows, &inventory).run("pull store-a").code(0).stock("main", "MUG-01", "3");
    let by_ean = STORE_A.replace(
        "[integrations.store-a.fields]",
        "link_by = [\"ean\"]\n[integrations.store-a.fields]",
    );
    Shop::new()
        .config(&by_ean)
        .config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}{rows}"))
        .inventory(&inventory)
        .run("pull store-a")
        .code(0)
        .stock("main", "TEA-01", "3")
        .stock("main", "MUG-01", "–");
}

#[test]
fn nothing_is_linked_by_itself_where_the_config_says_so() {
    let none = STORE_A
        .replace("[integrations.store-a.fields]", "link_by = []\n[integrations.store-a.fields]");
    let shop = Shop::new()
        .config(&none)
        .config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}1,MUG-01,,,3,1\n"))
        .inventory("sku\nMUG-01\n");
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "–");
    shop.run("link set store-a 1 MUG-01").code(0);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn what_is_ambiguous_is_never_linked() {
    // Two items with one SKU; an EAN of two products.
    let shop = shop(
        &format!("1,MUG-01,,,3,1\n2,MUG-01,,,4,1\n3,,{EAN},,5,1\n4,CUP-01,,,6,1\n"),
        &format!("sku,ean\nMUG-01,\nTEA-01,{EAN}\nTEA-02,{EAN}\nCUP-01,\n"),
    );
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.problems(), ["ambiguous 1 2", "ambiguous 2 3", "ambiguous 3 4"]);
    assert_eq!(links(&shop), ["4 CUP-01 sku"]);
    assert_eq!(shop.values(), ["CUP-01 price.retail 1.00", "CUP-01 stock.main 6"]);
}

#[test]
fn a_kept_link_stays_and_a_later_rival_is_ambiguous() {
    let shop = shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n");
    shop.run("pull store-a").code(0);
    shop.write("store.csv", format!("{HEAD}2,MUG-01,,,9,1\n1,MUG-01,,,4,1\n"));
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.problems(), ["ambiguous 2 2"]);
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "4");
}

#[test]
fn a_link_whose_item_carries_another_products_sku_is_a_conflict() {
    let shop = shop("1,MUG-01,,,3,1\n2,TEA-01,,,5,1\n", "sku\nMUG-01\nTEA-01\nCUP-01\n");
    shop.run("pull store-a").code(0);
    shop.write("store.csv", format!("{HEAD}1,CUP-01,,,4,1\n2,TEA-01,,,6,1\n"));
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!(run.problems(), ["link_conflict 1 2"]);
    assert_eq!(run.number("linked"), 2);
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
    assert_eq!(shop.stock("main", "CUP-01"), None);
    assert_eq!(shop.stock("main", "TEA-01").unwrap(), "6");
    shop.run("link set store-a 1 CUP-01").code(0);
    shop.run("pull store-a").code(0).stock("main", "CUP-01", "4").stock("main", "MUG-01", "3");
}

#[test]
fn a_link_by_hand_stays_whatever_the_item_carries() {
    let shop = shop("1,TEA-01,,,3,1\n", "sku\nMUG-01\nTEA-01\n");
    shop.run("link set store-a 1 MUG-01").code(0);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3").stock("main", "TEA-01", "–");
    assert_eq!(links(&shop), ["1 MUG-01 hand"]);
}

#[test]
fn an_item_marked_never_is_left_alone() {
    let shop = shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n");
    shop.run_args(&["link", "set", "store-a", "1", ""]).code(0);
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!((run.number("linked"), run.number("unlinked")), (0, 1));
    assert!(run.problems().is_empty());
    assert_eq!(links(&shop), ["1 – never"]);
    shop.run("link remove store-a 1").code(0);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn a_removed_link_is_not_made_again_by_itself() {
    let shop = shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n");
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
    shop.run("link remove store-a 1").code(0);
    assert_eq!(links(&shop), ["1 – never"]);
    shop.write("store.csv", "id,sku,ean,name,qty,price\n1,MUG-01,,,9,1\n");
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
    shop.run("link remove store-a 1").code(0);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "9");
}

#[test]
fn an_item_in_conflict_is_not_missing() {
    let shop = shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\nMUG-02\n");
    shop.run("pull store-a").code(0);
    shop.write("store.csv", "id,sku,ean,name,qty,price\n1,MUG-02,,,9,1\n");
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!((run.number("missing"), run.number("linked")), (0, 1));
    shop.run("link set store-a 1 MUG-02").code(0);
    shop.run("pull store-a").code(0).stock("main", "MUG-02", "9").stock("main", "MUG-01", "3");
}

#[test]
fn rows_of_one_id_with_different_skus_are_not_trusted() {
    for rows in ["1,MUG-01,,,4,1\n1,MUG-02,,,4,1\n", "1,MUG-02,,,4,1\n1,MUG-01,,,4,1\n"] {
        let shop = shop(rows, "sku\nMUG-01\nMUG-02\n");
        let run = shop.run("pull store-a --format json").code(3).one_run();
        assert_eq!(run.0["problems"][0]["kind"], "duplicate_sku");
        assert_eq!((run.number("duplicates"), run.number("linked")), (1, 0));
        assert!(links(&shop).is_empty());
    }
}

#[test]
fn links_can_live_in_a_file() {
    let shop = shop("b,,,,3,1\na,,,,4,1\nc,MUG-03,,,5,1\n", "sku\nMUG-01\nMUG-02\nMUG-03\n");
    shop.write("links.csv", "item_id,sku\nb,MUG-01\na,MUG-02\nc,\nd,MISSING\n");
    let run = shop.run("link import store-a links.csv --format json").code(3).one_run();
    assert_eq!(run.0["problems"][0]["line"], 5);
    assert_eq!(
        shop.run("link export store-a").code(0).stdout,
        "item_id,sku\na,MUG-02\nb,MUG-01\nc,\n"
    );
    shop.run("pull store-a")
        .code(0)
        .stock("main", "MUG-01", "3")
        .stock("main", "MUG-02", "4")
        .stock("main", "MUG-03", "–");
    // Merged: what the file lacks stays.
    shop.write("links.csv", "item_id,sku\nb,MUG-02\n");
    shop.run("link import store-a links.csv").code(0);
    assert_eq!(shop.run("link export store-a").stdout, "item_id,sku\na,MUG-02\nb,MUG-02\nc,\n");
}

#[test]
fn an_export_imported_again_changes_nothing() {
    let shop = shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n");
    shop.run("pull store-a").code(0);
    let links = shop.run("link export store-a").stdout;
    shop.write("links.csv", &links);
    shop.run("link import store-a links.csv").code(0);
    assert_eq!(shop.run("link export store-a").stdout, links);
}

#[test]
fn linking_alone_changes_no_value() {
    let shop = shop("1,MUG-01,,,3,1\n", "sku,stock.main\nMUG-01,9\n");
    let run = shop.run("link auto store-a --format json").code(0).one_run();
    assert_eq!(run.text("command"), "link");
    assert_eq!(run.0["changes"][0]["section"], "links");
    assert_eq!(run.0["changes"][0]["after"], "MUG-01");
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "9");
    assert_eq!(links(&shop), ["1 MUG-01 sku"]);
}

#[test]
fn an_unknown_sku_names_the_nearest() {
    shop("1,MUG-01,,,3,1\n", "sku\nMUG-01\n")
        .run("link set store-a 1 MUG-O1")
        .code(2)
        .stderr("MUG-01");
}

const CREATE: &str =
    "unlinked = \"create\"\n[integrations.store-a.fields]\nparent_sku = \"parent\"";

fn creating(rows: &str) -> Shop {
    Shop::new()
        .config(&STORE_A.replace("[integrations.store-a.fields]", CREATE))
        .config(DOWNLOAD)
        .file("store.csv", format!("id,sku,ean,name,qty,price,parent\n{rows}"))
}

#[test]
fn a_pull_makes_products_where_the_config_says_so() {
    let shop = creating(&format!("1,MUG-01,{EAN},Mug,3,12.30,\n2,MUG-R,,Red mug,1,13,MUG-01\n"));
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!((run.number("created"), run.number("linked")), (2, 2));
    let list = shop.json("inventory list");
    assert_eq!(list["products"][0]["ean"], EAN);
    assert_eq!(list["products"][0]["name"], "Mug");
    assert_eq!(list["products"][1]["parent_sku"], "MUG-01");
    shop.run("pull store-a").code(0).stdout("nothing to change");
}

#[test]
fn an_item_without_a_sku_is_never_made_a_product() {
    let shop = creating(&format!("1,,{EAN},Mug,3,12.30,\n2,TEA-01,,Teapot,1,13,\n"));
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.problems(), ["unlinked 1 2"]);
    assert_eq!(shop.skus(), ["TEA-01"]);
}

#[test]
fn no_product_is_made_of_rows_that_differ() {
    let shop = creating("1,MUG-01,,Mug,3,12.30,\n1,MUG-01,,Mug,4,12.30,\n2,TEA-01,,Teapot,1,13,\n");
    let run = shop.run("pull store-a --format json").code(3).one_run();
    assert_eq!(run.number("created"), 1);
    assert_eq!(shop.skus(), ["TEA-01"]);
}

#[test]
fn unlinked_items_are_not_reported_where_the_config_ignores_them() {
    let shop = Shop::new()
        .config(&STORE_A.replace(
            "[integrations.store-a.fields]",
            "unlinked = \"ignore\"\n[integrations.store-a.fields]",
        ))
        .config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}1,MUG-01,,,3,1\n"));
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert!(run.problems().is_empty());
    assert_eq!(run.number("unlinked"), 1);
}

#[test]
fn an_item_without_an_id_is_known_by_its_sku_or_ean() {
    let by_keys = STORE_A.replace("item_id = \"id\"\n", "");
    let shop = Shop::new()
        .config(&by_keys)
        .config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}1,MUG-01,,,3,1\n2,,{EAN},,4,1\n"))
        .inventory(&format!("sku,ean\nMUG-01,\nTEA-01,{EAN}\n"));
    shop.run("pull store-a").code(0).stock("main", "TEA-01", "4");
    assert_eq!(links(&shop), ["MUG-01 MUG-01 sku", &format!("ean:{EAN} TEA-01 ean")]);
}
