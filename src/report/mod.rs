//! What people and scripts see: one sink a format, into which changes stream. Computes nothing
//! but layout: what a run did was decided elsewhere.

mod annotate;
mod change;
mod check;
mod csv;
mod escape;
mod explain;
mod grid;
mod html;
mod json;
mod log;
mod markdown;
mod prometheus;
mod records;
mod runs;
mod schedule;
mod status;
mod table;
mod words;

use std::io;

use anyhow::Result;

pub use annotate::{Annotation, Tree, annotate};
pub use change::{HISTORY_COLUMNS, RecordedChange};
pub use check::{CheckReport, Findings, check};
pub use escape::{shown, shown_lines};
pub use explain::{Explained, Origin, Step, WrittenBy, explain};
pub use html::html;
pub use json::Object;
pub use log::{run_fields, run_line};
pub use prometheus::prometheus;
pub use records::{Cells, Column, Listing, Record, Records};
pub use runs::RUN_COLUMNS;
pub use schedule::{Invocation, crontab, systemd_units};
pub use status::{SectionStatus, Status, status};

use crate::model::{ChangeRow, Problem, RunSummary, Section};

/// What is called with every change of a run, until it returns `false`.
pub type EachChange<'a> = &'a mut dyn FnMut(&ChangeRow<'_>) -> io::Result<bool>;

/// Changes of a run, streamed by section and then by SKU.
pub trait Changes {
    /// Calls `each` with every change until it returns `false`.
    fn each(&self, each: EachChange<'_>) -> Result<()>;

    /// Calls `each` with every change of one section until it returns `false`.
    ///
    /// Worth overriding where the changes before that section can be skipped.
    fn each_of(&self, section: Section, each: EachChange<'_>) -> Result<()> {
        self.each(&mut |change| match change.section.cmp(&section) {
            std::cmp::Ordering::Less => Ok(true),
            std::cmp::Ordering::Equal => each(change),
            std::cmp::Ordering::Greater => Ok(false),
        })
    }

    /// How many changes a section has.
    ///
    /// Worth overriding where that is known without streaming them.
    fn count_of(&self, section: Section) -> Result<u64> {
        let mut count = 0;
        self.each_of(section, &mut |_| {
            count += 1;
            Ok(true)
        })?;
        Ok(count)
    }
}

/// Problems of a run, streamed in the order in which they were met.
pub trait Problems {
    /// How many there are.
    fn count(&self) -> u64;

    /// Calls `each` with every problem until it returns `false`.
    fn each(&self, each: &mut dyn FnMut(&Problem) -> io::Result<bool>) -> Result<()>;
}

/// A run with everything that there is to say about it.
pub struct RunReport<'a> {
    /// The counts and verdicts.
    pub summary: RunSummary,
    /// Its changes.
    pub changes: Box<dyn Changes + 'a>,
    /// Its problems.
    pub problems: Box<dyn Problems + 'a>,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// For scripts: one object.
    Json,
    /// One row a change or record.
    Csv,
    /// One row a change or record, as a table of a pull request or wiki.
    Markdown,
}

/// The look of results.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The format.
    pub format: Format,
    /// Rows shown in a table; `None`: all.
    pub limit: Option<usize>,
    /// Whether tables are coloured.
    pub color: bool,
    /// The terminal's width, in columns; `None`: nothing is cut.
    pub width: Option<usize>,
    /// Whether CSV cells that a spreadsheet would run as a formula get a leading `'`.
    pub spreadsheet_safe: bool,
    /// How much detail a table has beyond the usual.
    pub verbose: u8,
}

impl Default for Style {
    fn default() -> Style {
        Style {
            format: Format::Table,
            limit: Some(50),
            color: false,
            width: None,
            spreadsheet_safe: false,
            verbose: 0,
        }
    }
}

/// Takes the runs of one command, one after the other.
pub trait Sink {
    /// Prints a run. Its changes and problems are streamed, never held.
    fn run(&mut self, report: &RunReport<'_>) -> Result<()>;

    /// Prints what comes after the last run, also where there was none.
    fn end(&mut self) -> Result<()>;
}

/// The sink of a format.
pub fn sink<'o>(style: Style, out: &'o mut (dyn io::Write + Send)) -> Box<dyn Sink + Send + 'o> {
    match style.format {
        Format::Table => Box::new(table::Table::new(style, out)),
        Format::Json => Box::new(json::Json::new(out)),
        Format::Csv => Box::new(csv::Csv::new(style, out)),
        Format::Markdown => Box::new(markdown::Markdown::new(out)),
    }
}

/// Prints what is planned, for who is about to be asked: the tables of the changes and what guards
/// said.
pub fn preview(style: Style, plan: &RunReport<'_>, out: &mut (dyn io::Write + Send)) -> Result<()> {
    table::Table::new(style, out).preview(plan)
}

#[cfg(test)]
mod tests;
