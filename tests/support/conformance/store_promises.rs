//! What every store promises that is asked over a network: what is sent, what a lost or useless
//! answer leads to, what a refusal stops, and what is never shown.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Cell::{Absent, Is};
use super::{
    Change, Connected, Item, LID, MUG, On, POT, PRICED, PRODUCTS, Store, Trouble, pulling, pushing,
};

/// One stock is other than the items'.
const COUNTED: &str = "sku,stock.main\nMUG-01,17\n";

/// How many requests a push makes before it sends anything.
fn reads_of_a_push<P: Store>(shop: &Connected<P>) -> usize {
    let before = shop.party.requests();
    shop.run("push x --dry-run").code(0);
    shop.party.requests() - before
}

pub(crate) fn two_items_of_one_sku_are_linked_to_nothing<P: Store>() {
    let twin = Item { quantity: Is("99"), ..MUG };
    let shop = pulling::<P>("sku,stock.main\nMUG-01,5\nTEA-01,6\n", &[MUG, POT, twin]);
    let run = shop.pull(0);
    assert_eq!((run.number("items"), run.number("linked"), run.number("unlinked")), (3, 1, 2));
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "5");
    assert!(run.problems().iter().all(|problem| problem.starts_with("ambiguous")));
    assert!(!run.problems().is_empty());
}

pub(crate) fn an_item_without_sku_is_unlinked_and_stops_no_other<P: Store>() {
    let nameless = Item { sku: "", ..POT };
    let shop = pulling::<P>(PRODUCTS, &[nameless, MUG]);
    let run = shop.pull(0);
    assert_eq!((run.number("items"), run.number("linked"), run.number("unlinked")), (2, 1, 1));
    assert_eq!(run.problems(), [format!("unlinked {} –", shop.party.item_id(""))]);
    assert_eq!(shop.stock("main", "MUG-01").unwrap(), "3");
}

/// Somebody deletes the first item before any of the requests that a reading takes.
pub(crate) fn a_catalogue_that_changes_while_it_is_read_loses_no_item<P: Store>() {
    let items: Vec<Item> =
        (1..=250).map(|n| Item { sku: format!("SKU-{n:03}").leak(), ..MUG }).collect();
    let skus: Vec<_> = items.iter().map(|item| item.sku).collect();
    let inventory = format!("sku\n{}\n", skus.join("\n"));
    let shop = pulling::<P>(&inventory, &items);
    shop.run("pull x --dry-run").code(0);
    let requests = shop.party.requests();
    assert!(requests > 2, "all items came at once: more are needed");
    for nth in 1..=requests {
        let shop = pulling::<P>(&inventory, &items);
        shop.party.change_before(nth, Change::Removed(skus[0]));
        shop.pull(0);
        let lost = skus[1..].iter().find(|sku| shop.stock("main", sku).is_none());
        assert_eq!(lost, None, "removed before request {nth} of {requests}");
    }
}

pub(crate) fn only_stock_and_price_are_ever_sent<P: Store>() {
    let inventory = "sku,stock.main,price.retail\nLID-01,40,4.60\nMUG-01,17,13\nTEA-01,1,39.5\n";
    let shop = pushing::<P>(inventory, &[MUG, POT, LID]);
    assert_eq!(shop.push(0).changes().len(), 6);
    let mut sent = BTreeSet::new();
    shop.party.writes().iter().for_each(|body| collect_names(body, &mut sent));
    sent.retain(|name| !P::MAY_SEND.contains(&name.as_str()));
    assert!(sent.is_empty(), "sent: {sent:?}");
}

/// The names in a value, all the way down.
fn collect_names(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, names)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            names.insert(name.clone());
            collect_names(value, names);
        }),
        _ => {}
    }
}

pub(crate) fn an_item_without_a_count_is_sent_its_price_alone<P: Store>() {
    let shop = pushing::<P>(PRICED, &[Item { quantity: Absent, ..MUG }, POT, LID]);
    let run = shop.push(0);
    let id = shop.party.item_id("MUG-01");
    assert_eq!(run.problems(), [format!("not_managed {id} –")]);
    shop.has(&[
        Item { quantity: Absent, price: Is("13.00"), ..MUG },
        Item { price: Is("39.50"), ..POT },
        LID,
    ]);
}

pub(crate) fn a_refused_item_stops_no_other<P: Store>() {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    shop.party.refuse("MUG-01");
    let before = shop.contents();
    let run = shop.push(3);
    assert_eq!(
        run.changes(),
        [
            "MUG-01 stock 3→17 refused",
            "MUG-01 prices 12.30→13.00 refused",
            "TEA-01 prices 39.00→39.50 applied",
        ]
    );
    assert!(run.0["changes"][0]["message"].is_string());
    // The second refusal is told again.
    assert_eq!(shop.push(3).changes(), run.changes()[..2]);
    assert_ne!(shop.contents(), before);
}

pub(crate) fn nothing_is_sent_by_a_second_push_a_dry_run_or_to_a_wholesaler<P: Store>() {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    shop.run("push x --dry-run").code(0);
    assert_eq!(shop.party.writes(), Vec::<Value>::new());
    shop.push(0);
    let sent = shop.party.writes().len();
    shop.push(0);
    assert_eq!(shop.party.writes().len(), sent);
    let asked = shop.party.requests();
    shop.reconfigure("type = \"store\"", "type = \"wholesaler\"");
    shop.run("push x").code(2);
    assert_eq!(shop.party.requests(), asked);
}

pub(crate) fn a_write_without_an_answer_is_settled_and_sent_no_more_often_than_needed<P: Store>() {
    for (trouble, sent) in [(Trouble::AnswerLost, 1), (Trouble::RequestLost, 2), (Trouble::Cut, 1)]
    {
        let shop = pushing::<P>(COUNTED, &[MUG, POT, LID]);
        shop.party.trouble(trouble, On::NextWrite);
        assert_eq!(shop.push(0).changes(), ["MUG-01 stock 3→17 applied"]);
        assert_eq!(shop.party.writes().len(), sent, "{trouble:?}");
        shop.has(&[Item { quantity: Is("17"), ..MUG }, POT, LID]);
    }
}

pub(crate) fn a_sale_after_a_write_without_an_answer_is_not_overwritten<P: Store>() {
    for (trouble, left) in [(Trouble::AnswerLost, "16"), (Trouble::RequestLost, "2")] {
        let shop = pushing::<P>(COUNTED, &[MUG, POT, LID]);
        let reads = reads_of_a_push(&shop);
        shop.party.trouble(trouble, On::NextWrite);
        shop.party.change_before(reads + 2, Change::Sold("MUG-01", left));
        assert_eq!(shop.push(3).changes(), ["MUG-01 stock 3→17 skipped"], "{trouble:?}");
        shop.has(&[Item { quantity: Is(left), ..MUG }, POT, LID]);
    }
}

pub(crate) fn what_stays_uncertain_is_settled_by_the_next_push<P: Store>() {
    for (trouble, became) in [(Trouble::AnswerLost, "applied"), (Trouble::RequestLost, "skipped")] {
        let shop = pushing::<P>(COUNTED, &[MUG, POT, LID]);
        let reads = reads_of_a_push(&shop);
        shop.party.trouble(trouble, On::NextWrite);
        shop.party.trouble(Trouble::Down, On::After(reads));
        let run = shop.push(7);
        assert_eq!(run.changes(), ["MUG-01 stock 3→17 uncertain"]);
        shop.party.heal();
        let is_there = became == "applied";
        assert_eq!(shop.push(0).changes().is_empty(), is_there, "{trouble:?}");
        assert_eq!(shop.party.writes().len(), if is_there { 1 } else { 2 }, "{trouble:?}");
        shop.has(&[Item { quantity: Is("17"), ..MUG }, POT, LID]);
        let recorded = shop.json(&format!("runs {}", run.number("run_id")));
        assert_eq!(recorded["runs"][0]["changes"][0]["status"], became);
    }
}

pub(crate) fn a_page_in_answer_to_a_write_is_no_success<P: Store>() {
    a_push_changes_nothing(|party: &P| party.trouble(Trouble::Page, On::Writes), 7);
}

/// A pull and a push end with this code, and nothing changes on either side.
fn neither_side_changes<P: Store>(trouble: impl Fn(&P), code: i32) {
    let shop = pulling::<P>("sku,stock.main\nMUG-01,5\n", &[MUG, POT, LID]);
    trouble(&shop.party);
    assert_eq!(shop.pull(code).text("status"), "failed");
    assert_eq!(shop.values(), ["MUG-01 stock.main 5"]);
    a_push_changes_nothing(trouble, code);
}

fn a_push_changes_nothing<P: Store>(trouble: impl Fn(&P), code: i32) {
    let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
    trouble(&shop.party);
    let before = shop.contents();
    let run = shop.push(code);
    assert_eq!(run.text("status"), "failed");
    let claims = |change: &&String| change.ends_with("applied") || change.ends_with("uncertain");
    assert_eq!(run.changes().iter().find(claims), None);
    assert_eq!(shop.contents(), before);
}

pub(crate) fn a_wrong_key_changes_nothing<P: Store>() {
    neither_side_changes(P::revoke, 8);
}

pub(crate) fn a_key_that_may_only_read_changes_nothing<P: Store>() {
    a_push_changes_nothing(P::forbid_writes, 8);
}

pub(crate) fn a_store_that_is_down_changes_nothing<P: Store>() {
    neither_side_changes(|party: &P| party.trouble(Trouble::Down, On::Everything), 7);
    a_push_changes_nothing(|party: &P| party.trouble(Trouble::Down, On::Writes), 7);
}

pub(crate) fn a_network_that_loses_every_answer_changes_nothing<P: Store>() {
    for trouble in [Trouble::RequestLost, Trouble::Cut] {
        neither_side_changes(|party: &P| party.trouble(trouble, On::Everything), 7);
    }
    a_push_changes_nothing(|party: &P| party.trouble(Trouble::RequestLost, On::Writes), 7);
}

pub(crate) fn no_secret_is_ever_shown_or_kept<P: Store>() {
    let troubles: [fn(&P); 7] = [
        |_| {},
        |party| party.trouble(Trouble::Blab, On::Everything),
        |party| party.trouble(Trouble::Blab, On::Writes),
        |party| party.trouble(Trouble::RequestLost, On::Everything),
        |party| party.trouble(Trouble::Page, On::Everything),
        P::revoke,
        P::forbid_writes,
    ];
    for trouble in troubles {
        let shop = pushing::<P>(PRICED, &[MUG, POT, LID]);
        trouble(&shop.party);
        for args in ["check x -v", "list x -v", "push x -v", "push x --format json", "runs"] {
            let ran = shop.run(args);
            has_no_secret(&shop.party, args, &format!("{}{}", ran.stdout, ran.stderr));
        }
        for (path, bytes) in shop.all_files() {
            // There the user has written it.
            if !path.ends_with("invsync.toml") {
                let name = path.to_string_lossy();
                has_no_secret(&shop.party, &name, &String::from_utf8_lossy(&bytes));
            }
        }
    }
}

fn has_no_secret<P: Store>(party: &P, place: &str, text: &str) {
    for secret in party.secrets() {
        assert!(!text.contains(&secret), "{place}: {secret} is in {text}");
    }
}
