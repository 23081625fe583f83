//! Writing values and the record of their changes: in id order, many rows a statement.

use std::fmt::Write;

use rusqlite::types::Value as SqlValue;
use rusqlite::{OptionalExtension, params, params_from_iter};

use super::places::places_of;
use super::products::ProductId;
use super::{Result, Tx};
use crate::model::{Cell, ChangeStatus, Decimal, Section, StorePlaces};

/// How many planned or held-back changes, and how many problems, are recorded of a run.
pub const RECORDED_PLANS: usize = 1000;

/// Rows of one statement; SQLite takes 32,766 parameters.
const ROWS: usize = 128;

/// A change as it is recorded.
#[derive(Clone, Debug)]
pub struct ChangeRecord<'a> {
    /// The product.
    pub product: ProductId,
    /// Counts the items that share a product, from 0.
    pub n: u32,
    /// The value before.
    pub before: Cell,
    /// The value after.
    pub after: Cell,
    /// What became of it.
    pub status: ChangeStatus,
    /// The item's id; `None` where it is the SKU, and for the inventory's own commands.
    pub item_id: Option<&'a str>,
    /// Why.
    pub message: Option<&'a str>,
}

/// Which recorded change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeKey {
    /// The run.
    pub run: i64,
    /// The section.
    pub section: Section,
    /// The id of the warehouse or price group.
    pub place: i64,
    /// The product.
    pub product: ProductId,
    /// Counts the items that share a product, from 0.
    pub n: u32,
}

/// A change that was sent, and of which nobody knows yet what became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsettledChange {
    /// Which one.
    pub key: ChangeKey,
    /// The item's id.
    pub item_id: String,
    /// The store's value before.
    pub before: Cell,
    /// The value that was sent.
    pub after: Cell,
    /// Where at the store it was sent to.
    pub at_store: StorePlaces,
}

/// How many changes were sent to places at a store without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncertain {
    /// The section.
    pub section: Section,
    /// Where at the store they were sent to.
    pub at_store: StorePlaces,
    /// How many.
    pub count: u64,
}

impl Tx<'_> {
    /// The changes that were sent to an integration, and of which nobody knows what became.
    pub fn unsettled(&self, integration: i64) -> Result<Vec<UnsettledChange>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT changes.run_id, section, place_id, product_id, n,
                     coalesce(item_id, sku), before, after, place_at_store
                 FROM runs JOIN changes ON changes.run_id = runs.id
                 LEFT JOIN run_places USING (run_id, section, place_id)
                 JOIN products ON products.id = product_id
                 WHERE runs.integration_id = ?1 AND runs.command IN ('push', 'undo')
                     AND changes.status IN (5, 6)
                 ORDER BY changes.run_id",
            )?
            .query_map([integration], |row| {
                let cell = |at| -> rusqlite::Result<Cell> {
                    Ok(row.get::<_, Option<i64>>(at)?.and_then(Decimal::from_micros).into())
                };
                Ok(UnsettledChange {
                    key: ChangeKey {
                        run: row.get(0)?,
                        section: Section::from_code(row.get(1)?).unwrap_or(Section::Stock),
                        place: row.get(2)?,
                        product: row.get(3)?,
                        n: row.get(4)?,
                    },
                    item_id: row.get(5)?,
                    before: cell(6)?,
                    after: cell(7)?,
                    at_store: places_of(row.get(8)?),
                })
            })?
            .collect()
        })
    }

    /// How many changes were sent to each place at an integration without an answer, leaving out
    /// what the run that is under way has just sent.
    pub fn uncertain(&self, integration: i64, under_way: Option<i64>) -> Result<Vec<Uncertain>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT section, place_at_store, count(*)
                 FROM runs JOIN changes ON changes.run_id = runs.id
                 LEFT JOIN run_places USING (run_id, section, place_id)
                 WHERE runs.integration_id = ?1 AND runs.command IN ('push', 'undo')
                     AND (changes.status = 5 OR (changes.status = 6 AND runs.id IS NOT ?2))
                 GROUP BY section, place_at_store",
            )?
            .query_map(params![integration, under_way], |row| {
                Ok(Uncertain {
                    section: Section::from_code(row.get(0)?).unwrap_or(Section::Stock),
                    at_store: places_of(row.get(1)?),
                    count: row.get::<_, i64>(2)?.unsigned_abs(),
                })
            })?
            .collect()
        })
    }

    /// One value, now.
    pub fn value(&self, section: Section, place: i64, product: ProductId) -> Result<Cell> {
        let sql = match section {
            Section::Prices => {
                "SELECT price FROM prices WHERE price_group_id = ?1 AND product_id = ?2"
            }
            _ => "SELECT quantity FROM stock WHERE warehouse_id = ?1 AND product_id = ?2",
        };
        self.with(|conn| {
            let micros: Option<i64> = conn
                .prepare_cached(sql)?
                .query_row(params![place, product], |row| row.get(0))
                .optional()?
                .flatten();
            Ok(micros.and_then(Decimal::from_micros).into())
        })
    }

    /// Writes values of one place, best in the order of product ids, and moves its revision.
    pub fn write_values(
        &self,
        run: i64,
        section: Section,
        place: i64,
        values: impl Iterator<Item = (ProductId, Cell)>,
    ) -> Result<()> {
        let (head, tail) = match section {
            Section::Prices => (
                "INSERT INTO prices (price_group_id, product_id, price, run_id) VALUES ",
                " ON CONFLICT (price_group_id, product_id)
                  DO UPDATE SET price = excluded.price, run_id = excluded.run_id",
            ),
            _ => (
                "INSERT INTO stock (warehouse_id, product_id, quantity, run_id) VALUES ",
                " ON CONFLICT (warehouse_id, product_id)
                  DO UPDATE SET quantity = excluded.quantity, run_id = excluded.run_id",
            ),
        };
        let row = format!("({place},?,?,{run})");
        self.insert_many(head, &row, tail, values, |(product, cell), out| {
            out.push(i64::from(product).into());
            out.push(sql(cell));
        })?;
        self.with(|conn| {
            let sql = match section {
                Section::Prices => "UPDATE price_groups SET revision = revision + 1 WHERE id = ?1",
                _ => "UPDATE warehouses SET revision = revision + 1 WHERE id = ?1",
            };
            conn.execute(sql, [place]).map(drop)
        })
    }

    /// Records changes of one place, best in the order of product ids.
    pub fn record_changes<'c>(
        &self,
        run: i64,
        section: Section,
        place: i64,
        changes: impl Iterator<Item = ChangeRecord<'c>>,
    ) -> Result<()> {
        let head = "INSERT INTO changes (run_id, section, place_id, product_id, n, before, after, \
                    status, item_id, message) VALUES ";
        let row = format!("({run},{},{place},?,?,?,?,?,?,?)", section.code());
        let mut changes = changes.peekable();
        let is_plain = |change: &ChangeRecord<'_>| {
            change.n == 0
                && change.status == crate::model::ChangeStatus::Applied
                && change.item_id.is_none()
                && change.message.is_none()
        };
        // The usual ones come with fewer parameters.
        let usual = format!("({run},{},{place},?,0,?,?,0,NULL,NULL)", section.code());
        let plain = std::iter::from_fn(|| changes.next_if(is_plain));
        self.insert_many(head, &usual, "", plain, |change, out| {
            out.push(i64::from(change.product).into());
            out.push(sql(change.before));
            out.push(sql(change.after));
        })?;
        self.insert_many(head, &row, "", changes, |change, out| {
            out.push(i64::from(change.product).into());
            out.push(i64::from(change.n).into());
            out.push(sql(change.before));
            out.push(sql(change.after));
            out.push(change.status.code().into());
            out.push(change.item_id.map(str::to_owned).into());
            out.push(change.message.map(str::to_owned).into());
        })
    }

    /// Sets what became of one recorded change.
    pub fn settle_change(
        &self,
        change: ChangeKey,
        status: ChangeStatus,
        message: Option<&str>,
    ) -> Result<()> {
        let ChangeKey { run, section, place, product, n } = change;
        self.with(|conn| {
            conn.prepare_cached(
                "UPDATE changes SET status = ?6, message = ?7 WHERE run_id = ?1 AND section = ?2
                 AND place_id = ?3 AND product_id = ?4 AND n = ?5",
            )?
            .execute(params![run, section.code(), place, product, n, status.code(), message])
            .map(drop)
        })
    }

    /// Takes away the record of a change that was about to be sent and was not.
    pub fn forget_change(&self, change: ChangeKey) -> Result<()> {
        let ChangeKey { run, section, place, product, n } = change;
        self.with(|conn| {
            conn.prepare_cached(
                "DELETE FROM changes WHERE run_id = ?1 AND section = ?2 AND place_id = ?3
                 AND product_id = ?4 AND n = ?5",
            )?
            .execute(params![run, section.code(), place, product, n])
            .map(drop)
        })
    }

    /// The integration of the run that wrote a value; `None` where there is no value, or where the
    /// writer was one of the inventory's own commands.
    pub fn writer_of(
        &self,
        section: Section,
        place: i64,
        product: ProductId,
    ) -> Result<Option<i64>> {
        let sql = match section {
            Section::Prices => {
                "SELECT integration_id FROM prices JOIN runs ON runs.id = run_id
                 WHERE price_group_id = ?1 AND product_id = ?2"
            }
            _ => {
                "SELECT integration_id FROM stock JOIN runs ON runs.id = run_id
                 WHERE warehouse_id = ?1 AND product_id = ?2"
            }
        };
        self.with(|conn| {
            conn.prepare_cached(sql)?
                .query_row(params![place, product], |row| row.get(0))
                .optional()
                .map(Option::flatten)
        })
    }

    /// The run that wrote a value, or made it unknown; `None` where nobody has.
    pub fn run_that_wrote(
        &self,
        section: Section,
        place: i64,
        product: ProductId,
    ) -> Result<Option<i64>> {
        let sql = match section {
            Section::Prices => {
                "SELECT run_id FROM prices WHERE price_group_id = ?1 AND product_id = ?2"
            }
            _ => "SELECT run_id FROM stock WHERE warehouse_id = ?1 AND product_id = ?2",
        };
        self.with(|conn| {
            conn.prepare_cached(sql)?
                .query_row(params![place, product], |row| row.get(0))
                .optional()
        })
    }

    /// Inserts rows, many a statement; `bind` pushes one row's parameters.
    pub(super) fn insert_many<T>(
        &self,
        head: &str,
        row: &str,
        tail: &str,
        rows: impl Iterator<Item = T>,
        bind: impl Fn(T, &mut Vec<SqlValue>),
    ) -> Result<()> {
        let statement_for = |count: usize| {
            let mut sql = String::with_capacity(head.len() + (row.len() + 1) * count + tail.len());
            sql.push_str(head);
            for n in 0..count {
                let _ = write!(sql, "{}{row}", if n == 0 { "" } else { "," });
            }
            sql.push_str(tail);
            sql
        };
        self.with(|conn| {
            let mut full = conn.prepare(&statement_for(ROWS))?;
            let mut parameters = Vec::new();
            let mut count = 0;
            for item in rows {
                bind(item, &mut parameters);
                count += 1;
                if count == ROWS {
                    full.execute(params_from_iter(parameters.drain(..)))?;
                    count = 0;
                }
            }
            if count > 0 {
                let mut rest = conn.prepare(&statement_for(count))?;
                rest.execute(params_from_iter(parameters.drain(..)))?;
            }
            Ok(())
        })
    }
}

fn sql(cell: Cell) -> SqlValue {
    cell.get().map(|value| value.micros()).into()
}
