//! Which requests a pull and a push make: each of them, and no other.

use crate::support::woocommerce::{Catalogue, Fake, Item};
use crate::support::{DOWNLOAD, SEND};

use super::{SEND_STOCK, VERSIONS, requests, selling, shop};

const STOCK: &str = "id,type,sku,global_unique_id,variations,manage_stock,stock_quantity";
const PRICES: &str = ",regular_price,sale_price";
const STATUS: &str = "GET system_status?_fields=environment.version,settings.currency,\
                      settings.number_of_decimals";
/// What a pull of stock and nothing else begins with.
const DOWNLOAD_STOCK: &str = "
[integrations.store-a.stock]
direction = \"download\"
warehouse = \"main\"
";

/// The pages of a list of so many items, each beginning with the last row of the one before, as the
/// proof that nothing slipped past.
fn pages(list: &str, fields: &str, items: usize) -> Vec<String> {
    let last = 1 + items.saturating_sub(100).div_ceil(99);
    let page = |page: usize| {
        let offset = if page > 1 { format!("&offset={}", (page - 1) * 99) } else { String::new() };
        format!("GET {list}?_fields={fields}{offset}&order=asc&orderby=id&page={page}&per_page=100")
    };
    (1..=last).map(page).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

fn with_names(fields: &str) -> String {
    fields.replace("variations", "variations,name")
}

#[test]
fn a_pull_of_2500_items_asks_for_each_page() {
    for version in VERSIONS {
        for (sections, with_prices) in [(DOWNLOAD_STOCK, false), (DOWNLOAD, true)] {
            let fake =
                Fake::start(Catalogue::new().simples(1..=2500, |p| p.stock("5").price("10")));
            fake.settings(|shop| shop.version = version);
            let shop = shop(&fake, sections, "sku,stock.main,price.retail\nSKU-00001,6,11\n");
            shop.run("pull store-a").code(0).stock("main", "SKU-00001", "5");
            let fields = if with_prices { format!("{STOCK}{PRICES}") } else { STOCK.to_owned() };
            let asked = requests(&fake);
            let has_names = asked[0].contains(",name");
            let fields = if has_names { with_names(&fields) } else { fields };
            let mut expected = pages("products", &fields, 2500);
            expected.extend(with_prices.then(|| STATUS.to_owned()));
            assert_eq!(asked, sorted(expected), "{version}");
        }
    }
}

#[test]
fn a_pull_of_2500_items_of_all_kinds_asks_for_each_page() {
    let variable = |shop: Catalogue, n: u64| {
        let parent = 10_000 + n * 10;
        let add = |p: Item, id: u64| p.variation(id, &format!("V-{id}"), |v| v.stock("5"));
        shop.item((parent + 1..=parent + 6).fold(Item::variable(parent, ""), add))
    };
    let simple = Catalogue::new().simples(1..=1000, |p| p.stock("5").price("10"));
    let fake = Fake::start((0..250).fold(simple, variable));
    let shop = shop(&fake, SEND_STOCK, "sku,stock.main\nSKU-00001,5\n");
    shop.run("push store-a").code(0);
    let of_variations = STOCK.replace("variations", "parent_id");
    let mut expected = pages("products", STOCK, 1250);
    expected.extend(pages("variations", &of_variations, 1500));
    assert_eq!(requests(&fake), sorted(expected));
}

#[test]
fn a_push_of_1000_changes_makes_ten_batches() {
    for version in VERSIONS {
        let (fake, shop) = selling(1000, SEND_STOCK);
        fake.settings(|shop| shop.version = version);
        shop.run("push store-a").code(0);
        let mut expected = pages("products", STOCK, 1000);
        expected.extend(vec!["POST products/batch (100)".to_owned(); 10]);
        assert_eq!(requests(&fake), sorted(expected), "{version}");
    }
}

#[test]
fn a_push_of_1000_changes_of_both_values_makes_ten_batches() {
    let (fake, shop) = selling(1000, SEND);
    // Prices that all move by one factor are for a guard.
    let price = |id: u64| format!("{}.00", 11 + id % 5);
    let rows: String = (1..=1000).map(|id| format!("SKU-{id:05},{}\n", price(id))).collect();
    let shop = shop.inventory(&format!("sku,price.retail\n{rows}"));
    shop.run("push store-a").code(0);
    let mut expected = pages("products", &format!("{STOCK}{PRICES}"), 1000);
    expected.push(STATUS.to_owned());
    expected.extend(vec!["POST products/batch (100)".to_owned(); 10]);
    assert_eq!(requests(&fake), sorted(expected));
    assert!((1..=1000).all(|id| fake.stock(id) == "6" && fake.price(id) == price(id)));
}

#[test]
fn a_push_of_1000_variations_makes_ten_batches() {
    let variable = |shop: Catalogue, parent: u64| {
        let add = |p: Item, id: u64| p.variation(id, &format!("V-{id}"), |v| v.stock("5"));
        shop.item((parent + 1..=parent + 5).fold(Item::variable(parent, ""), add))
    };
    let fake = Fake::start((1..=200).map(|n| n * 10).fold(Catalogue::new(), variable));
    let ids = (1..=200).flat_map(|n| n * 10 + 1..=n * 10 + 5);
    let rows: String = ids.map(|id| format!("V-{id},6\n")).collect();
    let shop = shop(&fake, SEND_STOCK, &format!("sku,stock.main\n{rows}"))
        .config("[integrations.store-a.guard]\nmax_changed = \"100%\"");
    shop.run("push store-a").code(0);
    let mut expected = pages("products", STOCK, 200);
    expected.extend(pages("variations", &STOCK.replace("variations", "parent_id"), 1000));
    let batches = fake.count("POST products/*/variations/batch");
    let others: Vec<_> =
        requests(&fake).into_iter().filter(|line| !line.starts_with("POST")).collect();
    assert_eq!((others, batches), (sorted(expected), 10));
}

#[test]
fn a_shop_without_variations_is_not_asked_for_any() {
    let (fake, shop) = selling(3, SEND_STOCK);
    shop.run("push store-a").code(0);
    assert_eq!(fake.kinds(), ["1 × GET products", "1 × POST products/batch"]);
}

#[test]
fn a_sync_in_both_directions_reads_the_shop_once() {
    let (fake, shop) = selling(
        3,
        "
[integrations.store-a.stock]
direction = \"send\"
warehouse = \"main\"
[integrations.store-a.prices]
direction = \"download\"
price_group = \"retail\"
",
    );
    (1..=3).for_each(|id| fake.set_price(id, "11"));
    shop.run("sync store-a").code(0).price("retail", "SKU-00001", "11.00");
    assert_eq!(fake.stock(1), "6");
    let once = ["1 × GET products", "1 × GET system_status", "1 × POST products/batch"];
    assert_eq!(fake.kinds(), once);
}

#[test]
fn every_request_says_who_makes_it_and_passes_caches() {
    let (fake, shop) = selling(3, SEND);
    shop.run("push store-a").code(0);
    let agent = concat!("invsync/", env!("CARGO_PKG_VERSION"));
    for request in fake.log() {
        assert!(request.agent.is_some_and(|own| own.starts_with(agent)));
        let has_cache_breaker = request.query.iter().any(|(name, _)| name == "_");
        assert_eq!(has_cache_breaker, request.method == "GET");
    }
}
