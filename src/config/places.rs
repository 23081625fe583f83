//! `[warehouses]` and `[price_groups]`.

use super::check_name;
use crate::model::Currency;
use crate::model::Place;
use crate::settings::{Entry, Table};

/// The declared warehouses: `main = "Main"` or `main = { name = "Main", renamed_from = "old" }`.
pub(super) fn warehouses(table: Option<Table<'_>>) -> Vec<Place> {
    all_places(table, read_warehouse)
}

/// The declared price groups: `retail = { name = "Retail", currency = "EUR" }`.
pub(super) fn price_groups(table: Option<Table<'_>>) -> Vec<Place> {
    all_places(table, read_price_group)
}

/// Places that are wrong stay declared, so that nothing else is reported because of them.
fn all_places(
    table: Option<Table<'_>>,
    read: impl Fn(&str, &str, Entry<'_>) -> Renamed,
) -> Vec<Place> {
    let Some(mut table) = table else { return Vec::new() };
    let mut places = Vec::new();
    let mut renames = Vec::new();
    for (key, line, entry) in table.entries() {
        let name = table.name_of(key);
        check_name(&table, line, &name, key);
        let found = read(key, &name, entry);
        renames.push(found.renamed_from_line);
        places.push(Place { line, ..found.place });
    }
    check_renames(&table, &places, &renames);
    places
}

/// A place, and the line of its `renamed_from`.
struct Renamed {
    place: Place,
    renamed_from_line: u64,
}

impl Renamed {
    fn new(key: &str, name: Option<String>) -> Renamed {
        let name = name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| key.to_owned());
        let (key, line) = (key.to_owned(), 0);
        let place = Place { key, name, renamed_from: None, currency: None, line };
        Renamed { place, renamed_from_line: 0 }
    }

    fn read_renamed_from(mut self, table: &mut Table<'_>) -> Renamed {
        if let Some((old, line)) = table.string("renamed_from") {
            let name = table.name_of("renamed_from");
            check_name(table, line, &name, &old);
            self.place.renamed_from = Some(old);
            self.renamed_from_line = line;
        }
        self
    }
}

fn read_warehouse(key: &str, name: &str, entry: Entry<'_>) -> Renamed {
    if !entry.is_table() {
        return Renamed::new(key, entry.string(name).map(|(text, _)| text));
    }
    let Some(mut table) = entry.table(name.to_owned()) else { return Renamed::new(key, None) };
    let display = table.string("name").map(|(text, _)| text);
    let found = Renamed::new(key, display).read_renamed_from(&mut table);
    table.finish();
    found
}

fn read_price_group(key: &str, name: &str, entry: Entry<'_>) -> Renamed {
    if !entry.is_table() {
        entry.error(format!(
            "`{name}` must be a table with its currency: {{ name = \"…\", currency = \"EUR\" }}"
        ));
        return Renamed::new(key, None);
    }
    let Some(mut table) = entry.table(name.to_owned()) else { return Renamed::new(key, None) };
    let display = table.string("name").map(|(text, _)| text);
    let mut found = Renamed::new(key, display);
    found.place.currency = read_currency(&mut table);
    let found = found.read_renamed_from(&mut table);
    table.finish();
    found
}

fn read_currency(table: &mut Table<'_>) -> Option<Currency> {
    let name = table.name_of("currency");
    let entry = table.require("currency")?;
    let (text, _) = entry.string(&name)?;
    let found = Currency::parse(&text);
    if found.is_none() {
        entry.error(format!("`{name}` must be a currency's code of three letters such as \"EUR\""));
    }
    found
}

/// A key that history follows must be gone, and can be followed by one key only.
fn check_renames(table: &Table<'_>, places: &[Place], lines: &[u64]) {
    for (at, (place, line)) in places.iter().zip(lines).enumerate() {
        let Some(old) = &place.renamed_from else { continue };
        let name = format!("`{}.renamed_from`", table.name_of(&place.key));
        if let Some(kept) = places.iter().find(|other| other.key == *old) {
            let message = format!(
                "{name} names a key that is still declared in line {}: remove one of the two",
                kept.line
            );
            table.problems().error(*line, message);
        }
        let rival = places[..at].iter().find(|other| other.renamed_from.as_ref() == Some(old));
        if let Some(rival) = rival {
            let rival = table.name_of(&rival.key);
            let message = format!("{name} names a key that `{rival}` is renamed from already");
            table.problems().error(*line, message);
        }
    }
}
