//! What is read of a shop, and what of it counts.

use crate::support::woocommerce::{Catalogue, Fake, Fault, Item};
use crate::support::{DOWNLOAD, SEND, Shop};

use super::{INVENTORY, VERSIONS, at_once, catalogue, listed, shop};

const ONE: &str = "sku,stock.main,price.retail\nMUG-01,4,12.00\n";

/// A shop that downloads one item, which is this, into an inventory that has values of it.
fn one(with: impl Fn(Item) -> Item) -> (Fake, Shop) {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", with));
    let shop = shop(&fake, DOWNLOAD, ONE);
    (fake, shop)
}

#[test]
fn a_pull_takes_products_and_variations() {
    for version in VERSIONS {
        let fake = Fake::start(catalogue());
        fake.settings(|shop| shop.version = version);
        let shop = shop(&fake, DOWNLOAD, INVENTORY);
        let run = shop.run("pull store-a --format json").code(0).one_run();
        assert_eq!(
            run.changes(),
            [
                "MUG-01 stock 4→3 applied",
                "TEE-S stock 6→5 applied",
                "TEA-01 prices 41.00→39.00 applied",
                "TEE-S prices 21.00→20.00 applied",
            ],
            "{version}"
        );
        assert_eq!((run.number("items"), run.number("linked")), (3, 3), "{version}");
        shop.run("pull store-a").code(0).stdout("nothing to change");
    }
}

#[test]
fn a_shop_that_cannot_list_all_variations_is_asked_product_by_product() {
    let fake = Fake::start(
        catalogue().variable(60, "CAP", |p| p.variation(61, "CAP-S", |v| v.stock("1").price("9"))),
    );
    fake.settings(|shop| shop.version = "9.3.3");
    let shop = shop(&fake, DOWNLOAD, INVENTORY);
    assert_eq!(
        listed(&shop),
        ["45 MUG-01 3 12.30", "46 TEA-01 7 39.00", "51 TEE-S 5 20.00", "61 CAP-S 1 9.00"]
    );
    assert_eq!(fake.count("GET variations"), 1);
    assert_eq!(fake.count("GET products/*/variations"), 2);
}

#[test]
fn every_status_but_the_trash_is_read() {
    let statuses = ["publish", "draft", "pending", "private", "future", "trash"];
    let add = |shop: Catalogue, (id, status): (u64, &'static str)| {
        shop.simple(id, status, |p| p.status(status).stock("1").price("2"))
    };
    let fake = Fake::start((1..).zip(statuses).fold(Catalogue::new(), add));
    let shop = shop(&fake, DOWNLOAD, "sku\nMUG-01\n");
    assert_eq!(
        listed(&shop),
        [
            "1 publish 1 2.00",
            "2 draft 1 2.00",
            "3 pending 1 2.00",
            "4 private 1 2.00",
            "5 future 1 2.00"
        ]
    );
}

#[test]
fn what_only_holds_others_together_is_no_item() {
    for version in VERSIONS {
        let fake = Fake::start(catalogue().grouped(70, "SET").variable(71, "EMPTY", |p| p));
        fake.settings(|shop| shop.version = version);
        let shop = shop(&fake, DOWNLOAD, "sku,stock.main\nTEE,1\nSET,1\nEMPTY,1\n");
        let run = shop.run("pull store-a --format json").code(0).one_run();
        assert_eq!((run.number("items"), run.number("linked")), (3, 0), "{version}");
    }
}

#[test]
fn what_another_shop_sells_has_a_price_and_no_stock() {
    let fake = Fake::start(Catalogue::new().external(80, "MUG-01", |p| p.price("11.50")));
    let shop = shop(&fake, DOWNLOAD, ONE);
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.changes(), ["MUG-01 prices 12.00→11.50 applied"]);
    assert_eq!(run.problems(), ["not_managed 80 –"]);
}

#[test]
fn a_variation_is_not_linked_by_the_sku_of_its_parent() {
    for version in VERSIONS {
        let fake = Fake::start(Catalogue::new().variable(50, "TEE", |p| {
            p.variation(51, "", |v| v.stock("5").price("20"))
                .variation(52, "", |v| v.stock("6").price("20").gtin("4006381333931"))
        }));
        fake.settings(|shop| shop.version = version);
        let inventory = "sku,ean,stock.main\nTEE,,1\nTEE-M,4006381333931,1\n";
        let shop = shop(&fake, DOWNLOAD, inventory);
        let run = shop.run("pull store-a --format json").code(0).one_run();
        assert_eq!(run.problems(), ["unlinked 51 –"], "{version}");
        assert_eq!(
            (shop.stock("main", "TEE").unwrap(), shop.stock("main", "TEE-M").unwrap()),
            ("1".into(), "6".into())
        );
        let list = shop.json("list store-a");
        assert_eq!(
            (&list["items"][0]["sku"], list["items"][0]["parent_sku"].as_str()),
            (&serde_json::Value::Null, Some("TEE"))
        );
    }
}

#[test]
fn the_global_unique_id_is_the_ean() {
    for version in VERSIONS {
        let (fake, shop) =
            one(|p| p.stock("3").with(|p| p.sku = "OTHER".to_owned()).gtin("4006381333931"));
        fake.settings(|shop| shop.version = version);
        let shop = shop.inventory("sku,ean\nMUG-01,4006381333931\n");
        shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
    }
}

#[test]
fn stock_that_the_store_does_not_count_is_unknown_and_never_sent() {
    let fake = Fake::start(Catalogue::new().simple(45, "MUG-01", |p| p.price("12")));
    let pulling = shop(&fake, DOWNLOAD, ONE);
    let run = pulling.run("pull store-a --format json").code(0).one_run();
    assert_eq!((run.problems(), run.changes()), (vec!["not_managed 45 –".to_owned()], vec![]));
    assert_eq!(pulling.stock("main", "MUG-01").unwrap(), "4");
    let sending = shop(&fake, SEND, ONE);
    let run = sending.run("push store-a --format json").code(0).one_run();
    assert_eq!((run.problems(), run.changes()), (vec!["not_managed 45 –".to_owned()], vec![]));
    assert_eq!(fake.count("POST"), 0);
}

#[test]
fn the_stock_of_a_parent_is_never_that_of_its_variations() {
    for version in VERSIONS {
        let fake = Fake::start(Catalogue::new().variable(50, "TEE", |p| {
            p.stock("9")
                .variation(51, "TEE-S", |v| v.price("20"))
                .variation(52, "TEE-M", |v| v.price("20").stock("2"))
        }));
        fake.settings(|shop| shop.version = version);
        let inventory = "sku,stock.main,price.retail\nTEE-S,4,20\nTEE-M,4,20\n";
        let pulling = shop(&fake, DOWNLOAD, inventory);
        let run = pulling.run("pull store-a --format json").code(0).one_run();
        assert_eq!(run.problems(), ["not_managed 51 –"], "{version}");
        assert_eq!(run.changes(), ["TEE-M stock 4→2 applied"], "{version}");
        let sending = shop(&fake, SEND, inventory);
        let run = sending.run("push store-a --format json").code(0).one_run();
        assert_eq!(run.changes(), ["TEE-M stock 2→4 applied"], "{version}");
        assert_eq!(fake.stock(50), "9");
    }
}

#[test]
fn stock_that_is_counted_and_not_there_is_unknown() {
    let (_fake, shop) = one(|p| p.price("12").with(|p| p.manages_stock = true));
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.changes().len() + run.problems().len(), 0);
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "4");
}

#[test]
fn a_shop_that_counts_no_stock_at_all_is_named() {
    let (fake, shop) = one(|p| p.stock("3").price("11"));
    fake.settings(|shop| shop.manage_stock = false);
    shop.run("pull store-a").stdout("Enable stock management").stock("main", "MUG-01", "4");
    assert_eq!(shop.price("retail", "MUG-01").unwrap(), "11.00");
}

#[test]
fn stock_has_decimals_where_a_plugin_adds_them() {
    for (has_plugin, quantity) in [(true, "2.75"), (false, "2")] {
        let (fake, shop) = one(|p| p.stock("2.75"));
        fake.settings(|shop| shop.decimal_stock = has_plugin);
        shop.run("pull store-a").code(0).stock("main", "MUG-01", quantity);
    }
}

#[test]
fn what_is_sold_beyond_the_stock_is_less_than_nothing() {
    let (_fake, shop) = one(|p| p.stock("-3").with(|p| p.backorders = "notify"));
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "-3");
}

#[test]
fn an_item_without_a_price_has_none() {
    let (_fake, shop) = one(|p| p.stock("3"));
    shop.run("pull store-a")
        .code(0)
        .stock("main", "MUG-01", "3")
        .price("retail", "MUG-01", "12.00");
}

#[test]
fn a_price_that_is_no_number_is_named_and_stops_nothing_else() {
    for text in ["zł 12.00", "12,50", "abc", "1 250.00"] {
        let fake = Fake::start(
            Catalogue::new().simple(45, "MUG-01", |p| p.stock("3").price(text)).simple(
                46,
                "TEA-01",
                |p| p.stock("3").price("9.90"),
            ),
        );
        let shop = shop(&fake, DOWNLOAD, INVENTORY);
        let run = shop.run("pull store-a --format json").code(3).one_run();
        assert_eq!(run.problems(), ["invalid_value 45 –"], "{text}");
        assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3", "{text}");
        assert_eq!(shop.price("retail", "MUG-01").unwrap(), "12.30", "{text}");
        assert_eq!(shop.price("retail", "TEA-01").unwrap(), "9.90", "{text}");
    }
}

#[test]
fn what_is_downloaded_is_an_item_like_any_other() {
    let (_fake, shop) = one(|p| p.price("9.99").with(|p| p.downloadable = true));
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!(run.changes(), ["MUG-01 prices 12.00→9.99 applied"]);
    assert_eq!(run.problems(), ["not_managed 45 –"]);
}

// Paging. The shop's items 11 … 260 had 5 each when they were pulled first, and have 6 now.

const ITEMS: std::ops::RangeInclusive<u64> = 11..=260;

/// A shop that has pulled all items once. Whatever it lacks counts as sold out with `zero`.
fn pulled(missing: &str) -> (Fake, Shop) {
    let fake = Fake::start(Catalogue::new().simples(ITEMS, |p| p.stock("5").price("10")));
    let skus: String = ITEMS.map(|id| format!("SKU-{id:05}\n")).collect();
    let shop = shop(&fake, DOWNLOAD, &format!("sku\n{skus}")).config(&format!(
        "[integrations.store-a.guard]\nmax_changed = \"100%\"\nmissing = \"{missing}\""
    ));
    shop.run("pull store-a").code(0);
    ITEMS.for_each(|id| fake.set_stock(id, "6"));
    (fake, shop)
}

/// The items that have another quantity than the shop shows now, as `id quantity`.
fn others(shop: &Shop) -> Vec<String> {
    let quantity = |id| shop.stock("main", &format!("SKU-{id:05}")).unwrap();
    let all = ITEMS.map(|id| (id, quantity(id)));
    all.filter(|(_, quantity)| quantity != "6")
        .map(|(id, quantity)| format!("{id} {quantity}"))
        .collect()
}

/// What the item that was taken away has then.
const MISSING: [(&str, &str); 2] = [("keep", "17 5"), ("zero", "17 0")];

#[test]
fn nothing_is_lost_when_items_are_deleted_while_pages_are_read() {
    at_once(MISSING, |(missing, gone)| {
        at_once([(1, 1), (1, 2), (1, 3)], |(nth, page)| {
            let (fake, shop) = pulled(missing);
            fake.before_nth(nth, &format!("GET products?page={page}"), |shop| shop.remove(17));
            shop.run("pull store-a").code(0);
            assert_eq!(others(&shop), [gone], "before page {page}, {nth}");
        });
    });
}

#[test]
fn nothing_is_lost_when_items_are_added_while_pages_are_read() {
    at_once([(1, 1), (1, 2), (1, 3)], |(nth, page)| {
        let (fake, shop) = pulled("zero");
        fake.before_nth(nth, &format!("GET products?page={page}"), |shop| {
            (300..350).for_each(|id| shop.add(Item::simple(id, "NEW").stock("1")));
        });
        shop.run("pull store-a").code(0);
        assert_eq!(others(&shop), [""; 0], "before page {page}, {nth}");
    });
}

#[test]
fn nothing_is_lost_when_as_many_items_are_added_as_deleted() {
    for (missing, gone) in MISSING {
        for page in [2, 3] {
            let (fake, shop) = pulled(missing);
            fake.before(&format!("GET products?page={page}"), |shop| {
                shop.remove(17);
                shop.add(Item::simple(300, "NEW").stock("1"));
            });
            shop.run("pull store-a").code(0);
            assert_eq!(others(&shop), [gone], "before page {page}");
        }
    }
}

#[test]
fn a_shop_that_does_not_know_offsets_is_read_once_and_proven_by_its_first_and_last_page() {
    let (fake, shop) = pulled("zero");
    fake.settings(|shop| shop.ignores_offset = true);
    fake.forget();
    fake.remove(17);
    shop.run("pull store-a").code(0);
    assert_eq!((others(&shop), fake.count("GET products")), (vec!["17 0".to_owned()], 5));
    for page in [2, 3] {
        let (fake, shop) = pulled("zero");
        fake.settings(|shop| shop.ignores_offset = true);
        fake.before(&format!("GET products?page={page}"), |shop| {
            shop.remove(17);
            shop.add(Item::simple(300, "NEW").stock("1"));
        });
        shop.run("pull store-a").code(0);
        assert_eq!(others(&shop), ["17 0"], "before page {page}");
    }
}

#[test]
fn an_item_in_two_pages_is_one_item() {
    let (fake, shop) = pulled("zero");
    // An old item comes out of the trash: the others move on by one.
    fake.before("GET products?page=2", |shop| shop.add(Item::simple(5, "OLD").stock("1")));
    let run = shop.run("pull store-a --format json").code(0).one_run();
    assert_eq!((run.number("items"), run.number("duplicates")), (251, 0));
    assert_eq!(others(&shop), [""; 0]);
}

#[test]
fn variations_that_are_deleted_while_pages_are_read_take_no_others_with_them() {
    at_once(VERSIONS, |version| {
        at_once(MISSING, |(missing, gone)| {
            let parent = |shop: Catalogue, parent: u64| {
                let ids = parent + 1..=parent + 125;
                let all = ids.fold(Item::variable(parent, ""), |p, id| {
                    p.variation(id, &format!("SKU-{id:05}"), |v| v.stock("5").price("10"))
                });
                shop.item(all)
            };
            let fake = Fake::start([1000, 2000].into_iter().fold(Catalogue::new(), parent));
            fake.settings(|shop| shop.version = version);
            let ids = || (1001..=1125).chain(2001..=2125);
            let skus: String = ids().map(|id| format!("SKU-{id:05}\n")).collect();
            let shop = shop(&fake, DOWNLOAD, &format!("sku\n{skus}")).config(&format!(
                "[integrations.store-a.guard]\nmax_changed = \"100%\"\nmissing = \"{missing}\""
            ));
            shop.run("pull store-a").code(0);
            ids().for_each(|id| fake.set_stock(id, "6"));
            fake.before("*variations?page=2", |shop| shop.remove(1017));
            shop.run("pull store-a").code(0);
            let quantity = |id| shop.stock("main", &format!("SKU-{id:05}")).unwrap();
            let others: Vec<_> = ids().filter(|id| quantity(*id) != "6").collect();
            assert_eq!(others, [1017], "{version}");
            assert_eq!(quantity(1017), gone.replace("17 ", ""), "{version}");
        });
    });
}

#[test]
fn a_page_that_fails_once_is_asked_for_again() {
    at_once([Fault::status(500), Fault::cut_in_body(), Fault::close()], |fault| {
        let (fake, shop) = pulled("zero");
        fake.fail(fault.on("GET products?page=2").times(1));
        shop.run("pull store-a").code(0);
        assert_eq!(others(&shop), [""; 0]);
    });
}

#[test]
fn a_page_that_always_fails_leaves_everything_as_it_was() {
    let (fake, shop) = pulled("zero");
    let before = shop.values();
    fake.fail(Fault::status(500).on("GET products?page=2"));
    shop.run("pull store-a").code(7).stderr("500");
    assert_eq!(shop.values(), before);
}

#[test]
fn totals_that_are_wrong_never_make_an_item_missing() {
    at_once(["0", "100", "120", "200", "248", "250", "999", "-1", "many"], |total| {
        let (fake, shop) = pulled("zero");
        fake.remove(17);
        fake.fail(Fault::header("X-WP-Total", total));
        shop.run("pull store-a");
        // The one that is not there may be missed, and no other.
        assert!(matches!(&others(&shop)[..], [other] if other.starts_with("17 ")), "{total}");
    });
}

#[test]
fn a_total_that_is_wrong_once_changes_nothing() {
    at_once(["100", "200", "248", "250", "999"], |total| {
        at_once([1, 2, 3], |page| {
            let (fake, shop) = pulled("zero");
            fake.remove(17);
            fake.fail(
                Fault::header("X-WP-Total", total)
                    .on(&format!("GET products?page={page}"))
                    .times(1),
            );
            shop.run("pull store-a").code(0);
            assert_eq!(others(&shop), ["17 0"], "{total} on page {page}");
        });
    });
}

#[test]
fn a_total_that_is_too_small_hides_no_items() {
    let (fake, shop) = pulled("zero");
    fake.fail(Fault::header("X-WP-Total", "120"));
    shop.run("pull store-a");
    assert_eq!(others(&shop), [""; 0]);
}

#[test]
fn without_totals_all_is_read_until_a_page_is_not_full() {
    at_once(["GET products", "GET products?page=1", "GET products?page=2"], |pattern| {
        let (fake, shop) = pulled("zero");
        fake.remove(17);
        fake.fail(Fault::without_header("X-WP-Total").on(pattern));
        shop.run("pull store-a").code(0);
        assert_eq!(others(&shop), ["17 0"], "{pattern}");
    });
}

#[test]
fn an_empty_shop_is_no_reason_to_zero_anything() {
    let (fake, shop) = pulled("zero");
    let before = shop.values();
    ITEMS.for_each(|id| fake.remove(id));
    shop.run("pull store-a").code(1);
    assert_eq!(shop.values(), before);
}
