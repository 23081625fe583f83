//! From the shop's variants to items.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};

use super::api::{Level, Price, Variant, VariantPage};
use super::read::{ListPrice, ListPrices};
use super::settings::{EanField, QuantityField, ValueSettings};
use super::store::{PriceTarget, Store};
use crate::connector::http::Pages;
use crate::connector::loose::Loose;
use crate::connector::{ConnectorError, Delivery, Reader, Row, RowBatch, Span, Value, Want};
use crate::model::{Decimal, ProblemKind, Section};

/// What was read of each variant and is needed to write it.
#[derive(Default)]
pub(super) struct Memory(Mutex<FxHashMap<Box<str>, Known>>);

/// What is known of one variant.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The product that it belongs to.
    pub(super) product: Box<str>,
    /// All its base prices, as they came.
    pub(super) prices: Box<str>,
    /// The price that it has in the price list.
    pub(super) listed: Option<Box<str>>,
    /// How much of it orders have reserved at the location.
    pub(super) reserved: Decimal,
}

impl Default for Known {
    fn default() -> Known {
        let (product, prices) = (Box::default(), Box::from("[]"));
        Known { product, prices, listed: None, reserved: Decimal::ZERO }
    }
}

impl Known {
    /// Takes what was read anew, and keeps what was not asked for.
    pub(super) fn update(&mut self, read: Known, want: Want) {
        self.product = read.product;
        if want.prices {
            (self.prices, self.listed) = (read.prices, read.listed);
        }
        if want.stock {
            self.reserved = read.reserved;
        }
    }
}

impl Memory {
    pub(super) fn lock(&self) -> MutexGuard<'_, FxHashMap<Box<str>, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A catalogue, drained page by page.
pub(super) struct MedusaReader {
    pages: Pages,
    read_at: Instant,
    maker: RowMaker,
    memory: Arc<Memory>,
    /// The last variant of the page before, which the next page begins with.
    last: Box<str>,
    page: Vec<u8>,
    /// What is wrong with the whole shop; told with the first batch.
    shop_problems: Vec<(ProblemKind, String)>,
}

impl MedusaReader {
    pub(super) fn new(
        pages: Pages,
        read_at: Instant,
        maker: RowMaker,
        memory: Arc<Memory>,
        shop_problems: Vec<(ProblemKind, String)>,
    ) -> MedusaReader {
        let (last, page) = (Box::default(), Vec::new());
        MedusaReader { pages, read_at, maker, memory, last, page, shop_problems }
    }
}

impl Reader for MedusaReader {
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError> {
        rows.clear();
        for (kind, problem) in self.shop_problems.drain(..) {
            rows.add_lost_row(kind, 0, problem);
        }
        while !rows.is_full() {
            if !self.pages.next(&mut self.page)? {
                return Ok(!rows.is_empty() || !rows.problems().is_empty());
            }
            let page: VariantPage<'_> = serde_json::from_slice(&self.page).map_err(|_| {
                ConnectorError::source("what was fetched was changed on this machine's disk")
            })?;
            let mut memory = self.memory.lock();
            for variant in &page.variants {
                if *variant.id == *self.last {
                    continue;
                }
                self.maker.add(variant, rows);
                memory.insert(variant.id.as_ref().into(), self.maker.known(variant));
            }
            if let Some(last) = page.variants.last() {
                self.last = last.id.as_ref().into();
            }
        }
        Ok(true)
    }

    fn finish(self: Box<Self>) -> Result<Delivery, ConnectorError> {
        Ok(Delivery { complete: true, read_at: Some(self.read_at), ..Delivery::default() })
    }
}

/// Makes items of variants.
#[derive(Clone)]
pub(super) struct RowMaker {
    store: Arc<Store>,
    pub(super) want: Want,
    ean_field: EanField,
    quantity_field: QuantityField,
    /// The stock location; `None`: no quantity can be used.
    pub(super) location: Option<String>,
    /// Which prices are meant; `None`: none can be used.
    pub(super) target: Option<PriceTarget>,
    /// Inventory items that several variants share.
    shared: Arc<FxHashSet<Box<str>>>,
    /// The prices of the price list, where one is meant.
    listed: Arc<ListPrices>,
}

/// A value of an item as the shop has it, and the problem if there is one.
pub(super) type Found = (Value, Option<(ProblemKind, String)>);

impl RowMaker {
    pub(super) fn new(store: &Arc<Store>, want: Want, values: &ValueSettings) -> RowMaker {
        RowMaker {
            store: Arc::clone(store),
            want,
            ean_field: values.ean_field,
            quantity_field: values.quantity_field,
            location: None,
            target: None,
            shared: Arc::default(),
            listed: Arc::default(),
        }
    }

    /// Takes the inventory items that several variants share.
    pub(super) fn take_shared(&mut self, shared: Arc<FxHashSet<Box<str>>>) {
        self.shared = shared;
    }

    /// Takes the prices of the price list.
    pub(super) fn take_listed(&mut self, listed: ListPrices) {
        self.listed = Arc::new(listed);
    }

    /// Adds the item that a variant is.
    fn add(&self, variant: &Variant<'_>, rows: &mut RowBatch) {
        let (quantity, price) = (self.quantity(variant), self.price(variant));
        let add = |rows: &mut RowBatch, text: Option<&str>| {
            text.map_or(Span::ABSENT, |text| rows.add_text(text))
        };
        let name = self.want.names.then(|| name_of(variant)).flatten();
        let currency = self.target.as_ref().map(|target| target.currency);
        let handle = match variant.inventory_items.as_slice() {
            [only] => Some(only.inventory_item_id.as_ref()),
            _ => None,
        };
        let row = Row {
            item_id: rows.add_text(&variant.id),
            sku: add(rows, variant.sku.text()),
            ean: add(rows, self.ean(variant).text()),
            name: add(rows, name.as_deref()),
            parent_sku: Span::ABSENT,
            handle: add(rows, handle),
            quantity: quantity.0,
            price: price.0,
            currency: currency.filter(|_| matches!(price.0, Value::Known(_))),
            line: 0,
        };
        for (kind, message) in quantity.1.into_iter().chain(price.1) {
            rows.add_problem(kind, 0, message);
        }
        rows.add_row(row);
    }

    fn ean<'v>(&self, variant: &'v Variant<'_>) -> &'v Loose {
        match self.ean_field {
            EanField::Ean => &variant.ean,
            EanField::Barcode => &variant.barcode,
            EanField::Upc => &variant.upc,
        }
    }

    /// What has to be known of a variant to write it.
    pub(super) fn known(&self, variant: &Variant<'_>) -> Known {
        let listed = self.listed.get(variant.id.as_ref()).and_then(|own| own.first());
        let reserved = self.level(variant).map(|level| level.reserved_quantity.binary_number());
        Known {
            product: variant.product_id.as_ref().into(),
            prices: variant.prices.map_or("[]", |prices| prices.get()).into(),
            listed: listed.map(|price| price.id.clone()),
            reserved: reserved.and_then(|found| found.ok().flatten()).unwrap_or(Decimal::ZERO),
        }
    }

    /// The value of a section, where the shop has it at this item.
    pub(super) fn value(&self, section: Section, variant: &Variant<'_>) -> Found {
        match section {
            Section::Prices => self.price(variant),
            _ => self.quantity(variant),
        }
    }

    fn quantity(&self, variant: &Variant<'_>) -> Found {
        if !self.want.stock {
            return (Value::Unknown, None);
        }
        if self.location.is_none() {
            return (Value::Invalid, None);
        }
        if let Some(why) = self.why_not_managed(variant) {
            return (Value::Invalid, Some((ProblemKind::NotManaged, why.to_owned())));
        }
        // What has no level is not kept at this location, which is not 0.
        match self.level(variant) {
            None => (Value::Unknown, None),
            Some(level) => self.figure(level),
        }
    }

    fn figure(&self, level: &Level<'_>) -> Found {
        let (stocked, problem) = self.number(&level.stocked_quantity, "stocked_quantity");
        if self.quantity_field == QuantityField::Stocked {
            return (stocked, problem);
        }
        let (reserved, other) = self.number(&level.reserved_quantity, "reserved_quantity");
        let free = match (stocked.cell().get(), reserved.cell().get()) {
            (Some(stocked), Some(reserved)) => stocked.checked_sub(reserved),
            (stocked, None) if other.is_none() => stocked,
            _ => None,
        };
        let nothing = if problem.is_some() || other.is_some() { Value::Invalid } else { stocked };
        (free.map_or(nothing, Value::Known), problem.or(other))
    }

    /// Why a variant has no stock of its own; `None`: it has.
    fn why_not_managed(&self, variant: &Variant<'_>) -> Option<&'static str> {
        if !variant.manage_inventory {
            return Some(
                "the store does not count its stock; its quantity is unknown and none is sent. \
                 Switch on \"Manage inventory\" at the variant",
            );
        }
        match variant.inventory_items.as_slice() {
            [] => Some(
                "the store has no inventory item for it; its quantity is unknown and none is sent. \
                 Save the variant's inventory in Medusa Admin",
            ),
            [only] if !is_one(&only.required_quantity) => Some(
                "it takes several pieces of an inventory item (a kit); its quantity is unknown and \
                 none is sent",
            ),
            [only] if self.shared.contains(only.inventory_item_id.as_ref()) => Some(
                "it shares its inventory item with another variant; its quantity is unknown and \
                 none is sent",
            ),
            [_] => None,
            _ => Some(
                "it is made of several inventory items (a kit); its quantity is unknown and none \
                 is sent",
            ),
        }
    }

    fn level<'v, 'a>(&self, variant: &'v Variant<'a>) -> Option<&'v Level<'a>> {
        let levels = &variant.inventory_items.first()?.inventory.as_ref()?.location_levels;
        levels.iter().find(|level| Some(level.location_id.as_ref()) == self.location.as_deref())
    }

    fn price(&self, variant: &Variant<'_>) -> Found {
        if !self.want.prices {
            return (Value::Unknown, None);
        }
        let Some(target) = &self.target else { return (Value::Invalid, None) };
        if target.list.is_some() {
            return self.listed_price(variant);
        }
        let prices = variant.prices.map_or("[]", |prices| prices.get());
        let Ok(prices) = serde_json::from_str::<Vec<Price<'_>>>(prices) else {
            let why = "its prices are no list that anybody knows; none was used".to_owned();
            return (Value::Invalid, Some((ProblemKind::InvalidValue, why)));
        };
        match target.pick(&prices) {
            Ok(None) => (Value::Unknown, None),
            Ok(Some(price)) => self.amount(price.amount.get()),
            Err(why) => (Value::Invalid, Some((ProblemKind::InvalidValue, why))),
        }
    }

    fn listed_price(&self, variant: &Variant<'_>) -> Found {
        match self.listed.get(variant.id.as_ref()).map_or(&[][..], Vec::as_slice) {
            [] => (Value::Unknown, None),
            [ListPrice { amount, .. }] => self.amount(amount),
            several => {
                let why = format!(
                    "the price list has {} prices of one kind for it, and nobody knows which \
                     counts; none was used. Leave one of them in Medusa Admin",
                    several.len()
                );
                (Value::Invalid, Some((ProblemKind::InvalidValue, why)))
            }
        }
    }

    fn amount(&self, json: &str) -> Found {
        let amount = serde_json::from_str(json).unwrap_or_default();
        self.number(&amount, "amount")
    }

    /// A number of the shop; what is none is named.
    fn number(&self, text: &Loose, field: &str) -> Found {
        match text.binary_number() {
            Ok(number) => (number.map_or(Value::Unknown, Value::Known), None),
            Err(text) => {
                let shown: String = self.store.client.scrub(text).chars().take(40).collect();
                let why = format!(
                    "`{}` in {field} is no number that fits; it was left unchanged",
                    shown.escape_debug()
                );
                (Value::Invalid, Some((ProblemKind::InvalidValue, why)))
            }
        }
    }
}

fn is_one(number: &Loose) -> bool {
    number
        .binary_number()
        .ok()
        .flatten()
        .is_none_or(|number| Decimal::from_micros(1_000_000) == Some(number))
}

/// A variant's name is often but what tells it from the others of its product.
fn name_of(variant: &Variant<'_>) -> Option<String> {
    let own = variant.title.text();
    let family = variant.product.as_ref().and_then(|product| product.title.text());
    match (own, family) {
        (Some(own), Some(family)) if !own.starts_with(family) => Some(format!("{family} – {own}")),
        (own, family) => own.or(family).map(str::to_owned),
    }
}
