//! A change in the shapes that every format shares: cells in a row, keys of an object.

use std::borrow::Cow;
use std::io;

use super::RunReport;
use super::json::Object;
use super::records::{Cells, Column, Record};
use crate::model::{ChangeRow, Command, Section, Timestamp, Value};

/// The columns of a change in CSV and Markdown.
pub(super) const CHANGE_COLUMNS: [&str; 11] = [
    "integration",
    "section",
    "item_id",
    "sku",
    "name",
    "target",
    "currency",
    "before",
    "after",
    "status",
    "message",
];

/// Calls `line` with the texts of every change of a run, in the order of [`CHANGE_COLUMNS`].
pub(super) fn each_change(
    report: &RunReport<'_>,
    line: &mut dyn FnMut(&[&str]) -> io::Result<()>,
) -> anyhow::Result<()> {
    let integration = report.summary.integration.as_deref();
    report.changes.each(&mut |change| {
        let cells = change_cells(integration, change);
        let texts: [&str; 11] = std::array::from_fn(|at| cells[at].as_deref().unwrap_or_default());
        line(&texts).map(|()| true)
    })
}

/// The cells of a change, in the order of [`CHANGE_COLUMNS`].
fn change_cells<'a>(
    integration: Option<&'a str>,
    change: &ChangeRow<'a>,
) -> [Option<Cow<'a, str>>; 11] {
    [
        integration.map(Cow::Borrowed),
        Some(Cow::Borrowed(change.section.word())),
        change.item_id.map(Cow::Borrowed),
        change.sku.map(Cow::Borrowed),
        change.name.map(Cow::Borrowed),
        change.place.map(Cow::Borrowed),
        change.currency.map(|currency| Cow::Owned(currency.to_string())),
        side(change, change.before),
        side(change, change.after),
        Some(Cow::Borrowed(change.status.word())),
        change.message.map(Cow::Borrowed),
    ]
}

fn side<'a>(change: &ChangeRow<'a>, value: Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        Value::Sku(sku) => Some(Cow::Borrowed(sku)),
        _ => value.text(change.currency).map(Cow::Owned),
    }
}

/// The keys of a change in JSON, in the order of the documentation.
pub(super) fn change_fields(object: &mut Object<'_>, change: &ChangeRow<'_>) -> io::Result<()> {
    object.field("section", change.section.word())?;
    object.field("item_id", &change.item_id)?;
    object.field("sku", &change.sku)?;
    object.field("name", &change.name)?;
    match change.section {
        Section::Stock => {
            object.field("warehouse", &change.place)?;
            if let Some(location) = change.location {
                object.field("location", location)?;
            }
        }
        Section::Prices => {
            object.field("price_group", &change.place)?;
            object.field("currency", &change.currency)?;
        }
        Section::Links => {}
    }
    object.field("before", &side(change, change.before))?;
    object.field("after", &side(change, change.after))?;
    object.field("status", change.status.word())?;
    object.field("message", &change.message)
}

/// The columns of a product's history.
pub const HISTORY_COLUMNS: [Column; 15] = [
    Column::number("run_id"),
    Column::whole("at"),
    Column::text("command").going(4),
    Column::optional("integration"),
    Column::optional("superior").going(0),
    Column::text("section").going(2),
    Column::optional("item_id").going(1),
    Column::hidden("sku"),
    Column::hidden("name"),
    Column::optional("target"),
    Column::hidden("currency"),
    Column::number("before"),
    Column::number("after"),
    Column::text("status"),
    Column::optional("message").going(3),
];

/// A change and the run that made it: one record of a product's history.
pub struct RecordedChange<'a> {
    /// The change.
    pub change: ChangeRow<'a>,
    /// The run.
    pub run_id: i64,
    /// When the run ended.
    pub at: Timestamp,
    /// The run's integration.
    pub integration: Option<&'a str>,
    /// The run's command.
    pub command: Command,
}

impl RecordedChange<'_> {
    /// Whose values counted: the integration's, the inventory's, or nobody's.
    fn superior(&self) -> Option<&str> {
        match self.command {
            Command::Pull => self.integration,
            Command::Push => Some("inventory"),
            Command::Undo | Command::Import | Command::Set | Command::Link => None,
        }
    }
}

impl Record for RecordedChange<'_> {
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()> {
        change_fields(object, &self.change)?;
        object.field("run_id", &self.run_id)?;
        object.field("at", &self.at.rfc3339())?;
        object.field("integration", &self.integration)?;
        object.field("command", self.command.word())
    }

    fn cells(&self) -> Cells<'_> {
        let [integration, section, item_id, sku, name, target, currency, before, after, ..] =
            change_cells(self.integration, &self.change);
        vec![
            Some(Cow::Owned(self.run_id.to_string())),
            Some(Cow::Owned(self.at.rfc3339())),
            Some(Cow::Borrowed(self.command.word())),
            integration,
            self.superior().map(Cow::Borrowed),
            section,
            item_id,
            sku,
            name,
            target,
            currency,
            before,
            after,
            Some(Cow::Borrowed(self.change.status.word())),
            self.change.message.map(Cow::Borrowed),
        ]
    }
}
