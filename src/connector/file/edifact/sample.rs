//! The beginning of an interchange that nobody has described yet: what its segments say by their
//! qualifiers (code lists of UN/EDIFACT D.96A, EANCOM).

use std::collections::BTreeMap;

use super::declared_encoding;
use super::segment::Signs;
use crate::connector::feed::decode::{Charset, read_encoding};
use crate::connector::feed::guess::{self, Column, Sample, kept};
use crate::connector::file::items::{Beginning, known_places};
use crate::connector::{ConnectorError, Context};
use crate::settings::Table;

/// The most different values of items that are looked at.
const COLUMNS: usize = 300;

/// What a quantity is, by its qualifier (6063): named as a feed would name a column.
const QUANTITIES: [(&str, &str); 2] = [("145", "stock"), ("17", "on hand")];

/// What a price is, by its qualifier (5125).
const PRICES: [(&str, &str); 9] = [
    ("AAA", "net price"),
    ("NTP", "net price"),
    ("INV", "price"),
    ("CAL", "price"),
    ("CUP", "price"),
    ("AAB", "gross price"),
    ("GRP", "gross price"),
    ("AAE", "gross price"),
    ("SRP", "retail price"),
];

/// What the number of an article is, by its kind (7143).
const NUMBERS: [(&str, &str); 8] = [
    ("EN", "ean"),
    ("SRV", "ean"),
    ("UP", "ean"),
    ("EAN", "ean"),
    ("SA", "supplier sku"),
    ("VN", "vendor code"),
    ("IN", "code"),
    ("BP", "code"),
];

/// See [`guess::TakeSample`].
pub(crate) fn sample(
    table: &mut Table<'_>,
    context: &Context,
) -> Result<Option<Sample>, ConnectorError> {
    let (items, _) = known_places(table);
    let encoding = read_encoding(table);
    let begin = Beginning::read(table, context, encoding, |bytes| {
        let declared = declared_encoding(bytes.head()).ok().flatten();
        Ok(Charset::detect(bytes.head(), bytes.head_is_all(), declared).encoding())
    })?;
    let Some(begin) = begin else { return Ok(None) };
    let items = items.as_deref().map_or("LIN", |items| items.trim_start_matches('/'));
    let (signs, start) = Signs::of(begin.text.trim_start().as_bytes());
    let mut rest = begin.text.trim_start().get(start..).unwrap_or_default().trim_start();
    if !rest.starts_with("UNB") {
        let message = "it is no EDIFACT interchange: it does not start with UNB";
        return Err(begin.error_at(0, message));
    }
    let mut taker = Taker { item: items, signs, columns: Columns::default(), is_in_item: false };
    let mut is_ended = false;
    while let Some(end) = signs.end_of_segment(rest.as_bytes()) {
        if taker.columns.items > guess::ITEMS {
            break;
        }
        is_ended |= rest.starts_with("UNZ");
        taker.take(&Segment::of(&rest[..end], &signs));
        rest = rest[end + 1..].trim_start();
    }
    if begin.is_all && !is_ended && taker.columns.items <= guess::ITEMS {
        return Err(begin.cut());
    }
    Ok(Some(taker.columns.sample(begin.is_all)))
}

/// A segment in its parts.
struct Segment {
    tag: String,
    /// By element, from the one behind the tag: its components.
    elements: Vec<Vec<String>>,
}

impl Segment {
    fn of(text: &str, signs: &Signs) -> Segment {
        let components = |element| {
            let parts = signs.split(element, signs.component);
            parts.map(|part| signs.decoded(part).trim().to_owned()).collect::<Vec<_>>()
        };
        let mut elements = signs.split(text, signs.element).map(components);
        let tag = elements.next().unwrap_or_default().into_iter().next().unwrap_or_default();
        Segment { tag, elements: elements.collect() }
    }

    /// The component of an element, both counted from 1; empty where there is none.
    fn at(&self, element: usize, component: usize) -> &str {
        let element = self.elements.get(element - 1);
        element.and_then(|parts| parts.get(component - 1)).map_or("", String::as_str)
    }
}

/// Takes what segments say into columns.
struct Taker<'t> {
    /// The segment that starts an item.
    item: &'t str,
    signs: Signs,
    columns: Columns,
    is_in_item: bool,
}

impl Taker<'_> {
    fn take(&mut self, segment: &Segment) {
        match segment.tag.as_str() {
            tag if tag == self.item => {
                self.is_in_item = true;
                self.columns.items += 1;
                self.item(segment);
            }
            "UNS" | "UNT" => self.is_in_item = false,
            "CUX" if !self.is_in_item => {
                let currency = ("/CUX/@1.2".to_owned(), segment.at(1, 2).to_owned());
                let known = &mut self.columns.currencies;
                if !currency.1.is_empty() && !known.contains(&currency) {
                    known.push(currency);
                }
            }
            _ if !self.is_in_item => {}
            "PIA" => self.further_numbers(segment),
            "IMD" => self.columns.add("IMD/@3.4".to_owned(), "name", segment.at(3, 4)),
            "QTY" => self.qualified(segment, &QUANTITIES, "another count"),
            "PRI" => {
                self.qualified(segment, &PRICES, "other price");
                let path = format!("PRI[@1.1='{}']/@1.5", segment.at(1, 1));
                self.columns.add(path, "unit price basis", segment.at(1, 5));
            }
            "CUX" => self.columns.add("CUX/@1.2".to_owned(), "currency", segment.at(1, 2)),
            _ => {}
        }
    }

    /// The segment that starts an item: its number stands for it where there is no other one.
    fn item(&mut self, segment: &Segment) {
        let (number, kind) = (segment.at(3, 1), segment.at(3, 2));
        let named = named(&NUMBERS, kind).unwrap_or("ean");
        self.columns.add("@3.1".to_owned(), named, number);
        if named == "ean" {
            self.columns.add("@3.1".to_owned(), "article", number);
        }
    }

    /// Up to five numbers, each with its kind.
    fn further_numbers(&mut self, segment: &Segment) {
        for element in 2..=6 {
            let (number, kind) = (segment.at(element, 1), segment.at(element, 2));
            let Some(name) = named(&NUMBERS, kind) else { continue };
            self.columns.add(format!("PIA[@{element}.2='{kind}']/@{element}.1"), name, number);
        }
    }

    /// A value whose meaning its qualifier says.
    fn qualified(
        &mut self,
        segment: &Segment,
        names: &[(&str, &'static str)],
        other: &'static str,
    ) {
        let qualifier = segment.at(1, 1);
        if qualifier.is_empty() || !qualifier.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return;
        }
        let mut number = segment.at(1, 2).to_owned();
        if self.signs.has_decimal_comma {
            // The reader knows this by itself.
            number = number.replace(',', ".");
        }
        let path = format!("{}[@1.1='{qualifier}']/@1.2", segment.tag);
        self.columns.add(path, named(names, qualifier).unwrap_or(other), &number);
    }
}

fn named(names: &[(&str, &'static str)], code: &str) -> Option<&'static str> {
    names.iter().find(|(known, _)| *known == code).map(|(_, name)| *name)
}

/// What the items have, by path and name.
#[derive(Default)]
struct Columns {
    items: usize,
    list: Vec<Column>,
    places: BTreeMap<(String, &'static str), usize>,
    currencies: Vec<(String, String)>,
}

impl Columns {
    /// Adds a value of the last item.
    fn add(&mut self, path: String, name: &'static str, value: &str) {
        let Some(value) = kept(value) else { return };
        let known = self.places.get(&(path.clone(), name)).copied();
        if known.is_none() && self.list.len() == COLUMNS {
            return;
        }
        let at = known.unwrap_or_else(|| {
            self.places.insert((path.clone(), name), self.list.len());
            self.list.push(Column { path, name: name.to_owned(), ..Column::default() });
            self.list.len() - 1
        });
        let column = &mut self.list[at];
        if column.values.len() == self.items {
            column.repeats = true;
            return;
        }
        column.values.resize(self.items - 1, None);
        column.values.push(Some(value));
    }

    fn sample(mut self, is_all: bool) -> Sample {
        let items = self.items.min(guess::ITEMS);
        for column in &mut self.list {
            column.values.resize(items, None);
        }
        self.list.retain(|column| column.values.iter().any(Option::is_some));
        let is_all = is_all && self.items <= guess::ITEMS;
        let (columns, currencies) = (self.list, self.currencies);
        Sample { items, is_all, columns, currencies, ..Sample::default() }
    }
}
