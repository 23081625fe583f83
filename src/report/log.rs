//! A run as one line of a log.

use std::io;

use super::json::{Object, run_counts, run_verdicts};
use crate::model::RunSummary;

/// `pull store-a ok items=2104 linked=2098 stock=31 prices=0 seconds=0.8 run=12`: who, how it
/// ended, and the counts that are not 0.
pub fn run_line(run: &RunSummary) -> String {
    let name = run.integration.as_deref().unwrap_or("inventory");
    let mut line = format!("{} {name} {}", run.command.word(), run.status.word());
    let counts = [
        ("items", run.items),
        ("linked", run.linked),
        ("unlinked", run.unlinked),
        ("created", run.created),
        ("missing", run.missing),
        ("duplicates", run.duplicates),
        ("invalid", run.invalid),
        ("stock", run.changed.stock),
        ("prices", run.changed.prices),
        ("links", run.changed.links),
        ("held_back", run.held_back),
        ("refused", run.refused),
    ];
    for (word, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        line += &format!(" {word}={count}");
    }
    if let Some(finished_at) = run.finished_at {
        let ms = finished_at.unix_ms.saturating_sub(run.started_at.unix_ms).max(0);
        line += &format!(" seconds={}.{}", ms / 1_000, ms % 1_000 / 100);
    }
    if let Some(id) = run.run_id {
        line += &format!(" run={id}");
    }
    if run.dry_run {
        line += " dry_run";
    }
    line
}

/// The keys of a run in a line of JSON: those of the run's report, without its changes and problems.
pub fn run_fields(object: &mut Object<'_>, run: &RunSummary) -> io::Result<()> {
    run_counts(object, run)?;
    run_verdicts(object, run)
}
