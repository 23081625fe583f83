//! `check` says what is wrong with a shop that does not answer as it should, and what to do.

use serde_json::json;

use crate::support::woocommerce::{Catalogue, Fake, Fault, PHP_NOTICE, Permissions};
use crate::support::{DOWNLOAD, Ran, SEND, Shop};

use super::{INVENTORY, VERSIONS, at_once, catalogue, saved, set_http, shop};

/// What `check` says of a shop, at its first attempt.
fn check(shop: &Shop) -> Ran<'_> {
    set_http(shop, "retries", "0");
    let ran = shop.run("check store-a");
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    ran
}

#[test]
fn a_shop_that_is_well_is_found_well_and_stays_as_it_is() {
    for version in VERSIONS {
        let fake = Fake::start(catalogue());
        fake.settings(|shop| shop.version = version);
        let shop = shop(&fake, SEND, INVENTORY);
        check(&shop).code(0);
        assert_eq!(saved(&fake), [0; 0]);
    }
}

#[test]
fn a_shop_in_a_folder_is_well() {
    let fake = Fake::start(catalogue());
    fake.settings(|shop| shop.folder = "/sklep");
    let shop = shop(&fake, SEND, INVENTORY);
    check(&shop).code(0);
    shop.run("push store-a").code(0);
    assert_eq!(fake.stock(45), "4");
}

#[test]
fn an_address_without_the_folder_of_the_shop_is_told() {
    let fake = Fake::start(catalogue());
    let at_root = shop(&fake, DOWNLOAD, INVENTORY);
    fake.settings(|shop| shop.folder = "/sklep");
    check(&at_root).code(1).stderr("404").stderr("`url`").stderr("folder");
}

#[test]
fn an_address_with_a_folder_too_many_is_told() {
    let fake = Fake::start(catalogue());
    let config = fake.config(DOWNLOAD).replace(&fake.host(), &format!("{}/nowhere", fake.host()));
    let shop = Shop::new().config(&config).inventory(INVENTORY);
    check(&shop).code(1).stderr("404").stderr("`url`");
}

#[test]
fn a_site_that_is_no_shop_is_told() {
    at_once([Fault::status(404), Fault::login_page()], |fault| {
        let fake = Fake::start(Catalogue::new());
        fake.fail(fault);
        check(&shop(&fake, DOWNLOAD, INVENTORY)).stderr("No WordPress answers at this `url`");
    });
}

#[test]
fn plain_permalinks_are_told() {
    for sections in [DOWNLOAD, SEND] {
        let fake = Fake::start(catalogue());
        fake.settings(|shop| shop.plain_permalinks = true);
        check(&shop(&fake, sections, INVENTORY)).code(1).stderr("Permalinks").stderr("Plain");
    }
}

#[test]
fn a_wordpress_without_woocommerce_is_told() {
    let fake = Fake::start(catalogue());
    fake.settings(|shop| shop.woocommerce_active = false);
    check(&shop(&fake, DOWNLOAD, INVENTORY)).code(1).stderr("WooCommerce is switched off");
}

#[test]
fn a_key_that_may_only_read_is_told_where_something_is_to_be_sent() {
    let fake = Fake::start(catalogue());
    fake.key(|key| key.permissions = Permissions::Read);
    check(&shop(&fake, SEND, INVENTORY)).code(8).stderr("Read/Write");
    check(&shop(&fake, DOWNLOAD, INVENTORY)).code(0);
}

#[test]
fn a_key_that_may_only_write_is_told() {
    let fake = Fake::start(catalogue());
    fake.key(|key| key.permissions = Permissions::Write);
    check(&shop(&fake, DOWNLOAD, INVENTORY)).code(8).stderr("read permissions").stderr("Read");
}

#[test]
fn a_firewall_that_does_not_like_the_program_is_told() {
    let fake = Fake::start(catalogue());
    fake.fail(Fault::status(403).unless_agent("Mozilla"));
    check(&shop(&fake, DOWNLOAD, INVENTORY)).code(8).stderr("firewall").stderr("User-Agent");
}

#[test]
fn a_notice_before_the_json_is_skipped_and_told_once() {
    for text in [PHP_NOTICE, "\u{feff}", "\n\n"] {
        let fake = Fake::start(catalogue());
        fake.fail(Fault::before_json(text));
        let shop = shop(&fake, SEND, INVENTORY);
        let ran = check(&shop).code(0);
        let told = ran.stderr.matches("answers begin with").count();
        assert_eq!(told, usize::from(text == PHP_NOTICE), "{}", ran.stderr);
        shop.run("push store-a").code(0);
        assert_eq!((fake.stock(45), fake.price(46)), ("4".to_owned(), "41.00".to_owned()));
    }
}

#[test]
fn a_plugin_that_breaks_the_json_is_told() {
    at_once(
        [
            Fault::short_length(),
            Fault::answer(|answer| *answer = json!({"products": []})),
            Fault::answer(|answer| *answer = json!("none")),
            Fault::answer(|answer| answer[0] = json!("none")),
        ],
        |fault| {
            let fake = Fake::start(catalogue());
            fake.fail(fault.on("GET products"));
            check(&shop(&fake, DOWNLOAD, INVENTORY)).stderr("plugin");
        },
    );
}

#[test]
fn a_redirect_to_another_host_is_told() {
    let elsewhere = Fake::start(Catalogue::new());
    let fake = Fake::start(catalogue());
    fake.fail(Fault::redirect(&elsewhere.url()));
    check(&shop(&fake, DOWNLOAD, INVENTORY)).code(1).stderr(&elsewhere.host()).stderr("`url`");
    assert_eq!(elsewhere.requests(), [""; 0]);
}

#[test]
fn a_shop_with_another_currency_is_found() {
    let fake = Fake::start(catalogue());
    fake.settings(|shop| shop.currency = "PLN");
    check(&shop(&fake, DOWNLOAD, INVENTORY)).code(5).stdout("PLN");
}

#[test]
fn prices_with_another_tax_are_found() {
    let fake = Fake::start(catalogue());
    fake.settings(|shop| shop.calc_taxes = true);
    let sections = format!("prices_include_tax = false\n{DOWNLOAD}");
    check(&shop(&fake, &sections, INVENTORY)).code(5).stdout("prices_include_tax");
}
