//! Lists of anything: items, products, links, runs, a product's history. Rows stream.

use std::borrow::Cow;
use std::io::{self, Write};

use super::grid::{Fit, Grid, GridColumn, Tone};
use super::json::{Document, Object};
use super::words::{UNKNOWN, count};
use super::{Format, Style, csv, escape, markdown};

/// The cells of a record, in the order of its listing's columns; `None` where there is nothing.
pub type Cells<'a> = Vec<Option<Cow<'a, str>>>;

/// One row of a listing.
pub trait Record {
    /// Writes the keys of the record in JSON.
    fn fields(&self, object: &mut Object<'_>) -> io::Result<()>;

    /// The cells of the record for every other format.
    fn cells(&self) -> Cells<'_>;
}

/// One column of a listing.
#[derive(Clone, Debug)]
pub struct Column {
    title: Cow<'static, str>,
    kind: Kind,
    goes: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text { cut: u8 },
    Whole,
    Optional { cut: u8 },
    Number,
    Hidden,
}

impl Column {
    /// A text that tables cut late.
    pub const fn text(title: &'static str) -> Column {
        Column { title: Cow::Borrowed(title), kind: Kind::Text { cut: 9 }, goes: None }
    }

    /// A text that tables never cut, for half of it says nothing: a time.
    pub const fn whole(title: &'static str) -> Column {
        Column { title: Cow::Borrowed(title), kind: Kind::Whole, goes: None }
    }

    /// The column, which a table goes without where the terminal is too narrow; lower numbers go
    /// first.
    pub const fn going(mut self, order: u8) -> Column {
        self.goes = Some(order);
        self
    }

    /// A name: tables cut it first.
    pub const fn name(title: &'static str) -> Column {
        Column { title: Cow::Borrowed(title), kind: Kind::Optional { cut: 0 }, goes: None }
    }

    /// A text that tables leave out where no row has one.
    pub const fn optional(title: &'static str) -> Column {
        Column { title: Cow::Borrowed(title), kind: Kind::Optional { cut: 8 }, goes: None }
    }

    /// A number: right-aligned and never cut.
    pub const fn number(title: &'static str) -> Column {
        Column { title: Cow::Borrowed(title), kind: Kind::Number, goes: None }
    }

    /// A number whose title comes from the config.
    pub fn number_of(title: String) -> Column {
        Column { title: Cow::Owned(title), kind: Kind::Number, goes: None }
    }

    /// A column that tables do not show.
    pub const fn hidden(title: &'static str) -> Column {
        Column { title: Cow::Borrowed(title), kind: Kind::Hidden, goes: None }
    }

    fn of_grid(&self) -> Option<GridColumn> {
        // Names of the config stand as they are there.
        let title = match &self.title {
            Cow::Borrowed(title) => title.replace('_', " "),
            Cow::Owned(title) => title.clone(),
        };
        let column = match self.kind {
            Kind::Hidden => None,
            Kind::Whole => Some(GridColumn::text(&title, 9).fitting(Fit::Never)),
            Kind::Number => Some(GridColumn::number(&title)),
            Kind::Text { cut } => Some(GridColumn::text(&title, cut)),
            Kind::Optional { cut } => {
                Some(GridColumn::text(&title, cut).optional().fitting(Fit::Cut(cut)))
            }
        };
        column.map(|column| column.going(self.goes))
    }
}

/// What a list is about.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The key of the list in JSON, and what its rows are called: `items`.
    pub key: &'static str,
    /// What one row is called: `item`.
    pub one: &'static str,
    /// The columns.
    pub columns: Vec<Column>,
}

/// Takes the rows of one listing.
pub struct Records<'o> {
    listing: Listing,
    style: &'o Style,
    seen: u64,
    to: To<'o>,
}

enum To<'o> {
    Table { out: &'o mut dyn Write, grid: Grid<'o> },
    Json(Document<'o>),
    Csv(&'o mut dyn Write),
    Markdown(&'o mut dyn Write),
}

impl<'o> Records<'o> {
    /// Starts a listing in the style's format.
    pub fn new(
        style: &'o Style,
        listing: Listing,
        out: &'o mut dyn Write,
    ) -> io::Result<Records<'o>> {
        let titles = listing.columns.iter().map(|column| column.title.as_ref());
        let to = match style.format {
            Format::Table => {
                let columns = listing.columns.iter().filter_map(Column::of_grid).collect();
                To::Table { out, grid: Grid::new(style, columns) }
            }
            Format::Json => To::Json(Document::new(out, listing.key)),
            Format::Csv => {
                csv::line(out, style.spreadsheet_safe, titles)?;
                To::Csv(out)
            }
            Format::Markdown => {
                markdown::header(out, titles)?;
                To::Markdown(out)
            }
        };
        Ok(Records { listing, style, seen: 0, to })
    }

    /// Prints a row; of a table only up to the limit.
    pub fn row(&mut self, record: &dyn Record) -> io::Result<()> {
        self.seen += 1;
        match &mut self.to {
            To::Table { out, grid } => {
                if self.style.limit.is_some_and(|limit| self.seen > limit as u64) {
                    return Ok(());
                }
                let cells = table_cells(&self.listing.columns, record.cells());
                grid.push(*out, Tone::Plain, cells)
            }
            To::Json(document) => {
                let mut object = document.item()?;
                record.fields(&mut object)?;
                object.end()
            }
            To::Csv(out) => {
                let cells = record.cells();
                csv::line(*out, self.style.spreadsheet_safe, texts(&cells))
            }
            To::Markdown(out) => markdown::line(*out, texts(&record.cells())),
        }
    }

    /// Prints what comes after the last row.
    pub fn end(self) -> io::Result<()> {
        match self.to {
            To::Table { out, mut grid } => {
                grid.flush(out)?;
                let total = match self.seen {
                    0 => format!("no {}", self.listing.key),
                    1 => format!("1 {}", self.listing.one),
                    seen => format!("{} {}", count(seen), self.listing.key),
                };
                if let Some(line) = more(self.style, self.seen) {
                    writeln!(out, "{line}")?;
                }
                writeln!(out, "{total}")?;
                out.flush()
            }
            To::Json(mut document) => document.end(),
            To::Csv(out) | To::Markdown(out) => out.flush(),
        }
    }
}

/// The line about the rows that a table does not show, if there are any.
pub(super) fn more(style: &Style, total: u64) -> Option<String> {
    let hidden = total.checked_sub(style.limit? as u64).filter(|hidden| *hidden > 0)?;
    Some(format!("… and {} more (--limit 0 shows all)", count(hidden)))
}

fn texts<'c>(cells: &'c Cells<'_>) -> impl Iterator<Item = &'c str> {
    cells.iter().map(|cell| cell.as_deref().unwrap_or_default())
}

fn table_cells(columns: &[Column], cells: Cells<'_>) -> Vec<String> {
    columns
        .iter()
        .zip(cells)
        .filter(|(column, _)| column.kind != Kind::Hidden)
        .map(|(column, cell)| match cell {
            Some(text) => escape::shown(&text).into_owned(),
            None if column.kind == Kind::Number => UNKNOWN.to_owned(),
            None => String::new(),
        })
        .collect()
}
