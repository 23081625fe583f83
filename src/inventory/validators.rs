//! What tells that a source still has what was applied last, and whether anything else moved.

use rusqlite::{OptionalExtension, params};

use super::{Result, Tx};

/// Runs that began so much earlier are over, or nobody recorded their end.
const RECENT_RUNS: i64 = 1000;

/// What the source said when its delivery was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptValidators {
    /// The run that applied it.
    pub run: i64,
    /// A hash of all that decided what it did.
    pub conditions: String,
    /// In the words of the connector.
    pub validators: String,
}

impl Tx<'_> {
    /// What a source said when these sections were applied last.
    pub fn kept_validators(
        &self,
        integration: i64,
        source: &str,
        sections: &str,
    ) -> Result<Option<KeptValidators>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT run_id, conditions, validators FROM validators
                 WHERE integration_id = ?1 AND source = ?2 AND sections = ?3",
            )?
            .query_row(params![integration, source, sections], |row| {
                Ok(KeptValidators {
                    run: row.get(0)?,
                    conditions: row.get(1)?,
                    validators: row.get(2)?,
                })
            })
            .optional()
        })
    }

    /// Keeps what a source says of what was applied.
    pub fn keep_validators(
        &self,
        integration: i64,
        source: &str,
        sections: &str,
        kept: &KeptValidators,
    ) -> Result<()> {
        self.with(|conn| {
            conn.execute(
                "INSERT INTO validators
                     (integration_id, source, sections, run_id, conditions, validators)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (integration_id, source, sections) DO UPDATE SET
                     run_id = excluded.run_id, conditions = excluded.conditions,
                     validators = excluded.validators",
                params![integration, source, sections, kept.run, kept.conditions, kept.validators],
            )
            .map(drop)
        })
    }

    /// Whether no run since this one can have changed links or products, or left anything of this
    /// integration undone: only its own runs without anything new, and pulls and pushes of others.
    pub fn is_quiet_since(&self, run: i64, integration: i64, current: Option<i64>) -> Result<bool> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT NOT EXISTS (
                     SELECT 1 FROM runs
                     WHERE id > ?1 AND id IS NOT ?3 AND NOT (
                         (integration_id = ?2 AND command = 'pull' AND status = 'unchanged')
                         OR (integration_id <> ?2 AND command IN ('pull', 'push'))
                     )
                 )",
            )?
            .query_row(params![run, integration, current], |row| row.get(0))
        })
    }

    /// Whether a run beside this one is under way.
    pub fn is_another_run_under_way(&self, run: i64) -> Result<bool> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT EXISTS (
                     SELECT 1 FROM runs WHERE id > ?1 AND id <> ?2 AND status = 'running'
                 )",
            )?
            .query_row(params![run - RECENT_RUNS, run], |row| row.get(0))
        })
    }

    /// What moves when a product is made or taken away.
    pub fn products_mark(&self) -> Result<(i64, i64)> {
        self.with(|conn| {
            conn.query_row(
                "SELECT (SELECT coalesce(max(id), 0) FROM products),
                        (SELECT count(*) FROM removed_products)",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
    }
}
