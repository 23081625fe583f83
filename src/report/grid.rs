//! Rows in columns, as wide as the terminal: what every table is laid out with.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ContentArrangement, Row, Table, presets};

use super::{Style, escape};

/// Rows that are laid out together; more of them follow under a header of their own, so that a
/// million rows need no more memory than these.
const CHUNK: usize = 1000;
/// Columns of the terminal between two columns of the table.
const GAP: usize = 2;
/// Widths below which columns are not cut: first this, and if that is not enough this.
const FLOORS: [usize; 2] = [16, 4];

/// How much a row wants to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Warning,
    Error,
}

impl Tone {
    /// The text in the tone's colour.
    pub(super) fn paint(self, text: &str, style: &Style) -> String {
        match self {
            Tone::Warning if style.color => format!("\u{1b}[33m{text}\u{1b}[0m"),
            Tone::Error if style.color => format!("\u{1b}[31m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}

/// The text in bold.
pub(super) fn bold(text: &str, style: &Style) -> String {
    if style.color { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// One column of a table.
#[derive(Clone, Debug)]
pub(super) struct GridColumn {
    pub(super) title: String,
    /// Numbers stand right.
    pub(super) is_number: bool,
    pub(super) shown: Shown,
    pub(super) fit: Fit,
    /// It goes where the terminal is too narrow for all; lower numbers go first.
    pub(super) goes: Option<u8>,
}

/// When a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    Always,
    /// Not where no row has anything in it.
    WhereFilled,
    Never,
}

/// What a column does where the terminal is too narrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// Nothing: half a number would be another number.
    Never,
    /// It is cut; lower numbers are cut first.
    Cut(u8),
    /// It goes on in the next line.
    Wrap,
}

impl GridColumn {
    pub(super) fn text(title: &str, order: u8) -> GridColumn {
        let fit = Fit::Cut(order);
        GridColumn {
            title: title.to_owned(),
            is_number: false,
            shown: Shown::Always,
            fit,
            goes: None,
        }
    }

    pub(super) fn number(title: &str) -> GridColumn {
        let fit = Fit::Never;
        GridColumn {
            title: title.to_owned(),
            is_number: true,
            shown: Shown::Always,
            fit,
            goes: None,
        }
    }

    pub(super) fn optional(self) -> GridColumn {
        GridColumn { shown: Shown::WhereFilled, ..self }
    }

    pub(super) fn hidden(self) -> GridColumn {
        GridColumn { shown: Shown::Never, ..self }
    }

    pub(super) fn going(self, order: Option<u8>) -> GridColumn {
        GridColumn { goes: order, ..self }
    }

    pub(super) fn fitting(self, fit: Fit) -> GridColumn {
        GridColumn { fit, ..self }
    }
}

/// Rows on their way to the terminal.
pub(super) struct Grid<'s> {
    columns: Vec<GridColumn>,
    rows: Vec<(Tone, Vec<String>)>,
    style: &'s Style,
}

impl<'s> Grid<'s> {
    pub(super) fn new(style: &'s Style, columns: Vec<GridColumn>) -> Grid<'s> {
        Grid { columns, rows: Vec::new(), style }
    }

    /// Adds a row; its cells are of the grid's columns, and already escaped.
    pub(super) fn push(
        &mut self,
        out: &mut dyn Write,
        tone: Tone,
        cells: Vec<String>,
    ) -> io::Result<()> {
        self.rows.push((tone, cells));
        if self.rows.len() >= CHUNK { self.flush(out) } else { Ok(()) }
    }

    /// Prints the rows that were added and not yet printed.
    pub(super) fn flush(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let shown: Vec<usize> = (0..self.columns.len())
            .filter(|&at| match self.columns[at].shown {
                Shown::Always => true,
                Shown::WhereFilled => rows.iter().any(|(_, row)| !row[at].is_empty()),
                Shown::Never => false,
            })
            .collect();
        let shown = self.without_least(shown, &rows);
        let columns: Vec<&GridColumn> = shown.iter().map(|&at| &self.columns[at]).collect();
        let rows: Vec<(Tone, Vec<&str>)> = rows
            .iter()
            .map(|(tone, row)| (*tone, shown.iter().map(|&at| row[at].as_str()).collect()))
            .collect();
        let widths = fit(&columns, natural(&columns, &rows), self.style.width);
        print(out, self.style, &columns, &rows, &widths)
    }
}

impl Grid<'_> {
    /// These columns without the least important ones, as far as the terminal has no room for them.
    fn without_least(&self, mut shown: Vec<usize>, rows: &[(Tone, Vec<String>)]) -> Vec<usize> {
        let Some(terminal) = self.style.width else { return shown };
        let least = |at: usize| {
            let column = &self.columns[at];
            let cells = rows.iter().map(|(_, row)| escape::width(&row[at]));
            let width = cells.max().unwrap_or(0).max(escape::width(&column.title));
            if column.fit == Fit::Never { width } else { width.min(FLOORS[0]) }
        };
        let mut needed: usize = shown.iter().map(|&at| least(at) + GAP).sum();
        while needed > terminal + GAP {
            let going = shown.iter().filter_map(|&at| Some((self.columns[at].goes?, at)));
            let Some((_, at)) = going.min() else { break };
            needed -= least(at) + GAP;
            shown.retain(|&other| other != at);
        }
        shown
    }
}

fn natural(columns: &[&GridColumn], rows: &[(Tone, Vec<&str>)]) -> Vec<usize> {
    columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = rows.iter().map(|(_, row)| escape::width(row[at]));
            cells.max().unwrap_or(0).max(escape::width(&column.title))
        })
        .collect()
}

/// The widths of the columns, as much smaller as the terminal needs them.
fn fit(columns: &[&GridColumn], mut widths: Vec<usize>, terminal: Option<usize>) -> Vec<usize> {
    let Some(terminal) = terminal else { return widths };
    let room = terminal.saturating_sub(GAP * columns.len().saturating_sub(1));
    let mut order: Vec<(u8, usize)> = columns
        .iter()
        .enumerate()
        .filter_map(|(at, column)| match column.fit {
            Fit::Cut(order) => Some((order, at)),
            Fit::Wrap => Some((u8::MAX, at)),
            Fit::Never => None,
        })
        .collect();
    order.sort_unstable();
    for floor in FLOORS {
        for &(_, at) in &order {
            let excess = widths.iter().sum::<usize>().saturating_sub(room);
            let least = floor.min(widths[at]);
            widths[at] = widths[at].saturating_sub(excess).max(least);
        }
    }
    widths
}

fn print(
    out: &mut dyn Write,
    style: &Style,
    columns: &[&GridColumn],
    rows: &[(Tone, Vec<&str>)],
    widths: &[usize],
) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(
        columns
            .iter()
            .zip(widths)
            .map(|(column, width)| cell(column, escape::cut(&column.title, *width).into_owned())),
    );
    let mut tones = Vec::with_capacity(rows.len());
    for (tone, row) in rows {
        for line in lines(columns, row, widths) {
            tones.push(*tone);
            table.add_row(Row::from(
                line.into_iter()
                    .zip(columns)
                    .map(|(text, column)| cell(column, text))
                    .collect::<Vec<_>>(),
            ));
        }
    }
    let last = columns.len().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if at == last { 0 } else { GAP as u16 }));
    }
    for (at, line) in table.lines().enumerate() {
        let line = line.trim_end();
        match at.checked_sub(1).and_then(|at| tones.get(at)) {
            Some(tone) => writeln!(out, "{}", tone.paint(line, style))?,
            None => writeln!(out, "{}", bold(line, style))?,
        }
    }
    Ok(())
}

fn cell(column: &GridColumn, text: String) -> Cell {
    let alignment = if column.is_number { CellAlignment::Right } else { CellAlignment::Left };
    Cell::new_owned(text).set_alignment(alignment)
}

/// A row as the lines of the terminal that it takes.
fn lines(columns: &[&GridColumn], row: &[&str], widths: &[usize]) -> Vec<Vec<String>> {
    let cells: Vec<Vec<String>> = columns
        .iter()
        .zip(row)
        .zip(widths)
        .map(|((column, text), width)| match column.fit {
            Fit::Never => vec![(*text).to_owned()],
            Fit::Cut(_) => vec![escape::cut(text, *width).into_owned()],
            Fit::Wrap => escape::wrap(text, *width),
        })
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|line| cells.iter().map(|c| c.get(line).cloned().unwrap_or_default()).collect())
        .collect()
}
