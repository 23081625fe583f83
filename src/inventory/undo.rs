//! What an undo has to know: what a run applied, and whether its change is still the latest.

use rusqlite::params;

use super::links::linked_by;
use super::places::places_of;
use super::products::ProductId;
use super::{LinkChange, ProductSet, Result, StoredLink, Tx};
use crate::model::{Cell, ChangeStatus, Decimal, LinkedBy, Section, StorePlaces};

/// A value that a run applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedChange {
    /// The section.
    pub section: Section,
    /// The id of the warehouse or price group.
    pub place: i64,
    /// Where at the store it was sent to.
    pub at_store: StorePlaces,
    /// The product.
    pub product: ProductId,
    /// Counts the items that share the product.
    pub n: u32,
    /// The item's id, where it is not the SKU.
    pub item_id: Option<String>,
    /// The value before.
    pub before: Cell,
    /// The value after.
    pub after: Cell,
}

/// Whether a run's change of one value is the latest, leaving out each change that was itself
/// undone, with its undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is: it can be put back.
    Latest,
    /// An undo has put it back already.
    Undone,
    /// This run changed the value since.
    ChangedBy(i64),
}

/// Whose values changes are: runs that write to the inventory and runs that write to a store
/// change different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Pulls, imports, sets, and their undos.
    Inventory,
    /// Pushes to one integration, and their undos.
    Store(i64),
}

impl Tx<'_> {
    /// The values that a run applied, by section, place and product.
    pub fn applied_changes(&self, run: i64) -> Result<Vec<AppliedChange>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT section, place_id, product_id, n, item_id, before, after, place_at_store
                 FROM changes LEFT JOIN run_places USING (run_id, section, place_id)
                 WHERE run_id = ?1 AND status = ?2 ORDER BY section, place_id, product_id, n",
            )?
            .query_map(params![run, ChangeStatus::Applied.code()], |row| {
                let cell = |at| -> rusqlite::Result<Cell> {
                    Ok(row.get::<_, Option<i64>>(at)?.and_then(Decimal::from_micros).into())
                };
                Ok(AppliedChange {
                    section: Section::from_code(row.get(0)?).unwrap_or(Section::Stock),
                    place: row.get(1)?,
                    at_store: places_of(row.get(7)?),
                    product: row.get(2)?,
                    n: row.get(3)?,
                    item_id: row.get(4)?,
                    before: cell(5)?,
                    after: cell(6)?,
                })
            })?
            .collect()
        })
    }

    /// Where at the store a run has applied values, section by section.
    pub fn applied_places(&self, run: i64) -> Result<Vec<(Section, StorePlaces)>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT DISTINCT section, place_at_store
                 FROM changes LEFT JOIN run_places USING (run_id, section, place_id)
                 WHERE run_id = ?1 AND status IN (0, 5, 6)",
            )?
            .query_map([run], |row| {
                let section = Section::from_code(row.get(0)?).unwrap_or(Section::Stock);
                Ok((section, places_of(row.get(1)?)))
            })?
            .collect()
        })
    }

    /// Whether a run's change of a value is still the latest.
    pub fn standing(&self, run: i64, side: Side, change: &AppliedChange) -> Result<Standing> {
        if side == Side::Inventory && self.writer_run(change)? == Some(run) {
            return Ok(Standing::Latest);
        }
        let later = self.later_changes(run, side, change)?;
        let mut cancelled = Vec::new();
        for (later, undoes) in later {
            if later == run {
                return Ok(match cancelled.contains(&run) {
                    true => Standing::Undone,
                    false => Standing::Latest,
                });
            }
            if cancelled.contains(&later) {
                continue;
            }
            match undoes {
                Some(undone) => cancelled.push(undone),
                None => return Ok(Standing::ChangedBy(later)),
            }
        }
        Ok(Standing::Undone)
    }

    fn writer_run(&self, change: &AppliedChange) -> Result<Option<i64>> {
        let sql = match change.section {
            Section::Prices => {
                "SELECT run_id FROM prices WHERE price_group_id = ?1 AND product_id = ?2"
            }
            _ => "SELECT run_id FROM stock WHERE warehouse_id = ?1 AND product_id = ?2",
        };
        self.with(|conn| {
            let mut statement = conn.prepare_cached(sql)?;
            let mut rows = statement.query(params![change.place, change.product])?;
            rows.next()?.map(|row| row.get(0)).transpose()
        })
    }

    /// The runs that changed the same value since, newest first, down to the run itself; each with
    /// the run that it undoes.
    fn later_changes(
        &self,
        run: i64,
        side: Side,
        change: &AppliedChange,
    ) -> Result<Vec<(i64, Option<i64>)>> {
        // An undo's side is that of the run at the end of its chain, which is recorded with it.
        let (of_store, store) = match side {
            Side::Inventory => (false, None),
            Side::Store(integration) => (true, Some(integration)),
        };
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT runs.id, runs.undoes FROM runs
                 CROSS JOIN changes ON changes.run_id = runs.id AND section = ?2
                     AND place_id = ?3 AND product_id = ?4 AND n = ?5 AND changes.status = 0
                 WHERE runs.id >= ?1 AND runs.at_store = ?6
                     AND (?7 IS NULL OR runs.integration_id = ?7)
                 ORDER BY runs.id DESC",
            )?
            .query_map(
                params![
                    run,
                    change.section.code(),
                    change.place,
                    change.product,
                    change.n,
                    of_store,
                    store
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .collect()
        })
    }

    /// The links that a pull or push made by itself and that nobody touched since, by item id.
    pub fn links_made_by(&self, run: i64, integration: i64) -> Result<Vec<(String, StoredLink)>> {
        let mut made: Vec<(String, StoredLink)> = self.with(|conn| {
            conn.prepare_cached(
                "SELECT item_id, product_id, linked_by, handle FROM links
                 WHERE integration_id = ?1 AND run_id = ?2 ORDER BY item_id",
            )?
            .query_map(params![integration, run], |row| {
                let handle: Option<String> = row.get(3)?;
                let link = StoredLink {
                    product: row.get(1)?,
                    linked_by: linked_by(row.get(2)?),
                    handle: handle.map(String::into_boxed_str),
                };
                Ok((row.get(0)?, link))
            })?
            .collect()
        })?;
        let own = self.sku_links_added_by(run)?.within(&self.link_state(Some(integration))?.by_sku);
        for product in own.iter() {
            if let Some(texts) = self.product_texts(product)? {
                let link =
                    StoredLink { product: Some(product), linked_by: LinkedBy::Sku, handle: None };
                made.push((texts.sku, link));
            }
        }
        Ok(made)
    }

    fn sku_links_added_by(&self, run: i64) -> Result<ProductSet> {
        let blob: Option<Vec<u8>> = self.with(|conn| {
            conn.query_row("SELECT sku_links FROM runs WHERE id = ?1", [run], |row| row.get(0))
        })?;
        blob.map_or_else(|| Ok(ProductSet::default()), |blob| ProductSet::from_blob(&blob))
    }

    /// The links that a link command (or an undo) changed, newest first.
    pub fn link_changes_of(&self, run: i64) -> Result<Vec<LinkChange>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT item_id, handle, product_before, linked_by_before, product_after,
                     linked_by_after
                 FROM link_changes WHERE run_id = ?1 AND status = 0 ORDER BY n DESC",
            )?
            .query_map([run], |row| {
                let handle: Option<String> = row.get(1)?;
                let side = |product: usize, by: usize| -> rusqlite::Result<Option<StoredLink>> {
                    let by: Option<i64> = row.get(by)?;
                    let product = row.get(product)?;
                    Ok(by.map(|by| StoredLink {
                        product,
                        linked_by: linked_by(by),
                        handle: handle.clone().map(String::into_boxed_str),
                    }))
                };
                Ok(LinkChange {
                    item_id: row.get(0)?,
                    before: side(2, 3)?,
                    after: side(4, 5)?,
                    status: ChangeStatus::Planned,
                })
            })?
            .collect()
        })
    }

    /// The products that a run made, that are still there and that nobody else has touched: no
    /// other run wrote a value or a change of theirs, no link leads to them.
    pub fn untouched_products_of(&self, run: i64, undo: i64) -> Result<Vec<ProductId>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT id FROM products WHERE run_id = ?1
                     AND id NOT IN (SELECT product_id FROM removed_products)
                     AND NOT EXISTS (SELECT 1 FROM warehouses CROSS JOIN stock
                         ON warehouse_id = warehouses.id AND product_id = products.id
                         WHERE quantity IS NOT NULL OR stock.run_id NOT IN
                             (SELECT ?1 UNION SELECT ?2 UNION SELECT id FROM runs WHERE undoes = ?1))
                     AND NOT EXISTS (SELECT 1 FROM price_groups CROSS JOIN prices
                         ON price_group_id = price_groups.id AND product_id = products.id
                         WHERE price IS NOT NULL OR prices.run_id NOT IN
                             (SELECT ?1 UNION SELECT ?2 UNION SELECT id FROM runs WHERE undoes = ?1))
                     AND id NOT IN (SELECT product_id FROM links WHERE product_id IS NOT NULL)
                 ORDER BY id",
            )?
            .query_map(params![run, undo], |row| row.get(0))?
            .collect()
        })
    }

    /// How many products that a run made are still there.
    pub fn products_made_by(&self, run: i64) -> Result<u64> {
        self.with(|conn| {
            conn.query_row(
                "SELECT count(*) FROM products WHERE run_id = ?1
                     AND id NOT IN (SELECT product_id FROM removed_products)",
                [run],
                |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
            )
        })
    }

    /// The id of a SKU whose product is there or was removed: for its history.
    pub fn product_id_ever(&self, sku: &str) -> Result<Option<ProductId>> {
        use rusqlite::OptionalExtension;
        self.with(|conn| {
            conn.query_row("SELECT id FROM products WHERE sku = ?1", [sku], |row| row.get(0))
                .optional()
        })
    }

    /// Counts the applied changes of a run again, after some of them were settled.
    pub fn recount(&self, run: i64) -> Result<()> {
        self.with(|conn| {
            conn.execute(
                "UPDATE runs SET
                     changed_stock = (SELECT count(*) FROM changes
                         WHERE run_id = ?1 AND section = 0 AND status = 0),
                     changed_prices = (SELECT count(*) FROM changes
                         WHERE run_id = ?1 AND section = 1 AND status = 0)
                 WHERE id = ?1",
                [run],
            )
            .map(drop)
        })
    }

    /// The products whose link to the item with the id of their SKU any integration keeps.
    pub fn products_linked_by_sku(&self) -> Result<ProductSet> {
        let blobs: Vec<Option<Vec<u8>>> = self.with(|conn| {
            conn.prepare_cached("SELECT sku_links FROM integrations")?
                .query_map([], |row| row.get(0))?
                .collect()
        })?;
        let mut all = ProductSet::default();
        for blob in blobs.into_iter().flatten() {
            all.extend(&ProductSet::from_blob(&blob)?);
        }
        Ok(all)
    }

    /// Takes products away; their rows stay for the history.
    pub fn remove_products(&self, run: i64, products: &[ProductId]) -> Result<()> {
        self.with(|conn| {
            let mut insert = conn.prepare_cached(
                "INSERT INTO removed_products (product_id, run_id) VALUES (?1, ?2)",
            )?;
            for product in products {
                insert.execute(params![product, run])?;
            }
            Ok(())
        })
    }

    /// Brings back the products that an undo took away; gives how many.
    pub fn bring_back_products(&self, undo: i64) -> Result<u64> {
        self.with(|conn| {
            conn.execute("DELETE FROM removed_products WHERE run_id = ?1", [undo])
                .map(|rows| rows as u64)
        })
    }
}
