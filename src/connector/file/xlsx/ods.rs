//! The rows of a sheet of an ods workbook.

use super::archive::Archive;
use super::number;
use super::sheet::{COLUMNS, Kind, ROWS, SheetRow, is_named, no_sheet};
use super::xml::{Piece, Tag, Xml};
use crate::connector::ConnectorError;
use crate::connector::file::window::FIELD_BYTES;

/// How many sheets are named in an error.
const NAMES: usize = 1000;

/// A sheet that is read row by row.
pub(super) struct OdsRows {
    xml: Xml,
    name: String,
    row: SheetRow,
    /// How often the row comes once more.
    repeats: u64,
    /// The rows before the one that is read.
    rows_before: u64,
    column: u32,
    cell: OpenCell,
    /// How many tables are open: those in cells and shapes are no rows of the sheet.
    tables: usize,
    is_done: bool,
}

/// What is known so far of a cell.
#[derive(Default)]
struct OpenCell {
    /// How many columns it stands for.
    repeats: u32,
    kind: CellKind,
    /// The value, where it is an attribute.
    value: Option<String>,
    is_error: bool,
    has_formula: bool,
    /// Paragraphs, one a line.
    text: String,
    has_paragraph: bool,
    in_paragraph: usize,
    in_annotation: usize,
    /// How many cells are open: that of the sheet, and those of a table in it.
    depth: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum CellKind {
    #[default]
    Empty,
    Number,
    Text,
    Bool,
}

impl OdsRows {
    /// Finds the sheet: the one of this name, or else the first.
    pub(super) fn open(
        archive: &mut Archive,
        wanted: Option<&str>,
    ) -> Result<OdsRows, ConnectorError> {
        check_encryption(archive)?;
        let mut xml = Xml::open(archive, "content.xml")?;
        let mut names = Vec::new();
        let mut is_spreadsheet = false;
        loop {
            match xml.next()? {
                Piece::Start(tag) if tag.name() == "spreadsheet" => is_spreadsheet = true,
                Piece::Start(tag) if is_spreadsheet && tag.name() == "table" => {
                    let name = tag.attribute("table:name").unwrap_or_default();
                    if wanted.is_none_or(|wanted| is_named(&name, wanted)) {
                        return Ok(OdsRows::new(xml, name));
                    }
                    if names.len() < NAMES {
                        names.push(name);
                    }
                }
                Piece::Done if !is_spreadsheet => {
                    return Err(archive.error("is an Office file and no spreadsheet"));
                }
                Piece::Done => return Err(no_sheet(archive, wanted, &names)),
                _ => {}
            }
        }
    }

    /// The names of the sheets, in the order of their tabs.
    pub(super) fn names(archive: &mut Archive) -> Result<Vec<String>, ConnectorError> {
        check_encryption(archive)?;
        let mut xml = Xml::open(archive, "content.xml")?;
        let (mut names, mut tables) = (Vec::new(), 0_usize);
        loop {
            match xml.next()? {
                // Those in cells are no sheets.
                Piece::Start(tag) if tag.name() == "table" => {
                    if tables == 0 && names.len() < NAMES {
                        names.push(tag.attribute("table:name").unwrap_or_default());
                    }
                    tables += 1;
                }
                Piece::End(tag) if tag.name() == "table" => tables = tables.saturating_sub(1),
                Piece::Done => return Ok(names),
                _ => {}
            }
        }
    }

    fn new(xml: Xml, name: String) -> OdsRows {
        OdsRows {
            xml,
            name,
            row: SheetRow::default(),
            repeats: 0,
            rows_before: 0,
            column: 0,
            cell: OpenCell::default(),
            tables: 1,
            is_done: false,
        }
    }

    pub(super) fn row(&self) -> &SheetRow {
        &self.row
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// See [`super::sheet::Sheet::advance`].
    pub(super) fn advance(&mut self) -> Result<bool, ConnectorError> {
        if self.repeats > 0 {
            self.repeats -= 1;
            self.row.number += 1;
            return Ok(true);
        }
        self.row.clear();
        if self.is_done {
            return Ok(false);
        }
        while self.tables > 0 {
            if self.take_piece()? {
                return Ok(true);
            }
        }
        self.xml.drain()?;
        self.is_done = true;
        Ok(false)
    }

    /// Takes in one piece; `true` where it ends a row with something in it.
    fn take_piece(&mut self) -> Result<bool, ConnectorError> {
        let OdsRows { xml, row, repeats, rows_before, column, cell, tables, .. } = self;
        match xml.next()? {
            Piece::Start(tag) => match tag.name() {
                "table" => *tables += 1,
                "table-cell" | "covered-table-cell" if *tables == 1 && cell.depth == 0 => {
                    cell.start(&tag);
                }
                "table-row" if *tables == 1 && cell.depth == 0 => {
                    let count = tag.number("table:number-rows-repeated").unwrap_or(1);
                    // A sheet has no more rows than this, whatever is written.
                    *repeats = count.clamp(1, ROWS.saturating_sub(*rows_before).max(1)) - 1;
                    row.number = *rows_before + 1;
                    row.clear();
                    *column = 0;
                }
                name => cell.open(name, &tag),
            },
            Piece::Text(text) => cell.push(&text),
            Piece::Character(c) => cell.push(c.encode_utf8(&mut [0; 4])),
            Piece::End(tag) => match tag.name() {
                "table" => *tables -= 1,
                "table-row" if *tables == 1 && cell.depth == 0 => {
                    *rows_before += 1 + *repeats;
                    if !row.is_blank() {
                        return Ok(true);
                    }
                    *repeats = 0;
                }
                name => {
                    if cell.close(name) {
                        cell.end(*column, row);
                        *column = column.saturating_add(cell.repeats);
                    }
                }
            },
            Piece::Done => return Err(xml.error("the end of its table is missing")),
        }
        Ok(false)
    }
}

/// Refuses what is encrypted: its members are, and the manifest says so.
fn check_encryption(archive: &mut Archive) -> Result<(), ConnectorError> {
    if !archive.has("META-INF/manifest.xml") {
        return Ok(());
    }
    let mut manifest = Xml::open(archive, "META-INF/manifest.xml")?;
    loop {
        match manifest.next()? {
            Piece::Start(tag) if tag.name() == "encryption-data" => {
                return Err(archive.error("is encrypted with a password; save it without one"));
            }
            Piece::Done => return Ok(()),
            _ => {}
        }
    }
}

impl OpenCell {
    fn start(&mut self, tag: &Tag<'_>) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        *self = OpenCell { repeats: 1, text, depth: 1, ..OpenCell::default() };
        let mut value_of = |name: &str| self.value = tag.attribute(name);
        let kind = tag.attribute("office:value-type");
        self.kind = match kind.as_deref() {
            Some("float" | "percentage" | "currency") => {
                value_of("office:value");
                CellKind::Number
            }
            Some("date") => {
                value_of("office:date-value");
                CellKind::Text
            }
            Some("time") => {
                value_of("office:time-value");
                CellKind::Text
            }
            Some("boolean") => {
                value_of("office:boolean-value");
                CellKind::Bool
            }
            Some("string") => {
                value_of("office:string-value");
                CellKind::Text
            }
            _ => CellKind::Empty,
        };
        tag.each(|name, value| match name {
            "table:number-columns-repeated" => {
                self.repeats = value.parse().unwrap_or(1).clamp(1, COLUMNS);
            }
            "table:formula" => self.has_formula = true,
            "calcext:value-type" => self.is_error = value == "error",
            _ => {}
        });
    }

    /// An element in the cell.
    fn open(&mut self, name: &str, tag: &Tag<'_>) {
        if self.depth == 0 {
            return;
        }
        match name {
            "table-cell" | "covered-table-cell" => self.depth += 1,
            "annotation" => self.in_annotation += 1,
            "p" => {
                self.in_paragraph += 1;
                if self.has_paragraph {
                    self.push("\n");
                }
                self.has_paragraph = true;
            }
            "s" => {
                let count = tag.number("text:c").unwrap_or(1).min(1000);
                (0..count).for_each(|_| self.push(" "));
            }
            "tab" => self.push("\t"),
            "line-break" => self.push("\n"),
            _ => {}
        }
    }

    /// `true` where the cell itself ends.
    fn close(&mut self, name: &str) -> bool {
        match name {
            "table-cell" | "covered-table-cell" if self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            "annotation" => self.in_annotation = self.in_annotation.saturating_sub(1),
            "p" => self.in_paragraph = self.in_paragraph.saturating_sub(1),
            _ => {}
        }
        false
    }

    fn push(&mut self, piece: &str) {
        let is_wanted = self.depth == 1 && self.in_paragraph > 0 && self.in_annotation == 0;
        if is_wanted && self.text.len() <= FIELD_BYTES {
            self.text.push_str(piece);
        }
    }

    /// Adds the cell to its row, as often as it is repeated.
    fn end(&mut self, column: u32, row: &mut SheetRow) {
        let is_error = self.is_error || (self.has_formula && is_error_text(&self.text));
        let value = self.value.as_deref();
        if self.kind == CellKind::Empty && !self.has_formula && self.text.is_empty() {
            return;
        }
        row.add(column, |to| match (self.kind, value) {
            _ if is_error => {
                to.push_str(&self.text);
                Kind::Error
            }
            (CellKind::Empty, _) if self.has_formula => Kind::NoResult,
            (CellKind::Number, Some(value)) => number::add(value, to),
            (CellKind::Number, None) => Kind::Unreadable,
            (CellKind::Bool, value) => {
                to.push_str(if value == Some("true") { "TRUE" } else { "FALSE" });
                Kind::Text
            }
            (CellKind::Text | CellKind::Empty, value) => {
                to.push_str(value.unwrap_or(&self.text));
                Kind::Text
            }
        });
        for at in 1..self.repeats {
            match column.checked_add(at) {
                Some(column) if column < COLUMNS => row.repeat_last(column),
                _ => break,
            }
        }
    }
}

/// What a formula shows that has no result, in files that do not say so otherwise.
fn is_error_text(text: &str) -> bool {
    text.starts_with("Err:")
        || matches!(
            text,
            "#N/A" | "#REF!" | "#NAME?" | "#VALUE!" | "#DIV/0!" | "#NUM!" | "#NULL!" | "#N/V"
        )
}
