//! A run as one row of a list: its counts, without its changes and problems.

use std::borrow::Cow;
use std::io;

use super::json::{Object, problem_item, run_counts, run_verdicts};
use super::records::{Cells, Column, Record};
use crate::model::RunSummary;

/// The columns of a run.
pub const RUN_COLUMNS: [Column; 21] = [
    Column::number("run_id"),
    Column::whole("started_at"),
    Column::hidden("finished_at"),
    Column::text("command"),
    Column::optional("integration"),
    Column::whole("status"),
    Column::hidden("dry_run"),
    Column::number("items").going(1),
    Column::hidden("linked"),
    Column::hidden("unlinked"),
    Column::hidden("created"),
    Column::hidden("missing"),
    Column::hidden("duplicates"),
    Column::hidden("invalid"),
    Column::number("stock"),
    Column::number("prices"),
    Column::number("links").going(0),
    Column::number("held_back").going(2),
    Column::number("refused").going(3),
    Column::optional("guards").going(5),
    Column::name("error").going(4),
];

impl Record for RunSummary {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        run_counts(object, self)?;
        let mut problems = object.list("problems")?;
        for problem in &self.problems {
            problem_item(&mut problems, problem, problem.kind.severity())?;
        }
        problems.end()?;
        run_verdicts(object, self)
    }

    fn cells(&self) -> Cells<'_> {
        let number = |count: u64| Some(Cow::Owned(count.to_string()));
        let guards: Vec<_> = self.guards.iter().map(|verdict| verdict.guard.as_str()).collect();
        vec![
            self.run_id.map(|id| Cow::Owned(id.to_string())),
            Some(Cow::Owned(self.started_at.rfc3339())),
            self.finished_at.map(|at| Cow::Owned(at.rfc3339())),
            Some(Cow::Borrowed(self.command.word())),
            self.integration.as_deref().map(Cow::Borrowed),
            Some(Cow::Borrowed(self.status.word())),
            Some(Cow::Borrowed(if self.dry_run { "true" } else { "false" })),
            number(self.items),
            number(self.linked),
            number(self.unlinked),
            number(self.created),
            number(self.missing),
            number(self.duplicates),
            number(self.invalid),
            number(self.changed.stock),
            number(self.changed.prices),
            number(self.changed.links),
            number(self.held_back),
            number(self.refused),
            Some(Cow::Owned(guards.join(" "))).filter(|text: &Cow<'_, str>| !text.is_empty()),
            self.error.as_deref().map(Cow::Borrowed),
        ]
    }
}
