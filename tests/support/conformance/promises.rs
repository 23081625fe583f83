//! What every connector promises, whatever is at the other end.

use super::Cell::{Absent, Empty, Is};
use super::{Item, LID, MUG, POT, PRICED, PRODUCTS, PULL, PUSH, Party, pulling, pushing};

pub(crate) fn every_item_is_listed_once_with_all_it_has<P: Party>() {
    let shop = pulling::<P>(PRODUCTS, &[MUG, POT, LID]);
    let list = shop.json("list x");
    let items = list["items"].as_array().unwrap();
    let texts: Vec<_> = items
        .iter()
        .map(|item| {
            ["sku", "name", "quantity", "price"].map(|key| item[key].as_str().unwrap()).join(" | ")
        })
        .collect();
    assert_eq!(
        texts,
        [
            "MUG-01 | Mug, \"Bonjour\" & co; café | 3 | 12.30",
            "TEA-01 | Teapot <Łódź> | 2 | 39.00",
            "LID-01 | Lid | 41 | 4.50"
        ]
    );
}

pub(crate) fn a_pull_takes_every_value_exactly<P: Party>() {
    let small = Item { quantity: Is("0.000001"), ..LID };
    let shop =
        pulling::<P>(PRODUCTS, &[MUG, Item { price: Is("123456789012.345678"), ..POT }, small]);
    let run = shop.pull(0);
    assert_eq!((run.number("items"), run.number("linked")), (3, 3));
    assert_eq!(
        shop.values(),
        [
            "LID-01 price.retail 4.50",
            "LID-01 stock.main 0.000001",
            "MUG-01 price.retail 12.30",
            "MUG-01 stock.main 3",
            "TEA-01 price.retail 123456789012.345678",
            "TEA-01 stock.main 2",
        ]
    );
}

pub(crate) fn the_second_pull_changes_nothing<P: Party>() {
    let shop = pulling::<P>(PRODUCTS, &[MUG, POT, LID]);
    assert_eq!(shop.pull(0).changes().len(), 6);
    assert!(shop.pull(0).changes().is_empty());
}

pub(crate) fn unknown_is_not_zero<P: Party>() {
    let words = [Empty, Absent, Is("-"), Is("–"), Is("n/a"), Is("NULL"), Is("none")];
    for word in words {
        let shop = pulling::<P>(
            "sku,stock.main,price.retail\nMUG-01,5,9.00\n",
            &[
                Item { quantity: word, price: Is("12.30"), ..MUG },
                Item { sku: "NEW", quantity: Is("1"), price: word, ..MUG },
            ],
        );
        // A row that ends too early is told; an element or key may well be left out.
        let is_short_row = P::TELLS_SHORT_ROWS && matches!(word, Absent);
        shop.run("pull x")
            .code(if is_short_row { 3 } else { 0 })
            .stock("main", "MUG-01", "5")
            .price("retail", "MUG-01", "12.30");
        assert_eq!(shop.values().len(), 2);
    }
}

pub(crate) fn zero_is_zero<P: Party>() {
    let shop = pulling::<P>("sku,stock.main\nMUG-01,5\n", &[Item { quantity: Is("0"), ..MUG }]);
    shop.run("pull x").code(0).stock("main", "MUG-01", "0");
}

pub(crate) fn a_bad_value_stops_no_other<P: Party>() {
    for bad in ["3x", "1,5", "1e400", "NaN", "1.0000001", "1234567890123456789"] {
        let bad_item = Item { quantity: Is(bad.to_owned().leak()), ..MUG };
        let inventory = "sku,stock.main\nLID-01,1\nMUG-01,5\nTEA-01,1\n";
        let shop = pulling::<P>(inventory, &[POT, bad_item, LID]);
        let run = shop.pull(3);
        assert_eq!(run.number("invalid"), 1, "{bad}");
        assert_eq!(run.0["problems"][0]["sku"], "MUG-01", "{bad}");
        assert!(run.0["problems"][0]["message"].as_str().unwrap().contains(bad), "{bad}");
        assert_eq!(shop.stock("main", "MUG-01").unwrap(), "5", "{bad}");
        assert_eq!(shop.stock("main", "LID-01").unwrap(), "41", "{bad}");
        assert_eq!(shop.price("retail", "MUG-01").unwrap(), "12.30", "{bad}");
    }
}

pub(crate) fn a_delivery_that_is_cut_changes_nothing<P: Party>() {
    let shop = pulling::<P>("sku,stock.main\nMUG-01,5\nTEA-01,6\nLID-01,7\n", &[]);
    shop.party.deliver_cut(&shop, &[MUG, POT, LID]);
    let before = shop.values();
    let run = shop.pull(P::BROKEN);
    assert_eq!(run.text("status"), "failed");
    assert!(run.text("error").contains(&shop.party.place()), "{}", run.text("error"));
    assert_eq!(shop.values(), before);
}

pub(crate) fn an_empty_delivery_changes_nothing<P: Party>() {
    let shop = pulling::<P>("sku,stock.main\nMUG-01,5\n", &[]);
    shop.run("pull x").code(1).stderr("no item").stock("main", "MUG-01", "5");
    for nothing in ["", "\u{feff}", " \r\n\n"] {
        shop.party.deliver_text(&shop, nothing);
        shop.run("pull x").code(P::BROKEN).stock("main", "MUG-01", "5");
    }
}

pub(crate) fn an_error_page_in_its_place_changes_nothing<P: Party>() {
    let shop = pulling::<P>("sku,stock.main\nMUG-01,5\n", &[]);
    let page = "<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>\n";
    shop.party.deliver_text(&shop, page);
    shop.run("pull x").code(P::BROKEN).stderr("HTML").stock("main", "MUG-01", "5");
}

pub(crate) fn an_absent_item_is_not_zero<P: Party>() {
    let shop = pulling::<P>(PRODUCTS, &[MUG, POT, LID]);
    shop.pull(0);
    shop.deliver(&[MUG, POT]);
    let run = shop.pull(0);
    assert_eq!(run.number("missing"), 1);
    assert_eq!(shop.stock("main", "LID-01").unwrap(), "41");
}

pub(crate) fn the_order_of_rows_does_not_matter<P: Party>() {
    let orders = [[MUG, POT, LID], [LID, POT, MUG], [POT, MUG, LID]];
    let results = orders.map(|items| {
        let shop = pulling::<P>(PRODUCTS, &items);
        let mut changes = shop.pull(0).changes();
        changes.sort();
        (changes, shop.values())
    });
    assert!(results.iter().all(|result| *result == results[0]));
}

pub(crate) fn a_push_changes_exactly_the_values_that_differ_and_nothing_else<P: Party>() {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    let run = shop.push(0);
    assert_eq!(
        run.changes(),
        [
            "MUG-01 stock 3→17 applied",
            "MUG-01 prices 12.30→13.00 applied",
            "TEA-01 prices 39.00→39.50 applied",
        ]
    );
    shop.has(&[
        Item { quantity: Is("17"), price: Is("13.00"), ..MUG },
        Item { price: Is("39.50"), ..POT },
        LID,
    ]);
}

pub(crate) fn the_second_push_changes_nothing<P: Party>() {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    shop.push(0);
    let after = shop.contents();
    assert!(shop.push(0).changes().is_empty());
    assert_eq!(shop.contents(), after);
}

pub(crate) fn a_pull_after_a_push_changes_nothing<P: Party>() {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    shop.push(0);
    shop.reconfigure(PUSH, PULL);
    assert!(shop.pull(0).changes().is_empty());
}

pub(crate) fn an_empty_value_is_filled<P: Party>() {
    let shop = pushing::<P>(PRICED, &[Item { quantity: Empty, price: Empty, ..MUG }, POT, LID]);
    shop.run("push x --sku MUG-01").code(0);
    let run_again = shop.run("push x --sku MUG-01 --format json").code(0).one_run();
    assert!(run_again.changes().is_empty());
    let list = shop.json("list x");
    assert_eq!(
        (&list["items"][0]["quantity"], &list["items"][0]["price"]),
        (&"17".into(), &"13.00".into())
    );
}

pub(crate) fn a_linked_item_that_is_gone_stops_no_other<P: Party>() {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    shop.push(0);
    shop.deliver(&[POT, LID]);
    let run = shop.push(3);
    let [mug, pot] = ["MUG-01", "TEA-01"].map(|sku| shop.party.item_id(sku));
    assert_eq!(
        run.problems(),
        [format!("broken_link {mug} –"), format!("changed_elsewhere {pot} –")]
    );
    assert_eq!(run.changes(), ["TEA-01 prices 39.00→39.50 applied"]);
}

pub(crate) fn what_the_inventory_does_not_know_is_not_sent<P: Party>() {
    let shop = pushing::<P>("sku,stock.main\nMUG-01,\nTEA-01,2\n", &[MUG, POT]);
    let before = shop.contents();
    assert!(shop.push(0).changes().is_empty());
    assert_eq!(shop.contents(), before);
}

pub(crate) fn a_dry_run_writes_nothing_and_plans_the_same<P: Party>() {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    let (before, contents) = (shop.all_files(), shop.contents());
    let dry = shop.run("push x --dry-run --format json").code(0).one_run();
    shop.is_untouched_since(&before);
    assert_eq!(shop.contents(), contents);
    let planned: Vec<_> =
        dry.changes().iter().map(|change| change.replace("planned", "applied")).collect();
    assert_eq!(planned, shop.push(0).changes());
}

pub(crate) fn a_wholesaler_is_never_written<P: Party>() {
    let shop = pushing::<P>(PRICED, &[MUG]);
    shop.reconfigure("type = \"store\"", "type = \"wholesaler\"");
    let before = shop.contents();
    shop.run("push x").code(2).stderr("wholesaler");
    assert_eq!(shop.contents(), before);
}
