//! Guards: what looks wrong is stopped or held back before anything is written.

use crate::support::{DOWNLOAD, SEND, STORE_A, Shop};

const HEAD: &str = "id,sku,ean,name,qty,price\n";

/// A store with `n` items of these values.
fn rows(n: usize, quantity: &str, price: &str) -> String {
    let rows: String = (1..=n).map(|n| format!("{n},S{n:02},,,{quantity},{price}\n")).collect();
    HEAD.to_owned() + &rows
}

/// A shop that has pulled `n` items with 5 in stock at 10.00.
fn pulled(n: usize) -> Shop {
    let skus: String = (1..=n).map(|n| format!("S{n:02}\n")).collect();
    let shop = Shop::downloading(&rows(n, "5", "10")).inventory(&format!("sku\n{skus}"));
    shop.run("pull store-a").code(0);
    shop
}

/// The first `n` of the store's rows get another quantity.
fn change(shop: &Shop, n: usize, quantity: &str) {
    let text = shop.read("store.csv");
    let lines = text.lines().enumerate().map(|(at, line)| match at {
        1.. if at <= n => line.replace(",5,10", &format!(",{quantity},10")),
        _ => line.to_owned(),
    });
    shop.write("store.csv", lines.collect::<Vec<_>>().join("\n") + "\n");
}

#[test]
fn too_many_changes_stop_their_section_and_no_other() {
    let shop = pulled(20);
    change(&shop, 11, "4");
    let text = shop.read("store.csv").replacen(",5,10", ",5,11", 1);
    shop.write("store.csv", text);
    let run = shop.run("pull store-a --format json").code(4).one_run();
    assert_eq!(run.text("status"), "blocked");
    assert_eq!(run.guards(), ["max_changed stock 55%>50%"]);
    assert_eq!(run.0["changed"]["stock"], 0);
    assert_eq!(run.0["changed"]["prices"], 1);
    assert_eq!(shop.stock("main", "S01").unwrap(), "5");
    assert_eq!(shop.price("retail", "S12").unwrap(), "11.00");
    assert_eq!(run.changes().iter().filter(|change| change.ends_with("planned")).count(), 11);
}

#[test]
fn exactly_at_the_limit_passes() {
    let shop = pulled(20);
    change(&shop, 10, "4");
    shop.run("pull store-a").code(0).stock("main", "S10", "4");
}

#[test]
fn a_small_shop_may_change_all_it_has() {
    let shop = pulled(19);
    change(&shop, 19, "0");
    shop.run("pull store-a").code(0).stock("main", "S19", "0");
}

#[test]
fn an_allowed_guard_lets_one_run_pass_and_is_recorded() {
    for allow in ["max_changed", "all"] {
        let shop = pulled(20);
        change(&shop, 11, "4");
        let run =
            shop.run(&format!("pull store-a --format json --allow {allow}")).code(0).one_run();
        assert_eq!(run.guards(), ["max_changed stock 55%>50% allowed"]);
        assert_eq!(shop.stock("main", "S01").unwrap(), "4");
        let id = run.number("run_id");
        assert_eq!(shop.json(&format!("runs {id}"))["runs"][0]["guards"], run.0["guards"]);
    }
}

#[test]
fn another_guard_that_is_allowed_lets_nothing_pass() {
    let shop = pulled(20);
    change(&shop, 11, "4");
    shop.run("pull store-a --allow zero_price").code(4).stock("main", "S01", "5");
    shop.run("pull store-a --allow max_everything").code(2).stderr("max_changed");
}

#[test]
fn too_many_zeros_stop_the_stock() {
    let shop = pulled(20);
    change(&shop, 7, "0");
    let run = shop.run("pull store-a --format json").code(4).one_run();
    assert_eq!(run.guards(), ["max_zeroed stock 35%>30%"]);
    assert_eq!(shop.stock("main", "S01").unwrap(), "5");
}

#[test]
fn unknown_values_are_no_zeros_but_too_many_of_them_stop_the_section() {
    let shop = pulled(20);
    change(&shop, 5, "");
    let run = shop.run("pull store-a --format json").code(4).one_run();
    assert_eq!(run.guards(), ["max_unknown stock 25%>20%"]);
    assert_eq!(shop.stock("main", "S01").unwrap(), "5");
    shop.run("pull store-a").code(4).stderr("store-a: the stock is unknown now of S01, S02, S03");
}

#[test]
fn half_a_file_stops_everything_it_feeds() {
    let shop = pulled(20);
    let half: String = rows(10, "1", "11");
    shop.write("store.csv", half);
    let run = shop.run("pull store-a --format json").code(4).one_run();
    assert_eq!(run.guards()[0], "max_missing – 50%>20%");
    assert_eq!(run.number("missing"), 10);
    assert_eq!(
        (shop.stock("main", "S01").unwrap(), shop.price("retail", "S01").unwrap()),
        ("5".into(), "10.00".into())
    );
}

#[test]
fn another_suppliers_file_is_stopped_at_any_size() {
    let shop = pulled(3).inventory("sku\nX1\n");
    shop.write("store.csv", format!("{HEAD}77,X1,,,1,1\n"));
    let run = shop.run("pull store-a --format json").code(4).one_run();
    assert_eq!(run.guards(), ["max_missing – 100%>20%"]);
}

#[test]
fn a_price_that_jumps_is_held_back_and_everything_else_goes_on() {
    let shop = pulled(3);
    shop.write("store.csv", format!("{HEAD}1,S01,,,4,1000\n2,S02,,,5,11\n3,S03,,,5,1.99\n"));
    let run = shop.run("pull store-a --format json").code(4).one_run();
    assert_eq!(run.text("status"), "partial");
    assert_eq!(run.number("held_back"), 2);
    assert_eq!(run.guards(), ["max_price_change prices 9900%>80%"]);
    assert_eq!(
        run.changes(),
        [
            "S01 stock 5→4 applied",
            "S01 prices 10.00→1000.00 held_back",
            "S02 prices 10.00→11.00 applied",
            "S03 prices 10.00→1.99 held_back",
        ]
    );
    assert_eq!(shop.price("retail", "S01").unwrap(), "10.00");
    assert_eq!(shop.price("retail", "S02").unwrap(), "11.00");
    shop.run("pull store-a").code(4).stdout("held back");
    shop.run("pull store-a --allow max_price_change").code(0).price("retail", "S01", "1000.00");
}

#[test]
fn a_price_exactly_at_the_limit_passes() {
    let shop = pulled(2);
    shop.write("store.csv", format!("{HEAD}1,S01,,,5,18\n2,S02,,,5,2\n"));
    shop.run("pull store-a").code(0).price("retail", "S01", "18.00").price("retail", "S02", "2.00");
}

#[test]
fn a_price_of_zero_or_less_is_held_back_even_where_none_was_known() {
    for price in ["0", "-5", "0.00"] {
        let shop = Shop::downloading(&format!("{HEAD}1,S01,,,4,{price}\n")).inventory("sku\nS01\n");
        let run = shop.run("pull store-a --format json").code(4).one_run();
        assert_eq!(run.number("held_back"), 1, "{price}");
        assert_eq!(shop.price("retail", "S01"), None, "{price}");
        assert_eq!(shop.stock("main", "S01").unwrap(), "4", "{price}");
        shop.run("pull store-a --allow zero_price").code(0);
        assert!(shop.price("retail", "S01").is_some(), "{price}");
    }
}

#[test]
fn a_zero_price_may_be_allowed_in_the_config() {
    let shop = Shop::new()
        .config(STORE_A)
        .config(DOWNLOAD)
        .config("[integrations.store-a.guard]\nzero_price = \"allow\"")
        .file("store.csv", format!("{HEAD}1,S01,,,4,0\n"))
        .inventory("sku\nS01\n");
    shop.run("pull store-a").code(0).price("retail", "S01", "0.00");
}

#[test]
fn a_section_may_have_limits_of_its_own() {
    let shop = pulled(20);
    let config =
        shop.read("invsync.toml") + "[integrations.store-a.stock.guard]\nmax_changed = \"100%\"\n";
    shop.write("invsync.toml", config);
    change(&shop, 20, "4");
    shop.run("pull store-a").code(0).stock("main", "S20", "4");
}

#[test]
fn stock_of_missing_items_becomes_zero_only_where_the_config_says_so_and_this_store_wrote_it() {
    let shop = pulled(10);
    let config = shop.read("invsync.toml") + "[integrations.store-a.guard]\nmissing = \"zero\"\n";
    shop.write("invsync.toml", config);
    shop.run("inventory set S10 stock.main=8").code(0);
    shop.write("store.csv", rows(8, "5", "10"));
    shop.run("pull store-a")
        .code(0)
        .stock("main", "S09", "0")
        .stock("main", "S10", "8")
        .price("retail", "S09", "10.00");
}

#[test]
fn a_push_is_guarded_too() {
    let skus: String = (1..=20).map(|n| format!("S{n:02},0,1\n")).collect();
    let store = rows(20, "5", "10");
    let shop = Shop::new()
        .config(STORE_A)
        .config(SEND)
        .file("store.csv", &store)
        .inventory(&format!("sku,stock.main,price.retail\n{skus}"));
    let run = shop.run("push store-a --format json").code(4).one_run();
    assert!(run.guards().contains(&"max_zeroed stock 100%>30%".to_owned()), "{:?}", run.guards());
    assert_eq!(shop.read("store.csv"), store);
}

#[test]
fn a_dry_run_that_meets_a_guard_says_so_with_its_exit_code() {
    let shop = pulled(20);
    change(&shop, 11, "4");
    shop.run("pull store-a --dry-run").code(4).stdout("max_changed stopped stock: 55% (limit 50%)");
    shop.run("pull store-a --dry-run --exit-code").code(4);
}

#[test]
fn a_source_that_lost_its_shape_is_stopped_until_it_is_accepted() {
    let shop = Shop::downloading(&format!("{HEAD}1,MUG-01,,,4,1\n"))
        .inventory("sku,stock.main,price.retail\nMUG-01,9,1\n");
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "4");
    shop.write("store.csv", "id,sku,ean,name,qty,price\n1,MUG-01,,,3,1");
    let stopped = shop.run("pull store-a --format json").code(4).stock("main", "MUG-01", "4");
    assert_eq!(stopped.json()["runs"][0]["guards"][0]["guard"], "shape");
    shop.run("pull store-a --allow shape").code(0).stock("main", "MUG-01", "3");
    shop.run("pull store-a").code(0);
}
