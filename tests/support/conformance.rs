//! The promises that every connector keeps, whatever its format. A connector gives only how its
//! config looks and how items are rendered; see `tests/conformance.rs`.

use super::{BASE, Run, Shop};

/// A cell of an item, as the source has it.
#[derive(Clone, Copy)]
pub(crate) enum Cell {
    /// This text.
    Is(&'static str),
    /// A cell with nothing in it.
    Empty,
    /// No cell at all.
    Absent,
}

use Cell::{Absent, Empty, Is};

/// One item as the source has it.
#[derive(Clone, Copy)]
pub(crate) struct Item {
    pub(crate) sku: &'static str,
    pub(crate) name: &'static str,
    pub(crate) quantity: Cell,
    /// The last cell of its row.
    pub(crate) price: Cell,
}

/// What a connector has to give.
pub(crate) struct Format {
    /// The file's name.
    pub(crate) file: &'static str,
    /// The keys of `[integrations.x]` but for `type` and `source`: `connector` and `fields` with
    /// the SKU as the id.
    pub(crate) config: &'static str,
    /// The file, with things in it that are nobody's business: unknown columns, comments, odd
    /// white space, another order than the mapping's.
    pub(crate) render: fn(&[Item]) -> String,
    /// The file, cut where the format shows that it is cut.
    pub(crate) cut: fn(&[Item]) -> String,
}

const MUG: Item = item("MUG-01", "Mug, \"Bonjour\" & co; café", Is("3"), Is("12.30"));
const POT: Item = item("TEA-01", "Teapot <Łódź>", Is("2"), Is("39.00"));
const LID: Item = item("LID-01", "Lid", Is("41"), Is("4.50"));

const fn item(sku: &'static str, name: &'static str, quantity: Cell, price: Cell) -> Item {
    Item { sku, name, quantity, price }
}

/// Nothing known yet: three products without values.
const PRODUCTS: &str = "sku\nLID-01\nMUG-01\nTEA-01\n";

impl Format {
    fn shop(&self, sections: &str, inventory: &str, items: &[Item]) -> Shop {
        let config = format!(
            "{BASE}[integrations.x]\ntype = \"store\"\nsource = \"{}\"\n{}\n{sections}",
            self.file, self.config
        );
        let shop = Shop::new().file("invsync.toml", config).inventory(inventory);
        self.deliver(&shop, items);
        shop
    }

    fn pulling(&self, inventory: &str, items: &[Item]) -> Shop {
        self.shop(PULL, inventory, items)
    }

    fn pushing(&self, inventory: &str, items: &[Item]) -> Shop {
        self.shop(PUSH, inventory, items)
    }

    fn deliver(&self, shop: &Shop, items: &[Item]) {
        shop.write(self.file, (self.render)(items));
    }
}

const PULL: &str = r#"
stock = { direction = "download", warehouse = "main" }
prices = { direction = "download", price_group = "retail" }
"#;

const PUSH: &str = r#"
stock = { direction = "send", warehouse = "main" }
prices = { direction = "send", price_group = "retail" }
"#;

fn pull(shop: &Shop, code: i32) -> Run {
    shop.run("pull x --format json").code(code).one_run()
}

fn push(shop: &Shop, code: i32) -> Run {
    shop.run("push x --format json").code(code).one_run()
}

pub(crate) fn every_item_is_listed_once_with_all_it_has(format: &Format) {
    let shop = format.pulling(PRODUCTS, &[MUG, POT, LID]);
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

pub(crate) fn a_pull_takes_every_value_exactly(format: &Format) {
    let small = Item { quantity: Is("0.000001"), ..LID };
    let shop =
        format.pulling(PRODUCTS, &[MUG, Item { price: Is("123456789012.345678"), ..POT }, small]);
    let run = pull(&shop, 0);
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

pub(crate) fn the_second_pull_changes_nothing(format: &Format) {
    let shop = format.pulling(PRODUCTS, &[MUG, POT, LID]);
    assert_eq!(pull(&shop, 0).changes().len(), 6);
    assert!(pull(&shop, 0).changes().is_empty());
}

pub(crate) fn unknown_is_not_zero(format: &Format) {
    let words = [Empty, Absent, Is("-"), Is("–"), Is("n/a"), Is("NULL"), Is("none")];
    for word in words {
        let shop = format.pulling(
            "sku,stock.main,price.retail\nMUG-01,5,9.00\n",
            &[
                Item { quantity: word, price: Is("12.30"), ..MUG },
                Item { sku: "NEW", quantity: Is("1"), price: word, ..MUG },
            ],
        );
        // A csv row that ends too early is told; an element or key may well be left out.
        let is_short_row = format.file.ends_with(".csv") && matches!(word, Absent);
        shop.run("pull x")
            .code(if is_short_row { 3 } else { 0 })
            .stock("main", "MUG-01", "5")
            .price("retail", "MUG-01", "12.30");
        assert_eq!(shop.values().len(), 2);
    }
}

pub(crate) fn zero_is_zero(format: &Format) {
    let shop = format.pulling("sku,stock.main\nMUG-01,5\n", &[Item { quantity: Is("0"), ..MUG }]);
    shop.run("pull x").code(0).stock("main", "MUG-01", "0");
}

pub(crate) fn a_bad_value_stops_no_other(format: &Format) {
    for bad in ["3x", "1,5", "1e400", "NaN", "1.0000001", "1234567890123456789"] {
        let bad_item = Item { quantity: Is(bad.to_owned().leak()), ..MUG };
        let inventory = "sku,stock.main\nLID-01,1\nMUG-01,5\nTEA-01,1\n";
        let shop = format.pulling(inventory, &[POT, bad_item, LID]);
        let run = pull(&shop, 3);
        assert_eq!(run.number("invalid"), 1, "{bad}");
        assert_eq!(run.0["problems"][0]["sku"], "MUG-01", "{bad}");
        assert!(run.0["problems"][0]["message"].as_str().unwrap().contains(bad), "{bad}");
        assert_eq!(shop.stock("main", "MUG-01").unwrap(), "5", "{bad}");
        assert_eq!(shop.stock("main", "LID-01").unwrap(), "41", "{bad}");
        assert_eq!(shop.price("retail", "MUG-01").unwrap(), "12.30", "{bad}");
    }
}

pub(crate) fn a_file_that_is_cut_changes_nothing(format: &Format) {
    let shop = format.pulling("sku,stock.main\nMUG-01,5\nTEA-01,6\nLID-01,7\n", &[]);
    shop.write(format.file, (format.cut)(&[MUG, POT, LID]));
    let before = shop.values();
    let run = pull(&shop, 1);
    assert_eq!(run.text("status"), "failed");
    assert!(run.text("error").contains(format.file), "{}", run.text("error"));
    assert_eq!(shop.values(), before);
}

pub(crate) fn an_empty_file_changes_nothing(format: &Format) {
    let shop = format.pulling("sku,stock.main\nMUG-01,5\n", &[]);
    shop.run("pull x").code(1).stderr("no item").stock("main", "MUG-01", "5");
    for nothing in ["", "\u{feff}", " \r\n\n"] {
        shop.write(format.file, nothing);
        shop.run("pull x").code(1).stock("main", "MUG-01", "5");
    }
}

pub(crate) fn an_error_page_in_its_place_changes_nothing(format: &Format) {
    let shop = format.pulling("sku,stock.main\nMUG-01,5\n", &[]);
    shop.write(format.file, "<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>\n");
    shop.run("pull x").code(1).stderr("HTML").stock("main", "MUG-01", "5");
}

pub(crate) fn an_absent_item_is_not_zero(format: &Format) {
    let shop = format.pulling(PRODUCTS, &[MUG, POT, LID]);
    pull(&shop, 0);
    format.deliver(&shop, &[MUG, POT]);
    let run = pull(&shop, 0);
    assert_eq!(run.number("missing"), 1);
    assert_eq!(shop.stock("main", "LID-01").unwrap(), "41");
}

pub(crate) fn the_order_of_rows_does_not_matter(format: &Format) {
    let orders = [[MUG, POT, LID], [LID, POT, MUG], [POT, MUG, LID]];
    let results = orders.map(|items| {
        let shop = format.pulling(PRODUCTS, &items);
        let mut changes = pull(&shop, 0).changes();
        changes.sort();
        (changes, shop.values())
    });
    assert!(results.iter().all(|result| *result == results[0]));
}

pub(crate) fn equal_duplicates_count_once_and_unequal_ones_are_trusted_nowhere(format: &Format) {
    let inventory = "sku,stock.main,price.retail\nMUG-01,5,12.30\nTEA-01,6,39.00\n";
    let shop = format.pulling(inventory, &[MUG, POT, MUG, Item { quantity: Is("99"), ..POT }]);
    let run = pull(&shop, 3);
    assert_eq!((run.number("items"), run.number("duplicates"), run.number("linked")), (4, 2, 2));
    assert_eq!(run.changes(), ["MUG-01 stock 5→3 applied"]);
    assert!(run.problems().iter().all(|problem| problem.starts_with("duplicate_sku TEA-01")));
    assert!(!run.problems().is_empty());
    assert_eq!(shop.json("list x")["items"].as_array().unwrap().len(), 4);
}

pub(crate) fn an_item_without_any_key_is_a_problem_and_no_item(format: &Format) {
    let shop = format.pulling(PRODUCTS, &[MUG, Item { sku: "", ..POT }]);
    let run = pull(&shop, 3);
    assert_eq!((run.number("items"), run.number("invalid")), (1, 1));
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
}

const PRICED: &str = "sku,stock.main,price.retail\nLID-01,41,4.50\nMUG-01,17,13\nTEA-01,2,39.5\n";

pub(crate) fn a_push_changes_exactly_the_cells_and_leaves_every_other_byte(format: &Format) {
    let shop = format.pushing(PRICED, &[MUG, POT, LID]);
    let run = push(&shop, 0);
    assert_eq!(
        run.changes(),
        [
            "MUG-01 stock 3→17 applied",
            "MUG-01 prices 12.30→13.00 applied",
            "TEA-01 prices 39.00→39.50 applied",
        ]
    );
    let expected = [
        Item { quantity: Is("17"), price: Is("13.00"), ..MUG },
        Item { price: Is("39.50"), ..POT },
        LID,
    ];
    assert_eq!(shop.read(format.file), (format.render)(&expected));
}

pub(crate) fn line_ends_and_a_missing_last_one_stay(format: &Format) {
    let shop = format.pushing(PRICED, &[]);
    let render = |price: &'static str| {
        let text = (format.render)(&[Item { quantity: Is("17"), price: Is(price), ..MUG }]);
        format!("\u{feff}{}", text.trim_end().replace('\n', "\r\n"))
    };
    shop.write(format.file, render("12.30"));
    shop.run("push x --sku MUG-01").code(0).wrote(format.file, &render("13.00"));
}

pub(crate) fn the_second_push_changes_nothing(format: &Format) {
    let shop = format.pushing(PRICED, &[MUG, POT, LID]);
    push(&shop, 0);
    let after = shop.bytes(format.file);
    assert!(push(&shop, 0).changes().is_empty());
    assert_eq!(shop.bytes(format.file), after);
}

pub(crate) fn a_pull_after_a_push_changes_nothing(format: &Format) {
    let shop = format.pushing(PRICED, &[MUG, POT, LID]);
    push(&shop, 0);
    let config = shop.read("invsync.toml").replace(PUSH, PULL);
    shop.write("invsync.toml", config);
    assert!(pull(&shop, 0).changes().is_empty());
}

pub(crate) fn an_absent_cell_is_refused_and_the_rest_goes_on(format: &Format) {
    let shop = format.pushing(PRICED, &[Item { price: Absent, ..MUG }, POT, LID]);
    let run = push(&shop, 3);
    assert_eq!(run.number("refused"), 1);
    assert_eq!(run.text("status"), "partial");
    let expected = [
        Item { quantity: Is("17"), price: Absent, ..MUG },
        Item { price: Is("39.50"), ..POT },
        LID,
    ];
    assert_eq!(shop.read(format.file), (format.render)(&expected));
}

pub(crate) fn an_empty_cell_is_filled(format: &Format) {
    let shop = format.pushing(PRICED, &[Item { quantity: Empty, price: Empty, ..MUG }, POT, LID]);
    shop.run("push x --sku MUG-01").code(0);
    let run_again = shop.run("push x --sku MUG-01 --format json").code(0).one_run();
    assert!(run_again.changes().is_empty());
    let list = shop.json("list x");
    assert_eq!(
        (&list["items"][0]["quantity"], &list["items"][0]["price"]),
        (&"17".into(), &"13.00".into())
    );
}

pub(crate) fn equal_repeated_rows_are_all_written_and_unequal_ones_not_at_all(format: &Format) {
    let shop = format.pushing(PRICED, &[MUG, LID, MUG]);
    shop.run("push x").code(0);
    let new = Item { quantity: Is("17"), price: Is("13.00"), ..MUG };
    assert_eq!(shop.read(format.file), (format.render)(&[new, LID, new]));

    let unequal = [MUG, POT, Item { quantity: Is("4"), ..MUG }];
    format.deliver(&shop, &unequal);
    let run = push(&shop, 3);
    let stock: Vec<_> =
        run.changes().into_iter().filter(|c| c.starts_with("MUG-01 stock")).collect();
    assert!(stock.iter().all(|change| !change.ends_with("applied")), "{stock:?}");
    assert!(run.problems().iter().any(|problem| problem.starts_with("duplicate_sku MUG-01")));
    let list = shop.json("list x");
    assert_eq!(
        (&list["items"][0]["quantity"], &list["items"][2]["quantity"]),
        (&"3".into(), &"4".into())
    );
}

pub(crate) fn a_linked_item_that_is_gone_stops_no_other(format: &Format) {
    let shop = format.pushing(PRICED, &[MUG, POT, LID]);
    push(&shop, 0);
    format.deliver(&shop, &[POT, LID]);
    let run = push(&shop, 3);
    assert_eq!(run.problems(), ["broken_link MUG-01 –", "changed_elsewhere TEA-01 –"]);
    assert_eq!(run.changes(), ["TEA-01 prices 39.00→39.50 applied"]);
}

pub(crate) fn what_the_inventory_does_not_know_is_not_sent(format: &Format) {
    let shop = format.pushing("sku,stock.main\nMUG-01,\nTEA-01,2\n", &[MUG, POT]);
    let before = shop.bytes(format.file);
    assert!(push(&shop, 0).changes().is_empty());
    assert_eq!(shop.bytes(format.file), before);
}

#[cfg(unix)]
pub(crate) fn permissions_stay_and_no_file_is_left_behind(format: &Format) {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = format.pushing(PRICED, &[MUG, POT, LID]);
    let path = shop.path(format.file);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let files = |shop: &Shop| -> Vec<_> {
        let names = shop.all_files().into_keys();
        names.filter(|name| !name.to_string_lossy().contains("inventory.db")).collect()
    };
    let before = files(&shop);
    push(&shop, 0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(files(&shop), before);
}

pub(crate) fn a_dry_run_writes_nothing_and_plans_the_same(format: &Format) {
    let shop = format.pushing(PRICED, &[MUG, POT, LID]);
    let before = shop.all_files();
    let dry = shop.run("push x --dry-run --format json").code(0).one_run();
    shop.is_untouched_since(&before);
    let planned: Vec<_> =
        dry.changes().iter().map(|change| change.replace("planned", "applied")).collect();
    assert_eq!(planned, push(&shop, 0).changes());
}

pub(crate) fn a_wholesaler_is_never_written(format: &Format) {
    let shop = format.pushing(PRICED, &[MUG]);
    let config = shop.read("invsync.toml").replace("type = \"store\"", "type = \"wholesaler\"");
    shop.write("invsync.toml", config);
    let before = shop.bytes(format.file);
    shop.run("push x").code(2).stderr("wholesaler");
    assert_eq!(shop.bytes(format.file), before);
}
