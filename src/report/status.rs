//! How sections stand: a table for people, and rows for programs.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use super::grid::{Grid, GridColumn, Tone};
use super::json::Object;
use super::records::more;
use super::words::{UNKNOWN, bytes, count, duration};
use super::{Format, Style, csv, escape, markdown};
use crate::model::{Direction, RunSummary, Section, Timestamp};

/// How the sections of some integrations stand at one moment.
#[derive(Debug)]
pub struct Status {
    /// When it was looked at.
    pub at: Timestamp,
    /// The inventory's file, as the config names it.
    pub inventory: String,
    /// What its files take; `None` where there is none yet.
    pub inventory_bytes: Option<u64>,
    /// The sections that have a direction, in the order of the config.
    pub sections: Vec<SectionStatus>,
}

/// How one section stands.
#[derive(Debug)]
pub struct SectionStatus {
    /// The integration's name.
    pub integration: String,
    /// The section.
    pub section: Section,
    /// Who is superior.
    pub direction: Direction,
    /// The key of the warehouse or price group.
    pub place: String,
    /// The stock location at the store, as the config names it.
    pub location: Option<String>,
    /// How often it is to run by itself.
    pub every: Option<Duration>,
    /// How much later than that it may come due.
    pub jitter: Duration,
    /// When `sync --due` runs it next; `None`: at once, or never by itself.
    pub due_at: Option<Timestamp>,
    /// Whether its last success is too long ago.
    pub is_overdue: bool,
    /// When it last went well.
    pub last_success: Option<Timestamp>,
    /// Its last run, whatever became of it.
    pub last_run: Option<RunSummary>,
    /// What went wrong last, where that was after the last success.
    pub last_error: Option<String>,
    /// How many of its last runs in a row failed.
    pub failures: u32,
    /// Changes that were sent without an answer.
    pub uncertain: u64,
}

impl Status {
    /// The changes of all sections that were sent without an answer.
    pub fn uncertain(&self) -> u64 {
        self.sections.iter().map(|section| section.uncertain).sum()
    }
}

impl SectionStatus {
    /// How long ago it last went well.
    pub(super) fn age(&self, now: Timestamp) -> Option<Duration> {
        let ms = now.unix_ms.saturating_sub(self.last_success?.unix_ms);
        Some(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }

    /// The integration, with the location: `store-a/Gdańsk`.
    fn name(&self) -> String {
        match &self.location {
            Some(location) => format!("{}/{}", self.integration, escape::shown(location)),
            None => self.integration.clone(),
        }
    }

    /// How it stands, in a word or two.
    fn state(&self) -> &'static str {
        match (self.is_overdue, &self.last_run) {
            (true, None) => "overdue, never ran",
            (true, Some(_)) => "overdue",
            (false, None) => "never ran",
            (false, Some(run)) => run.status.word(),
        }
    }

    pub(super) fn direction_word(&self) -> &'static str {
        match self.direction {
            Direction::Download => "download",
            Direction::Send => "send",
            Direction::Off => "off",
        }
    }
}

/// Prints how sections stand, in the style's format.
pub fn status(style: &Style, status: &Status, out: &mut dyn Write) -> io::Result<()> {
    match style.format {
        Format::Table => table(style, status, out),
        Format::Json => json(status, out),
        Format::Csv => {
            csv::line(out, style.spreadsheet_safe, COLUMNS)?;
            status.sections.iter().try_for_each(|section| {
                let cells = cells(section, status.at);
                csv::line(out, style.spreadsheet_safe, cells.iter().map(AsRef::as_ref))
            })
        }
        Format::Markdown => {
            markdown::header(out, COLUMNS)?;
            status.sections.iter().try_for_each(|section| {
                markdown::line(out, cells(section, status.at).iter().map(AsRef::as_ref))
            })
        }
    }
}

fn table(style: &Style, status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let mut inventory = match status.inventory_bytes {
        Some(size) => format!("inventory {}: {}", status.inventory, bytes(size)),
        None => format!("inventory {}: not made yet", status.inventory),
    };
    if status.uncertain() > 0 {
        inventory += &format!(", changes uncertain: {}", count(status.uncertain()));
    }
    writeln!(out, "{}", escape::shown(&inventory))?;
    let columns = vec![
        GridColumn::text("integration", 3),
        GridColumn::text("section", 9),
        GridColumn::text("direction", 9),
        GridColumn::text("target", 2),
        GridColumn::number("every"),
        GridColumn::number("last success"),
        GridColumn::number("uncertain").optional(),
        GridColumn::text("state", 9),
    ];
    let mut grid = Grid::new(style, columns);
    let shown = style.limit.unwrap_or(usize::MAX);
    for section in status.sections.iter().take(shown) {
        let age = section.age(status.at).map(|age| format!("{} ago", duration(age)));
        let uncertain = Some(section.uncertain).filter(|uncertain| *uncertain > 0);
        let cells = vec![
            section.name(),
            section.section.word().to_owned(),
            section.direction_word().to_owned(),
            section.place.clone(),
            section.every.map_or_else(|| UNKNOWN.to_owned(), duration),
            age.unwrap_or_else(|| "never".to_owned()),
            uncertain.map(count).unwrap_or_default(),
            section.state().to_owned(),
        ];
        let tone = match (section.is_overdue, &section.last_error) {
            (true, _) => Tone::Error,
            (false, Some(_)) => Tone::Warning,
            (false, None) => Tone::Plain,
        };
        grid.push(out, tone, cells)?;
    }
    grid.flush(out)?;
    if let Some(line) = more(style, status.sections.len() as u64) {
        writeln!(out, "{line}")?;
    }
    if status.sections.is_empty() {
        writeln!(out, "no section has a direction")?;
    }
    errors(status, out)?;
    if status.uncertain() > 0 {
        writeln!(out, "\nuncertain: sent without an answer; the next push settles it by reading")?;
    }
    out.flush()
}

/// What went wrong, below the table: once where it is of both sections.
fn errors(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let mut told: Vec<(Option<i64>, &str)> = Vec::new();
    for section in &status.sections {
        let (Some(error), Some(run)) = (&section.last_error, &section.last_run) else { continue };
        let key = (run.run_id, error.as_str());
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        writeln!(out, "\n{}", escape::shown_lines(error))?;
        let run_id = run.run_id.unwrap_or_default();
        let began = run.started_at.rfc3339();
        let times = match section.failures {
            0 | 1 => String::new(),
            failures => format!(", {failures} failures in a row"),
        };
        let again = section.due_at.map(|at| format!("; due again {}", at.rfc3339()));
        let again = again.unwrap_or_default();
        writeln!(out, "  since {began}: `invsync runs {run_id}`{times}{again}")?;
    }
    Ok(())
}

fn json(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    let mut object = Object::begin(out)?;
    object.field("schema_version", &1)?;
    object.field("at", &status.at.rfc3339())?;
    object.field("overdue", &status.sections.iter().any(|section| section.is_overdue))?;
    let mut inventory = object.object("inventory")?;
    inventory.field("path", &status.inventory)?;
    inventory.field("bytes", &status.inventory_bytes)?;
    inventory.field("uncertain", &status.uncertain())?;
    inventory.end()?;
    let mut sections = object.list("sections")?;
    for section in &status.sections {
        let mut item = sections.item()?;
        fields(&mut item, section, status.at)?;
        item.end()?;
    }
    sections.end()?;
    object.end()?;
    writeln!(out)?;
    out.flush()
}

fn fields(object: &mut Object<'_>, section: &SectionStatus, now: Timestamp) -> io::Result<()> {
    let at = |at: Option<Timestamp>| at.map(Timestamp::rfc3339);
    object.field("integration", &section.integration)?;
    object.field("section", section.section.word())?;
    object.field("direction", section.direction_word())?;
    let place = if section.section == Section::Prices { "price_group" } else { "warehouse" };
    object.field(place, &section.place)?;
    if let Some(location) = &section.location {
        object.field("location", location)?;
    }
    object.field("every_seconds", &section.every.map(|every| every.as_secs()))?;
    object.field("jitter_seconds", &section.jitter.as_secs())?;
    object.field("last_success_at", &at(section.last_success))?;
    object.field("age_seconds", &section.age(now).map(|age| age.as_secs()))?;
    object.field("overdue", &section.is_overdue)?;
    object.field("due_at", &at(section.due_at))?;
    object.field("failures", &section.failures)?;
    object.field("uncertain", &section.uncertain)?;
    match &section.last_run {
        None => object.field("last_run", &None::<i64>)?,
        Some(run) => {
            let mut last = object.object("last_run")?;
            last.field("run_id", &run.run_id)?;
            last.field("command", &run.command)?;
            last.field("status", &run.status)?;
            last.field("started_at", &run.started_at.rfc3339())?;
            last.field("finished_at", &at(run.finished_at))?;
            last.end()?;
        }
    }
    object.field("last_error", &section.last_error)
}

const COLUMNS: [&str; 14] = [
    "integration",
    "section",
    "direction",
    "target",
    "every_seconds",
    "last_success_at",
    "age_seconds",
    "overdue",
    "due_at",
    "failures",
    "uncertain",
    "last_run_id",
    "last_status",
    "last_error",
];

fn cells(section: &SectionStatus, now: Timestamp) -> [Cow<'_, str>; 14] {
    let text = |text: Option<String>| Cow::Owned(text.unwrap_or_default());
    let seconds = |time: Option<Duration>| text(time.map(|time| time.as_secs().to_string()));
    let run = section.last_run.as_ref();
    [
        Cow::Borrowed(&section.integration),
        Cow::Borrowed(section.section.word()),
        Cow::Borrowed(section.direction_word()),
        Cow::Borrowed(&section.place),
        seconds(section.every),
        text(section.last_success.map(Timestamp::rfc3339)),
        seconds(section.age(now)),
        Cow::Owned(section.is_overdue.to_string()),
        text(section.due_at.map(Timestamp::rfc3339)),
        Cow::Owned(section.failures.to_string()),
        Cow::Owned(section.uncertain.to_string()),
        text(run.and_then(|run| run.run_id).map(|id| id.to_string())),
        Cow::Borrowed(run.map_or("", |run| run.status.word())),
        Cow::Borrowed(section.last_error.as_deref().unwrap_or_default()),
    ]
}
