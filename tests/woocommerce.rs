//! WooCommerce shops: read and written, against a fake that speaks the real protocol.

use crate::support::woocommerce::{Catalogue, Fake};
use crate::support::{DOWNLOAD, SEND, Shop};

fn catalogue() -> Catalogue {
    Catalogue::new()
        .simple(45, "MUG-01", |p| p.stock("3").price("12.30").name("Mug"))
        .simple(46, "TEA-01", |p| p.stock("7").price("39").gtin("4006381333931"))
        .variable(50, "TEE", |p| {
            p.name("Tee").variation(51, "TEE-S", |v| v.stock("5").price("20.00"))
        })
}

const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,12.30\nTEA-01,7,41\nTEE-S,6,21\n";

#[test]
fn a_pull_takes_products_and_variations() {
    let fake = Fake::start(catalogue());
    let shop = Shop::new().config(&fake.config(DOWNLOAD)).inventory(INVENTORY);
    let ran = shop.run("pull store-a -v").code(0);
    println!("{}{}", ran.stdout, ran.stderr);
    println!("{:#?}", fake.requests());
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
    assert_eq!(shop.price("retail", "TEE-S").unwrap(), "20.00");
}

#[test]
fn a_push_sends_what_differs() {
    let fake = Fake::start(catalogue());
    let shop = Shop::new().config(&fake.config(SEND)).inventory(INVENTORY);
    let ran = shop.run("push store-a -v");
    println!("{}{}", ran.stdout, ran.stderr);
    println!("{:#?}", fake.requests());
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        (fake.stock(45), fake.price(46), fake.stock(51)),
        ("4".into(), "41.00".into(), "6".into())
    );
}
