//! How invsync makes itself known to a shop, and what it says when that fails.

use crate::support::woocommerce::{Auth, Fake, SECRET};
use crate::support::{DOWNLOAD, SEND, Shop};

use super::{INVENTORY, SEND_STOCK, VERSIONS, catalogue, saved, selling, shop};

#[test]
fn over_plain_http_every_request_is_signed_and_no_key_travels_as_it_is() {
    for version in VERSIONS {
        let fake = Fake::start(catalogue());
        fake.settings(|shop| shop.version = version);
        let shop = shop(&fake, SEND, INVENTORY);
        shop.run("push store-a").code(0);
        shop.run("check store-a").code(0);
        assert!(fake.log().iter().all(|request| request.auth == Auth::Signature));
        assert!(fake.log().iter().all(|request| request.status != Some(401)));
    }
}

#[test]
fn nothing_but_a_signature_is_tried_over_plain_http() {
    let fake = Fake::start(catalogue());
    fake.key(|key| key.consumer_key = "ck_another".to_owned());
    shop(&fake, DOWNLOAD, INVENTORY).run("pull store-a").code(8);
    assert!(fake.log().iter().all(|request| request.auth == Auth::Signature));
}

/// A pull that fails for its key: with exit code 8, these words, and after one attempt each.
fn is_rejected(fake: &Fake, shop: &Shop, words: &str) {
    let before = shop.values();
    shop.run("pull store-a").code(8).stderr("401").stderr(words).stderr("REST API");
    assert_eq!(shop.values(), before);
    assert_eq!(fake.count("GET products"), 1, "{:#?}", fake.requests());
}

#[test]
fn a_wrong_secret_is_told() {
    let fake = Fake::start(catalogue());
    fake.key(|key| key.consumer_secret = SECRET.replace('5', "6"));
    is_rejected(&fake, &shop(&fake, DOWNLOAD, INVENTORY), "key pair is wrong");
}

#[test]
fn a_key_that_the_shop_does_not_know_is_told() {
    let fake = Fake::start(catalogue());
    fake.key(|key| key.consumer_key = "ck_another".to_owned());
    is_rejected(&fake, &shop(&fake, DOWNLOAD, INVENTORY), "Consumer key is invalid");
}

#[test]
fn a_clock_that_is_off_is_told() {
    for hours in [-1, 1] {
        let fake = Fake::start(catalogue());
        fake.settings(|shop| shop.clock_ahead_s = hours * 3600);
        is_rejected(&fake, &shop(&fake, DOWNLOAD, INVENTORY), "clock");
    }
}

#[test]
fn a_clock_that_is_a_little_off_does_no_harm() {
    for minutes in [-14, 14] {
        let fake = Fake::start(catalogue());
        fake.settings(|shop| shop.clock_ahead_s = minutes * 60);
        shop(&fake, DOWNLOAD, INVENTORY).run("pull store-a").code(0);
    }
}

#[test]
fn a_user_who_may_not_see_products_is_told() {
    let fake = Fake::start(catalogue());
    fake.key(|key| key.manager = false);
    shop(&fake, DOWNLOAD, INVENTORY).run("pull store-a").code(8).stderr("Shop manager");
}

#[test]
fn a_key_that_expires_in_a_pull_leaves_everything_as_it_was() {
    let (fake, shop) = selling(1000, DOWNLOAD);
    let before = shop.values();
    fake.key(|key| key.valid_requests = Some(5));
    shop.run("pull store-a").code(8);
    assert_eq!(shop.values(), before);
    fake.key(|key| key.valid_requests = None);
    shop.run("pull store-a").code(0).stock("main", "SKU-00777", "5");
}

#[test]
fn a_key_that_expires_in_a_push_leaves_a_record_of_what_was_sent() {
    let (fake, shop) = selling(1000, SEND_STOCK);
    // Ten pages, the last of them twice, and three batches.
    fake.key(|key| key.valid_requests = Some(14));
    let run = shop.run("push store-a --format json").code(8).one_run();
    assert_eq!(run.0["changed"]["stock"], 300);
    assert_eq!(saved(&fake).len(), 300);
    assert!(!run.changes().iter().any(|change| change.ends_with("uncertain")));
    fake.key(|key| key.valid_requests = None);
    shop.run("push store-a").code(0);
    let mut all = saved(&fake);
    all.sort_unstable();
    assert_eq!(all, (1..=1000).collect::<Vec<_>>());
}

#[test]
fn keys_are_not_sent_over_plain_http_to_other_machines() {
    let fake = Fake::start(catalogue());
    let config = fake.config(DOWNLOAD).replace(&fake.host(), "shop.example");
    let shop = Shop::new().config(&config).inventory(INVENTORY);
    shop.run("pull store-a").code(2).stderr("https");
    assert_eq!(fake.requests(), [""; 0]);
}

#[test]
fn a_key_and_a_secret_in_the_wrong_places_are_found_at_once() {
    let fake = Fake::start(catalogue());
    let config = fake.config(DOWNLOAD);
    let swapped = config.replace("ck_", "xx_").replace("cs_", "ck_").replace("xx_", "cs_");
    let shop = Shop::new().config(&swapped).inventory(INVENTORY);
    shop.run("pull store-a").code(2).stderr("consumer_key");
    assert_eq!(fake.requests(), [""; 0]);
}

#[test]
fn keys_may_come_from_the_environment_and_from_files() {
    let fake = Fake::start(catalogue());
    let config = fake.config(DOWNLOAD).replace(&format!("\"{SECRET}\""), "{ file = \"secret\" }");
    let shop =
        Shop::new().config(&config).file("secret", format!("{SECRET}\n")).inventory(INVENTORY);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
}
