//! Published feeds of many kinds, read through the connectors' interface and held against what an
//! independent reader found in them. Runs where `INVSYNC_SAMPLES` names a folder with
//! `mappings.toml`, `expected.json` and the feeds.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use invsync::around::Around;
use invsync::connector::feed::presets;
use invsync::connector::{Context, REGISTRY, RowBatch, RowView, Value, Want};
use invsync::model::Decimal;
use invsync::settings::{Document, Problems, Table};
use serde_json::{Value as Json, json};

#[test]
fn samples_list_exactly_the_items_that_they_hold() {
    let Some(folder) = std::env::var_os("INVSYNC_SAMPLES").map(PathBuf::from) else {
        eprintln!("INVSYNC_SAMPLES is not set: the published samples were not read");
        return;
    };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Json = serde_json::from_str(&text).unwrap();
    let document = Document::new(
        &folder.join("mappings.toml"),
        std::fs::read_to_string(folder.join("mappings.toml")).unwrap(),
    );
    let mut checked = 0;
    for (name, feed) in expected["feeds"].as_object().unwrap() {
        if let Some(items) = read(&document, name, &folder) {
            let expected = feed["items"].as_array().unwrap();
            assert_eq!(items.len(), expected.len(), "{name}");
            for (item, expected) in items.iter().zip(expected) {
                assert_eq!(item, &normal(expected), "{name}");
            }
            checked += 1;
        }
    }
    assert!(checked >= 15, "{checked}");
}

/// A published feed of each preset's family, and what its shop has chosen otherwise.
const FAMILIES: [(&str, &str, &str, &str); 10] = [
    ("ceneo", "ceneo-kompre", "ceneo-kompre.xml", ""),
    ("iof", "iof-idosell", "iof-idosell-demo.xml", ""),
    ("google-merchant", "google-pccold", "google-pccold.xml", ""),
    ("yml", "yml-akcent", "yml-akcent.xml", ""),
    ("heureka", "heureka-hujer", "heureka-hujer.xml", ""),
    ("zbozi", "zbozi-hujer", "zbozi-hujer.xml", "fields.name = \"PRODUCT\""),
    (
        "bmecat-1.2",
        "bmecat-12",
        "bmecat-1.2-contorion.xml",
        "fields.price = { path = \"ARTICLE_PRICE_DETAILS/ARTICLE_PRICE[@price_type='EK_ohne_MWST']/PRICE_AMOUNT\", per = \"ARTICLE_ORDER_DETAILS/PRICE_QUANTITY\" }",
    ),
    ("bmecat-2005", "bmecat-2005", "bmecat-2005-weidmueller.xml", ""),
    ("meta", "meta-epages", "meta-epages.csv", ""),
    ("idealo", "idealo-epages", "idealo-epages.csv", ""),
];

#[test]
fn presets_read_published_feeds_of_their_family() {
    let Some(folder) = std::env::var_os("INVSYNC_SAMPLES").map(PathBuf::from) else { return };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Json = serde_json::from_str(&text).unwrap();
    for (preset, feed, file, own) in FAMILIES {
        let preset = presets::find(preset, None).unwrap();
        let config = format!("source = \"{file}\"\n{own}\n");
        let document = Document::new(&folder.join("mappings.toml"), config);
        let values = toml::de::DeTable::parse(document.text()).unwrap();
        let problems = Problems::default();
        let mut table = Table::root(&document, &problems, values.get_ref());
        table.stand_in(preset.keys(), 1);
        let items = read_table(table, &problems, &folder).unwrap();
        let expected = expected["feeds"][feed]["items"].as_array().unwrap();
        assert_eq!(items.len(), expected.len(), "{feed}");
        for (item, expected) in items.iter().zip(expected) {
            assert_eq!(item, &normal(expected), "{feed}");
        }
    }
}

/// What the feed itself does not say, or says in two ways: a person has to decide.
const NEEDS_A_PERSON: &[(&str, &str)] = &[
    // The feed has no id, and several items have one URL.
    ("zbozi-hujer", "*"),
    // A number of the row, beside the SKU that is enough for an id.
    ("supplier-json", "item_id"),
];

/// Feeds that name no currency: only people know where they come from.
const WITHOUT_CURRENCY: &[&str] =
    &["ceneo-kompre", "heureka-hujer", "idealo-beitz", "idealo-epages", "zbozi-hujer"];

#[test]
fn samples_are_mapped_as_a_person_would() {
    let Some(folder) = std::env::var_os("INVSYNC_SAMPLES").map(PathBuf::from) else {
        eprintln!("INVSYNC_SAMPLES is not set: the published samples were not mapped");
        return;
    };
    let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
    let expected: Json = serde_json::from_str(&text).unwrap();
    let mappings = std::fs::read_to_string(folder.join("mappings.toml")).unwrap();
    let mappings: toml::Table = mappings.parse().unwrap();
    let (mut checked, mut wrong) = (0, Vec::new());
    for (name, feed) in expected["feeds"].as_object().unwrap() {
        let mapping = &mappings["integrations"][name.as_str()];
        let connector = mapping["connector"].as_str().unwrap();
        if needs_a_person(name, "*") {
            continue;
        }
        let text = format!("[integrations.x]\nsource = {}\n", mapping["source"]);
        let document = Document::new(&folder.join("invsync.toml"), text);
        let mapped = invsync::engine::map(&document, "x", &Around::nobody()).unwrap().remove(0);
        assert_eq!((mapped.connector.as_str(), &mapped.fault), (connector, &None), "{name}");
        let found: Vec<Json> = mapped.items.rows().map(|row| item(&row)).collect();
        for expected in feed["items"].as_array().unwrap() {
            compare(name, &normal(expected), &found, &mut wrong);
        }
        checked += 1;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(checked >= 14, "{checked}");
}

fn needs_a_person(feed: &str, field: &str) -> bool {
    NEEDS_A_PERSON.contains(&(feed, field))
        || (field == "currency" && WITHOUT_CURRENCY.contains(&feed))
}

/// The item that is found by its SKU, or else by its id, has the fields that it should have.
fn compare(feed: &str, expected: &Json, found: &[Json], wrong: &mut Vec<String>) {
    let key = if expected["sku"].is_null() { "item_id" } else { "sku" };
    let Some(item) = found.iter().find(|item| item[key] == expected[key]) else {
        wrong.push(format!("{feed}: no item with {key} {}", expected[key]));
        return;
    };
    for field in ["item_id", "sku", "ean", "name", "quantity", "price", "currency"] {
        if item[field] != expected[field] && !needs_a_person(feed, field) {
            let (found, expected) = (&item[field], &expected[field]);
            wrong.push(format!("{feed}: {field} is {found} and should be {expected}"));
        }
    }
}

/// The items of a feed; `None` where no connector of this version reads it.
fn read(document: &Document, name: &str, folder: &Path) -> Option<Vec<Json>> {
    let values = toml::de::DeTable::parse(document.text()).unwrap();
    let problems = Problems::default();
    let mut root = Table::root(document, &problems, values.get_ref());
    let integrations = root.table("integrations").unwrap().entries();
    let (.., entry) = integrations.into_iter().find(|(key, ..)| *key == name).unwrap();
    let table = entry.table(format!("integrations.{name}")).unwrap();
    read_table(table, &problems, folder)
}

fn read_table(mut table: Table<'_>, problems: &Problems, folder: &Path) -> Option<Vec<Json>> {
    let (connector, _) = table.string("connector").unwrap();
    let registration = REGISTRY.iter().find(|known| known.name == connector)?;
    let context = Context::new("x", folder, false);
    let settings = (registration.settings)(&mut table, &context);
    table.finish();
    assert_eq!(problems.error_count(), 0);
    let places = invsync::model::StorePlaces::default();
    let connector = settings.unwrap().connect(&Around::nobody(), &places).unwrap();
    let mut reader = connector.open(Want { stock: true, prices: true, names: true }).unwrap();
    let (mut batch, mut items) = (RowBatch::default(), Vec::new());
    while reader.next(&mut batch).unwrap() {
        items.extend(batch.rows().map(|row| item(&row)));
    }
    reader.finish().unwrap();
    Some(items)
}

fn item(row: &RowView<'_>) -> Json {
    json!({
        "item_id": row.item_id().or(row.sku()),
        "sku": row.sku(),
        "ean": row.ean(),
        "name": row.name(),
        "quantity": number(row.quantity()),
        "price": number(row.price()),
        "currency": row.currency().map(|currency| currency.to_string()),
    })
}

fn number(value: Value) -> Option<String> {
    value.cell().get().map(|number| number.to_string())
}

/// The expected item with its numbers written as ours.
fn normal(expected: &Json) -> Json {
    let mut item = expected.clone();
    for key in ["quantity", "price"] {
        if let Some(text) = item[key].as_str() {
            item[key] = json!(Decimal::parse(text.as_bytes()).unwrap().to_string());
        }
    }
    item
}
