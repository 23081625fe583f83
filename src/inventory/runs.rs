//! Runs as they are recorded: their rows, changes and problems.

use rusqlite::{OptionalExtension, Row, params};

use super::links::linked_by;
use super::places::places_of;
use super::products::ProductId;
use super::{InventoryError, RECORDED_PLANS, Result, Tx};
use crate::model::{
    ChangeStatus, Changed, Command, Currency, Decimal, LinkedBy, Problem, ProblemKind, RunStatus,
    RunSummary, Section, StorePlaces, Timestamp,
};

/// What a run is for, beside its command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Purpose {
    /// The sections that it works on.
    pub sections: Vec<Section>,
    /// Of an undo: the run that it puts back.
    pub undoes: Option<i64>,
    /// Whether it writes to a store, not to the inventory.
    pub at_store: bool,
    /// Whether its changes are not on record any more. Never of a new run.
    pub pruned: bool,
}

/// A change as the record has it, with its texts.
#[derive(Clone, Debug)]
pub struct RecordedChange {
    /// The run.
    pub run_id: i64,
    /// The section.
    pub section: Section,
    /// The key of the warehouse or price group; empty for links.
    pub place: String,
    /// Where at the store that is, if the config said so.
    pub at_store: StorePlaces,
    /// The price group's currency.
    pub currency: Option<Currency>,
    /// The product.
    pub product: Option<ProductId>,
    /// Its SKU.
    pub sku: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The item's id; `None` for the inventory's own commands.
    pub item_id: Option<String>,
    /// Before: a value, or of a link the SKU.
    pub before: RecordedValue,
    /// After.
    pub after: RecordedValue,
    /// What became of it.
    pub status: ChangeStatus,
    /// Why.
    pub message: Option<String>,
}

/// A side of a recorded change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedValue {
    /// A quantity or price, or unknown.
    Number(Option<Decimal>),
    /// The SKU of a linked product, or no link.
    Sku(Option<String>),
}

const SUMMARY: &str = "SELECT runs.id, integrations.name, command, status, started_ms, finished_ms,
        items, linked, unlinked, created, missing, duplicates, invalid, changed_stock,
        changed_prices, changed_links, held_back, refused, guards, error, at_store
    FROM runs LEFT JOIN integrations ON integrations.id = runs.integration_id";

impl Tx<'_> {
    /// Records that a run begins, and gives its id.
    pub fn start_run(
        &self,
        integration: Option<i64>,
        purpose: &Purpose,
        summary: &RunSummary,
    ) -> Result<i64> {
        let sections: Vec<_> = purpose.sections.iter().map(|section| section.word()).collect();
        self.with(|conn| {
            conn.execute(
                "INSERT INTO runs
                     (integration_id, command, sections, undoes, at_store, status, started_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    integration,
                    summary.command.word(),
                    sections.join(","),
                    purpose.undoes,
                    purpose.at_store,
                    RunStatus::Running.word(),
                    summary.started_at.unix_ms
                ],
            )?;
            Ok(conn.last_insert_rowid())
        })
    }

    /// Forgets a run that has done nothing yet, as if it had never begun.
    pub fn forget_run(&self, run: i64) -> Result<()> {
        self.with(|conn| conn.execute("DELETE FROM runs WHERE id = ?1", [run]).map(drop))
    }

    /// Records how a run ended.
    pub fn finish_run(&self, run: i64, summary: &RunSummary) -> Result<()> {
        let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let guards = serde_json::to_string(&summary.guards).unwrap_or_else(|_| "[]".to_owned());
        self.with(|conn| {
            conn.execute(
                "UPDATE runs SET status = ?2, finished_ms = ?3, items = ?4, linked = ?5,
                     unlinked = ?6, created = ?7, missing = ?8, duplicates = ?9, invalid = ?10,
                     changed_stock = ?11, changed_prices = ?12, changed_links = ?13,
                     held_back = ?14, refused = ?15, guards = ?16, error = ?17
                 WHERE id = ?1",
                params![
                    run,
                    summary.status.word(),
                    summary.finished_at.map(|at| at.unix_ms),
                    count(summary.items),
                    count(summary.linked),
                    count(summary.unlinked),
                    count(summary.created),
                    count(summary.missing),
                    count(summary.duplicates),
                    count(summary.invalid),
                    count(summary.changed.stock),
                    count(summary.changed.prices),
                    count(summary.changed.links),
                    count(summary.held_back),
                    count(summary.refused),
                    guards,
                    summary.error
                ],
            )
            .map(drop)
        })
    }

    /// Records problems: the first of them, and how many of each kind there are.
    pub fn record_problems(
        &self,
        run: i64,
        first: &mut dyn Iterator<Item = Problem>,
        counts: &[(ProblemKind, u64)],
    ) -> Result<()> {
        self.with(|conn| {
            let mut insert = conn.prepare_cached(
                "INSERT INTO problems (run_id, n, kind, item_id, sku, line, message)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?;
            for (n, problem) in first.take(RECORDED_PLANS).enumerate() {
                insert.execute(params![
                    run,
                    i64::try_from(n).unwrap_or(i64::MAX),
                    problem.kind.word(),
                    problem.item_id,
                    problem.sku,
                    problem.line.map(|line| i64::try_from(line).unwrap_or(i64::MAX)),
                    problem.words()
                ])?;
            }
            let mut insert = conn.prepare_cached(
                "INSERT INTO problem_counts (run_id, kind, count) VALUES (?1, ?2, ?3)",
            )?;
            for (kind, count) in counts {
                insert.execute(params![
                    run,
                    kind.word(),
                    i64::try_from(*count).unwrap_or(i64::MAX)
                ])?;
            }
            Ok(())
        })
    }

    /// One run, as it was recorded.
    pub fn run_summary(&self, id: i64) -> Result<Option<RunSummary>> {
        self.with(|conn| {
            conn.prepare_cached(&format!("{SUMMARY} WHERE runs.id = ?1"))?
                .query_row([id], summary)
                .optional()
        })
    }

    /// All runs, newest first, until `each` says `false`.
    pub fn each_run<E: From<InventoryError>>(
        &self,
        mut each: impl FnMut(&RunSummary) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        let error = |error: rusqlite::Error| E::from(self.error(&error));
        let mut statement =
            self.conn().prepare(&format!("{SUMMARY} ORDER BY runs.id DESC")).map_err(error)?;
        let mut rows = statement.query([]).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            if !each(&summary(row).map_err(error)?)? {
                break;
            }
        }
        Ok(())
    }

    /// The newest run of an integration: while its lock is held, nobody else's can come after it.
    pub fn newest_run(&self, integration: i64) -> Result<Option<i64>> {
        self.with(|conn| {
            conn.query_row(
                "SELECT max(id) FROM runs WHERE integration_id = ?1",
                [integration],
                |row| row.get(0),
            )
        })
    }

    /// What a recorded run was for.
    pub fn purpose(&self, run: i64) -> Result<Purpose> {
        self.with(|conn| {
            conn.query_row(
                "SELECT sections, undoes, at_store, pruned FROM runs WHERE id = ?1",
                [run],
                |row| {
                    let sections: String = row.get(0)?;
                    let is_in =
                        |section: &Section| sections.split(',').any(|s| s == section.word());
                    Ok(Purpose {
                        sections: Section::ALL.into_iter().filter(is_in).collect(),
                        undoes: row.get(1)?,
                        at_store: row.get(2)?,
                        pruned: row.get(3)?,
                    })
                },
            )
        })
    }

    /// The runs of a command that worked on a section of an integration, newest first, until `each`
    /// says `false`.
    pub fn each_attempt<E: From<InventoryError>>(
        &self,
        integration: i64,
        command: Command,
        section: Section,
        mut each: impl FnMut(RunSummary) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        let error = |error: rusqlite::Error| E::from(self.error(&error));
        let sql = format!(
            "{SUMMARY} WHERE runs.integration_id = ?1 AND command = ?2 AND instr(sections, ?3) > 0
             ORDER BY runs.id DESC"
        );
        let mut statement = self.conn().prepare_cached(&sql).map_err(error)?;
        let of = params![integration, command.word(), section.word()];
        let mut rows = statement.query(of).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            if !each(summary(row).map_err(error)?)? {
                break;
            }
        }
        Ok(())
    }

    /// The runs of an integration that have no end: their processes are gone, where the caller
    /// holds the lock.
    pub fn unfinished_runs(&self, integration: i64) -> Result<Vec<i64>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT id FROM runs WHERE integration_id = ?1 AND status = 'running' ORDER BY id",
            )?
            .query_map([integration], |row| row.get(0))?
            .collect()
        })
    }

    /// Records that a run's process ended without an end.
    pub fn mark_crashed(&self, run: i64) -> Result<()> {
        self.with(|conn| {
            conn.execute("UPDATE runs SET status = 'crashed' WHERE id = ?1", [run]).map(drop)
        })
    }

    /// How many runs [`Tx::prune`] would prune.
    pub fn prunable(&self, before: Timestamp) -> Result<u64> {
        self.with(|conn| {
            conn.query_row(
                "SELECT count(*) FROM runs WHERE pruned = 0 AND finished_ms < ?1
                     AND NOT EXISTS (SELECT 1 FROM changes
                         WHERE changes.run_id = runs.id AND changes.status IN (5, 6))",
                [before.unix_ms],
                |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
            )
        })
    }

    /// Drops the changes and problems of runs that ended before a moment, of at most `runs` of
    /// them, the oldest first; gives how many. Their rows stay, and so does what is uncertain.
    pub fn prune(&self, before: Timestamp, runs: u32) -> Result<u64> {
        self.with(|conn| {
            let old: Vec<i64> = conn
                .prepare_cached(
                    "SELECT id FROM runs WHERE pruned = 0 AND finished_ms < ?1
                         AND NOT EXISTS (SELECT 1 FROM changes
                             WHERE changes.run_id = runs.id AND changes.status IN (5, 6))
                     ORDER BY id LIMIT ?2",
                )?
                .query_map(params![before.unix_ms, runs], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            for run in &old {
                for sql in [
                    "DELETE FROM changes WHERE run_id = ?1",
                    "DELETE FROM link_changes WHERE run_id = ?1",
                    "DELETE FROM problems WHERE run_id = ?1",
                    "DELETE FROM run_places WHERE run_id = ?1",
                    "UPDATE runs SET pruned = 1, sku_links = NULL WHERE id = ?1",
                ] {
                    conn.prepare_cached(sql)?.execute([run])?;
                }
            }
            Ok(old.len() as u64)
        })
    }

    /// The problems that were recorded of a run.
    pub fn problems(&self, run: i64) -> Result<Vec<Problem>> {
        self.with(|conn| {
            conn.prepare_cached(
                "SELECT kind, item_id, sku, line, message FROM problems WHERE run_id = ?1
                 ORDER BY n",
            )?
            .query_map([run], |row| {
                let kind: String = row.get(0)?;
                let line: Option<i64> = row.get(3)?;
                Ok(Problem {
                    kind: ProblemKind::from_word(&kind).unwrap_or(ProblemKind::Config),
                    item_id: row.get(1)?,
                    sku: row.get(2)?,
                    file: None,
                    line: line.map(i64::unsigned_abs),
                    message: row.get(4)?,
                    accepted: None,
                })
            })?
            .collect()
        })
    }

    /// How many problems of each kind a run had.
    pub fn problem_counts(&self, run: i64) -> Result<Vec<(ProblemKind, u64)>> {
        self.with(|conn| {
            conn.prepare_cached("SELECT kind, count FROM problem_counts WHERE run_id = ?1")?
                .query_map([run], |row| {
                    let kind: String = row.get(0)?;
                    let count: i64 = row.get(1)?;
                    let kind = ProblemKind::from_word(&kind).unwrap_or(ProblemKind::Config);
                    Ok((kind, count.unsigned_abs()))
                })?
                .collect()
        })
    }

    /// The changes of one run by section, place and SKU, until `each` says `false`.
    pub fn each_change<E: From<InventoryError>>(
        &self,
        run: i64,
        each: &mut dyn FnMut(&RecordedChange) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        let more = self.stream(
            &format!(
                "{VALUE_CHANGE} FROM changes JOIN products ON products.id = changes.product_id
                 JOIN runs ON runs.id = changes.run_id {PLACES}
                 WHERE changes.run_id = ?1 ORDER BY section, place_id, sku, n"
            ),
            &[&run],
            value_change,
            each,
        )?;
        if more {
            self.stream(
                &format!("{LINK_CHANGE} WHERE link_changes.run_id = ?1 ORDER BY n"),
                &[&run],
                link_change,
                each,
            )?;
        }
        Ok(())
    }

    /// Every recorded change of a product, oldest run first, until `each` says `false`.
    pub fn each_change_of<E: From<InventoryError>>(
        &self,
        product: ProductId,
        each: &mut dyn FnMut(&RecordedChange) -> std::result::Result<bool, E>,
    ) -> std::result::Result<(), E> {
        let mut all: Vec<RecordedChange> = Vec::new();
        let mut keep = |change: &RecordedChange| -> std::result::Result<bool, InventoryError> {
            all.push(change.clone());
            Ok(true)
        };
        // One look-up per run and place: no index over millions of changes is needed for it.
        self.stream(
            &format!(
                "{VALUE_CHANGE} FROM runs
                 CROSS JOIN (SELECT 0 AS in_section, id AS in_place FROM warehouses
                             UNION ALL SELECT 1, id FROM price_groups)
                 CROSS JOIN changes ON changes.run_id = runs.id AND section = in_section
                     AND place_id = in_place AND product_id = ?1
                 JOIN products ON products.id = changes.product_id {PLACES}
                 ORDER BY runs.id, section, place_id, n"
            ),
            &[&product],
            value_change,
            &mut keep,
        )?;
        self.stream(
            &format!(
                "{LINK_CHANGE} WHERE product_before = ?1 OR product_after = ?1
                 ORDER BY link_changes.run_id, n"
            ),
            &[&product],
            link_change,
            &mut keep,
        )?;
        all.sort_by_key(|change| change.run_id);
        for change in &all {
            if !each(change)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether everything was streamed: `each` never said `false`.
    fn stream<E: From<InventoryError>>(
        &self,
        sql: &str,
        parameters: &[&dyn rusqlite::ToSql],
        read: fn(&Row<'_>) -> rusqlite::Result<RecordedChange>,
        each: &mut dyn FnMut(&RecordedChange) -> std::result::Result<bool, E>,
    ) -> std::result::Result<bool, E> {
        let error = |error: rusqlite::Error| E::from(self.error(&error));
        let mut statement = self.conn().prepare(sql).map_err(error)?;
        let mut rows = statement.query(parameters).map_err(error)?;
        while let Some(row) = rows.next().map_err(error)? {
            if !each(&read(row).map_err(error)?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Of the inventory's own commands there is no item; else an absent item id is the SKU.
const VALUE_CHANGE: &str = "SELECT changes.run_id, section, coalesce(warehouses.key,
        price_groups.key), price_groups.currency, product_id, sku, products.name,
        iif(runs.integration_id IS NULL, NULL, coalesce(changes.item_id, sku)), before, after,
        changes.status, message, place_at_store";

const PLACES: &str = "LEFT JOIN warehouses ON section = 0 AND warehouses.id = place_id
    LEFT JOIN price_groups ON section = 1 AND price_groups.id = place_id
    LEFT JOIN run_places USING (run_id, section, place_id)";

const LINK_CHANGE: &str = "SELECT link_changes.run_id, item_id, a.sku, b.sku,
        coalesce(b.id, a.id), coalesce(b.name, a.name), status, message, linked_by_after
    FROM link_changes
    LEFT JOIN products AS a ON a.id = product_before
    LEFT JOIN products AS b ON b.id = product_after";

fn value_change(row: &Row<'_>) -> rusqlite::Result<RecordedChange> {
    let currency: Option<String> = row.get(3)?;
    let number = |micros: Option<i64>| RecordedValue::Number(micros.and_then(Decimal::from_micros));
    Ok(RecordedChange {
        run_id: row.get(0)?,
        section: Section::from_code(row.get(1)?).unwrap_or(Section::Stock),
        place: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
        currency: currency.and_then(|code| Currency::parse(&code)),
        product: row.get(4)?,
        sku: row.get(5)?,
        name: row.get(6)?,
        item_id: row.get(7)?,
        before: number(row.get(8)?),
        after: number(row.get(9)?),
        status: ChangeStatus::from_code(row.get(10)?).unwrap_or(ChangeStatus::Uncertain),
        message: row.get(11)?,
        at_store: places_of(row.get(12)?),
    })
}

fn link_change(row: &Row<'_>) -> rusqlite::Result<RecordedChange> {
    let (before, after): (Option<String>, Option<String>) = (row.get(2)?, row.get(3)?);
    let by: Option<i64> = row.get(8)?;
    let never = by.map(linked_by) == Some(LinkedBy::Never);
    Ok(RecordedChange {
        run_id: row.get(0)?,
        section: Section::Links,
        place: String::new(),
        currency: None,
        product: row.get(4)?,
        sku: if never { None } else { after.clone().or_else(|| before.clone()) },
        name: row.get(5)?,
        item_id: row.get(1)?,
        before: RecordedValue::Sku(before),
        after: RecordedValue::Sku(after),
        status: ChangeStatus::from_code(row.get(6)?).unwrap_or(ChangeStatus::Uncertain),
        message: row.get(7)?,
        at_store: StorePlaces::default(),
    })
}

fn summary(row: &Row<'_>) -> rusqlite::Result<RunSummary> {
    let count = |at: usize| row.get::<_, i64>(at).map(i64::unsigned_abs);
    let (command, status, guards): (String, String, String) =
        (row.get(2)?, row.get(3)?, row.get(18)?);
    Ok(RunSummary {
        run_id: row.get(0)?,
        integration: row.get(1)?,
        command: Command::from_word(&command).unwrap_or(Command::Pull),
        dry_run: false,
        at_store: row.get(20)?,
        status: RunStatus::from_word(&status).unwrap_or(RunStatus::Crashed),
        started_at: Timestamp { unix_ms: row.get(4)? },
        finished_at: row.get::<_, Option<i64>>(5)?.map(|unix_ms| Timestamp { unix_ms }),
        items: count(6)?,
        linked: count(7)?,
        unlinked: count(8)?,
        created: count(9)?,
        missing: count(10)?,
        duplicates: count(11)?,
        invalid: count(12)?,
        changed: Changed { stock: count(13)?, prices: count(14)?, links: count(15)? },
        held_back: count(16)?,
        refused: count(17)?,
        guards: serde_json::from_str(&guards).unwrap_or_default(),
        error: row.get(19)?,
        sections: Vec::new(),
        problems: Vec::new(),
    })
}
