//! What was recorded: runs and the history of a product.

use std::io;
use std::time::Duration;

use super::products::unknown_sku;
use super::run::IfMissing;
use super::view::{RecordedChanges, row_of};
use super::{HistoryRow, Session, Sink, UsageError};
use crate::inventory::{Inventory, Lock, lock_path};
use crate::model::{Direction, Problem, RunStatus, RunSummary, Section, SectionHeading, Timestamp};
use crate::report::{Problems, RunReport};

/// A run without an end is still running while its lock is held, and has crashed otherwise.
pub(super) fn settle_status(inventory: &Inventory, summary: &mut RunSummary) {
    if summary.status != RunStatus::Running {
        return;
    }
    let is_held = match (inventory.path(), &summary.integration) {
        (Some(path), Some(name)) => Lock::is_held(&lock_path(path, name)),
        _ => false,
    };
    if !is_held {
        summary.status = RunStatus::Crashed;
    }
}

/// All runs, newest first.
pub(super) fn runs(
    session: &Session<'_>,
    each: &mut dyn FnMut(&RunSummary) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let inventory = session.open_to_read()?;
    let tx = inventory.begin_read()?;
    tx.each_run::<anyhow::Error>(|summary| {
        let mut summary = summary.clone();
        settle_status(&inventory, &mut summary);
        summary.problems = tx.problems(summary.run_id.unwrap_or_default())?;
        each(&summary)
    })
}

/// One run with its changes.
pub(super) fn run(session: &Session<'_>, id: i64, sink: Sink<'_>) -> anyhow::Result<()> {
    let inventory = session.open_to_read()?;
    let tx = inventory.begin_read()?;
    let Some(mut summary) = tx.run_summary(id)? else {
        let message = format!("there is no run {id}; `invsync runs` lists them");
        return Err(UsageError(message).into());
    };
    settle_status(&inventory, &mut summary);
    let mut headings: Vec<SectionHeading> = Vec::new();
    tx.each_change::<anyhow::Error>(id, &mut |change| {
        let is_known =
            headings.iter().any(|h| h.section == change.section && h.place == change.place);
        if !is_known && change.section != Section::Links {
            headings.push(SectionHeading {
                section: change.section,
                direction: match summary.command {
                    crate::model::Command::Pull => Direction::Download,
                    crate::model::Command::Push => Direction::Send,
                    _ => Direction::Off,
                },
                place: change.place.clone(),
                location: change.at_store.location().map(str::to_owned),
                currency: change.currency,
            });
        }
        Ok(true)
    })?;
    summary.sections = headings;
    let problems = RecordedProblems {
        first: tx.problems(id)?,
        count: tx.problem_counts(id)?.iter().map(|(_, count)| count).sum(),
    };
    sink(&RunReport {
        summary,
        changes: Box::new(RecordedChanges { tx: &tx, run: id }),
        problems: Box::new(problems),
    })
}

/// `runs prune`: drops the changes of old runs; gives how many runs.
pub(super) fn prune(session: &Session<'_>, older_than: Duration) -> anyhow::Result<u64> {
    let inventory = session.open(IfMissing::Refuse)?;
    let tx = session.begin(&inventory)?;
    let before = Timestamp::now().earlier_by(older_than);
    if session.options.dry_run {
        return Ok(tx.prunable(before)?);
    }
    let pruned = tx.prune(before, u32::MAX)?;
    tx.commit()?;
    Ok(pruned)
}

/// The problems of a recorded run: how many there were, and the first of them.
struct RecordedProblems {
    first: Vec<Problem>,
    count: u64,
}

impl Problems for RecordedProblems {
    fn count(&self) -> u64 {
        self.count
    }

    fn each(&self, each: &mut dyn FnMut(&Problem) -> io::Result<bool>) -> anyhow::Result<()> {
        for problem in &self.first {
            if !each(problem)? {
                break;
            }
        }
        Ok(())
    }
}

/// Every recorded change of a product.
pub(super) fn history(
    session: &Session<'_>,
    sku: &str,
    each: &mut dyn FnMut(&HistoryRow<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let inventory = session.open_to_read()?;
    let tx = inventory.begin_read()?;
    let Some(product) = tx.product_id_ever(sku)? else {
        return Err(unknown_sku(&tx.products()?, sku).into());
    };
    tx.each_change_of::<anyhow::Error>(product, &mut |change| {
        let Some(run) = tx.run_summary(change.run_id)? else { return Ok(true) };
        each(&HistoryRow {
            change: row_of(change),
            run_id: change.run_id,
            at: run.finished_at.unwrap_or(run.started_at),
            integration: run.integration.as_deref(),
            command: run.command,
        })
    })
}
