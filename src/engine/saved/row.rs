//! One change of a saved plan, and how two of them differ.

use std::fmt;

use rustc_hash::FxHashSet;
use serde::{Deserialize, Serialize};

use crate::config::Integration;
use crate::engine::matching::Matched;
use crate::engine::plan::SectionPlan;
use crate::engine::view;
use crate::inventory::{NewProduct, ProductId};
use crate::model::{ChangeRow, ChangeStatus, Section, StorePlaces, Value};

/// What a row is of: a section, or the products that a run makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    Stock,
    Prices,
    Links,
    Products,
}

impl From<Section> for Of {
    fn from(section: Section) -> Of {
        match section {
            Section::Stock => Of::Stock,
            Section::Prices => Of::Prices,
            Section::Links => Of::Links,
        }
    }
}

/// A change as it stands in the file, with the keys that it has in every JSON; or a new product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    section: Of,
    item_id: Option<String>,
    sku: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warehouse: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    price_group: Option<String>,
    /// The places at the store.
    #[serde(default, skip_serializing_if = "StorePlaces::is_empty")]
    at_store: StorePlaces,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ean: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent_sku: Option<String>,
    before: Option<String>,
    after: Option<String>,
    status: String,
    message: Option<String>,
}

impl Row {
    fn of(change: &ChangeRow<'_>) -> Row {
        let text = |text: Option<&str>| text.map(str::to_owned);
        let place = |section| text(change.place).filter(|_| change.section == section);
        Row {
            section: change.section.into(),
            item_id: text(change.item_id),
            sku: text(change.sku),
            warehouse: place(Section::Stock),
            price_group: place(Section::Prices),
            at_store: StorePlaces::default(),
            currency: change.currency.map(|currency| currency.to_string()),
            ean: None,
            name: None,
            parent_sku: None,
            before: change.before.text(change.currency),
            after: change.after.text(change.currency),
            status: change.status.word().to_owned(),
            message: text(change.message),
        }
    }

    fn of_product(product: &NewProduct) -> Row {
        Row {
            section: Of::Products,
            item_id: None,
            sku: Some(product.sku.clone()),
            warehouse: None,
            price_group: None,
            at_store: StorePlaces::default(),
            currency: None,
            ean: product.ean.clone(),
            name: product.name.clone(),
            parent_sku: product.parent_sku.clone(),
            before: None,
            after: None,
            status: ChangeStatus::Planned.word().to_owned(),
            message: None,
        }
    }

    /// What both sides are sorted by: section, then SKU, or item where it is a link.
    fn key(&self) -> (Of, &str) {
        let text = if self.section == Of::Links { &self.item_id } else { &self.sku };
        (self.section, text.as_deref().unwrap_or_default())
    }

    /// Whether both do the same, whatever is said about it.
    fn does_the_same(&self, other: &Row) -> bool {
        (self.section, &self.status) == (other.section, &other.status)
            && [&self.item_id, &self.sku] == [&other.item_id, &other.sku]
            && self.at_store == other.at_store
            && [&self.warehouse, &self.price_group, &self.currency]
                == [&other.warehouse, &other.price_group, &other.currency]
            && [&self.ean, &self.name, &self.parent_sku]
                == [&other.ean, &other.name, &other.parent_sku]
            && [&self.before, &self.after] == [&other.before, &other.after]
    }

    fn title(&self) -> String {
        let item = self.item_id.as_deref().unwrap_or_default();
        let sku = self.sku.as_deref().unwrap_or_default();
        match self.section {
            Of::Links => return format!("link of item {item}"),
            Of::Products => return format!("new product {sku}"),
            Of::Stock | Of::Prices => {}
        }
        let place = match (&self.warehouse, &self.price_group) {
            (Some(key), _) => column(Section::Stock, key),
            (_, key) => column(Section::Prices, key.as_deref().unwrap_or_default()),
        };
        let of = if item == sku { String::new() } else { format!(" (item {item})") };
        format!("{sku} {place}{of}")
    }
}

/// A place as the columns of an inventory's CSV are called.
pub(super) fn column(section: Section, key: &str) -> String {
    let kind = if section == Section::Prices { "price" } else { section.word() };
    format!("{kind}.{key}")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "–".to_owned());
        if self.section == Of::Products {
            let name = self
                .name
                .as_ref()
                .map_or_else(|| "without a name".to_owned(), |name| format!("\"{name}\""));
            let ean = self.ean.as_ref().map(|ean| format!(", EAN {ean}")).unwrap_or_default();
            let parent = self.parent_sku.as_ref().map(|sku| format!(", parent {sku}"));
            return write!(f, "{name}{ean}{}", parent.unwrap_or_default());
        }
        write!(f, "{} → {}", side(&self.before), side(&self.after))?;
        match self.status.as_str() {
            "planned" => Ok(()),
            status => write!(f, " ({})", status.replace('_', " ")),
        }
    }
}

/// What a run would do with what one source delivered: its changes by section and SKU, then the
/// links that it would make, by item, then the products, by SKU.
pub(super) fn rows<'a>(
    matched: &'a Matched,
    plans: &'a [SectionPlan],
    links: &mut NewLinks,
) -> impl Iterator<Item = Row> + use<'a> {
    let changes = plans.iter().flat_map(move |plan| {
        view::in_sku_order(matched, plan).into_iter().map(move |at| {
            let change = &plan.changes[at as usize];
            let item = matched.item_id(change.product, change.item);
            let row = Row::of(&view::row(matched, plan, change, Some(item), None));
            Row { at_store: plan.place.at_store.clone(), ..row }
        })
    });
    let created = links.products_of(matched);
    let links = links.of(matched).into_iter().map(|(item_id, product)| {
        let sku = matched.products.sku(product);
        Row::of(&ChangeRow {
            section: Section::Links,
            item_id: Some(item_id),
            sku: Some(sku),
            name: None,
            place: None,
            location: None,
            currency: None,
            before: Value::None,
            after: Value::Sku(sku),
            status: ChangeStatus::Planned,
            message: None,
        })
    });
    // They stand in the order of their SKUs.
    changes.chain(links).chain(created.into_iter().map(Row::of_product))
}

/// The links and products that the sources of a run make, each told once: a source finds those of
/// the ones before it where they were applied, and would make them again where they were only planned.
pub(super) struct NewLinks {
    has_several_sources: bool,
    told: FxHashSet<String>,
    told_products: FxHashSet<String>,
}

impl NewLinks {
    pub(super) fn new(integration: &Integration) -> NewLinks {
        let has_several_sources = integration.parts.len() > 1;
        NewLinks {
            has_several_sources,
            told: FxHashSet::default(),
            told_products: FxHashSet::default(),
        }
    }

    /// The products of the next source, by SKU.
    fn products_of<'m>(&mut self, matched: &'m Matched) -> Vec<&'m NewProduct> {
        let mut products: Vec<_> = matched.created.iter().collect();
        if self.has_several_sources {
            products.retain(|product| self.told_products.insert(product.sku.clone()));
        }
        products
    }

    /// The links of the next source, by item.
    fn of<'m>(&mut self, matched: &'m Matched) -> Vec<(&'m str, ProductId)> {
        let own = matched.new_sku_links();
        let own = own.iter().map(|product| (matched.products.sku(product), product));
        let others = matched.new_links();
        let others = others.iter().filter_map(|(item_id, link)| Some((*item_id, link.product?)));
        let mut links: Vec<_> = own.chain(others).collect();
        if self.has_several_sources {
            links.retain(|(item_id, _)| self.told.insert((*item_id).to_owned()));
        }
        links.sort_unstable();
        links
    }
}

/// How what was planned and what would be done now differ.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Differences {
    /// How many rows differ.
    pub(super) count: u64,
    /// The first of them, each in words.
    pub(super) first: Vec<String>,
    /// How many rows were planned.
    pub(super) planned: u64,
    /// How many would be done now.
    pub(super) now: u64,
}

impl Differences {
    const NAMED: usize = 5;

    fn add(&mut self, row: &Row, words: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < Differences::NAMED {
            self.first.push(format!("{}: {}", row.title(), words()));
        }
    }
}

/// Holds two sorted lists against each other, in one pass and without keeping either.
pub(super) fn compare<E>(
    planned: impl Iterator<Item = Result<Row, E>>,
    now: impl Iterator<Item = Row>,
) -> Result<Differences, E> {
    let mut found = Differences::default();
    let mut now = now.peekable();
    for planned in planned {
        let planned = planned?;
        found.planned += 1;
        while let Some(new) = now.next_if(|new| new.key() < planned.key()) {
            found.now += 1;
            found.add(&new, || format!("not in the plan, now {new}"));
        }
        match now.next_if(|row| row.key() == planned.key()) {
            Some(row) => {
                found.now += 1;
                if !row.does_the_same(&planned) {
                    found.add(&planned, || format!("planned {planned}, now {row}"));
                }
            }
            None => found.add(&planned, || format!("planned {planned}, now nothing to do")),
        }
    }
    for new in now {
        found.now += 1;
        found.add(&new, || format!("not in the plan, now {new}"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stock(sku: &str, before: &str, after: &str) -> Row {
        Row {
            section: Of::Stock,
            item_id: Some(sku.to_owned()),
            sku: Some(sku.to_owned()),
            warehouse: Some("main".to_owned()),
            price_group: None,
            at_store: StorePlaces::default(),
            currency: None,
            ean: None,
            name: None,
            parent_sku: None,
            before: Some(before.to_owned()),
            after: Some(after.to_owned()),
            status: "planned".to_owned(),
            message: None,
        }
    }

    fn compared(planned: &[Row], now: &[Row]) -> Differences {
        let planned = planned.iter().cloned().map(Ok::<_, ()>);
        compare(planned, now.iter().cloned()).unwrap()
    }

    #[test]
    fn equal_lists_do_not_differ_whatever_is_said_about_their_rows() {
        let rows = [stock("A", "1", "2"), stock("B", "1", "2")];
        let said = rows.clone().map(|row| Row { message: Some("x".to_owned()), ..row });
        assert_eq!(compared(&rows, &said).count, 0);
    }

    #[test]
    fn what_is_gone_new_or_different_is_named() {
        let planned = [stock("A", "1", "2"), stock("C", "1", "2"), stock("D", "1", "2")];
        let held = Row { status: "held_back".to_owned(), ..stock("D", "1", "2") };
        let now = [stock("A", "1", "3"), stock("B", "1", "2"), held, stock("E", "0", "1")];
        let found = compared(&planned, &now);
        assert_eq!((found.count, found.planned, found.now), (5, 3, 4));
        insta::assert_snapshot!(found.first.join("\n"), @r"
        A stock.main: planned 1 → 2, now 1 → 3
        B stock.main: not in the plan, now 1 → 2
        C stock.main: planned 1 → 2, now nothing to do
        D stock.main: planned 1 → 2, now 1 → 2 (held back)
        E stock.main: not in the plan, now 0 → 1
        ");
    }

    #[test]
    fn of_many_differences_the_first_are_named_and_all_are_counted() {
        let planned: Vec<Row> = (10..99).map(|n| stock(&n.to_string(), "1", "2")).collect();
        let found = compared(&planned, &[]);
        assert_eq!((found.count, found.first.len()), (89, 5));
    }
}
