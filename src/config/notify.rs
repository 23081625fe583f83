//! `[notify]`: who is told of runs that did not go well.

use std::time::Duration;

use super::NotifySettings;
use crate::model::RunStatus;
use crate::settings::Table;

/// A program that is told of a run must not hold up the next one for long.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// The runs that it is told of unless the config says otherwise: who interrupts one knows of it.
const DEFAULT_ON: [RunStatus; 3] = [RunStatus::Failed, RunStatus::Partial, RunStatus::Blocked];
const WORDS: [(&str, RunStatus); 4] = [
    ("failed", RunStatus::Failed),
    ("partial", RunStatus::Partial),
    ("blocked", RunStatus::Blocked),
    ("interrupted", RunStatus::Interrupted),
];

impl NotifySettings {
    /// Reads the table. `None` where errors were added.
    pub(super) fn read(mut table: Table<'_>) -> Option<NotifySettings> {
        let command = command(&mut table);
        let on = on(&mut table).unwrap_or_else(|| DEFAULT_ON.to_vec());
        let timeout = table.positive_duration("timeout").unwrap_or(DEFAULT_TIMEOUT);
        table.finish();
        Some(NotifySettings { command: command?, on, timeout })
    }
}

fn command(table: &mut Table<'_>) -> Option<Vec<crate::settings::Text>> {
    let name = table.name_of("command");
    let entry = table.require("command")?;
    let words: Vec<_> = entry.array(&name)?.iter().map(|word| word.text(&name)).collect();
    if words.is_empty() {
        entry.error(format!("`{name}` must begin with a program"));
        return None;
    }
    words.into_iter().collect()
}

fn on(table: &mut Table<'_>) -> Option<Vec<RunStatus>> {
    let name = table.name_of("on");
    let entries = table.take("on")?.array(&name)?;
    entries.iter().map(|entry| entry.choice(&name, &WORDS)).collect()
}
