//! The rows of a sheet of an xlsx workbook.

use super::archive::Archive;
use super::number;
use super::sheet::{COLUMNS, Kind, ROWS, SheetRow};
use super::workbook::{RichText, Workbook, unescape};
use super::xml::{Piece, Tag, Xml};
use crate::connector::ConnectorError;
use crate::connector::file::window::FIELD_BYTES;

/// A sheet that is read row by row.
pub(super) struct XlsxRows {
    xml: Xml,
    book: Workbook,
    name: String,
    row: SheetRow,
    /// Where the next cell is that does not say it.
    column: u32,
    /// The cell that is read.
    cell: OpenCell,
    is_inside: bool,
    is_done: bool,
}

/// What is known so far of a cell.
#[derive(Default)]
struct OpenCell {
    column: u32,
    style: usize,
    kind: CellKind,
    has_formula: bool,
    has_value: bool,
    in_value: bool,
    inline: RichText,
    text: String,
}

/// The `t` of a cell.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum CellKind {
    #[default]
    Number,
    Shared,
    Text,
    Bool,
    Error,
    Date,
}

impl XlsxRows {
    pub(super) fn open(
        archive: &mut Archive,
        book: Workbook,
        member: &str,
        name: String,
    ) -> Result<XlsxRows, ConnectorError> {
        Ok(XlsxRows {
            xml: Xml::open(archive, member)?,
            book,
            name,
            row: SheetRow::default(),
            column: 0,
            cell: OpenCell::default(),
            is_inside: false,
            is_done: false,
        })
    }

    pub(super) fn row(&self) -> &SheetRow {
        &self.row
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// See [`super::sheet::Sheet::advance`].
    pub(super) fn advance(&mut self) -> Result<bool, ConnectorError> {
        self.row.clear();
        if self.is_done {
            return Ok(false);
        }
        let XlsxRows { xml, book, row, column, cell, is_inside, .. } = self;
        loop {
            match xml.next()? {
                Piece::Start(tag) => match tag.name() {
                    "sheetData" => *is_inside = true,
                    "row" if *is_inside => {
                        let next = row.number + 1;
                        row.number =
                            tag.number("r").filter(|r| (1..=ROWS).contains(r)).unwrap_or(next);
                        row.clear();
                        *column = 0;
                    }
                    "c" if *is_inside => cell.start(&tag, *column),
                    name => cell.open(name),
                },
                Piece::Text(text) => cell.push(&text),
                Piece::Character(c) => cell.push(c.encode_utf8(&mut [0; 4])),
                Piece::End(tag) => match tag.name() {
                    "c" if *is_inside => {
                        *column = cell.column.saturating_add(1);
                        cell.end(book, row);
                    }
                    "row" if *is_inside && !row.is_blank() => return Ok(true),
                    "sheetData" => *is_inside = false,
                    name => cell.close(name),
                },
                Piece::Done => break,
            }
        }
        self.is_done = true;
        Ok(false)
    }
}

impl OpenCell {
    fn start(&mut self, tag: &Tag<'_>, column: u32) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        *self = OpenCell { column, text, ..OpenCell::default() };
        tag.each(|name, value| match name {
            "r" => self.column = column_of(value).unwrap_or(column),
            "s" => self.style = value.parse().unwrap_or(0),
            "t" => {
                self.kind = match value {
                    "s" => CellKind::Shared,
                    "str" | "inlineStr" => CellKind::Text,
                    "b" => CellKind::Bool,
                    "e" => CellKind::Error,
                    "d" => CellKind::Date,
                    _ => CellKind::Number,
                }
            }
            _ => {}
        });
    }

    /// An element in the cell.
    fn open(&mut self, name: &str) {
        match name {
            "v" => (self.in_value, self.has_value) = (true, true),
            "f" => self.has_formula = true,
            "is" => self.has_value = true,
            name => self.inline.start(name),
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "v" => self.in_value = false,
            name => self.inline.end(name),
        }
    }

    fn push(&mut self, piece: &str) {
        if self.in_value && self.text.len() <= FIELD_BYTES {
            self.text.push_str(piece);
        } else {
            self.inline.text(piece, &mut self.text);
        }
    }

    /// Adds the cell to its row.
    fn end(&mut self, book: &Workbook, row: &mut SheetRow) {
        self.in_value = false;
        let text = self.text.as_str();
        let has_result = self.has_value && (self.kind == CellKind::Text || !text.is_empty());
        if !has_result {
            if self.has_formula {
                row.add(self.column, |_| Kind::NoResult);
            }
            return;
        }
        row.add(self.column, |to| match self.kind {
            CellKind::Shared => match text.trim().parse().ok().and_then(|place| book.text(place)) {
                Some(text) => {
                    to.push_str(text);
                    Kind::Text
                }
                None => Kind::Unreadable,
            },
            CellKind::Text => {
                unescape(text, to);
                Kind::Text
            }
            CellKind::Bool => {
                to.push_str(if matches!(text.trim(), "1" | "true") { "TRUE" } else { "FALSE" });
                Kind::Text
            }
            CellKind::Error => {
                to.push_str(text);
                Kind::Error
            }
            CellKind::Date => {
                to.push_str(text);
                Kind::Text
            }
            CellKind::Number if book.shows_date(self.style) => {
                number::add_date(text, book.counts_from_1904, to)
            }
            CellKind::Number => number::add(text, to),
        });
    }
}

/// The column, from 0, of a place such as `AB12`.
fn column_of(place: &str) -> Option<u32> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters.fold(0_u32, |column, letter| {
        let letter = u32::from(letter.to_ascii_uppercase() - b'A') + 1;
        column.saturating_mul(26).saturating_add(letter)
    });
    (1..=COLUMNS).contains(&column).then(|| column - 1)
}

#[cfg(test)]
mod tests {
    use super::column_of;

    #[test]
    fn columns_are_counted_in_letters() {
        assert_eq!(column_of("A1"), Some(0));
        assert_eq!(column_of("z9"), Some(25));
        assert_eq!(column_of("AB12"), Some(27));
        assert_eq!(column_of("XFD1"), Some(16_383));
        assert_eq!(column_of("XFE1"), None);
        assert_eq!(column_of("12"), None);
        assert_eq!(column_of("ZZZZZZZZZZZZ1"), None);
    }
}
