//! Batches whose answer never came: settled by reading back, in the same run or in the next.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::Shop;
use crate::support::woocommerce::{Catalogue, Fake, Fault};

use super::{SEND_STOCK, at_once, saved, selling, set_http, shop};

const BATCH: &str = "POST products/batch";

/// A mug of which the shop has 3 and the inventory 4.
fn mug() -> (Fake, Shop) {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3")));
    let shop = shop(&fake, SEND_STOCK, "sku,stock.main\nMUG-01,4\n");
    (fake, shop)
}

/// The statuses of a run's changes.
fn statuses(shop: &Shop, run: u32) -> Vec<String> {
    let run = shop.json(&format!("runs {run}"));
    let changes = run["runs"][0]["changes"].as_array().unwrap().iter();
    changes.map(|change| change["status"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_batch_that_was_applied_without_an_answer_is_read_back_and_not_sent_again() {
    at_once(
        [
            Fault::close().after_applying(),
            Fault::never().after_applying(),
            Fault::status(500).after_applying(),
            Fault::status(502).after_applying(),
            Fault::status(504).after_applying(),
            Fault::cut_after_headers(),
            Fault::cut_in_body(),
            Fault::short_length(),
            Fault::broken_gzip(),
            Fault::login_page().after_applying(),
            Fault::no_content().after_applying(),
        ],
        |fault| {
            let (fake, shop) = mug();
            fake.fail(fault.on(BATCH).times(1));
            let run = shop.run("push store-a --format json").code(0).one_run();
            assert_eq!(run.changes(), ["MUG-01 stock 3→4 applied"]);
            assert_eq!((saved(&fake), fake.count(BATCH)), (vec![45], 1), "{:#?}", fake.requests());
            shop.run("push store-a").code(0).stdout("nothing to change");
        },
    );
}

#[test]
fn a_batch_that_was_not_applied_is_sent_again() {
    at_once(
        [
            Fault::close(),
            Fault::never(),
            Fault::status(500),
            Fault::status(502),
            Fault::status(503),
            Fault::status(408),
            Fault::login_page(),
        ],
        |fault| {
            let (fake, shop) = mug();
            fake.fail(fault.on(BATCH).times(1));
            let run = shop.run("push store-a --format json").code(0).one_run();
            assert_eq!(run.changes(), ["MUG-01 stock 3→4 applied"]);
            assert_eq!((saved(&fake), fake.count(BATCH)), (vec![45], 2), "{:#?}", fake.requests());
            // It was looked at in between.
            assert_eq!(fake.count("GET products?include=45"), 1);
        },
    );
}

#[test]
fn a_batch_that_was_half_applied_is_sent_again_where_it_is_needed() {
    let (fake, shop) = selling(10, SEND_STOCK);
    fake.fail(Fault::close().on(BATCH).times(1));
    fake.before("GET products?include=1,2,3,4,5,6,7,8,9,10", |shop| {
        (1..=4).for_each(|id| shop.set_stock(id, "6"));
    });
    let run = shop.run("push store-a --format json").code(0).one_run();
    assert_eq!(run.0["changed"]["stock"], 10);
    let mut again = saved(&fake);
    again.sort_unstable();
    assert_eq!(again, [5, 6, 7, 8, 9, 10]);
}

#[test]
fn one_item_that_the_shop_stumbles_over_does_not_take_the_others_with_it() {
    let (fake, shop) = selling(4, SEND_STOCK);
    fake.fail(Fault::status(500).on(BATCH).times(1));
    shop.run("push store-a").code(0);
    assert!((1..=4).all(|id| fake.stock(id) == "6"));
}

#[test]
fn a_shop_that_never_answers_a_batch_was_sent_nothing_that_it_has() {
    let (fake, shop) = mug();
    fake.fail(Fault::status(500).on(BATCH));
    let run = shop.run("push store-a --format json").code(7).one_run();
    // Read back each time: nothing is uncertain.
    assert_ne!(run.changes(), ["MUG-01 stock 3→4 uncertain"]);
    assert_eq!(fake.stock(45), "3");
    assert_eq!(fake.count(BATCH), 3, "{:#?}", fake.requests());
    fake.heal();
    shop.run("push store-a").code(0);
    assert_eq!(fake.stock(45), "4");
}

#[test]
fn what_cannot_be_read_back_either_is_uncertain_and_settled_before_anything_is_sent() {
    at_once([true, false], |applies| {
        let (fake, shop) = mug();
        let fault = Fault::close().on(BATCH);
        fake.fail(if applies { fault.after_applying() } else { fault });
        fake.fail(Fault::status(500).on("GET products?include=45"));
        let run = shop.run("push store-a --format json").code(7).one_run();
        assert_eq!(run.changes(), ["MUG-01 stock 3→4 uncertain"]);
        assert_eq!(statuses(&shop, 2), ["uncertain"]);
        fake.heal();
        fake.forget();
        let run = shop.run("push store-a --format json").code(0).stderr("settled 1 of 1").one_run();
        assert_eq!(run.changes().is_empty(), applies);
        assert_eq!(statuses(&shop, 2), [if applies { "applied" } else { "skipped" }]);
        assert_eq!(fake.count("POST"), usize::from(!applies));
        let log = fake.log();
        assert!(log[0].method == "GET" && fake.stock(45) == "4", "{:#?}", fake.requests());
    });
}

#[test]
fn what_is_uncertain_is_settled_although_somebody_changed_it_since() {
    let (fake, shop) = mug();
    fake.fail(Fault::close().after_applying().on(BATCH));
    fake.fail(Fault::status(500).on("GET products?include=45"));
    shop.run("push store-a").code(7);
    fake.heal();
    fake.set_stock(45, "2");
    let ran = shop.run("push store-a").code(3).stderr("settled 1 of 1");
    ran.stdout("changed_elsewhere").stdout("left alone").stdout_lacks("overwrites");
    assert_eq!((statuses(&shop, 2), fake.stock(45)), (vec!["skipped".to_owned()], "2".to_owned()));
    // The next run knows that it drifted.
    shop.run("push store-a").code(0).stdout("last confirmed there was 3").stdout("overwrites");
    assert_eq!(fake.stock(45), "4");
}

#[test]
fn an_undo_of_a_push_settles_it_first() {
    let (fake, shop) = mug();
    fake.fail(Fault::close().after_applying().on(BATCH));
    fake.fail(Fault::status(500).on("GET products?include=45"));
    shop.run("push store-a").code(7);
    fake.heal();
    shop.run("undo 2").code(0);
    assert_eq!(fake.stock(45), "3");
}

#[test]
fn a_killed_push_is_settled_by_the_next() {
    for applies in [true, false] {
        let (fake, shop) = mug();
        let fault = if applies { Fault::late(Duration::from_secs(10)) } else { Fault::never() };
        fake.fail(fault.on(BATCH));
        let mut push = shop.start("push store-a");
        fake.wait_for(1, BATCH);
        push.kill().unwrap();
        push.wait().unwrap();
        fake.heal();
        fake.forget();
        shop.run("push store-a").code(0).stderr("settled 1 of 1");
        assert_eq!(statuses(&shop, 2), [if applies { "applied" } else { "skipped" }]);
        assert_eq!((fake.stock(45), fake.count("POST")), ("4".to_owned(), usize::from(!applies)));
    }
}

#[test]
fn everything_that_a_killed_push_changed_is_in_its_record() {
    let (fake, shop) = selling(600, SEND_STOCK);
    fake.fail(Fault::late(Duration::from_secs(10)).on(BATCH).skip(2));
    let mut push = shop.start("push store-a");
    fake.wait_for(5, BATCH);
    push.kill().unwrap();
    push.wait().unwrap();
    let changed = saved(&fake);
    assert!(changed.len() > 200);
    let run = shop.json("runs 2 --limit 0");
    let recorded: Vec<_> = run["runs"][0]["changes"].as_array().unwrap().iter().collect();
    for id in changed {
        let of_item = recorded.iter().find(|change| change["item_id"] == json!(id.to_string()));
        let status = of_item.unwrap()["status"].as_str().unwrap();
        assert!(["applied", "uncertain"].contains(&status), "{id}: {status}");
    }
    fake.heal();
    shop.run("push store-a").code(0);
    assert!((1..=600).all(|id| fake.stock(id) == "6"));
    // Nothing was sent twice that the shop had.
    let mut all = saved(&fake);
    all.sort_unstable();
    assert_eq!(all, (1..=600).collect::<Vec<_>>());
}

/// Sends SIGTERM to a push whose batch is under way; how it ended, which took no longer than it may.
#[cfg(unix)]
fn stopped(fake: &Fake, shop: &Shop) -> Option<i32> {
    let mut push = shop.start("push store-a");
    fake.wait_for(1, BATCH);
    let asked = Instant::now();
    let id = push.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let code = push.wait().unwrap().code();
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    code
}

#[cfg(unix)]
#[test]
fn a_push_that_is_stopped_records_what_it_sent() {
    at_once([(500, "applied"), (30_000, "uncertain")], |(delay_ms, status)| {
        let (fake, shop) = mug();
        set_http(&shop, "timeout", "\"1m\"");
        fake.fail(Fault::late(Duration::from_millis(delay_ms)).on(BATCH));
        assert_eq!(stopped(&fake, &shop), Some(130));
        assert_eq!(statuses(&shop, 2), [status]);
        assert_eq!(shop.json("runs 2")["runs"][0]["status"], "interrupted");
        fake.heal();
        shop.run("push store-a").code(0).stdout("nothing to change");
        assert_eq!(statuses(&shop, 2), ["applied"]);
        assert_eq!(saved(&fake), [45]);
    });
}

#[cfg(unix)]
#[test]
fn a_push_that_is_stopped_sends_no_further_batch() {
    let (fake, shop) = selling(1000, SEND_STOCK);
    fake.fail(Fault::late(Duration::from_millis(300)).on(BATCH));
    assert_eq!(stopped(&fake, &shop), Some(130));
    assert!(fake.count(BATCH) <= 4, "{:#?}", fake.kinds());
    fake.heal();
    shop.run("push store-a").code(0);
    let mut all = saved(&fake);
    all.sort_unstable();
    assert_eq!(all, (1..=1000).collect::<Vec<_>>());
}

#[test]
fn what_changed_at_the_store_is_skipped_where_it_can_be_seen() {
    let (fake, shop) = mug();
    fake.fail(Fault::close().on(BATCH).times(1));
    fake.before("GET products?include=45", |shop| shop.set_stock(45, "2"));
    let run = shop.run("push store-a --format json").code(3).one_run();
    assert_eq!(run.changes(), ["MUG-01 stock 3→4 skipped"]);
    let message = run.0["changes"][0]["message"].as_str().unwrap();
    assert!(message.contains('3') && message.contains('2'), "{message}");
    assert_eq!(fake.stock(45), "2");
}

#[test]
fn a_push_is_undone_at_the_store() {
    let (fake, shop) = selling(3, SEND_STOCK);
    shop.run("push store-a").code(0);
    fake.set_stock(2, "1");
    let run = shop.run("undo 2 --format json").code(3).one_run();
    assert_eq!(
        run.changes(),
        [
            "SKU-00001 stock 6→5 applied",
            "SKU-00002 stock 1→5 skipped",
            "SKU-00003 stock 6→5 applied",
        ]
    );
    assert_eq!((fake.stock(1), fake.stock(2), fake.stock(3)), ("5".into(), "1".into(), "5".into()));
}
