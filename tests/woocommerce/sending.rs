//! What is sent, in which requests, and what the shop makes of it.

use serde_json::{Value, json};

use crate::support::woocommerce::{Catalogue, Fake, Fault, Item, Permissions};
use crate::support::{SEND, Shop};

use super::{INVENTORY, SEND_STOCK, VERSIONS, bodies, catalogue, saved, selling, sending, shop};

const FIELDS: &str = "id,manage_stock,stock_quantity,regular_price,sale_price";

/// The messages of a run's changes that have one.
fn messages(run: &Value) -> Vec<String> {
    let changes = run["changes"].as_array().unwrap().iter();
    changes.filter_map(|change| change["message"].as_str()).map(str::to_owned).collect()
}

#[test]
fn a_push_sends_what_differs_and_nothing_else() {
    for version in VERSIONS {
        let (fake, shop) = sending();
        fake.settings(|shop| shop.version = version);
        let run = shop.run("push store-a --format json").code(0).one_run();
        assert_eq!(
            run.changes(),
            [
                "MUG-01 stock 3→4 applied",
                "TEE-S stock 5→6 applied",
                "TEA-01 prices 39.00→41.00 applied",
                "TEE-S prices 20.00→21.00 applied",
            ]
        );
        let mut sent = bodies(&fake);
        sent.sort_by_key(|body| body["update"][0]["id"].as_u64());
        assert_eq!(
            sent,
            [
                json!({"update": [
                    {"id": 45, "stock_quantity": 4, "_fields": FIELDS},
                    {"id": 46, "regular_price": "41.00", "_fields": FIELDS},
                ]}),
                json!({"update": [
                    {"id": 51, "product_id": 50, "stock_quantity": 6, "regular_price": "21.00"},
                ]}),
            ]
        );
        assert_eq!(fake.count("POST products/batch"), 1);
        assert_eq!(fake.count("POST products/50/variations/batch"), 1);
    }
}

#[test]
fn the_second_push_sends_nothing() {
    for version in VERSIONS {
        let (fake, shop) = sending();
        fake.settings(|shop| shop.version = version);
        shop.run("push store-a").code(0);
        fake.forget();
        shop.run("push store-a").code(0).stdout("nothing to change");
        assert_eq!(fake.count("POST"), 0);
    }
}

#[test]
fn a_dry_run_sends_nothing() {
    let (fake, shop) = sending();
    let run = shop.run("push store-a --dry-run --format json").code(0).one_run();
    assert_eq!(run.changes().len(), 4);
    assert_eq!(fake.count("POST"), 0);
}

#[test]
fn both_values_of_an_item_are_one_update() {
    let fake = Fake::start(catalogue());
    let shop = shop(&fake, SEND, "sku,stock.main,price.retail\nMUG-01,4,13\n");
    shop.run("push store-a").code(0);
    assert_eq!(
        bodies(&fake),
        [json!({"update": [
            {"id": 45, "stock_quantity": 4, "regular_price": "13.00", "_fields": FIELDS},
        ]})]
    );
}

#[test]
fn variations_of_many_products_go_in_one_request() {
    for version in VERSIONS {
        let parents = (1..=30).map(|n| n * 100);
        let fake = Fake::start(parents.fold(Catalogue::new(), |shop, parent| {
            let own = |item: Item, n: u64| {
                item.variation(parent + n, &format!("V-{}", parent + n), |v| v.stock("5"))
            };
            shop.item((1..=3).fold(Item::variable(parent, ""), own))
        }));
        fake.settings(|shop| shop.version = version);
        let ids = (1..=30).flat_map(|n| (1..=3).map(move |v| n * 100 + v));
        let rows: String = ids.clone().map(|id| format!("V-{id},6\n")).collect();
        let shop = shop(&fake, SEND_STOCK, &format!("sku,stock.main\n{rows}"))
            .config("[integrations.store-a.guard]\nmax_changed = \"100%\"");
        shop.run("push store-a").code(0);
        assert_eq!(fake.count("POST"), 1, "{version}");
        assert!(ids.into_iter().all(|id| fake.stock(id) == "6"), "{version}");
    }
}

#[test]
fn batches_have_a_hundred_items_at_most() {
    let (fake, shop) = selling(250, SEND_STOCK);
    shop.run("push store-a").code(0);
    let mut sizes: Vec<_> =
        bodies(&fake).iter().map(|body| body["update"].as_array().unwrap().len()).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
    assert!((1..=250).all(|id| fake.stock(id) == "6"));
}

#[test]
fn what_the_inventory_does_not_know_is_not_sent() {
    let fake = Fake::start(catalogue());
    let shop = shop(&fake, SEND, "sku,stock.main,price.retail\nMUG-01,,13\nTEA-01,8,\nTEE-S,,\n");
    shop.run("push store-a").code(0);
    assert_eq!(
        bodies(&fake),
        [json!({"update": [
            {"id": 45, "regular_price": "13.00", "_fields": FIELDS},
            {"id": 46, "stock_quantity": 8, "_fields": FIELDS},
        ]})]
    );
}

#[test]
fn a_refused_item_is_named_in_the_stores_own_words_and_the_rest_goes_on() {
    for version in VERSIONS {
        let (fake, shop) = sending();
        fake.settings(|shop| shop.version = version);
        let refusal = ("product_invalid_sku", "Nieprawidłowe SKU.");
        for id in [45, 51] {
            fake.catalogue(|shop| shop.change(id, |item| item.refusal = Some(refusal)));
        }
        let run = shop.run("push store-a --format json").code(3).one_run();
        assert_eq!(
            run.changes(),
            [
                "MUG-01 stock 3→4 refused",
                "TEE-S stock 5→6 refused",
                "TEA-01 prices 39.00→41.00 applied",
                "TEE-S prices 20.00→21.00 refused",
            ]
        );
        for message in messages(&run.0) {
            assert!(message.contains("Nieprawidłowe SKU."), "{message}");
        }
        assert_eq!((run.text("status"), run.number("refused")), ("partial", 3));
        // It is tried again and named again.
        shop.run("push store-a").code(3).stdout("Nieprawidłowe SKU.");
    }
}

#[test]
fn an_item_that_is_gone_is_refused_and_the_rest_goes_on() {
    for version in VERSIONS {
        let (fake, shop) = sending();
        fake.settings(|shop| shop.version = version);
        fake.before("POST products/batch", |shop| shop.remove(45));
        let run = shop.run("push store-a --format json").code(3).one_run();
        assert_eq!(run.changes()[0], "MUG-01 stock 3→4 refused");
        assert_eq!(fake.price(46), "41.00");
        // From then on its link is broken.
        let run = shop.run("push store-a --format json").code(3).one_run();
        assert_eq!(run.problems(), ["broken_link 45 –"]);
    }
}

#[test]
fn a_variation_that_moved_to_another_product_is_left_there() {
    let (fake, shop) = sending();
    fake.add(Item::variable(70, "OTHER"));
    fake.before("POST products/50/variations/batch", |shop| {
        shop.change(51, |item| item.parent = 70);
    });
    let run = shop.run("push store-a --format json").code(3).one_run();
    assert_eq!(run.changes()[1], "TEE-S stock 5→6 refused");
    assert_eq!((fake.item(51).parent, fake.stock(51)), (70, "5".to_owned()));
    // The next push knows where it is.
    shop.run("push store-a").code(0);
    assert_eq!((fake.item(51).parent, fake.stock(51)), (70, "6".to_owned()));
}

#[test]
fn a_shop_that_knows_but_the_parent_in_the_address_is_asked_parent_by_parent() {
    for version in VERSIONS {
        let variable = |shop: Catalogue, parent: u64| {
            let add = |p: Item, id: u64| p.variation(id, &format!("V-{id}"), |v| v.stock("5"));
            shop.item((parent + 1..=parent + 3).fold(Item::variable(parent, ""), add))
        };
        let parents = || (1..=60_u64).map(|n| n * 10);
        let fake = Fake::start(parents().fold(Catalogue::new(), variable));
        fake.settings(|shop| {
            shop.version = version;
            shop.ignores_product_id = true;
        });
        let ids = || parents().flat_map(|parent| parent + 1..=parent + 3);
        let rows: String = ids().map(|id| format!("V-{id},6\n")).collect();
        let shop = shop(&fake, SEND_STOCK, &format!("sku,stock.main\n{rows}"))
            .config("[integrations.store-a.guard]\nmax_changed = \"100%\"");
        shop.run("push store-a").code(0);
        let is_right = |id: u64| fake.stock(id) == "6" && fake.item(id).parent == id / 10 * 10;
        assert!(ids().all(is_right), "{version}");
    }
}

#[test]
fn an_old_shop_that_would_move_a_variation_is_told_only_what_was_just_read() {
    let (fake, shop) = sending();
    fake.settings(|shop| shop.version = "9.3.3");
    shop.run("push store-a --only prices").code(0);
    fake.add(Item::variable(70, "OTHER"));
    fake.catalogue(|shop| shop.change(51, |item| item.parent = 70));
    shop.run("push store-a").code(0);
    assert_eq!((fake.item(51).parent, fake.stock(51)), (70, "6".to_owned()));
}

#[test]
fn stock_that_the_store_ceased_to_count_is_refused() {
    let (fake, shop) = sending();
    fake.before("POST products/batch", |shop| {
        shop.change(45, |item| (item.manages_stock, item.quantity) = (false, None));
    });
    let run = shop.run("push store-a --format json").code(3).one_run();
    assert_eq!(run.changes()[0], "MUG-01 stock 3→4 refused");
    assert!(messages(&run.0)[0].contains("does not count its stock"), "{:?}", messages(&run.0));
    assert_eq!(fake.price(46), "41.00");
}

#[test]
fn a_store_that_answers_with_another_value_has_refused_ours() {
    for (field, echoed, shown) in [
        ("stock_quantity", json!(3), "3"),
        ("stock_quantity", json!("3.5"), "3.5"),
        ("stock_quantity", json!(null), "no value"),
    ] {
        let (fake, shop) = sending();
        fake.fail(Fault::echo(45, field, echoed).on("POST products/batch"));
        let run = shop.run("push store-a --format json").code(3).one_run();
        assert_eq!(run.changes()[0], "MUG-01 stock 3→4 refused");
        assert!(messages(&run.0)[0].contains(shown), "{:?}", messages(&run.0));
    }
}

#[test]
fn an_answer_with_the_same_value_in_other_words_is_right() {
    for echoed in [json!(4), json!("4"), json!(4.0), json!("4.000")] {
        let (fake, shop) = sending();
        fake.fail(Fault::echo(45, "stock_quantity", echoed).on("POST products/batch"));
        shop.run("push store-a").code(0);
    }
}

#[test]
fn items_that_the_answer_lacks_are_read_back() {
    let (fake, shop) = selling(5, SEND_STOCK);
    fake.fail(Fault::fewer_items(2).on("POST products/batch").times(1));
    shop.run("push store-a").code(0);
    assert_eq!(saved(&fake), [1, 2, 3, 4, 5]);
    assert_eq!(fake.count("GET products?include=4,5"), 1);
}

#[test]
fn an_answer_without_items_is_read_back() {
    let (fake, shop) = selling(5, SEND_STOCK);
    fake.fail(Fault::answer(|answer| *answer = json!([])).on("POST products/batch").times(1));
    shop.run("push store-a").code(0);
    assert_eq!(saved(&fake), [1, 2, 3, 4, 5]);
}

#[test]
fn a_shop_that_takes_fewer_items_gets_smaller_batches() {
    let (fake, shop) = selling(250, SEND_STOCK);
    fake.settings(|shop| shop.batch_limit = 30);
    shop.run("push store-a").code(0);
    assert!((1..=250).all(|id| fake.stock(id) == "6"));
    assert_eq!(saved(&fake).len(), 250);
    let refused = fake.log().iter().filter(|request| request.status == Some(413)).count();
    assert!(refused <= 9, "{:#?}", fake.requests());
}

#[test]
fn a_server_that_takes_smaller_bodies_gets_smaller_batches() {
    let (fake, shop) = selling(250, SEND_STOCK);
    fake.settings(|shop| shop.body_limit_bytes = 4000);
    shop.run("push store-a").code(0);
    assert!((1..=250).all(|id| fake.stock(id) == "6"));
}

#[test]
fn a_batch_that_is_refused_for_one_item_is_cut_until_that_item_stands_alone() {
    let (fake, shop) = selling(20, SEND_STOCK);
    let has_seven = |body: &Value| body["update"].as_array().unwrap().iter().any(|i| i["id"] == 7);
    fake.fail(Fault::json(400, "rest_invalid_param", "Invalid: 7").on("POST").times(1));
    shop.run("push store-a").code(0);
    assert!(bodies(&fake).iter().filter(|body| has_seven(body)).count() > 1);
    assert!((1..=20).all(|id| fake.stock(id) == "6"));
}

/// Nothing was sent, and it said so with exit code 8.
fn may_not_write(shop: &Shop, fake: &Fake, advice: &str) {
    shop.run("push store-a").code(8).stderr(advice);
    assert_eq!(
        (fake.stock(45), fake.price(46), fake.stock(51)),
        ("3".into(), "39".into(), "5".into())
    );
    let run = &shop.json("runs")["runs"][0];
    assert_eq!((&run["status"], &run["changed"]["stock"]), (&json!("failed"), &json!(0)));
}

#[test]
fn a_key_that_may_only_read_sends_nothing() {
    for version in VERSIONS {
        let (fake, shop) = sending();
        fake.settings(|shop| shop.version = version);
        fake.key(|key| key.permissions = Permissions::Read);
        may_not_write(&shop, &fake, "Read/Write");
        assert_eq!(fake.count("POST products/batch"), 1);
    }
}

#[test]
fn a_user_who_may_not_change_products_sends_nothing() {
    let (fake, shop) = sending();
    let words = "Sorry, you are not allowed to batch manipulate this resource.";
    fake.fail(Fault::json(403, "woocommerce_rest_cannot_batch", words).on("POST"));
    may_not_write(&shop, &fake, "Shop manager");
}

#[test]
fn a_firewall_that_lets_nothing_be_written_is_named() {
    for status in [403, 405, 501] {
        let (fake, shop) = sending();
        fake.fail(Fault::status(status).on("POST"));
        shop.run("push store-a").stderr("firewall");
        assert_eq!(fake.stock(45), "3");
    }
}

#[test]
fn only_one_section_or_product_is_sent_when_asked() {
    let fake = Fake::start(catalogue());
    let shop = shop(&fake, SEND, INVENTORY);
    shop.run("push store-a --only prices --sku TEE-S").code(0);
    assert_eq!(
        bodies(&fake),
        [json!({"update": [{"id": 51, "product_id": 50, "regular_price": "21.00"}]})]
    );
}
