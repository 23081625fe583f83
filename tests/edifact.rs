//! EDIFACT as its users meet it: a pull, a cut file, a count that is wrong.

use crate::support::feeds::{feed, mutated, read_in_process};

const MAPPED: &str = r#"
connector = "edifact"
fields = { sku = "PIA/@2.1", ean = "@3.1", quantity = "QTY[@1.1='145']/@1.2", price = "PRI[@1.1='AAA']/@1.2", currency = "/CUX/@1.2" }
[integrations.x.stock]
direction = "download"
warehouse = "main"
[integrations.x.prices]
direction = "download"
price_group = "retail"
"#;

const INTERCHANGE: &str = "UNA:+.? '\nUNB+UNOC:3+A+B+260101:1200+1'\nUNH+1+INVRPT:D:96A:UN'\n\
    CUX+2:EUR:8'\nLIN+1++4006381333931:EN'\nPIA+1+MUG-01:SA'\nQTY+145:4'\nPRI+AAA:12.5:CT'\n\
    LIN+2++4006381333948:EN'\nPIA+1+TEA-01:SA'\nUNT+9+1'\nUNZ+1+1'\n";

const PRODUCTS: &str = "sku,stock.main\nMUG-01,1\nTEA-01,2\n";

#[test]
fn a_pull_takes_quantities_and_prices_and_absent_ones_stay() {
    let shop = feed(MAPPED, INTERCHANGE).inventory(PRODUCTS);
    shop.run("pull x")
        .code(0)
        .stock("main", "MUG-01", "4")
        .price("retail", "MUG-01", "12.50")
        .stock("main", "TEA-01", "2");
    shop.run("pull x").code(0).stdout("nothing to change");
}

#[test]
fn an_interchange_without_its_end_changes_nothing() {
    let shop = feed(MAPPED, INTERCHANGE.replace("UNZ+1+1'\n", "")).inventory(PRODUCTS);
    shop.run("pull x").code(1).stderr("has no UNZ").stock("main", "MUG-01", "1");
}

#[test]
fn a_wrong_count_is_a_warning() {
    let shop = feed(MAPPED, INTERCHANGE.replace("UNT+9", "UNT+12")).inventory(PRODUCTS);
    shop.run("pull x")
        .code(0)
        .stderr("message \"1\" says that it has \"12\" segments, and has 9")
        .stock("main", "MUG-01", "4");
}

#[test]
fn an_interchange_is_never_written() {
    let config = MAPPED.replace("download\"\nwarehouse", "send\"\nwarehouse");
    let shop = feed(&config, INTERCHANGE);
    shop.write("invsync.toml", shop.read("invsync.toml").replace("wholesaler", "store"));
    shop.run("push x").code(2).stderr("this format is only read");
}

#[test]
fn damaged_interchanges_are_read_or_refused_without_a_panic() {
    let toml = MAPPED.split_once("[integrations").unwrap().0;
    assert_eq!(read_in_process(toml, INTERCHANGE.as_bytes()), Ok(2));
    for seed in 0..500 {
        let _ = read_in_process(toml, &mutated(INTERCHANGE.as_bytes(), seed));
    }
}
