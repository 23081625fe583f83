//! Which price is read and sent, and how.

use serde_json::json;

use crate::support::woocommerce::{Catalogue, Fake};
use crate::support::{DOWNLOAD, SEND, Shop};

use super::{INVENTORY, at_once, bodies, catalogue, shop};

const ON_SALE: &str = "price_field = \"sale_price\"\n";

/// A mug that costs 20, in a sale 15.
fn in_a_sale() -> Fake {
    Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3").price("20").sale("15")))
}

fn with_price(fake: &Fake, sections: &str, price: &str) -> Shop {
    shop(fake, sections, &format!("sku,price.retail\nMUG-01,{price}\n"))
}

#[test]
fn the_regular_price_counts_also_in_a_sale() {
    let fake = in_a_sale();
    with_price(&fake, DOWNLOAD, "18")
        .run("pull store-a")
        .code(0)
        .price("retail", "MUG-01", "20.00");
}

#[test]
fn the_sale_price_counts_where_the_config_says_so() {
    let fake = in_a_sale();
    let sections = format!("{ON_SALE}{DOWNLOAD}");
    with_price(&fake, &sections, "18")
        .run("pull store-a")
        .code(0)
        .price("retail", "MUG-01", "15.00");
    fake.catalogue(|shop| shop.change(45, |item| item.sale_price.clear()));
    with_price(&fake, &sections, "18")
        .run("pull store-a")
        .code(0)
        .price("retail", "MUG-01", "18.00");
}

#[test]
fn prices_that_are_not_with_tax_as_the_config_says_are_not_used() {
    at_once([("10.9.1", true), ("10.9.1", false), ("9.3.3", true)], |(version, at_the_shop)| {
        at_once([true, false], |wanted| {
            let fake = Fake::start(catalogue());
            fake.settings(|shop| {
                shop.version = version;
                shop.calc_taxes = true;
                shop.prices_include_tax = at_the_shop;
            });
            let key = format!("prices_include_tax = {wanted}\n");
            let pulling = shop(&fake, &format!("{key}{DOWNLOAD}"), INVENTORY);
            let ran = pulling.run("pull store-a").stock("main", "MUG-01", "3");
            let is_used = pulling.price("retail", "TEA-01").unwrap() == "39.00";
            assert_eq!(is_used, at_the_shop == wanted);
            assert_eq!(ran.stdout.contains("prices_include_tax"), !is_used, "{}", ran.stdout);
            let sending = shop(&fake, &format!("{key}{SEND}"), INVENTORY);
            sending.run("push store-a");
            let is_sent = fake.price(46) != "39";
            assert_eq!((is_sent, fake.stock(45)), (at_the_shop == wanted, "4".to_owned()));
        });
    });
}

#[test]
fn a_shop_that_calculates_no_tax_has_but_one_kind_of_price() {
    let fake = Fake::start(catalogue());
    for wanted in [true, false] {
        let sections = format!("prices_include_tax = {wanted}\n{DOWNLOAD}");
        shop(&fake, &sections, INVENTORY)
            .run("pull store-a")
            .code(0)
            .price("retail", "TEA-01", "39.00");
    }
}

#[test]
fn prices_in_another_currency_are_not_used() {
    let fake = Fake::start(catalogue());
    fake.settings(|shop| shop.currency = "PLN");
    let pulling = shop(&fake, DOWNLOAD, INVENTORY);
    let run = pulling.run("pull store-a --format json").code(3).one_run();
    let all = ["currency_mismatch 45 –", "currency_mismatch 46 –", "currency_mismatch 51 –"];
    assert_eq!(run.problems(), all);
    assert_eq!(run.changes(), ["MUG-01 stock 4→3 applied", "TEE-S stock 6→5 applied"]);
    let sending = shop(&fake, SEND, INVENTORY);
    let run = sending.run("push store-a --format json").code(3).one_run();
    assert_eq!(run.problems(), all);
    assert_eq!(run.changes(), ["MUG-01 stock 3→4 applied", "TEE-S stock 5→6 applied"]);
    assert_eq!((fake.price(46), fake.price(51)), ("39".to_owned(), "20.00".to_owned()));
}

#[test]
fn a_price_is_sent_with_the_decimals_of_the_shop() {
    for (decimals, price, sent) in [
        (2, "12.3", "12.30"),
        (2, "12.345", "12.35"),
        (0, "12.50", "13"),
        (0, "12.49", "12"),
        (3, "12.3", "12.300"),
    ] {
        let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.price("10")));
        fake.settings(|shop| shop.number_of_decimals = decimals);
        let shop = with_price(&fake, SEND, price);
        shop.run("push store-a").code(0);
        assert_eq!(fake.price(45), sent);
        // What was rounded is no difference.
        shop.run("push store-a").code(0).stdout("nothing to change");
        assert_eq!(fake.count("POST"), 1);
    }
}

#[test]
fn stock_is_rounded_down_where_the_shop_has_no_decimals() {
    for (quantity, sent) in [("4.75", "4"), ("-0.5", "-1"), ("0.999", "0")] {
        let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3")));
        let shop = shop(&fake, SEND, &format!("sku,stock.main\nMUG-01,{quantity}\n"));
        shop.run("push store-a").code(0);
        assert_eq!(fake.stock(45), sent);
        shop.run("push store-a").code(0).stdout("nothing to change");
        assert_eq!(fake.count("POST"), 1);
    }
}

#[test]
fn stock_keeps_its_decimals_where_a_plugin_takes_them() {
    for (key, at_the_shop) in [("", "2.5"), ("stock_decimals = 2\n", "2")] {
        let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock(at_the_shop)));
        fake.settings(|shop| shop.decimal_stock = true);
        let sections = format!("{key}{SEND}");
        let shop = shop(&fake, &sections, "sku,stock.main\nMUG-01,4.75\n");
        shop.run("push store-a").code(0);
        assert_eq!(bodies(&fake)[0]["update"][0]["stock_quantity"], json!(4.75));
        shop.run("push store-a").code(0).stdout("nothing to change");
        assert_eq!(fake.count("POST"), 1);
    }
}

#[test]
fn a_decimal_comma_at_the_shop_changes_nothing() {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.price("10")));
    fake.settings(|shop| shop.decimal_separator = ",");
    with_price(&fake, SEND, "12.50").run("push store-a").code(0);
    assert_eq!(fake.price(45), "12.50");
}
