//! What goes wrong between invsync and a shop: tried again where that is safe, else told.

use std::time::{Duration, Instant};

use crate::support::woocommerce::{Catalogue, Fake, Fault};
use crate::support::{DOWNLOAD, SEND, Shop};

use super::{INVENTORY, SEND_STOCK, at_once, catalogue, saved, selling, set_http, shop};

/// A shop that downloads the catalogue.
fn pulling() -> (Fake, Shop) {
    let fake = Fake::start(catalogue());
    let shop = shop(&fake, DOWNLOAD, INVENTORY);
    (fake, shop)
}

#[test]
fn what_goes_wrong_once_is_tried_again() {
    at_once(
        [
            Fault::status(408),
            Fault::status(425),
            Fault::status(429),
            Fault::status(500),
            Fault::status(502),
            Fault::status(503),
            Fault::status(504),
            Fault::status(524),
            Fault::close(),
            Fault::never(),
            Fault::cut_after_headers(),
            Fault::cut_in_body(),
            Fault::short_length(),
            Fault::broken_gzip(),
            Fault::login_page(),
            Fault::no_content(),
        ],
        |fault| {
            let (fake, shop) = pulling();
            fake.fail(fault.on("GET products").times(1));
            shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
            assert_eq!(fake.count("GET products"), 2);
        },
    );
}

#[test]
fn what_always_goes_wrong_leaves_everything_as_it_was() {
    at_once(
        [
            Fault::status(429),
            Fault::status(500),
            Fault::status(502),
            Fault::close(),
            Fault::never(),
            Fault::cut_in_body(),
            Fault::login_page(),
            Fault::no_content(),
            Fault::trickle(Duration::from_millis(20)),
        ],
        |fault| {
            let (fake, shop) = pulling();
            set_http(&shop, "retries", "1");
            let before = shop.values();
            fake.fail(fault);
            shop.run("pull store-a").code(7).stderr("store-a");
            assert_eq!(shop.values(), before);
            let asked = fake.count("GET products");
            assert_eq!(asked, 2, "{:#?}", fake.requests());
            fake.heal();
            shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
        },
    );
}

#[test]
fn what_the_shop_asks_to_wait_is_waited() {
    at_once(
        [
            (Fault::status(429).retry_after("1"), 1000),
            // A date has whole seconds.
            (Fault::status(429).retry_at(Duration::from_secs(2)), 1000),
            (Fault::status(503).retry_after("1"), 1000),
        ],
        |(fault, least)| {
            let (fake, shop) = pulling();
            fake.fail(fault.on("GET products").times(1));
            let began = Instant::now();
            shop.run("pull store-a").code(0);
            assert!(began.elapsed() >= Duration::from_millis(least), "{:?}", began.elapsed());
            assert_eq!(fake.count("GET products"), 2);
        },
    );
}

#[test]
fn who_is_asked_to_wait_for_longer_than_there_is_time_gives_up_at_once() {
    for fault in [Fault::status(429), Fault::status(503)] {
        let (fake, shop) = pulling();
        fake.fail(fault.retry_after("600").on("GET products"));
        let began = Instant::now();
        shop.run("pull store-a").code(7).stderr("600 s");
        assert!(began.elapsed() < Duration::from_secs(2));
    }
}

#[test]
fn a_batch_that_was_not_taken_yet_is_sent_again_without_reading() {
    for status in [425, 429] {
        let (fake, shop) = selling(3, SEND_STOCK);
        fake.fail(Fault::status(status).retry_after("0").on("POST").times(1));
        shop.run("push store-a").code(0);
        assert_eq!((saved(&fake), fake.count("GET"), fake.count("POST")), (vec![1, 2, 3], 1, 2));
    }
}

#[test]
fn what_was_sent_before_the_shop_failed_is_recorded_and_not_sent_again() {
    let (fake, shop) = selling(300, SEND_STOCK);
    let shop = shop.config("[integrations.store-a.stock.guard]\nmax_changed = \"100%\"");
    set_http(&shop, "concurrency", "1");
    set_http(&shop, "retries", "1");
    fake.fail(Fault::status(429).on("POST").skip(1));
    let ran = shop.run("push store-a --limit 0").code(7).stderr("429");
    assert_eq!(ran.stdout.matches(" applied").count(), 100, "{}", ran.stdout);
    fake.heal();
    shop.run("push store-a").code(0);
    let mut all = saved(&fake);
    all.sort_unstable();
    assert_eq!(all, (1..=300).collect::<Vec<_>>());
}

#[test]
fn what_is_no_json_is_named_for_what_it_is() {
    at_once(
        [
            (Fault::login_page(), "Log In"),
            (Fault::status(502), "502 Bad Gateway"),
            (Fault::status(500), "WordPress › Error"),
            (Fault::no_content(), "204"),
            (Fault::cut_in_body(), "cut"),
            (Fault::broken_gzip(), "gzip"),
        ],
        |(fault, words)| {
            let (fake, shop) = pulling();
            fake.fail(fault.on("GET products"));
            shop.run("pull store-a").stderr(words);
        },
    );
}

#[test]
fn compressed_and_chunked_answers_are_read() {
    for (gzip, chunked) in [(true, false), (false, true), (true, true)] {
        let (fake, shop) = pulling();
        fake.settings(|shop| (shop.gzip, shop.chunked) = (gzip, chunked));
        shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
    }
}

#[test]
fn connections_are_kept_and_made_anew_when_they_are_hung_up() {
    let (fake, shop) = selling(300, SEND_STOCK);
    shop.run("push store-a").code(0);
    assert!(fake.connections() <= 4, "{}", fake.connections());
    let (fake, shop) = selling(300, SEND_STOCK);
    fake.fail(Fault::hang_up());
    shop.run("push store-a").code(0);
    assert!((1..=300).all(|id| fake.stock(id) == "6"));
}

#[test]
fn no_more_requests_are_under_way_than_the_config_allows() {
    at_once([(1, 1), (3, 3)], |(concurrency, most)| {
        let (fake, shop) = selling(700, SEND_STOCK);
        fake.settings(|shop| shop.latency = Duration::from_millis(20));
        set_http(&shop, "concurrency", &concurrency.to_string());
        shop.run("push store-a").code(0);
        assert_eq!(fake.most_at_once(), most);
    });
}

#[test]
fn no_more_requests_a_second_are_made_than_the_config_allows() {
    let (fake, shop) = selling(700, SEND_STOCK);
    set_http(&shop, "max_requests_per_second", "20");
    let began = Instant::now();
    shop.run("push store-a").code(0);
    let least = Duration::from_secs(1).mul_f64((fake.log().len() - 4) as f64 / 20.0);
    assert!(began.elapsed() >= least.mul_f64(0.8), "{:?}", began.elapsed());
}

#[test]
fn a_read_follows_to_the_same_host_and_a_write_does_not() {
    let fake = Fake::start(catalogue());
    fake.fail(Fault::redirect_to_slash());
    shop(&fake, DOWNLOAD, INVENTORY).run("pull store-a").code(0).stock("main", "MUG-01", "3");
    shop(&fake, SEND, INVENTORY).run("push store-a").code(1).stderr("a write is not sent on");
    assert_eq!((fake.stock(45), fake.price(46)), ("3".to_owned(), "39".to_owned()));
}

#[test]
fn a_redirect_to_another_host_is_told_and_not_followed() {
    let elsewhere = Fake::start(Catalogue::new());
    let (fake, shop) = pulling();
    fake.fail(Fault::redirect(&elsewhere.url()));
    let before = shop.values();
    shop.run("pull store-a").code(1).stderr(&elsewhere.host());
    assert_eq!(shop.values(), before);
    assert_eq!(elsewhere.requests(), [""; 0]);
}

#[test]
fn a_redirect_in_a_circle_ends() {
    let (fake, shop) = pulling();
    fake.fail(Fault::redirect(""));
    shop.run("pull store-a").code(1);
    assert!(fake.log().len() < 20, "{:#?}", fake.requests());
}

#[test]
fn a_shop_that_is_not_there_is_told() {
    let (fake, shop) = pulling();
    let before = shop.values();
    drop(fake);
    shop.run("pull store-a").code(7).stderr("connection refused").stderr("127.0.0.1");
    assert_eq!(shop.values(), before);
}

#[test]
fn each_request_is_a_line_where_details_are_asked_for() {
    let (fake, shop) = pulling();
    fake.fail(Fault::status(500).on("GET products").times(1));
    let ran = shop.run("pull store-a -v").code(0);
    let line = |status: &str, attempt: &str| {
        ran.stderr.lines().any(|line| {
            line.contains("GET /wp-json/wc/v3/products?")
                && line.contains(status)
                && line.contains(" ms")
                && line.contains(attempt)
        })
    };
    assert!(line(" 500 ", "attempt 1") && line(" 200 ", "attempt 2"), "{}", ran.stderr);
}
