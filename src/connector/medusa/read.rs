//! Reading all variants, and all prices of a price list, in the fewest requests, until the paging
//! is proven whole.
//!
//! Lists have no cursor. They are read in the order of ids, and each page begins with the row that
//! the one before ended with: where it begins with another, something was added or taken away
//! meanwhile and a row may have slipped past, so that all is read again. What is new has the
//! highest id and stands last.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHashSet};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::api::{Price, PricePage, VariantPage};
use super::store::{PAGE, PriceTarget, Store};
use crate::connector::http::Spool;
use crate::connector::http::parallel::{self, Queue};
use crate::connector::{ConnectorError, Want};

/// How often a list that changes while it is read is read from its beginning.
const PASSES: u32 = 3;

/// All variants.
#[derive(Default)]
pub(super) struct Catalogue {
    /// The pages, as they came.
    pub(super) pages: Spool,
    /// Inventory items that several variants share.
    pub(super) shared: FxHashSet<Box<str>>,
}

/// The prices of a price list that are of the kind that is meant, by variant.
pub(super) type ListPrices = FxHashMap<Box<str>, Vec<ListPrice>>;

/// A price in a price list.
#[derive(Clone, Debug)]
pub(super) struct ListPrice {
    pub(super) id: Box<str>,
    /// As JSON.
    pub(super) amount: Box<str>,
}

/// What is read of each variant.
pub(super) fn fields(want: Want) -> String {
    let mut fields = vec!["id", "product_id", "title", "sku", "ean", "barcode", "upc"];
    if want.names {
        fields.push("product.title");
    }
    if want.stock {
        fields.extend([
            "manage_inventory",
            "inventory_items.inventory_item_id",
            "inventory_items.required_quantity",
            "inventory_items.inventory.location_levels.location_id",
            "inventory_items.inventory.location_levels.stocked_quantity",
            "inventory_items.inventory.location_levels.reserved_quantity",
        ]);
    }
    if want.prices {
        fields.extend([
            "prices.id",
            "prices.currency_code",
            "prices.amount",
            "prices.min_quantity",
            "prices.max_quantity",
            // Without these the price of a region looks like the usual one.
            "prices.price_rules.attribute",
            "prices.price_rules.value",
        ]);
    }
    fields.join(",")
}

/// Reads all variants.
pub(super) fn catalogue(store: &Store, want: Want) -> Result<Catalogue, ConnectorError> {
    let list = List { store, path: "product-variants", fields: fields(want) };
    list.read(&|page: &RawValue, order, all: &mut (Catalogue, FxHashSet<Box<str>>)| {
        let found: VariantPage<'_> = serde_json::from_str(page.get()).map_err(|_| NOT_A_LIST)?;
        let (catalogue, seen) = all;
        // What a page begins with stands on the one before, too.
        let own = found.variants.iter().skip(usize::from(order > 0));
        for item in own.flat_map(|variant| &variant.inventory_items) {
            let item: Box<str> = item.inventory_item_id.as_ref().into();
            if let Some(item) = seen.replace(item) {
                catalogue.shared.insert(item);
            }
        }
        catalogue.pages.add((order, 0), page.get().as_bytes()).map_err(Failed::NotKept)?;
        Ok(Ends::of(found.count, found.variants.iter().map(|variant| variant.id.as_ref())))
    })
    .map(|(catalogue, _)| catalogue)
}

/// Reads the prices of a price list.
pub(super) fn list_prices(
    store: &Store,
    target: &PriceTarget,
) -> Result<ListPrices, ConnectorError> {
    let fields = "id,currency_code,amount,min_quantity,max_quantity,price_set.variant.id,\
                  price_rules.attribute,price_rules.value";
    let path = format!("price-lists/{}/prices", target.list.as_deref().unwrap_or_default());
    let list = List { store, path: &path, fields: fields.to_owned() };
    list.read(&|page: &RawValue, _, all: &mut ListPrices| {
        let found: PricePage<'_> = serde_json::from_str(page.get()).map_err(|_| NOT_A_LIST)?;
        for price in found.prices.iter().filter(|price| target.is_of(price)) {
            let Some(variant) = variant_of(price) else { continue };
            let own = all.entry(variant).or_default();
            if own.iter().all(|known| *known.id != *price.id) {
                let (id, amount) = (Box::from(price.id.as_ref()), Box::from(price.amount.get()));
                own.push(ListPrice { id, amount });
            }
        }
        Ok(Ends::of(found.count, found.prices.iter().map(|price| price.id.as_ref())))
    })
}

fn variant_of(price: &Price<'_>) -> Option<Box<str>> {
    let variant = price.price_set.as_ref()?.variant.as_ref()?;
    Some(Box::from(variant.id.as_ref()))
}

/// Why a page cannot be used.
enum Failed {
    /// It is JSON, but not such a list.
    NotAList,
    NotKept(ConnectorError),
}

const NOT_A_LIST: Failed = Failed::NotAList;

/// Where a page begins and ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Ends {
    first: Box<str>,
    last: Box<str>,
    rows: usize,
    /// How many rows the list had in all.
    count: u64,
}

impl Ends {
    fn of<'r>(count: u64, mut ids: impl ExactSizeIterator<Item = &'r str>) -> Ends {
        let rows = ids.len();
        let first = ids.next().unwrap_or_default();
        let last = ids.last().unwrap_or(first);
        Ends { first: first.into(), last: last.into(), rows, count }
    }
}

/// A list of the shop that is read to its end.
struct List<'s> {
    store: &'s Store,
    path: &'s str,
    fields: String,
}

/// Takes a page: its text, its number, and what has been gathered so far.
type Take<'t, T> = &'t (dyn Fn(&RawValue, u32, &mut T) -> Result<Ends, Failed> + Sync);

/// What a pass has found, shared by its threads.
#[derive(Default)]
struct Found<T> {
    gathered: T,
    pages: BTreeMap<u32, Ends>,
    /// Pages that were asked for.
    asked: u32,
}

impl List<'_> {
    /// Reads the list, again where it changed meanwhile.
    fn read<T: Default + Send>(&self, take: Take<'_, T>) -> Result<T, ConnectorError> {
        for _ in 0..PASSES {
            let found = Mutex::new(Found { asked: 1, ..Found::default() });
            let threads = self.store.client.concurrency();
            parallel::run(threads, [0], |page, queue| self.page(page, take, &found, queue))?;
            let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
            if is_whole(&found.pages) {
                return Ok(found.gathered);
            }
            self.store.detail("the shop's list changed while it was read; again");
        }
        Err(ConnectorError::temporary(format!(
            "the shop's list of {} changed each of {PASSES} times that it was read; try again when \
             nobody adds or removes products",
            self.path
        )))
    }

    fn page<T>(
        &self,
        page: u32,
        take: Take<'_, T>,
        found: &Mutex<Found<T>>,
        queue: &Queue<u32, ConnectorError>,
    ) -> Result<(), ConnectorError> {
        let answer = self.ask::<Box<RawValue>>(page)?;
        let mut found = lock(found);
        let ends = take(&answer, page, &mut found.gathered).map_err(|why| match why {
            Failed::NotKept(why) => why,
            Failed::NotAList => self.not_a_list(&answer),
        })?;
        // What is announced is asked for at once; a list may also have grown since.
        let has_more = offset_of(page) + ends.rows as u64 != ends.count && ends.rows == PAGE;
        let wanted = pages_of(ends.count).max(if has_more { page + 2 } else { 0 });
        (found.asked..wanted).for_each(|page| queue.add(page));
        found.asked = found.asked.max(wanted);
        found.pages.insert(page, ends);
        let listed: usize = found.pages.values().map(|ends| ends.rows).sum();
        self.store.client.around().progress.advance(listed as u64);
        Ok(())
    }

    fn ask<T: DeserializeOwned>(&self, page: u32) -> Result<T, ConnectorError> {
        let (limit, offset) = (PAGE.to_string(), offset_of(page).to_string());
        let query = [
            ("limit", limit.as_str()),
            ("offset", &offset),
            ("order", "id"),
            ("fields", &self.fields),
        ];
        Ok(self.store.read(self.path, &query)?.value)
    }

    fn not_a_list(&self, answer: &RawValue) -> ConnectorError {
        let start: String = self.store.client.scrub(answer.get()).chars().take(80).collect();
        ConnectorError::temporary(format!(
            "GET /admin/{} answered JSON that is no such list; it begins with `{}`. Something \
             between may change what the shop says",
            self.path,
            start.escape_debug()
        ))
    }
}

fn lock<T>(found: &Mutex<T>) -> MutexGuard<'_, T> {
    found.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether each page begins with the row that the one before ended with, up to the last row.
fn is_whole(pages: &BTreeMap<u32, Ends>) -> bool {
    let pairs = pages.values().zip(pages.values().skip(1));
    let is_end = |(page, ends): (&u32, &Ends)| offset_of(*page) + ends.rows as u64 == ends.count;
    pairs.into_iter().all(|(one, next)| one.last == next.first)
        && pages.iter().next_back().is_some_and(is_end)
}

/// How many pages so many rows fill, each beginning with the last row of the one before.
fn pages_of(rows: u64) -> u32 {
    let (page, step) = (PAGE as u64, PAGE as u64 - 1);
    u32::try_from(1 + rows.saturating_sub(page).div_ceil(step)).unwrap_or(u32::MAX)
}

/// The row that a page begins with, from 0.
fn offset_of(page: u32) -> u64 {
    u64::from(page) * (PAGE as u64 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(first: &str, last: &str, rows: usize, count: u64) -> Ends {
        Ends { first: first.into(), last: last.into(), rows, count }
    }

    #[test]
    fn pages_are_as_many_as_rows_need_when_each_begins_with_the_last_one() {
        for (rows, pages) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (1999, 2), (2000, 3)] {
            assert_eq!(pages_of(rows), pages, "{rows}");
        }
    }

    #[test]
    fn a_list_is_whole_only_where_its_pages_meet_and_reach_the_end() {
        let whole = |pages: &[Ends]| is_whole(&(0..).zip(pages.iter().cloned()).collect());
        assert!(whole(&[ends("", "", 0, 0)]));
        assert!(whole(&[ends("a", "m", 1000, 1500), ends("m", "z", 501, 1500)]));
        // One was taken away: a row slipped past.
        assert!(!whole(&[ends("a", "m", 1000, 1500), ends("n", "z", 500, 1499)]));
        // The last page is shorter than was announced.
        assert!(!whole(&[ends("a", "m", 1000, 1500), ends("m", "y", 400, 1500)]));
        assert!(!whole(&[]));
    }
}
