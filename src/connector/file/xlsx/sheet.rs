//! The rows of a sheet, one after the other, whatever the kind of workbook.

use std::ops::Range;

use super::archive::Archive;
use super::cells::XlsxRows;
use super::ods::OdsRows;
use super::workbook;
use crate::connector::ConnectorError;
use crate::connector::feed::shown;
use crate::connector::file::window::FIELD_BYTES;

/// How many columns are looked at.
pub(super) const COLUMNS: u32 = 16_384;

/// How many rows a sheet can have.
pub(super) const ROWS: u64 = 1_048_576;

/// The most that the texts of one row may take.
const ROW_BYTES: usize = 4 << 20;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text as it is, a date or a truth value.
    Text,
    /// A number, as its shortest exact decimal.
    Number,
    /// A number with more digits than it can keep.
    Inexact,
    /// `#N/A` and the like.
    Error,
    /// A formula without a stored result.
    NoResult,
    /// Something that cannot be read.
    Unreadable,
    /// More than a cell or its row may hold.
    TooLong,
}

/// A cell of a [`SheetRow`].
#[derive(Clone, Debug)]
pub(super) struct SheetCell {
    /// From 0.
    column: u32,
    kind: Kind,
    text: Range<usize>,
}

/// One row, reused for the next.
#[derive(Debug, Default)]
pub(super) struct SheetRow {
    /// From 1.
    pub(super) number: u64,
    cells: Vec<SheetCell>,
    text: String,
}

impl SheetRow {
    /// Empties it, keeping the memory.
    pub(super) fn clear(&mut self) {
        self.cells.clear();
        self.text.clear();
    }

    /// Adds a cell; `write` gives its text and says what it is.
    pub(super) fn add(&mut self, column: u32, write: impl FnOnce(&mut String) -> Kind) {
        if column >= COLUMNS || self.cells.len() >= COLUMNS as usize {
            return;
        }
        let start = self.text.len();
        let mut kind = write(&mut self.text);
        if self.text.len() - start > FIELD_BYTES || self.text.len() > ROW_BYTES {
            self.text.truncate(start);
            kind = Kind::TooLong;
        }
        self.cells.push(SheetCell { column, kind, text: start..self.text.len() });
    }

    /// Adds a copy of the last cell.
    pub(super) fn repeat_last(&mut self, column: u32) {
        if let Some(last) = self.cells.last().cloned()
            && self.cells.len() < COLUMNS as usize
        {
            self.cells.push(SheetCell { column, ..last });
        }
    }

    /// What a column holds; `None` for no cell.
    pub(super) fn get(&self, column: usize) -> Option<(Kind, &str)> {
        let column = u32::try_from(column).ok()?;
        let cell = match self.cells.get(column as usize) {
            // Rows are mostly without gaps.
            Some(cell) if cell.column == column => cell,
            _ => self.cells.iter().find(|cell| cell.column == column)?,
        };
        Some((cell.kind, &self.text[cell.text.clone()]))
    }

    /// How many columns there are up to the last cell with something in it.
    pub(super) fn width(&self) -> usize {
        let filled = self.cells.iter().filter(|cell| !cell.is_empty());
        filled.map(|cell| cell.column as usize + 1).max().unwrap_or(0)
    }

    /// Whether no cell has anything in it.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(SheetCell::is_empty)
    }
}

impl SheetCell {
    fn is_empty(&self) -> bool {
        self.kind == Kind::Text && self.text.is_empty()
    }
}

/// The rows of one sheet.
pub(super) enum Sheet {
    /// Of an xlsx workbook.
    Xlsx(Box<XlsxRows>),
    /// Of an ods workbook.
    Ods(Box<OdsRows>),
}

impl Sheet {
    /// Finds the sheet: the one of this name, or else the first.
    pub(super) fn open(
        archive: &mut Archive,
        wanted: Option<&str>,
    ) -> Result<Sheet, ConnectorError> {
        if is_ods(archive) {
            return Ok(Sheet::Ods(Box::new(OdsRows::open(archive, wanted)?)));
        }
        let (book, member, name) = workbook::open(archive, wanted)?;
        Ok(Sheet::Xlsx(Box::new(XlsxRows::open(archive, book, &member, name)?)))
    }

    /// Goes to the next row that has a cell. `false`: there was none, and the sheet was whole.
    pub(super) fn advance(&mut self) -> Result<bool, ConnectorError> {
        match self {
            Sheet::Xlsx(rows) => rows.advance(),
            Sheet::Ods(rows) => rows.advance(),
        }
    }

    /// The row that [`Sheet::advance`] went to.
    pub(super) fn row(&self) -> &SheetRow {
        match self {
            Sheet::Xlsx(rows) => rows.row(),
            Sheet::Ods(rows) => rows.row(),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        match self {
            Sheet::Xlsx(rows) => rows.name(),
            Sheet::Ods(rows) => rows.name(),
        }
    }
}

/// The names of a workbook's sheets, in the order of their tabs.
pub(super) fn names(archive: &mut Archive) -> Result<Vec<String>, ConnectorError> {
    if is_ods(archive) { OdsRows::names(archive) } else { workbook::names(archive) }
}

fn is_ods(archive: &Archive) -> bool {
    archive.has("content.xml") || archive.has("META-INF/manifest.xml")
}

/// Whether a sheet's name is the wanted one; the case does not count, as in spreadsheets.
pub(super) fn is_named(name: &str, wanted: &str) -> bool {
    name.trim().to_lowercase() == wanted.to_lowercase()
}

/// The error of a sheet that is not there.
pub(super) fn no_sheet(
    archive: &Archive,
    wanted: Option<&str>,
    names: &[String],
) -> ConnectorError {
    let file = archive.whole().name();
    let all: Vec<_> = names.iter().map(|name| shown(name)).collect();
    match wanted {
        Some(wanted) => ConnectorError::mapping(format!(
            "{file}: `sheet` wants {}, which is not there; its sheets are {}",
            shown(wanted),
            all.join(", ")
        )),
        None => ConnectorError::source(format!("{file} has no sheet with cells")),
    }
}
