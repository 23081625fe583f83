//! What somebody else changed at the shop, and sales, which a price may end.

use crate::support::woocommerce::{Catalogue, Fake};
use crate::support::{SEND, Shop};

use super::{SEND_STOCK, shop};

const ON_SALE: &str = "price_field = \"sale_price\"\n";

/// A mug that costs 20, in a sale 15, and a shop whose inventory has another price.
fn in_a_sale(sections: &str, price: &str) -> (Fake, Shop) {
    let fake =
        Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3").price("20").sale("15")));
    let inventory = format!("sku,stock.main,price.retail\nMUG-01,4,{price}\n");
    let shop = shop(&fake, sections, &inventory);
    (fake, shop)
}

fn prices(fake: &Fake) -> (String, String) {
    (fake.item(45).regular_price, fake.item(45).sale_price)
}

fn pair(regular: &str, sale: &str) -> (String, String) {
    (regular.to_owned(), sale.to_owned())
}

#[test]
fn a_price_that_would_end_a_sale_is_held_back_and_the_stock_goes_on() {
    for price in ["15", "14.99", "15.004"] {
        let (fake, shop) = in_a_sale(SEND, price);
        let run = shop.run("push store-a --format json").code(4).one_run();
        assert_eq!(run.changes().len(), 2);
        assert_eq!(run.changes()[0], "MUG-01 stock 3→4 applied");
        assert!(run.changes()[1].ends_with("held_back"), "{:?}", run.changes());
        assert!(run.guards()[0].starts_with("would_end_sale prices"), "{:?}", run.guards());
        assert_eq!((fake.stock(45), prices(&fake)), ("4".to_owned(), pair("20", "15")));
        // It is named again.
        shop.run("push store-a").code(4).stdout("would_end_sale");
    }
}

#[test]
fn a_sale_ends_where_that_is_allowed() {
    for allow in ["would_end_sale", "all"] {
        let (fake, shop) = in_a_sale(SEND, "14");
        let run =
            shop.run(&format!("push store-a --format json --allow {allow}")).code(0).one_run();
        assert!(run.guards().iter().any(|guard| guard.ends_with("allowed")), "{:?}", run.guards());
        assert_eq!(prices(&fake), pair("14.00", ""));
    }
}

#[test]
fn a_price_above_the_sale_leaves_the_sale_alone() {
    for (price, sent) in [("25", "25.00"), ("15.01", "15.01")] {
        let (fake, shop) = in_a_sale(SEND, price);
        shop.run("push store-a").code(0);
        assert_eq!(prices(&fake), pair(sent, "15"));
    }
}

#[test]
fn a_sale_price_is_sent_and_the_regular_price_stays() {
    let (fake, shop) = in_a_sale(&format!("{ON_SALE}{SEND}"), "12");
    shop.run("push store-a").code(0);
    assert_eq!(prices(&fake), pair("20", "12.00"));
}

#[test]
fn a_sale_price_that_is_no_sale_is_held_back() {
    for price in ["20", "21"] {
        let (fake, shop) = in_a_sale(&format!("{ON_SALE}{SEND}"), price);
        shop.run("push store-a").code(4).stdout("would_end_sale");
        assert_eq!((fake.stock(45), prices(&fake)), ("4".to_owned(), pair("20", "15")));
    }
}

#[test]
fn a_variation_in_a_sale_is_held_back_too() {
    let fake = Fake::start(
        Catalogue::new()
            .variable(50, "TEE", |p| p.variation(51, "TEE-S", |v| v.price("20").sale("15"))),
    );
    let shop = shop(&fake, SEND, "sku,price.retail\nTEE-S,14\n");
    shop.run("push store-a").code(4).stdout("would_end_sale");
    assert_eq!(fake.price(51), "20");
}

#[test]
fn undoing_a_price_does_not_end_a_sale_that_began_since() {
    let (fake, shop) = in_a_sale(SEND, "30");
    shop.run("push store-a").code(0);
    fake.catalogue(|shop| shop.change(45, |item| item.sale_price = "25".to_owned()));
    let run = shop.run("undo 2 --format json").code(3).one_run();
    assert_eq!(run.changes(), ["MUG-01 stock 4→3 applied", "MUG-01 prices 30.00→20.00 skipped"]);
    assert_eq!(prices(&fake), pair("30.00", "25"));
}

/// A shop that has pushed a stock of 4 and is superior in it.
fn pushed(more: &str) -> (Fake, Shop) {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3")));
    let shop = shop(&fake, &format!("{SEND_STOCK}{more}"), "sku,stock.main\nMUG-01,4\n");
    shop.run("push store-a").code(0);
    (fake, shop)
}

#[test]
fn what_somebody_else_changed_is_named_and_overwritten() {
    let (fake, shop) = pushed("");
    fake.set_stock(45, "1");
    let run = shop.run("push store-a --format json").code(0).one_run();
    assert_eq!(run.problems(), ["changed_elsewhere 45 –"]);
    assert_eq!(run.changes(), ["MUG-01 stock 1→4 applied"]);
    assert_eq!(fake.stock(45), "4");
    shop.run("push store-a").code(0).stdout("nothing to change");
}

#[test]
fn what_somebody_else_changed_is_kept_where_the_config_says_so() {
    let (fake, shop) = pushed("on_drift = \"hold\"\n");
    fake.set_stock(45, "1");
    let run = shop.run("push store-a --format json").code(4).one_run();
    assert_eq!(run.problems(), ["changed_elsewhere 45 –"]);
    assert_eq!(run.changes(), ["MUG-01 stock 1→4 held_back"]);
    assert_eq!(fake.stock(45), "1");
    shop.run("push store-a").code(4).stdout("MUG-01");
    shop.run("push store-a --allow on_drift").code(0);
    assert_eq!(fake.stock(45), "4");
}

#[test]
fn a_first_push_knows_no_drift() {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3")));
    let sections = format!("{SEND_STOCK}on_drift = \"hold\"\n");
    let shop = shop(&fake, &sections, "sku,stock.main\nMUG-01,4\n");
    let run = shop.run("push store-a --format json").code(0).one_run();
    assert_eq!(run.problems(), [""; 0]);
}

#[test]
fn a_value_that_was_read_equal_to_ours_counts_as_confirmed() {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock("4")));
    let sections = format!("{SEND_STOCK}on_drift = \"hold\"\n");
    let shop = shop(&fake, &sections, "sku,stock.main\nMUG-01,4\n");
    shop.run("push store-a").code(0);
    fake.set_stock(45, "1");
    shop.run("push store-a").code(4);
    assert_eq!(fake.stock(45), "1");
}
