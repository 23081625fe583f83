//! Properties of matching: the order of rows does not matter, every item is counted once, a
//! product is never given to two items.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::connector::{Row, RowBatch};
use crate::inventory::{Inventory, LinkState};
use crate::model::{Command, Decimal, RunSummary};

#[derive(Clone, Debug)]
struct TestItem {
    id: Option<u8>,
    sku: Option<u8>,
    ean: Option<u8>,
    quantity: Option<i64>,
}

/// Valid GTIN-8s, so that some items share one.
const EANS: [&str; 4] = ["96385074", "12345670", "00000017", "40170725"];

fn items() -> impl Strategy<Value = Vec<TestItem>> {
    let item = (
        proptest::option::of(0_u8..6),
        proptest::option::of(0_u8..8),
        proptest::option::of(0_u8..4),
        proptest::option::of(0_i64..3),
    )
        .prop_map(|(id, sku, ean, quantity)| TestItem { id, sku, ean, quantity })
        .prop_filter("an item has something to be known by", |item| {
            item.id.is_some() || item.sku.is_some() || item.ean.is_some()
        });
    proptest::collection::vec(item, 0..12)
}

fn batch(items: &[TestItem]) -> RowBatch {
    let mut batch = RowBatch::default();
    for item in items {
        let mut text = |text: Option<String>| match text {
            Some(text) => batch.add_text(&text),
            None => crate::connector::Span::ABSENT,
        };
        let row = Row {
            item_id: text(item.id.map(|id| format!("i{id}"))),
            sku: text(item.sku.map(|sku| format!("S{sku}"))),
            ean: text(item.ean.map(|ean| EANS[usize::from(ean)].to_owned())),
            quantity: item.quantity.map_or(Value::Unknown, |quantity| {
                Value::Known(Decimal::from_scaled(quantity.into(), 0).unwrap())
            }),
            ..Row::EMPTY
        };
        batch.add_row(row);
    }
    batch
}

/// Products S0 … S4 with two distinct EANs and one that two of them share.
fn inventory() -> (Products, EanIndex) {
    let inventory = Inventory::in_memory().unwrap();
    let tx = inventory.begin_write(&|| false, std::time::Duration::ZERO, &|_| {}).unwrap();
    let run = tx
        .start_run(
            None,
            &crate::inventory::Purpose::default(),
            &RunSummary::start(None, Command::Import, false),
        )
        .unwrap();
    let eans = [Some(0), Some(1), Some(2), Some(2), None];
    let products: Vec<NewProduct> = (0_u32..5)
        .zip(eans)
        .map(|(n, ean)| NewProduct {
            id: n + 1,
            sku: format!("S{n}"),
            ean: ean.map(|ean: usize| EANS[ean].to_owned()),
            name: None,
            parent_sku: None,
        })
        .collect();
    tx.insert_products(run, &products).unwrap();
    (tx.products().unwrap(), tx.eans().unwrap())
}

fn rules(link_by: &[LinkKey], create: bool) -> MatchRules {
    MatchRules {
        link_by: link_by.to_vec(),
        create,
        report_unlinked: true,
        currency: None,
        only_skus: Vec::new(),
        links: None,
        only_proposes: false,
        accept: Arc::default(),
    }
}

fn kept_links() -> LinkState {
    let mut links = LinkState::default();
    for (id, product, linked_by) in [
        ("i0", Some(1), LinkedBy::Hand),
        ("i1", None, LinkedBy::Never),
        ("i2", Some(2), LinkedBy::Sku),
    ] {
        links.keys.add(id.as_bytes()).unwrap();
        links.links.push(StoredLink { product, linked_by, handle: None });
    }
    links.by_sku.insert(5);
    links
}

fn matched(items: &[TestItem], rules: MatchRules, links: LinkState) -> Matched {
    let (products, eans) = inventory();
    let mut matcher = Matcher::new(rules, products, links);
    if matcher.needs_eans_first() {
        matcher.set_eans(inventory().1);
    }
    matcher.take(&batch(items)).unwrap();
    if matcher.needs_eans() {
        matcher.set_eans(eans);
    }
    matcher.finish().unwrap()
}

/// All that matters of an outcome, in an order of its own.
fn essence(matched: &Matched) -> (BTreeMap<String, (String, Cell)>, Vec<String>, Counts) {
    let linked = matched
        .linked()
        .map(|(product, _, slot)| {
            let id = matched.item_id(product, slot.item).to_owned();
            (id, (matched.products.sku(product).to_owned(), slot.quantity))
        })
        .collect();
    let mut problems: Vec<String> = matched
        .problems
        .iter()
        .map(|problem| format!("{:?} {:?}", problem.kind, problem.item_id))
        .collect();
    problems.sort();
    (linked, problems, matched.counts)
}

fn link_bys() -> impl Strategy<Value = Vec<LinkKey>> {
    proptest::sample::select(vec![
        vec![LinkKey::Sku, LinkKey::Ean],
        vec![LinkKey::Ean, LinkKey::Sku],
        vec![LinkKey::Sku],
        vec![LinkKey::Ean],
        vec![],
    ])
}

/// Rows that share an id but not the rest have a first one by nature; they have tests of their own.
fn with_ids_of_their_own(items: Vec<TestItem>) -> Vec<TestItem> {
    let mut seen = std::collections::HashSet::new();
    let id = |item: &TestItem| match (item.id, item.sku, item.ean) {
        (Some(id), ..) => format!("i{id}"),
        (None, Some(sku), _) => format!("S{sku}"),
        (None, None, ean) => format!("e{ean:?}"),
    };
    items.into_iter().filter(|item| seen.insert(id(item))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn the_order_of_rows_does_not_matter(
        (items, shuffled) in items()
            .prop_map(with_ids_of_their_own)
            .prop_flat_map(|items| (Just(items.clone()), Just(items).prop_shuffle())),
        link_by in link_bys(),
        create in any::<bool>(),
        kept in any::<bool>(),
    ) {
        let links = || if kept { kept_links() } else { LinkState::default() };
        let one = matched(&items, rules(&link_by, create), links());
        let other = matched(&shuffled, rules(&link_by, create), links());
        prop_assert_eq!(essence(&one), essence(&other));
    }

    #[test]
    fn every_row_is_counted_and_no_product_is_given_to_two_items_by_itself(
        items in items(), link_by in link_bys(), create in any::<bool>(), kept in any::<bool>(),
    ) {
        let links = if kept { kept_links() } else { LinkState::default() };
        let found = matched(&items, rules(&link_by, create), links);
        prop_assert_eq!(found.counts.items, items.len() as u64);
        let distinct = with_ids_of_their_own(items.clone()).len() as u64;
        prop_assert_eq!(found.counts.items - found.counts.duplicates, distinct);
        prop_assert!(found.counts.linked <= distinct);
        let new: Vec<ProductId> =
            found.new_links().iter().filter_map(|(_, link)| link.product).collect();
        let mut unique = new.clone();
        unique.sort_unstable();
        unique.dedup();
        prop_assert_eq!(unique.len(), new.len(), "two new links to one product");
        for product in &new {
            prop_assert!(!found.new_sku_links().contains(*product));
            if kept {
                prop_assert!(![1, 2, 5].contains(product), "a kept link's product was taken");
            }
        }
    }

    #[test]
    fn what_was_linked_is_kept_by_the_next_run(
        items in items().prop_map(with_ids_of_their_own), link_by in link_bys(),
    ) {
        let first = matched(&items, rules(&link_by, false), LinkState::default());
        let mut links = LinkState { by_sku: first.new_sku_links(), ..LinkState::default() };
        for (item_id, link) in first.new_links() {
            links.keys.add(item_id.as_bytes()).unwrap();
            links.links.push(link);
        }
        let second = matched(&items, rules(&link_by, false), links);
        prop_assert!(second.new_links().is_empty());
        prop_assert!(second.new_sku_links().is_empty());
        prop_assert_eq!(essence(&first).0, essence(&second).0);
    }
}

#[test]
fn of_two_rows_with_one_id_a_value_is_trusted_only_where_they_are_equal() {
    let row = |quantity| TestItem { id: None, sku: Some(0), ean: None, quantity };
    let equal =
        matched(&[row(Some(2)), row(Some(2))], rules(&[LinkKey::Sku], false), LinkState::default());
    assert_eq!(equal.delivered[1].quantity.get(), Decimal::from_scaled(2, 0).ok());
    assert_eq!((equal.counts.items, equal.counts.duplicates, equal.counts.linked), (2, 1, 1));
    for second in [Some(1), None] {
        let unequal = matched(
            &[row(Some(2)), row(second)],
            rules(&[LinkKey::Sku], false),
            LinkState::default(),
        );
        assert_eq!(unequal.delivered[1].quantity, Cell::UNKNOWN);
        assert_eq!(unequal.problems.count_of(ProblemKind::DuplicateSku), 1);
    }
}
