//! What only makes sense of a file: its bytes, its rows, its place in a folder.

use super::Cell::{Absent, Is};
use super::{Connected, Format, Item, LID, MUG, POT, PRICED, PRODUCTS, Party, pulling, pushing};

pub(crate) fn equal_duplicates_count_once_and_unequal_ones_are_trusted_nowhere<P: Party>() {
    let inventory = "sku,stock.main,price.retail\nMUG-01,5,12.30\nTEA-01,6,39.00\n";
    let shop = pulling::<P>(inventory, &[MUG, POT, MUG, Item { quantity: Is("99"), ..POT }]);
    let run = shop.pull(3);
    assert_eq!((run.number("items"), run.number("duplicates"), run.number("linked")), (4, 2, 2));
    assert_eq!(run.changes(), ["MUG-01 stock 5→3 applied"]);
    assert!(run.problems().iter().all(|problem| problem.starts_with("duplicate_sku TEA-01")));
    assert!(!run.problems().is_empty());
    assert_eq!(shop.json("list x")["items"].as_array().unwrap().len(), 4);
}

pub(crate) fn an_item_without_any_key_is_a_problem_and_no_item<P: Party>() {
    let shop = pulling::<P>(PRODUCTS, &[MUG, Item { sku: "", ..POT }]);
    let run = shop.pull(3);
    assert_eq!((run.number("items"), run.number("invalid")), (1, 1));
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
}

pub(crate) fn line_ends_and_a_missing_last_one_stay<P: Format>() {
    let shop = pushing::<P>(PRICED, &[]);
    let render = |price: &'static str| {
        let text = P::render(&[Item { quantity: Is("17"), price: Is(price), ..MUG }]);
        format!("\u{feff}{}", text.trim_end().replace('\n', "\r\n"))
    };
    shop.write(P::FILE, render("12.30"));
    shop.run("push x --sku MUG-01").code(0).wrote(P::FILE, &render("13.00"));
}

pub(crate) fn an_absent_cell_is_refused_and_the_rest_goes_on<P: Format>() {
    let shop = pushing::<P>(PRICED, &[Item { price: Absent, ..MUG }, POT, LID]);
    let run = shop.push(3);
    assert_eq!(run.number("refused"), 1);
    assert_eq!(run.text("status"), "partial");
    let expected = [
        Item { quantity: Is("17"), price: Absent, ..MUG },
        Item { price: Is("39.50"), ..POT },
        LID,
    ];
    assert_eq!(shop.read(P::FILE), P::render(&expected));
}

pub(crate) fn equal_repeated_rows_are_all_written_and_unequal_ones_not_at_all<P: Format>() {
    let shop = pushing::<P>(PRICED, &[MUG, LID, MUG]);
    shop.run("push x").code(0);
    let new = Item { quantity: Is("17"), price: Is("13.00"), ..MUG };
    assert_eq!(shop.read(P::FILE), P::render(&[new, LID, new]));

    let unequal = [MUG, POT, Item { quantity: Is("4"), ..MUG }];
    shop.deliver(&unequal);
    let run = shop.push(3);
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

#[cfg(unix)]
pub(crate) fn permissions_stay_and_no_file_is_left_behind<P: Format>() {
    use std::os::unix::fs::PermissionsExt as _;
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    let path = shop.path(P::FILE);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let files = |shop: &Connected<P>| -> Vec<_> {
        let names = shop.all_files().into_keys();
        names.filter(|name| !name.to_string_lossy().contains("inventory.db")).collect()
    };
    let before = files(&shop);
    shop.push(0);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(files(&shop), before);
}
