//! Warehouses, price groups and integrations: what the config names, by ids of the inventory's own.

use rusqlite::{OptionalExtension, params};

use super::{InventoryError, InventoryErrorKind, Result, Tx};
use crate::model::{Currency, Place, Section, StorePlaces};

/// A warehouse or price group as the inventory has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPlace {
    /// The inventory's own id.
    pub id: i64,
    /// The key in the config.
    pub key: String,
    /// The currency; `None` for warehouses.
    pub currency: Option<Currency>,
    /// Moves with every write.
    pub revision: i64,
}

/// A run's places at the store, from their column.
pub(super) fn places_of(text: Option<String>) -> StorePlaces {
    text.map(|text| StorePlaces::from_text(&text)).unwrap_or_default()
}

impl Tx<'_> {
    /// Records where at the store a run's values of a place stand, if the config says so.
    pub fn record_places(
        &self,
        run: i64,
        section: Section,
        place: i64,
        at_store: &StorePlaces,
    ) -> Result<()> {
        if at_store.is_empty() {
            return Ok(());
        }
        self.with(|conn| {
            conn.prepare_cached("INSERT OR REPLACE INTO run_places VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![run, section.code(), place, at_store.to_text()])
                .map(drop)
        })
    }

    /// Makes the inventory know what the config declares; keys that were renamed keep their id.
    /// `true` where something was written.
    ///
    /// A price group whose currency is not the one that the inventory has for it is an error.
    pub fn declare(&self, section: Section, declared: &[Place]) -> Result<bool> {
        let mut moved = false;
        for place in declared {
            if let Some(old) = &place.renamed_from
                && self.place(section, &place.key)?.is_none()
                && let Some(stored) = self.place(section, old)?
            {
                self.with(|conn| {
                    let sql = match section {
                        Section::Prices => "UPDATE price_groups SET key = ?2 WHERE id = ?1",
                        _ => "UPDATE warehouses SET key = ?2 WHERE id = ?1",
                    };
                    conn.execute(sql, params![stored.id, place.key])
                })?;
                moved = true;
            }
            moved |= self.declare_one(section, place)?;
        }
        Ok(moved)
    }

    /// Whether every declared place is in the inventory under its present key and name.
    pub fn knows(&self, section: Section, declared: &[Place]) -> Result<bool> {
        for place in declared {
            self.check_currency(section, place)?;
            let known: Option<String> = self.with(|conn| {
                let sql = match section {
                    Section::Prices => "SELECT name FROM price_groups WHERE key = ?1",
                    _ => "SELECT name FROM warehouses WHERE key = ?1",
                };
                conn.query_row(sql, [&place.key], |row| row.get(0)).optional()
            })?;
            if known.as_ref() != Some(&place.name) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn declare_one(&self, section: Section, place: &Place) -> Result<bool> {
        self.check_currency(section, place)?;
        let rows = self.with(|conn| match (section, place.currency) {
            (Section::Prices, Some(currency)) => conn.execute(
                "INSERT INTO price_groups (key, name, currency) VALUES (?1, ?2, ?3)
                 ON CONFLICT (key) DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
                params![place.key, place.name, currency.code()],
            ),
            _ => conn.execute(
                "INSERT INTO warehouses (key, name) VALUES (?1, ?2)
                 ON CONFLICT (key) DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
                params![place.key, place.name],
            ),
        })?;
        Ok(rows > 0)
    }

    fn check_currency(&self, section: Section, place: &Place) -> Result<()> {
        let stored = match self.place(section, &place.key)? {
            None => match &place.renamed_from {
                Some(old) => self.place(section, old)?,
                None => None,
            },
            found => found,
        };
        if let Some(stored) = stored
            && stored.currency != place.currency
        {
            return Err(InventoryError::new(
                InventoryErrorKind::Currency { line: place.line },
                format!(
                    "the price group `{}` has the currency {} in the config and {} in the \
                     inventory. Prices are not converted: put {} back, or declare a new price \
                     group",
                    place.key,
                    place.currency.map_or_else(|| "none".to_owned(), |c| c.to_string()),
                    stored.currency.map_or_else(|| "none".to_owned(), |c| c.to_string()),
                    stored.currency.map_or_else(|| "it".to_owned(), |c| c.to_string()),
                ),
            ));
        }
        Ok(())
    }

    /// The warehouse or price group of this key.
    pub fn place(&self, section: Section, key: &str) -> Result<Option<StoredPlace>> {
        Ok(self.places(section)?.into_iter().find(|place| place.key == key))
    }

    /// All warehouses or price groups.
    pub fn places(&self, section: Section) -> Result<Vec<StoredPlace>> {
        let sql = match section {
            Section::Prices => "SELECT id, key, revision, currency FROM price_groups ORDER BY id",
            _ => "SELECT id, key, revision, NULL FROM warehouses ORDER BY id",
        };
        self.with(|conn| {
            conn.prepare_cached(sql)?
                .query_map([], |row| {
                    let currency: Option<String> = row.get(3)?;
                    Ok(StoredPlace {
                        id: row.get(0)?,
                        key: row.get(1)?,
                        revision: row.get(2)?,
                        currency: currency.and_then(|code| Currency::parse(&code)),
                    })
                })?
                .collect()
        })
    }

    /// The id of an integration, if it ever had a run or a link.
    pub fn integration(&self, name: &str) -> Result<Option<i64>> {
        self.with(|conn| {
            conn.query_row("SELECT id FROM integrations WHERE name = ?1", [name], |row| row.get(0))
                .optional()
        })
    }

    /// The id of an integration, new where it has none yet.
    pub fn declare_integration(&self, name: &str) -> Result<i64> {
        if let Some(id) = self.integration(name)? {
            return Ok(id);
        }
        self.with(|conn| {
            conn.execute("INSERT INTO integrations (name) VALUES (?1)", [name])?;
            Ok(conn.last_insert_rowid())
        })
    }
}
