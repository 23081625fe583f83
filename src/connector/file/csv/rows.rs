//! The rows of a csv file below its header, with the mapped columns at hand.

use std::borrow::Cow;
use std::cell::Cell;

use super::detect::{self, Detected, Head};
use super::settings::{CsvSettings, Sign};
use super::tokenizer::{Dialect, Field, Input, RawRow, Tokenizer, too_large};
use crate::connector::feed::decode::{Characters, Charset};
use crate::connector::feed::guess;
use crate::connector::feed::mapping::{Lookup, Mapping, PathId, RowFate};
use crate::connector::feed::number::trim;
use crate::connector::feed::source::{Bytes, Keep, Source};
use crate::connector::file::columns;
use crate::connector::{ConnectorError, Fingerprint, RowBatch, Want};
use crate::model::{self, ProblemKind, Section};

/// An opened csv file, read row by row.
#[derive(Debug)]
pub(super) struct Rows {
    characters: Characters,
    tokenizer: Tokenizer,
    detected: Detected,
    /// The column of each path of the mapping.
    columns: Vec<usize>,
    /// The number of columns; unlimited without a header.
    width: usize,
    header: String,
    /// Whether there was anything but blank lines.
    has_content: bool,
}

impl Rows {
    /// Opens the file, finds out how it is cut, and finds the mapped columns.
    pub(super) fn open(
        settings: &CsvSettings,
        source: &Source,
        keep: Keep,
    ) -> Result<Rows, ConnectorError> {
        Rows::of(settings, source.open(keep)?)
    }

    /// The same for what is open already.
    pub(super) fn of(settings: &CsvSettings, bytes: Bytes) -> Result<Rows, ConnectorError> {
        let mut characters = Characters::new(bytes, settings.feed.encoding);
        let name = characters.source().name().to_owned();
        let charset = characters.charset();
        let mark = characters.source_charset().mark_bytes() as u64;
        let mut tokenizer = Tokenizer::new(name, mark);
        let mut input = |into: &mut [u8]| characters.read(into);
        let detected = start(settings, &mut tokenizer, charset, &mut input)?;
        let mut rows = Rows {
            characters,
            tokenizer,
            detected,
            columns: Vec::new(),
            width: usize::MAX,
            header: String::new(),
            has_content: false,
        };
        let names = match detected.header_row {
            0 => None,
            _ => Some(rows.read_header()?),
        };
        rows.find_columns(&settings.feed.mapping, names.as_deref())?;
        Ok(rows)
    }

    /// What messages call the file.
    pub(super) fn name(&self) -> &str {
        self.characters.source().name()
    }

    /// The names of the columns, for the memory of the delivery.
    pub(super) fn header(&self) -> &str {
        &self.header
    }

    /// The names of the columns; empty where one has a tab, which nobody can name.
    pub(super) fn names(&self) -> Vec<String> {
        let names: Vec<_> = self.header.split('\t').map(str::to_owned).collect();
        if names.len() == self.width { names } else { vec![String::new(); self.width] }
    }

    /// Whether a line end stood behind the last row.
    pub(super) fn is_last_row_ended(&self) -> bool {
        self.tokenizer.is_row_ended()
    }

    /// How the file is cut.
    pub(super) fn detected(&self) -> Detected {
        self.detected
    }

    /// How the file is written, where the config leaves it open.
    pub(super) fn described(&self, settings: &CsvSettings) -> model::Dialect {
        let sign = |sign: u8| match sign {
            b'\t' => "\\t".to_owned(),
            sign => char::from(sign).to_string(),
        };
        let (layout, Detected { dialect, header_row, .. }) = (&settings.layout, self.detected);
        let mut options = Vec::new();
        if layout.delimiter.is_none() {
            options.push(("delimiter", sign(dialect.delimiter)));
        }
        let found = [
            ("quote", layout.quote, dialect.quote),
            ("escape", layout.escape, dialect.escape),
            ("comment", layout.comment, dialect.comment),
        ];
        for (key, given, found) in found {
            options.extend(found.filter(|_| given == Sign::Open).map(|byte| (key, sign(byte))));
        }
        if settings.feed.encoding.is_none() {
            options.push(("encoding", self.charset().name().to_lowercase()));
        }
        options.push(("header_row", header_row.to_string()));
        model::Dialect { connector: "csv", options, joined: Vec::new() }
    }

    /// The encoding of the file.
    pub(super) fn charset(&self) -> Charset {
        self.characters.source_charset()
    }

    /// The next row; an error where the file has nothing but blank lines.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<CsvRow<'_>>, ConnectorError> {
        let charset = self.characters.charset();
        let Rows { characters, tokenizer, columns, width, has_content, .. } = self;
        match tokenizer.next(&mut |into| characters.read(into))? {
            Some(raw) => {
                *has_content = true;
                check_long_field(&raw, *width, characters)?;
                Ok(Some(CsvRow {
                    raw,
                    columns,
                    width: *width,
                    charset,
                    text: plain_text(&raw, charset),
                    has_fault: Cell::new(false),
                    fault: Cell::new(None),
                }))
            }
            None if !*has_content => Err(blank(characters)),
            None => Ok(None),
        }
    }

    /// What the bytes were; an error where the file changed while it was read.
    pub(super) fn finish(self) -> Result<Option<Fingerprint>, ConnectorError> {
        self.characters.finish()
    }

    fn read_header(&mut self) -> Result<Vec<String>, ConnectorError> {
        let charset = self.characters.charset();
        let Rows { characters, tokenizer, .. } = self;
        let Some(row) = tokenizer.next(&mut |into| characters.read(into))? else {
            return Err(blank(characters));
        };
        let name = |field: &Field| {
            let content = row.content(*field);
            let text = match charset.text(&content) {
                Ok(text) => text.into_owned(),
                Err(_) => String::from_utf8_lossy(&content).into_owned(),
            };
            trim(&text).to_owned()
        };
        let names: Vec<String> = row.fields.iter().map(name).collect();
        if row.long_field().is_some() {
            return Err(long_field(&row, characters));
        }
        self.width = names.len();
        self.header = names.join("\t");
        self.has_content = true;
        Ok(names)
    }

    fn find_columns(
        &mut self,
        mapping: &Mapping,
        names: Option<&[String]>,
    ) -> Result<(), ConnectorError> {
        let source = self.characters.source();
        self.columns = columns::find(mapping, names, source.name()).map_err(|mut error| {
            error.message += &elsewhere(source.head(), self.detected.dialect, names, mapping);
            error
        })?;
        Ok(())
    }
}

/// A quoted field that is too long is one of a row only where the row is otherwise right; else a
/// quote was never closed, and what it swallowed are the rows behind it.
fn check_long_field(
    row: &RawRow<'_>,
    width: usize,
    characters: &Characters,
) -> Result<(), ConnectorError> {
    let Some(field) = row.long_field() else { return Ok(()) };
    if !row.is_quoted(field) || (row.is_closed(field) && row.fields.len() == width) {
        return Ok(());
    }
    Err(long_field(row, characters))
}

fn long_field(row: &RawRow<'_>, characters: &Characters) -> ConnectorError {
    too_large(characters.source().name(), row.line, "a field is over 1 MiB")
}

/// Finds out how the file is cut, and goes to its header or first row.
fn start(
    settings: &CsvSettings,
    tokenizer: &mut Tokenizer,
    charset: Charset,
    input: Input<'_>,
) -> Result<Detected, ConnectorError> {
    let layout = &settings.layout;
    let separator = detect::named_separator(tokenizer.peek(input)?);
    // The line that names the separator is neither header nor row.
    let above = u64::from(separator.is_some());
    let first = layout.header_row.unwrap_or(0).max(above + 1);
    for _ in 1..first {
        tokenizer.skip_line(input)?;
    }
    tokenizer.peek(input)?;
    let is_all = tokenizer.has_peeked_all();
    let head = Head::new(tokenizer.peek(input)?, is_all, first, charset);
    let detected = detect::detect(&head.separated(separator), layout, &settings.feed.mapping);
    for _ in first..detected.first_line {
        tokenizer.skip_line(input)?;
    }
    tokenizer.set_dialect(detected.dialect);
    Ok(detected)
}

/// Where the names of the columns seem to be, if that is not where they were looked for; or else, if
/// none of them is there, how to say it.
fn elsewhere(head: &[u8], dialect: Dialect, names: Option<&[String]>, mapping: &Mapping) -> String {
    const LOOK_BYTES: usize = 64 << 10;
    let text = String::from_utf8_lossy(&head[..head.len().min(LOOK_BYTES)]);
    let found = guess::cut(&text, dialect.quote.map(char::from), None).header_row;
    let first = text.lines().nth(found.saturating_sub(1) as usize).unwrap_or_default();
    let is_here = names.is_none_or(|names| names.iter().all(|name| first.contains(name.as_str())));
    if found > 1 && !is_here {
        return format!(
            ". The names of columns seem to stand in line {found}: header_row = {found}"
        );
    }
    match names.map(|names| columns::known(mapping, names)) {
        Some(0) => {
            ". If they stand in a line further down, say in which with `header_row`".to_owned()
        }
        _ => String::new(),
    }
}

fn blank(characters: &Characters) -> ConnectorError {
    ConnectorError::source(format!(
        "{} holds nothing but blank lines; nothing was delivered",
        characters.source().name()
    ))
}

fn plain_text<'a>(row: &RawRow<'a>, charset: Charset) -> Option<&'a str> {
    let bytes = row.bytes();
    let is_plain = charset.is_utf_8() && memchr::memchr(0, bytes).is_none();
    if is_plain { simdutf8::basic::from_utf8(bytes).ok() } else { None }
}

/// One row below the header.
pub(super) struct CsvRow<'a> {
    pub(super) raw: RawRow<'a>,
    columns: &'a [usize],
    width: usize,
    charset: Charset,
    /// All of the row, where it is UTF-8 without a NUL byte.
    text: Option<&'a str>,
    has_fault: Cell<bool>,
    fault: Cell<Option<String>>,
}

impl CsvRow<'_> {
    /// All cells as text; what is no text is empty.
    pub(super) fn texts(&self) -> Vec<String> {
        let fields = self.raw.fields.iter();
        let text = |field: &Field| {
            let content = self.raw.content(*field);
            self.charset.text(&content).map(Cow::into_owned).unwrap_or_default()
        };
        fields.map(text).collect()
    }

    /// Makes an item of the row, or a problem, or both.
    pub(super) fn evaluate(&self, mapping: &Mapping, want: Want, out: &mut RowBatch) -> RowFate {
        // Counting is cheaper than looking for empty cells, and mostly enough.
        if self.raw.fields.len() > self.width && self.raw.width() > self.width {
            let message = format!(
                "the row has {} cells and the header has {}; is a delimiter in a cell that is not \
                 quoted? The row was left out",
                self.raw.width(),
                self.width
            );
            out.add_lost_row(ProblemKind::InvalidValue, self.raw.line, message);
            return RowFate::Lost;
        }
        if self.raw.long_field().is_some() {
            let message = "the row has a cell of more than 1 MiB; the row was left out".to_owned();
            out.add_lost_row(ProblemKind::InvalidValue, self.raw.line, message);
            return RowFate::Lost;
        }
        if self.raw.swallows_rows() {
            let message = format!(
                "a quote is opened here and closed {} lines below, in the middle of a field; is it one \
                 that stands by itself? What is between was left out",
                self.raw.line_ends
            );
            out.add_lost_row(ProblemKind::InvalidValue, self.raw.line, message);
            return RowFate::Lost;
        }
        let fate = mapping.row(self, want, self.raw.line, out);
        let has_header = self.width != usize::MAX;
        if fate == RowFate::Item && has_header && self.raw.fields.len() < self.width {
            self.report_missing_cells(mapping, want, out);
        }
        fate
    }

    /// Cells that end a row early may hold nothing by intent, but not those of a quantity or price.
    fn report_missing_cells(&self, mapping: &Mapping, want: Want, out: &mut RowBatch) {
        let wanted =
            [(Section::Stock, "quantity", want.stock), (Section::Prices, "price", want.prices)];
        let is_missing = |section: Section| {
            mapping.writable(section).is_ok_and(|(_, path)| self.cell(path).is_none())
        };
        let missing: Vec<&str> = wanted
            .into_iter()
            .filter(|(section, _, wanted)| *wanted && is_missing(*section))
            .map(|(_, word, _)| word)
            .collect();
        if !missing.is_empty() {
            let message = format!(
                "the row ends after {} of {} cells and has no {}; what is missing was left unchanged",
                self.raw.fields.len(),
                self.width,
                missing.join(" and no ")
            );
            out.add_problem_of_last(ProblemKind::InvalidValue, self.raw.line, message);
        }
    }

    /// The cell of a path; `None` where the row is too short.
    pub(super) fn cell(&self, path: PathId) -> Option<Field> {
        let column = *self.columns.get(path.index())?;
        self.raw.fields.get(column).copied()
    }
}

impl Lookup for CsvRow<'_> {
    #[inline]
    fn matches(&self, path: PathId, each: &mut dyn FnMut(&str) -> bool) {
        let Some(field) = self.cell(path) else { return };
        let content = self.raw.content(field);
        match self.charset.text(&content) {
            Ok(text) => {
                each(&text);
            }
            Err(fault) => {
                self.has_fault.set(true);
                self.fault.set(Some(fault));
            }
        }
    }

    #[inline]
    fn at_hand(&self, path: PathId) -> Option<&str> {
        self.text?.get(self.cell(path)?.plain_range()?)
    }

    #[inline]
    fn digits_at_hand(&self, path: PathId) -> Option<&[u8]> {
        self.raw.plain(self.cell(path)?)
    }

    #[inline]
    fn take_fault(&self) -> Option<String> {
        if self.has_fault.replace(false) { self.fault.take() } else { None }
    }
}
