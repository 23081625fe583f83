//! Markdown: a table with one row per change, every text escaped.

use std::io::{self, Write};

use anyhow::Result;

use super::change::{CHANGE_COLUMNS, each_change};
use super::{RunReport, Sink, escape};

/// Prints one table of all changes of all runs.
pub(super) struct Markdown<'o> {
    out: &'o mut (dyn Write + Send),
    has_header: bool,
}

impl<'o> Markdown<'o> {
    pub(super) fn new(out: &'o mut (dyn Write + Send)) -> Self {
        Markdown { out, has_header: false }
    }

    fn header(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.has_header, true) {
            header(self.out, CHANGE_COLUMNS)?;
        }
        Ok(())
    }
}

impl Sink for Markdown<'_> {
    fn run(&mut self, report: &RunReport<'_>) -> Result<()> {
        self.header()?;
        each_change(report, &mut |texts| line(self.out, texts.iter().copied()))?;
        Ok(self.out.flush()?)
    }

    fn end(&mut self) -> Result<()> {
        self.header()?;
        Ok(self.out.flush()?)
    }
}

/// Prints the header of a table.
pub(super) fn header<'c>(
    out: &mut dyn Write,
    titles: impl IntoIterator<Item = &'c str>,
) -> io::Result<()> {
    let titles: Vec<_> = titles.into_iter().collect();
    line(out, titles.iter().copied())?;
    writeln!(out, "|{}", " --- |".repeat(titles.len()))
}

/// Prints one row.
pub(super) fn line<'c>(
    out: &mut dyn Write,
    cells: impl IntoIterator<Item = &'c str>,
) -> io::Result<()> {
    out.write_all(b"|")?;
    for cell in cells {
        match cell {
            "" => out.write_all(b" |")?,
            _ => write!(out, " {} |", escape::markdown(cell))?,
        }
    }
    out.write_all(b"\n")
}
