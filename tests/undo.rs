//! Every run can be taken back, as far as nobody else has touched what it did since.

use crate::support::{DOWNLOAD, Ran, Run, SEND, STORE_A, Shop};

const STORE: &str = "\
id,sku,ean,name,qty,price
1,MUG-01,,Mug,3,12.30
2,TEA-01,,Teapot,7,39.00
";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,12.00\nTEA-01,7,38\n";

fn pulled() -> Shop {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    shop.run("pull store-a").code(0);
    shop
}

fn pushed() -> Shop {
    let shop = Shop::sending(STORE, INVENTORY);
    shop.run("push store-a").code(0);
    shop
}

fn one_run(ran: &Ran<'_>) -> Run {
    ran.one_run()
}

#[test]
fn a_pull_is_taken_back_with_its_links() {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    let before = shop.values();
    shop.run("pull store-a").code(0);
    assert_eq!(shop.json("link list store-a")["links"].as_array().unwrap().len(), 2);
    let undo = shop.run("undo 2 --format json").code(0);
    let run = one_run(&undo);
    assert_eq!((run.text("command"), run.text("status")), ("undo", "ok"));
    let changes = run.changes();
    for change in [
        "MUG-01 stock 3→4 applied",
        "MUG-01 prices 12.30→12.00 applied",
        "TEA-01 prices 39.00→38.00 applied",
        "MUG-01 links MUG-01→– applied",
    ] {
        assert!(changes.contains(&change.to_owned()), "{changes:?}");
    }
    assert_eq!(shop.values(), before);
    assert_eq!(shop.json("link list store-a")["links"].as_array().unwrap().len(), 0);
    // The store is superior: it is named, and its next pull brings the values back.
    assert!(undo.stderr.contains("next pull brings these values back"), "{}", undo.stderr);
    shop.run("pull store-a").code(0).stock("main", "MUG-01", "3");
}

#[test]
fn an_undo_can_be_undone_and_that_again() {
    let shop = pulled();
    let after = shop.values();
    shop.run("undo 2").code(0);
    let before = shop.values();
    assert_ne!(before, after);
    for (id, expected) in [(3, &after), (4, &before), (5, &after)] {
        shop.run(&format!("undo {id}")).code(0);
        assert_eq!(&shop.values(), expected, "undo {id}");
    }
}

#[test]
fn what_is_put_back_already_is_not_put_back_twice() {
    let shop = pulled();
    shop.run("undo 2").code(0);
    let before = shop.values();
    let again = shop.run("undo 2 --format json").code(0);
    assert_eq!(one_run(&again).changes(), [""; 0]);
    assert_eq!(shop.values(), before);
}

#[test]
fn what_changed_since_is_skipped_and_the_rest_is_put_back() {
    let shop = pulled();
    shop.run("inventory set MUG-01 stock.main=9").code(0);
    let run = one_run(&shop.run("undo 2 --format json").code(3));
    assert_eq!(run.text("status"), "partial");
    assert!(run.changes().contains(&"MUG-01 stock 9→4 skipped".to_owned()), "{:?}", run.changes());
    shop.run("undo 2").stock("main", "MUG-01", "9").price("retail", "MUG-01", "12.00");
}

#[test]
fn a_value_that_went_away_and_came_back_is_not_that_runs_any_more() {
    let shop = pulled();
    shop.run("inventory set MUG-01 stock.main=9").code(0);
    shop.run("inventory set MUG-01 stock.main=3").code(0);
    shop.run("undo 2").code(3).stdout("run 4 changed it since").stock("main", "MUG-01", "3");
    // Undone changes and their undos do not count.
    shop.run("undo 4").code(0);
    shop.run("undo 3").code(0);
    shop.run("undo 2").code(0).stock("main", "MUG-01", "4");
}

#[test]
fn a_later_pull_has_to_be_undone_first() {
    let shop = pulled();
    shop.write("store.csv", STORE.replace("Mug,3", "Mug,2"));
    shop.run("pull store-a").code(0);
    shop.run("undo 2 --only stock").code(3).stock("main", "MUG-01", "2");
    shop.run("undo 3").code(0).stock("main", "MUG-01", "3");
    shop.run("undo 2 --only stock").code(0).stock("main", "MUG-01", "4");
}

#[test]
fn a_dry_run_of_an_undo_writes_nothing() {
    let shop = pulled();
    let before = shop.all_files();
    let run = one_run(&shop.run("undo 2 --dry-run --format json").code(0));
    assert!(run.changes().contains(&"MUG-01 stock 3→4 planned".to_owned()), "{:?}", run.changes());
    shop.run("undo 2 --dry-run --exit-code").code(10);
    shop.is_untouched_since(&before);
}

#[test]
fn an_undo_may_be_restricted_to_a_product_or_to_a_section() {
    let shop = pulled();
    shop.run("undo 2 --sku TEA-01")
        .code(0)
        .price("retail", "TEA-01", "38.00")
        .price("retail", "MUG-01", "12.30")
        .stock("main", "MUG-01", "3");
    shop.run("undo 2 --only prices")
        .code(0)
        .price("retail", "MUG-01", "12.00")
        .stock("main", "MUG-01", "3");
    // What is left over is put back by the whole undo.
    shop.run("undo 2").code(0).stock("main", "MUG-01", "4");
    assert_eq!(shop.json("link list store-a")["links"].as_array().unwrap().len(), 0);
}

/// A shop whose pull makes a product of each item.
fn creating() -> Shop {
    let store = STORE_A.replacen("type = ", "unlinked = \"create\"\ntype = ", 1);
    Shop::new().config(&store).config(DOWNLOAD).file("store.csv", STORE)
}

#[test]
fn products_that_a_pull_made_go_with_it_and_come_back_with_its_undos_undo() {
    let shop = creating().inventory("sku\nOTHER\n");
    shop.run("pull store-a").code(0);
    let after = shop.values();
    shop.run("undo 2").code(0).stderr("took away 2 products");
    assert_eq!((shop.skus(), shop.values()), (vec!["OTHER".to_owned()], Vec::new()));
    shop.run("undo 3").code(0);
    assert_eq!(shop.skus(), ["MUG-01", "OTHER", "TEA-01"]);
    assert_eq!(shop.values(), after);
    shop.run("undo 4").code(0);
    assert_eq!(shop.skus(), ["OTHER"]);
    // The same products again, under their old history.
    shop.run("pull store-a").code(0);
    assert_eq!((shop.skus().len(), shop.values()), (3, after));
}

#[test]
fn a_product_that_somebody_else_touched_stays() {
    let shop = creating().inventory("sku\nOTHER\n");
    shop.run("pull store-a").code(0);
    shop.run("inventory set MUG-01 stock.outlet=1").code(0);
    shop.run("undo 2").code(0);
    assert_eq!(shop.skus(), ["MUG-01", "OTHER"]);
    assert_eq!(shop.values(), ["MUG-01 stock.outlet 1"]);
}

#[test]
fn an_import_is_taken_back_with_its_products() {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    let before = shop.values();
    shop.write("more.csv", "sku,stock.main\nMUG-01,100\nNEW-01,1\n");
    shop.run("inventory import more.csv").code(0);
    shop.run("undo 2").code(0).stock("main", "MUG-01", "4");
    assert_eq!((shop.values(), shop.skus().len()), (before, 2));
    shop.run("undo 3").code(0).stock("main", "NEW-01", "1").stock("main", "MUG-01", "100");
}

#[test]
fn a_set_is_taken_back_even_where_it_made_a_value_unknown() {
    let shop = Shop::downloading(STORE).inventory(INVENTORY);
    shop.run("inventory set MUG-01 stock.main= price.retail=13")
        .code(0)
        .stock("main", "MUG-01", "–");
    shop.run("undo 2").code(0).stock("main", "MUG-01", "4").price("retail", "MUG-01", "12.00");
    shop.run("undo 3").code(0).stock("main", "MUG-01", "–").price("retail", "MUG-01", "13.00");
}

#[test]
fn links_by_hand_are_taken_back() {
    let shop = pulled();
    let links = |shop: &Shop| shop.run("link export store-a").code(0).stdout;
    let before = links(&shop);
    shop.run("link set store-a 1 TEA-01").code(0);
    let changed = links(&shop);
    assert_ne!(before, changed);
    shop.run("undo 3").code(0);
    assert_eq!(links(&shop), before);
    shop.run("undo 4").code(0);
    assert_eq!(links(&shop), changed);
    shop.run("link remove store-a 1").code(0);
    shop.run("undo 3").code(3).stdout("skipped");
    shop.run("undo 6").code(0);
    assert_eq!(links(&shop), changed);
}

#[test]
fn a_link_that_was_changed_by_hand_since_stays_when_the_pull_that_made_it_is_undone() {
    let shop = pulled();
    shop.run("link set store-a 1 TEA-01").code(0);
    let ran = shop.run("undo 2");
    assert!(matches!(ran.code, Some(0 | 3)), "{:?}", ran.code);
    let links = shop.run("link export store-a").code(0).stdout;
    assert!(links.contains("1,TEA-01"), "{links}");
}

#[test]
fn a_push_is_taken_back_at_the_store_and_its_undo_too() {
    let shop = pushed();
    let after = shop.read("store.csv");
    let values = shop.values();
    shop.run("undo 2 --dry-run").code(0).wrote("store.csv", &after);
    shop.run("undo 2").code(0).wrote("store.csv", STORE).stderr("the next push sends its values");
    assert_eq!(shop.values(), values, "the inventory is superior and was not asked");
    shop.run("undo 2").code(0).wrote("store.csv", STORE);
    shop.run("undo 3").code(0).wrote("store.csv", &after);
    shop.run("push store-a").code(0).stdout("nothing to change").wrote("store.csv", &after);
}

#[test]
fn what_somebody_changed_at_the_store_since_a_push_stays() {
    let shop = pushed();
    let theirs = shop.read("store.csv").replace("Mug,4", "Mug,50");
    shop.write("store.csv", &theirs);
    let run = one_run(&shop.run("undo 2 --format json").code(3));
    assert!(run.changes().contains(&"MUG-01 stock 50→3 skipped".to_owned()), "{:?}", run.changes());
    assert_eq!(shop.read("store.csv"), STORE.replace("Mug,3", "Mug,50"));
}

#[test]
fn a_later_push_is_the_latest_at_the_store() {
    let shop = pushed();
    shop.run("inventory set MUG-01 stock.main=8").code(0);
    shop.run("push store-a").code(0);
    shop.run("undo 2 --only stock").code(3).stdout("run 4 changed it since");
    shop.run("undo 4").code(0);
    shop.run("undo 2").code(0).wrote("store.csv", STORE);
}

#[test]
fn what_was_unknown_at_the_store_cannot_be_put_back_and_is_listed() {
    let shop = Shop::sending(&STORE.replace("Mug,3", "Mug,"), INVENTORY);
    shop.run("push store-a").code(0);
    shop.run("undo 2").code(3).stdout("cannot be made unknown again");
    assert!(shop.read("store.csv").contains("Mug,4,12.30"), "{}", shop.read("store.csv"));
}

#[test]
fn an_undo_of_a_push_may_be_restricted_too() {
    let shop = pushed();
    shop.run("undo 2 --sku TEA-01").code(0);
    assert_eq!(shop.read("store.csv"), STORE.replace("Mug,3,12.30", "Mug,4,12.00"));
    shop.run("undo 2 --only stock").code(0);
    assert_eq!(shop.read("store.csv"), STORE.replace("12.30", "12.00"));
}

#[test]
fn no_guard_stops_an_undo() {
    let rows = |quantity: u32, price: u32| -> String {
        (0..30).map(|n| format!("{n},S{n},,,{quantity},{price}\n")).collect()
    };
    let head = "id,sku,ean,name,qty,price\n";
    let skus: String = (0..30).map(|n| format!("S{n},0,1\n")).collect();
    let inventory = format!("sku,stock.main,price.retail\n{skus}");
    let shop = Shop::downloading(&format!("{head}{}", rows(5, 100))).inventory(&inventory);
    let before = shop.values();
    shop.run("pull store-a").code(4);
    shop.run("pull store-a --allow all").code(0);
    shop.run("undo 3").code(0);
    assert_eq!(shop.values(), before);
    let shop = Shop::new()
        .config(STORE_A)
        .config(SEND)
        .file("store.csv", format!("{head}{}", rows(5, 100)))
        .inventory(&inventory);
    shop.run("push store-a --allow all").code(0);
    let store = format!("{head}{}", rows(5, 100));
    shop.run("undo 2").code(0).wrote("store.csv", &store);
}

#[test]
fn what_a_guard_stopped_or_held_back_is_not_undone() {
    let shop = Shop::downloading(STORE).inventory("sku,price.retail\nMUG-01,12\nTEA-01,1\n");
    shop.run("pull store-a").code(4).price("retail", "TEA-01", "1.00");
    let run = one_run(&shop.run("undo 2 --format json").code(0));
    assert!(run.changes().iter().all(|c| !c.starts_with("TEA-01 prices")), "{:?}", run.changes());
    assert_eq!(shop.price("retail", "TEA-01").unwrap(), "1.00");
}

#[test]
fn the_undo_of_an_unknown_or_failed_run() {
    let shop = pulled();
    shop.run("undo 99").code(2).stderr("no run 99");
    std::fs::remove_file(shop.path("store.csv")).unwrap();
    shop.run("pull store-a").code(1);
    let before = shop.values();
    shop.run("undo 3").code(0);
    assert_eq!(shop.values(), before);
}

#[test]
fn the_history_names_an_undo() {
    let shop = pulled();
    shop.run("undo 2").code(0);
    let history = shop.json("history MUG-01");
    let last =
        history["changes"].as_array().unwrap().iter().rfind(|c| c["section"] == "stock").unwrap();
    assert_eq!(
        (&last["command"], &last["before"], &last["after"]),
        (&"undo".into(), &"3".into(), &"4".into())
    );
}

#[test]
fn pruned_runs_keep_their_row_and_cannot_be_undone() {
    let shop = pulled();
    let values = shop.values();
    shop.run("runs prune --older-than 1d").code(0);
    assert_eq!(shop.json("runs 2")["runs"][0]["changes"].as_array().unwrap().len(), 3);
    let sql = "UPDATE runs SET started_ms = started_ms - 864000000, finished_ms = finished_ms - 864000000";
    shop.sql().execute_batch(sql).unwrap();
    let before = shop.all_files();
    shop.run("runs prune --older-than 5d --dry-run").code(0);
    shop.is_untouched_since(&before);
    shop.run("runs prune --older-than 5d").code(0);
    assert_eq!(shop.json("runs")["runs"].as_array().unwrap().len(), 2);
    assert_eq!(shop.json("runs 2")["runs"][0]["changes"].as_array().unwrap().len(), 0);
    assert_eq!(shop.values(), values);
    shop.run("undo 2").code(2).stderr("not on record any more");
}

#[test]
fn what_is_uncertain_is_never_pruned() {
    let shop = pushed();
    let sql = "UPDATE runs SET started_ms = 1, finished_ms = 1;
        UPDATE changes SET status = 6 WHERE run_id = 2 AND section = 0";
    shop.sql().execute_batch(sql).unwrap();
    shop.run("runs prune --older-than 1d").code(0);
    let recorded = shop.json("runs 2");
    assert!(recorded["runs"][0]["changes"].to_string().contains("uncertain"), "{recorded}");
    shop.run("push store-a").code(0).stderr("settled 1 of 1");
}

// Guards that tests/guards.rs does not strike.

const HEAD: &str = "id,sku,ean,name,qty,price\n";

/// `n` rows with a quantity and a price.
fn rows(n: usize, quantity: &str, price: &str) -> String {
    let rows = (1..=n).map(|n| format!("{n},S{n:02},,,{quantity},{price}\n"));
    HEAD.to_owned() + &rows.collect::<String>()
}

/// A shop with such a guard that has pulled `n` items with 5 in stock at 10.00.
fn guarded(n: usize, guard: &str) -> Shop {
    let skus: String = (1..=n).map(|n| format!("S{n:02}\n")).collect();
    let shop = Shop::downloading(&rows(n, "5", "10")).inventory(&format!("sku\n{skus}"));
    let config = shop.read("invsync.toml");
    shop.write("invsync.toml", format!("{config}[integrations.store-a.guard]\n{guard}\n"));
    shop.run("pull store-a").code(0);
    shop
}

/// The next delivery is stopped by exactly this guard, changes nothing, and passes when allowed.
fn strikes(shop: &Shop, delivery: &str, guard: &str, verdict: &str) {
    let before = shop.values();
    shop.write("store.csv", delivery);
    let run = one_run(&shop.run("pull store-a --format json").code(4));
    assert_eq!(run.guards(), [verdict]);
    assert_eq!(shop.values(), before);
    let run = one_run(&shop.run(&format!("pull store-a --format json --allow {guard}")).code(0));
    assert_eq!(run.guards(), [format!("{verdict} allowed")]);
    assert_ne!(shop.values(), before);
}

#[test]
fn every_guard_on_a_delivery_strikes_and_can_be_allowed() {
    let shop = guarded(20, "min_items = 18");
    shop.write("store.csv", rows(18, "5", "10"));
    shop.run("pull store-a").code(0);
    strikes(&shop, &rows(17, "4", "10"), "min_items", "min_items – 17>18");

    let shop = guarded(5, "sentinels = [\"S02\", \"S04\"]");
    let without = rows(5, "4", "10").replace("4,S04", "44,X04");
    strikes(&shop, &without, "sentinels", "sentinels – without S04>S02, S04");

    let shop = guarded(25, "");
    shop.write("store.csv", rows(20, "5", "10"));
    shop.run("pull store-a").code(0);
    // Exactly a fifth was missing and passed; it is the new measure.
    let some = rows(15, "5", "10").replace("1,S01,,,5", "1,S01,,,4");
    strikes(&shop, &some, "max_missing", "max_missing – 25%>20%");
}

#[test]
fn prices_below_and_above_the_bounds_are_held_back_and_exactly_at_them_pass() {
    let shop = guarded(3, "min_price = 5\nmax_price = \"15.50\"");
    shop.write("store.csv", format!("{HEAD}1,S01,,,5,5\n2,S02,,,5,15.50\n3,S03,,,4,10\n"));
    shop.run("pull store-a").code(0).price("retail", "S02", "15.50");
    shop.write("store.csv", format!("{HEAD}1,S01,,,5,4.99\n2,S02,,,5,15.51\n3,S03,,,3,11\n"));
    let run = one_run(&shop.run("pull store-a --format json").code(4));
    assert_eq!(run.guards(), ["min_price prices 4.99>5", "max_price prices 15.51>15.5"]);
    // What is held back holds nothing else back.
    assert_eq!(shop.price("retail", "S03").unwrap(), "11.00");
    assert_eq!(shop.stock("main", "S03").unwrap(), "3");
    shop.run("pull store-a --allow min_price").code(4).price("retail", "S01", "4.99");
    shop.run("pull store-a --allow max_price").code(0).price("retail", "S02", "15.51");
}

#[test]
fn one_factor_for_all_strikes_from_twenty_prices_up() {
    for (n, code) in [(19, 0), (20, 4)] {
        let shop = guarded(n, "max_changed = \"100%\"");
        shop.write("store.csv", rows(n, "5", "12.30"));
        shop.run("pull store-a").code(code);
    }
    let shop = guarded(20, "max_changed = \"100%\"\nsame_factor = \"allow\"");
    shop.write("store.csv", rows(20, "5", "12.30"));
    shop.run("pull store-a").code(0).price("retail", "S20", "12.30");
    let shop = guarded(20, "max_changed = \"100%\"");
    strikes(&shop, &rows(20, "5", "12.30"), "same_factor", "same_factor prices × 1.23>hold");
}

#[test]
fn missing_items_become_zero_after_so_many_deliveries_in_a_row() {
    let shop = guarded(5, "missing = \"zero\"\nmissing_after = 3");
    for expected in ["5", "5", "0"] {
        shop.write("store.csv", rows(4, "5", "10"));
        shop.run("pull store-a")
            .code(0)
            .stock("main", "S05", expected)
            .price("retail", "S05", "10.00");
    }
    // One that is there in between starts the count again.
    let shop = guarded(5, "missing = \"zero\"\nmissing_after = 2");
    for (n, expected) in [(4, "5"), (5, "5"), (4, "5"), (4, "0")] {
        shop.write("store.csv", rows(n, "5", "10"));
        shop.run("pull store-a").code(0).stock("main", "S05", expected);
    }
    // With --sku absence means nothing, and is not counted.
    let shop = guarded(5, "missing = \"zero\"\nmissing_after = 2");
    shop.write("store.csv", rows(4, "5", "10"));
    shop.run("pull store-a").code(0);
    shop.run("pull store-a --sku S01").code(0);
    shop.run("pull store-a --sku S05").stock("main", "S05", "5");
    shop.run("pull store-a").code(0).stock("main", "S05", "0");
}

#[test]
fn missing_items_of_another_writer_stay() {
    let shop = guarded(5, "missing = \"zero\"");
    shop.run("inventory set S04 stock.main=8").code(0);
    shop.run("inventory set S05 stock.main=9").code(0);
    shop.write("store.csv", rows(5, "5", "10").replace("4,S04,,,5", "4,S04,,,8"));
    // Delivering an equal value does not change the writer; a different one does.
    shop.run("pull store-a").code(0).stock("main", "S05", "5");
    shop.write("store.csv", rows(3, "5", "10"));
    shop.run("pull store-a").code(0).stock("main", "S04", "8").stock("main", "S05", "0");
}

#[test]
fn what_a_stopped_section_compares_with_stays_what_it_was() {
    let shop = guarded(20, "max_changed = \"100%\"");
    // Half of it is missing, again and again: never the new measure.
    shop.write("store.csv", rows(10, "5", "10"));
    for _ in 0..3 {
        let run = one_run(&shop.run("pull store-a --format json").code(4));
        assert_eq!(run.guards(), ["max_missing – 50%>20%"]);
    }
    // Unknown in a stopped section, again and again.
    shop.write("store.csv", rows(20, "", "11"));
    for _ in 0..2 {
        let ran = shop.run("pull store-a --format json --allow same_factor").code(4);
        assert!(one_run(&ran).guards().contains(&"max_unknown stock 100%>20%".to_owned()));
    }
    // Accepted once, it is the measure.
    shop.write("store.csv", rows(10, "5", "11"));
    shop.run("pull store-a --allow max_missing").code(0);
    shop.run("pull store-a").code(0);
}

#[test]
fn exactly_at_each_limit_passes_and_one_more_does_not() {
    let part = |n: usize, of: usize, special: &str| -> String {
        let rows = (1..=of).map(|at| {
            let cells = if at <= n { special } else { "5,10" };
            format!("{at},S{at:02},,,{cells}\n")
        });
        HEAD.to_owned() + &rows.collect::<String>()
    };
    // max_changed 50 %, max_zeroed 30 %, max_unknown 20 % of 20; of 19 everything passes.
    for (cells, limit, guard) in
        [("4,10", 10, "max_changed"), ("0,10", 6, "max_zeroed"), (",10", 4, "max_unknown")]
    {
        for (n, of, code) in [(limit, 20, 0), (limit + 1, 20, 4), (19, 19, 0)] {
            let shop = guarded(of, "");
            shop.write("store.csv", part(n, of, cells));
            shop.run("pull store-a").code(code);
            shop.run(&format!("pull store-a --allow {guard}")).code(0);
        }
    }
    for (left, of, code) in [(16, 20, 0), (15, 20, 4), (1, 19, 0)] {
        let shop = guarded(of, "");
        shop.write("store.csv", rows(left, "5", "10"));
        shop.run("pull store-a").code(code);
    }
}

#[test]
fn what_came_back_by_an_undo_of_an_undo_goes_again() {
    let store = STORE_A.replace("type = ", "unlinked = \"create\"\ntype = ");
    let shop = Shop::new()
        .config(&store)
        .config(DOWNLOAD)
        .file("store.csv", "id,sku,ean,name,qty,price\n1,A,,,4,4\n3,N,,,5,5\n")
        .inventory("sku\nA\n");
    shop.run("pull store-a").code(0);
    for undone in [2, 3, 2] {
        shop.run(&format!("undo {undone}")).code(0);
    }
    assert_eq!(shop.json("link list store-a")["links"], serde_json::json!([]));
    assert_eq!(shop.json("inventory list")["products"].as_array().map(Vec::len), Some(1));
}
