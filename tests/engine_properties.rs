//! Properties of a pass that hold whatever the store and the inventory have.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::support::Shop;

/// A quantity and a price, in millionths and hundredths; nothing: unknown.
type Values = (Option<u32>, Option<u32>);

fn values() -> impl Strategy<Value = Values> {
    (
        proptest::option::weighted(0.8, 0..5_000_000_u32),
        proptest::option::weighted(0.8, 1..999_999_u32),
    )
}

fn products() -> impl Strategy<Value = BTreeMap<u8, Values>> {
    proptest::collection::btree_map(0..12_u8, values(), 1..10)
}

fn quantity(value: Option<u32>) -> String {
    value.map(|n| format!("{}.{:06}", n / 1_000_000, n % 1_000_000)).unwrap_or_default()
}

fn price(value: Option<u32>) -> String {
    value.map(|n| format!("{}.{:02}", n / 100, n % 100)).unwrap_or_default()
}

fn csv(items: &[(u8, Values)]) -> String {
    let rows: String = items
        .iter()
        .map(|(n, (q, p))| format!("{n},S{n},,,{},{}\n", quantity(*q), price(*p)))
        .collect();
    format!("id,sku,ean,name,qty,price\n{rows}")
}

fn shop(items: &[(u8, Values)], inventory: &BTreeMap<u8, Values>) -> Shop {
    let rows: String = inventory
        .iter()
        .map(|(n, (q, p))| format!("S{n},{},{}\n", quantity(*q), price(*p)))
        .collect();
    Shop::downloading(&csv(items)).inventory(&format!("sku,stock.main,price.retail\n{rows}"))
}

fn state(shop: &Shop) -> BTreeMap<String, String> {
    let values = shop.values().into_iter();
    values
        .map(|line| {
            line.rsplit_once(' ').map(|(key, value)| (key.to_owned(), value.to_owned())).unwrap()
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pull_applies_its_plan_and_nothing_else_and_then_has_nothing_to_do(
        items in products(),
        inventory in products(),
    ) {
        let items: Vec<_> = items.into_iter().collect();
        let shop = shop(&items, &inventory);
        let mut expected = state(&shop);
        let plan = shop.json("pull store-a --dry-run --allow all");
        prop_assert_eq!(&state(&shop), &expected);
        for change in plan["runs"][0]["changes"].as_array().unwrap() {
            let text = |key: &str| change[key].as_str().unwrap_or_default();
            let key = match text("section") {
                "stock" => format!("{} stock.{}", text("sku"), text("warehouse")),
                _ => format!("{} price.{}", text("sku"), text("price_group")),
            };
            let before = change["before"].as_str().map(str::to_owned);
            prop_assert_eq!(expected.insert(key, text("after").to_owned()), before);
        }
        shop.run("pull store-a --allow all").code(0);
        prop_assert_eq!(state(&shop), expected);
        let again = shop.json("pull store-a --allow all");
        prop_assert_eq!(again["runs"][0]["changes"].as_array().unwrap().len(), 0);
    }

    #[test]
    fn the_order_of_rows_does_not_matter(items in products(), inventory in products(), seed in any::<u64>()) {
        let items: Vec<_> = items.into_iter().collect();
        let mut shuffled = items.clone();
        shuffled.sort_by_key(|(n, _)| seed.rotate_left(u32::from(*n)).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let results = [items, shuffled].map(|items| {
            let shop = shop(&items, &inventory);
            let run = shop.run("pull store-a --allow all --format json").code(0).one_run();
            (run.changes(), state(&shop))
        });
        prop_assert_eq!(&results[0], &results[1]);
    }

    #[test]
    fn what_was_pushed_is_what_a_pull_reads(items in products(), inventory in products()) {
        let items: Vec<_> = items.into_iter().collect();
        let shop = shop(&items, &inventory);
        let config = shop.read("invsync.toml");
        shop.write("invsync.toml", config.replace("\"download\"", "\"send\""));
        shop.run("push store-a --allow all").code(0);
        shop.write("invsync.toml", config);
        let before = state(&shop);
        shop.run("pull store-a --allow all").code(0);
        // The inventory now has what it knew, and what it did not know as the store has it.
        let after = state(&shop);
        for (key, value) in &before {
            prop_assert_eq!(after.get(key), Some(value));
        }
    }
}
