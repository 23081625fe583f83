//! Runs: one pass, or one command that changes the inventory, as it is recorded and reported.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{Currency, Direction, GuardVerdict, Problem, Section};

/// A moment, in milliseconds since 1970 (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub unix_ms: i64,
}

impl Timestamp {
    /// Now, by the system's clock.
    pub fn now() -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp { unix_ms: i64::try_from(since.as_millis()).unwrap_or(i64::MAX) }
    }

    /// So much earlier.
    pub fn earlier_by(self, time: std::time::Duration) -> Timestamp {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Timestamp { unix_ms: self.unix_ms.saturating_sub(ms) }
    }

    /// So much later.
    pub fn later_by(self, time: std::time::Duration) -> Timestamp {
        let ms = i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        Timestamp { unix_ms: self.unix_ms.saturating_add(ms) }
    }

    /// `2026-11-24T08:00:00Z`, whole seconds.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.unix_ms.div_euclid(1000))
            .map_or_else(|_| "1970-01-01T00:00:00Z".to_owned(), |at| at.to_string())
    }
}

/// The command that a run belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Values of an integration into the inventory.
    Pull,
    /// Values of the inventory to a store.
    Push,
    /// What a run changed, put back.
    Undo,
    /// `inventory import`, and the seed.
    Import,
    /// `inventory set`.
    Set,
    /// `link auto|set|remove|import`.
    Link,
}

impl Command {
    const ALL: [Command; 6] =
        [Command::Pull, Command::Push, Command::Undo, Command::Import, Command::Set, Command::Link];

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Command::Pull => "pull",
            Command::Push => "push",
            Command::Undo => "undo",
            Command::Import => "import",
            Command::Set => "set",
            Command::Link => "link",
        }
    }

    /// The command of a word.
    pub fn from_word(word: &str) -> Option<Command> {
        Command::ALL.into_iter().find(|c| c.word() == word)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Everything that was planned is done, or nothing was planned.
    Ok,
    /// The source said that nothing is new.
    Unchanged,
    /// Something was refused, skipped, invalid or held back; the rest is done.
    Partial,
    /// A guard stopped a section.
    Blocked,
    /// Nothing was written, or (push) what was sent is recorded.
    Failed,
    /// Stopped by a signal.
    Interrupted,
    /// Another run held the lock; never recorded.
    Locked,
    /// Under way.
    Running,
    /// Its process ended without recording an end.
    Crashed,
}

impl RunStatus {
    const ALL: [RunStatus; 9] = [
        RunStatus::Ok,
        RunStatus::Unchanged,
        RunStatus::Partial,
        RunStatus::Blocked,
        RunStatus::Failed,
        RunStatus::Interrupted,
        RunStatus::Locked,
        RunStatus::Running,
        RunStatus::Crashed,
    ];

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            RunStatus::Ok => "ok",
            RunStatus::Unchanged => "unchanged",
            RunStatus::Partial => "partial",
            RunStatus::Blocked => "blocked",
            RunStatus::Failed => "failed",
            RunStatus::Interrupted => "interrupted",
            RunStatus::Locked => "locked",
            RunStatus::Running => "running",
            RunStatus::Crashed => "crashed",
        }
    }

    /// The status of a word.
    pub fn from_word(word: &str) -> Option<RunStatus> {
        RunStatus::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// How many values changed: applied, or planned in a dry run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// Quantities.
    pub stock: u64,
    /// Prices.
    pub prices: u64,
    /// Links; only of link commands and their undo, left out where there are none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub links: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Changed {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.stock + self.prices + self.links
    }

    /// The count of a section.
    pub fn of(&mut self, section: Section) -> &mut u64 {
        match section {
            Section::Stock => &mut self.stock,
            Section::Prices => &mut self.prices,
            Section::Links => &mut self.links,
        }
    }
}

/// A run without its changes and problems: what `runs` lists and every report starts from.
#[derive(Clone, Debug)]
pub struct RunSummary {
    /// The run's id; `None` for a dry run and for a locked integration.
    pub run_id: Option<i64>,
    /// The integration's name; `None` for the inventory's own commands.
    pub integration: Option<String>,
    /// The command.
    pub command: Command,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// Whether it writes to the integration: a push, or the undo of one.
    pub at_store: bool,
    /// How it ended.
    pub status: RunStatus,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended; `None` while it runs and for a crashed one.
    pub finished_at: Option<Timestamp>,
    /// Rows delivered that are items.
    pub items: u64,
    /// Items with a link.
    pub linked: u64,
    /// Items without one.
    pub unlinked: u64,
    /// Products made of items.
    pub created: u64,
    /// Linked items that the last complete delivery had and this one lacks.
    pub missing: u64,
    /// Rows beyond the first of their id.
    pub duplicates: u64,
    /// `invalid_value` problems.
    pub invalid: u64,
    /// What was applied, in a dry run what is planned.
    pub changed: Changed,
    /// Changes that a guard held back.
    pub held_back: u64,
    /// Changes that the other side refused.
    pub refused: u64,
    /// Guards that struck or were allowed.
    pub guards: Vec<GuardVerdict>,
    /// What failed and what to do, of a failed run.
    pub error: Option<String>,
    /// What the run worked on, for the headings of its tables. Not recorded.
    pub sections: Vec<SectionHeading>,
    /// The problems on record; only of a run in a list of runs.
    pub problems: Vec<Problem>,
}

impl RunSummary {
    /// A run that starts now and has done nothing yet.
    pub fn start(integration: Option<&str>, command: Command, dry_run: bool) -> RunSummary {
        RunSummary {
            run_id: None,
            integration: integration.map(str::to_owned),
            command,
            dry_run,
            at_store: command == Command::Push,
            status: RunStatus::Running,
            started_at: Timestamp::now(),
            finished_at: None,
            items: 0,
            linked: 0,
            unlinked: 0,
            created: 0,
            missing: 0,
            duplicates: 0,
            invalid: 0,
            changed: Changed::default(),
            held_back: 0,
            refused: 0,
            guards: Vec::new(),
            error: None,
            sections: Vec::new(),
            problems: Vec::new(),
        }
    }
}

/// What one table of a report is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionHeading {
    /// The section.
    pub section: Section,
    /// Who is superior; for the inventory's own commands `Off`.
    pub direction: Direction,
    /// The key of the warehouse or price group.
    pub place: String,
    /// The stock location at the store, as the config names it.
    pub location: Option<String>,
    /// The price group's currency.
    pub currency: Option<Currency>,
}
