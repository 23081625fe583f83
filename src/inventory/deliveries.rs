//! What the last delivery of a source held, and what a store last confirmed.

use roaring::RoaringBitmap;
use rusqlite::{OptionalExtension, params};
use rustc_hash::FxHashMap;

use super::products::ProductId;
use super::{InventoryError, Result, Tx};
use crate::model::{Decimal, Section, StorePlaces};

/// A set of products, small on the disk: a million of them are some 125 KiB.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProductSet {
    bitmap: RoaringBitmap,
}

impl ProductSet {
    /// How many there are.
    pub fn len(&self) -> u64 {
        self.bitmap.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bitmap.is_empty()
    }

    /// Whether a product is in.
    pub fn contains(&self, id: ProductId) -> bool {
        self.bitmap.contains(id)
    }

    /// Puts a product in.
    pub fn insert(&mut self, id: ProductId) {
        self.bitmap.insert(id);
    }

    /// Takes a product out; whether it was in.
    pub fn remove(&mut self, id: ProductId) -> bool {
        self.bitmap.remove(id)
    }

    /// The products, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = ProductId> + '_ {
        self.bitmap.iter()
    }

    /// Puts all products of another set in.
    pub fn extend(&mut self, other: &ProductSet) {
        self.bitmap |= &other.bitmap;
    }

    /// Those that are not in another set.
    pub fn without(&self, other: &ProductSet) -> ProductSet {
        ProductSet { bitmap: &self.bitmap - &other.bitmap }
    }

    /// Those that are in another set, too.
    pub fn within(&self, other: &ProductSet) -> ProductSet {
        ProductSet { bitmap: &self.bitmap & &other.bitmap }
    }

    pub(super) fn to_blob(&self) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.bitmap.serialized_size());
        // Writing to a Vec cannot fail.
        let _ = self.bitmap.serialize_into(&mut blob);
        blob
    }

    pub(super) fn from_blob(blob: &[u8]) -> Result<ProductSet> {
        RoaringBitmap::deserialize_from(blob).map(|bitmap| ProductSet { bitmap }).map_err(|_| {
            InventoryError::broken(
                "a set of products in the inventory is damaged. Put back the last `inventory \
                 backup`",
            )
        })
    }
}

/// From product ids in ascending order, which is fast, or in any other.
impl FromIterator<ProductId> for ProductSet {
    fn from_iter<I: IntoIterator<Item = ProductId>>(ids: I) -> ProductSet {
        let mut bitmap = RoaringBitmap::new();
        let mut ids = ids.into_iter();
        let Some(first) = ids.next() else { return ProductSet::default() };
        // By stretches: pushing one by one looks for the highest id each time.
        let mut stretch = first..=first;
        for id in ids {
            if stretch.end().checked_add(1) == Some(id) {
                stretch = *stretch.start()..=id;
            } else {
                bitmap.insert_range(stretch);
                stretch = id..=id;
            }
        }
        bitmap.insert_range(stretch);
        bitmap.optimize();
        ProductSet { bitmap }
    }
}

/// What the last delivery of one source held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Rows that were items.
    pub items: u64,
    /// The header or paths.
    pub header: String,
    /// What of the source's shape was there.
    pub shape: Vec<String>,
    /// The linked products.
    pub seen: ProductSet,
    /// Those whose quantity was known.
    pub known_stock: ProductSet,
    /// Those whose price was known.
    pub known_prices: ProductSet,
    /// Linked products that the last complete deliveries lacked, and how many in a row.
    pub absences: Vec<(ProductId, u32)>,
}

impl Memory {
    /// The products whose value of a section was known.
    pub fn known(&self, section: Section) -> &ProductSet {
        match section {
            Section::Prices => &self.known_prices,
            _ => &self.known_stock,
        }
    }

    /// The same, to change it.
    pub fn known_mut(&mut self, section: Section) -> &mut ProductSet {
        match section {
            Section::Prices => &mut self.known_prices,
            _ => &mut self.known_stock,
        }
    }
}

fn pairs_to_blob(pairs: &[(ProductId, u32)]) -> Vec<u8> {
    pairs.iter().flat_map(|(id, count)| [id.to_le_bytes(), count.to_le_bytes()]).flatten().collect()
}

fn pairs_from_blob(blob: &[u8]) -> Vec<(ProductId, u32)> {
    let (numbers, _) = blob.as_chunks::<4>();
    let (pairs, _) = numbers.as_chunks::<2>();
    pairs.iter().map(|[id, count]| (u32::from_le_bytes(*id), u32::from_le_bytes(*count))).collect()
}

impl Tx<'_> {
    /// What the last delivery of a source held. `source` is empty where one source feeds both
    /// sections.
    pub fn memory(&self, integration: i64, source: &str) -> Result<Option<Memory>> {
        let found = self.with(|conn| {
            conn.prepare_cached(
                "SELECT items, header, seen, known_stock, known_prices, absences, shape
                 FROM deliveries
                 WHERE integration_id = ?1 AND source = ?2",
            )?
            .query_row(params![integration, source], |row| {
                let items: i64 = row.get(0)?;
                let blobs: [Vec<u8>; 4] = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
                let shape: String = row.get(6)?;
                Ok((items, row.get(1)?, blobs, shape))
            })
            .optional()
        })?;
        let Some((items, header, blobs, shape)) = found else {
            return Ok(None);
        };
        let [seen, known_stock, known_prices, absences] = blobs;
        Ok(Some(Memory {
            items: items.unsigned_abs(),
            header,
            shape: shape.lines().map(str::to_owned).collect(),
            seen: ProductSet::from_blob(&seen)?,
            known_stock: ProductSet::from_blob(&known_stock)?,
            known_prices: ProductSet::from_blob(&known_prices)?,
            absences: pairs_from_blob(&absences),
        }))
    }

    /// Remembers what a delivery held.
    pub fn remember(
        &self,
        run: i64,
        integration: i64,
        source: &str,
        memory: &Memory,
    ) -> Result<()> {
        self.with(|conn| {
            conn.execute(
                "INSERT INTO deliveries
                     (integration_id, source, run_id, items, header, seen, known_stock,
                      known_prices, absences, shape)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                 ON CONFLICT (integration_id, source) DO UPDATE SET
                     run_id = excluded.run_id, items = excluded.items, header = excluded.header,
                     seen = excluded.seen, known_stock = excluded.known_stock,
                     known_prices = excluded.known_prices, absences = excluded.absences,
                     shape = excluded.shape",
                params![
                    integration,
                    source,
                    run,
                    i64::try_from(memory.items).unwrap_or(i64::MAX),
                    memory.header,
                    memory.seen.to_blob(),
                    memory.known_stock.to_blob(),
                    memory.known_prices.to_blob(),
                    pairs_to_blob(&memory.absences),
                    memory.shape.join("\n")
                ],
            )
            .map(drop)
        })
    }

    /// The values last confirmed at these places of a store, by item id.
    pub fn confirmed(
        &self,
        integration: i64,
        section: Section,
        at_store: &StorePlaces,
    ) -> Result<FxHashMap<String, Decimal>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT item_id, value FROM confirmed
                 WHERE integration_id = ?1 AND section = ?2 AND place_at_store = ?3",
            )?
            .query_map(params![integration, section.code(), at_store.to_text()], |row| {
                let micros: i64 = row.get(1)?;
                Ok((row.get(0)?, Decimal::from_micros(micros).unwrap_or(Decimal::ZERO)))
            })?
            .collect()
        })
    }

    /// Remembers a value that a store confirmed.
    pub fn confirm(
        &self,
        run: i64,
        integration: i64,
        section: Section,
        at_store: &StorePlaces,
        item_id: &str,
        value: Decimal,
    ) -> Result<()> {
        let at_store = at_store.to_text();
        self.with(|conn| {
            conn.prepare_cached(
                "INSERT INTO confirmed
                     (integration_id, section, place_at_store, item_id, value, run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (integration_id, section, place_at_store, item_id)
                 DO UPDATE SET value = excluded.value, run_id = excluded.run_id",
            )?
            .execute(params![integration, section.code(), at_store, item_id, value.micros(), run])
            .map(drop)
        })
    }
}
