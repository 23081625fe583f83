//! Products and their values as a pass needs them: whole columns in memory, by product id.

use rusqlite::{OptionalExtension, params};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{Inventory, InventoryError, Keys, Result, Tx};
use crate::model::{Cell, Decimal, Gtin, Section};

/// The inventory's own id of a product; also its place in every column.
pub type ProductId = u32;

/// All products by SKU and by id.
#[derive(Default)]
pub struct Products {
    /// In the order of the SKUs' bytes, then those that were added since.
    keys: Keys,
    /// The id after the highest one, of removed products too.
    end: ProductId,
    /// The ids under which removed products come back.
    removed: FxHashMap<Box<str>, ProductId>,
    /// How many keys are in order, as they were read.
    in_order: usize,
}

impl Products {
    /// The product of a SKU.
    pub fn find(&self, sku: &str) -> Option<ProductId> {
        self.keys.find(sku.as_bytes())
    }

    /// The products of many SKUs.
    pub fn find_all<'k>(
        &self,
        skus: impl Iterator<Item = Option<&'k str>> + Clone,
        found: &mut Vec<Option<ProductId>>,
    ) {
        self.keys.find_all(skus.map(|sku| sku.map(str::as_bytes)), found);
    }

    /// The SKU of a product that exists or was removed; empty where there never was one.
    pub fn sku(&self, id: ProductId) -> &str {
        if self.keys.contains(id) {
            return self.keys.text(id);
        }
        self.removed.iter().find(|(_, removed)| **removed == id).map_or("", |(sku, _)| sku)
    }

    /// The id after the highest one: the length of every column.
    pub fn end(&self) -> ProductId {
        self.end.max(1)
    }

    /// Adds a product that is to be made, and gives the id that it will have.
    pub fn add(&mut self, sku: &str) -> Result<ProductId> {
        let id = self.removed.get(sku).copied().unwrap_or(self.end());
        self.keys.insert(id, sku.as_bytes())?;
        self.end = self.end.max(id + 1);
        Ok(id)
    }

    /// All products in the order of their SKUs' bytes.
    pub fn by_sku(&self) -> Vec<ProductId> {
        let mut ids: Vec<_> = self.keys.numbers().collect();
        // The stored ones are in order; a stable sort merges the two stretches.
        if ids.len() > self.in_order {
            ids[self.in_order..].sort_by(|a, b| self.sku(*a).cmp(self.sku(*b)));
            ids.sort_by(|a, b| self.sku(*a).cmp(self.sku(*b)));
        }
        ids
    }

    /// The SKUs that are most like a word, nearest first, at most three.
    pub fn nearest(&self, word: &str) -> Vec<&str> {
        let folded = word.to_lowercase();
        let mut found: Vec<(usize, &str)> = self
            .keys
            .numbers()
            .map(|id| self.sku(id))
            .filter(|sku| sku.len().abs_diff(word.len()) <= 3)
            .map(|sku| (strsim::damerau_levenshtein(&folded, &sku.to_lowercase()), sku))
            .filter(|(distance, sku)| *distance <= 1 + sku.chars().count().min(9) / 3)
            .collect();
        found.sort_unstable();
        found.into_iter().take(3).map(|(_, sku)| sku).collect()
    }
}

/// The products of each GTIN.
#[derive(Default)]
pub struct EanIndex {
    /// `None`: several products have it.
    by_gtin: FxHashMap<Gtin, Option<ProductId>>,
}

impl EanIndex {
    /// The one product of a GTIN; `Err` where there are several.
    #[allow(clippy::result_unit_err)]
    pub fn find(&self, gtin: Gtin) -> std::result::Result<Option<ProductId>, ()> {
        match self.by_gtin.get(&gtin) {
            None => Ok(None),
            Some(Some(id)) => Ok(Some(*id)),
            Some(None) => Err(()),
        }
    }
}

/// A product that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewProduct {
    /// Its id, as [`Products::add`] gave it.
    pub id: ProductId,
    /// The SKU.
    pub sku: String,
    /// The EAN.
    pub ean: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The SKU of the parent.
    pub parent_sku: Option<String>,
}

/// What a product is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductTexts {
    /// The SKU.
    pub sku: String,
    /// The EAN.
    pub ean: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The SKU of the parent.
    pub parent_sku: Option<String>,
}

/// A warehouse's or price group's values by product id; ids beyond its end are unknown.
#[derive(Clone, Debug, Default)]
pub struct Column {
    cells: Vec<Cell>,
}

impl Column {
    /// The value of a product.
    pub fn get(&self, id: ProductId) -> Cell {
        self.cells.get(id as usize).copied().unwrap_or(Cell::UNKNOWN)
    }

    /// Sets the value of a product.
    pub fn set(&mut self, id: ProductId, cell: Cell) {
        if id as usize >= self.cells.len() {
            self.cells.resize(id as usize + 1, Cell::UNKNOWN);
        }
        self.cells[id as usize] = cell;
    }
}

/// Products, and the columns of the asked places, in their order.
pub struct Loaded {
    /// All products.
    pub products: Products,
    /// One column for each asked place; an empty one for a place that is not stored yet.
    pub columns: Vec<Column>,
}

impl Tx<'_> {
    /// Loads all products and the values of some places, on two threads where that can be.
    pub fn load(&self, places: &[(Section, Option<i64>)]) -> Result<Loaded> {
        let second = if places.is_empty() { None } else { self.inventory.second_reader() };
        let Some(second) = second else {
            return Ok(Loaded { products: self.products()?, columns: self.columns(places)? });
        };
        std::thread::scope(|scope| {
            let columns = std::thread::Builder::new()
                .spawn_scoped(scope, move || columns_of(&second, places));
            let products = self.products();
            let Ok(columns) = columns else {
                return Ok(Loaded { products: products?, columns: self.columns(places)? });
            };
            let columns = columns
                .join()
                .unwrap_or_else(|_| Err(InventoryError::broken("a thread that reads ended")));
            Ok(Loaded { products: products?, columns: columns? })
        })
    }

    /// All products.
    pub fn products(&self) -> Result<Products> {
        let end: i64 = self.with(|conn| {
            conn.query_row("SELECT coalesce(max(id), 0) + 1 FROM products", [], |row| row.get(0))
        })?;
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        let removed = self.removed_products()?;
        let mut products =
            Products { keys: Keys::with_capacity(end as usize), end, ..Products::default() };
        self.with(|conn| {
            // Read from the unique index alone, which covers both and is in order.
            // As a blob, so that SQLite does not copy each to end it with a zero.
            let mut statement =
                conn.prepare("SELECT CAST(sku AS BLOB), id FROM products ORDER BY sku")?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let sku = row.get_ref(0)?.as_bytes().unwrap_or_default();
                let id: u32 = row.get(1)?;
                if !removed.is_empty() && removed.contains(&id) {
                    let sku = String::from_utf8_lossy(sku).into_owned();
                    products.removed.insert(sku.into_boxed_str(), id);
                    continue;
                }
                products.keys.append(id, sku).map_err(|_| rusqlite::Error::InvalidQuery)?;
            }
            Ok(())
        })?;
        products.keys.index();
        products.in_order = products.keys.count();
        Ok(products)
    }

    fn removed_products(&self) -> Result<FxHashSet<ProductId>> {
        self.with(|conn| {
            conn.prepare_cached("SELECT product_id FROM removed_products")?
                .query_map([], |row| row.get(0))?
                .collect()
        })
    }

    /// The values of some places.
    pub fn columns(&self, places: &[(Section, Option<i64>)]) -> Result<Vec<Column>> {
        places
            .iter()
            .map(|(section, id)| match id {
                Some(id) => self.column(*section, *id),
                None => Ok(Column::default()),
            })
            .collect()
    }

    fn column(&self, section: Section, place: i64) -> Result<Column> {
        let room: i64 = self.with(|conn| {
            conn.query_row("SELECT coalesce(max(id), 0) + 1 FROM products", [], |row| row.get(0))
        })?;
        let room = usize::try_from(room).unwrap_or(0);
        let sql = match section {
            Section::Prices => {
                "SELECT product_id, price FROM prices WHERE price_group_id = ?1
                 ORDER BY product_id"
            }
            _ => {
                "SELECT product_id, quantity FROM stock WHERE warehouse_id = ?1
                 ORDER BY product_id"
            }
        };
        let mut column = Column { cells: Vec::with_capacity(room) };
        self.with(|conn| {
            let mut statement = conn.prepare(sql)?;
            let mut rows = statement.query([place])?;
            while let Some(row) = rows.next()? {
                let id: u32 = row.get(0)?;
                let value: Option<i64> = row.get(1)?;
                column.set(id, value.and_then(Decimal::from_micros).into());
            }
            Ok(())
        })?;
        Ok(column)
    }

    /// Which product has which GTIN.
    pub fn eans(&self) -> Result<EanIndex> {
        let mut index = EanIndex::default();
        self.with(|conn| {
            let mut statement = conn.prepare(
                "SELECT id, ean FROM products WHERE ean IS NOT NULL
                     AND id NOT IN (SELECT product_id FROM removed_products)",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let id: u32 = row.get(0)?;
                if let Some(gtin) = row.get_ref(1)?.as_bytes().ok().and_then(Gtin::parse) {
                    index.by_gtin.entry(gtin).and_modify(|found| *found = None).or_insert(Some(id));
                }
            }
            Ok(())
        })?;
        Ok(index)
    }

    /// Stores new products under the ids that they were given; removed ones come back.
    pub fn insert_products(&self, run: i64, products: &[NewProduct]) -> Result<()> {
        let removed = self.removed_products()?;
        self.with(|conn| {
            let mut insert = conn.prepare_cached(
                "INSERT INTO products (id, sku, ean, name, parent_sku, run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET ean = excluded.ean, name = excluded.name,
                     parent_sku = excluded.parent_sku, run_id = excluded.run_id",
            )?;
            let mut bring_back =
                conn.prepare_cached("DELETE FROM removed_products WHERE product_id = ?1")?;
            for product in products {
                if removed.contains(&product.id) {
                    bring_back.execute([product.id])?;
                }
                insert.execute(params![
                    product.id,
                    product.sku,
                    product.ean,
                    product.name,
                    product.parent_sku,
                    run
                ])?;
            }
            Ok(())
        })
    }

    /// Changes what a product is called; absent texts stay as they are.
    pub fn update_product(&self, id: ProductId, texts: &ProductTexts) -> Result<()> {
        self.with(|conn| {
            conn.prepare_cached(
                "UPDATE products SET ean = coalesce(?2, ean), name = coalesce(?3, name),
                 parent_sku = coalesce(?4, parent_sku) WHERE id = ?1",
            )?
            .execute(params![id, texts.ean, texts.name, texts.parent_sku])
            .map(drop)
        })
    }

    /// What a product is called.
    pub fn product_texts(&self, id: ProductId) -> Result<Option<ProductTexts>> {
        self.with(|conn| {
            conn.prepare_cached("SELECT sku, ean, name, parent_sku FROM products WHERE id = ?1")?
                .query_row([id], |row| {
                    Ok(ProductTexts {
                        sku: row.get(0)?,
                        ean: row.get(1)?,
                        name: row.get(2)?,
                        parent_sku: row.get(3)?,
                    })
                })
                .optional()
        })
    }

    /// The id of one SKU.
    pub fn product_id(&self, sku: &str) -> Result<Option<ProductId>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT id FROM products WHERE sku = ?1
                 AND id NOT IN (SELECT product_id FROM removed_products)",
            )?
            .query_row([sku], |row| row.get(0))
            .optional()
        })
    }
}

fn columns_of(reader: &Inventory, places: &[(Section, Option<i64>)]) -> Result<Vec<Column>> {
    Tx { inventory: reader, open: false }.columns(places)
}
