//! Cuts delimited text into rows and fields, as ranges of its raw bytes, so that one cell can be
//! written back without touching its neighbours.
//!
//! RFC 4180 with the usual leniences: any line end, any width, text behind a closing quote. What
//! the fields mean stands in `read`.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};

use crate::connector::ConnectorError;

/// The most bytes of one field.
const FIELD_BYTES: usize = 1 << 20;
/// The most bytes of one row.
const ROW_BYTES: usize = 4 << 20;
/// The most fields of one row.
const COLUMNS: usize = 10_000;
/// What is read at once; small enough to stay in the processor's cache.
const BLOCK_BYTES: usize = 256 << 10;
/// What DOS tools put at the end of a text.
const END_OF_TEXT: u8 = 0x1a;

/// How a file separates and quotes its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    /// Between two fields.
    pub(super) delimiter: u8,
    /// Around a field; `None` switches quoting off.
    pub(super) quote: Option<u8>,
    /// Makes the next byte stand for itself.
    pub(super) escape: Option<u8>,
    /// Starts a line that says nothing.
    pub(super) comment: Option<u8>,
}

/// Gives bytes, as many as it likes; 0 at the end.
pub(super) type Input<'a> = &'a mut dyn FnMut(&mut [u8]) -> Result<usize, ConnectorError>;

/// One field, as a range of the bytes of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    start: u32,
    end: u32,
    form: Form,
}

/// What has to be done to a field's bytes to have its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Nothing.
    Plain,
    /// The quotes at both ends are taken off.
    Quoted,
    /// Quotes or escapes stand in the middle.
    Mixed,
}

impl Field {
    /// Where it stands in its row, quotes included.
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Where its content stands in its row, if it does as it is.
    #[inline]
    pub(super) fn plain_range(self) -> Option<Range<usize>> {
        match self.form {
            Form::Plain => Some(self.range()),
            Form::Quoted => Some(self.start as usize + 1..self.end as usize - 1),
            Form::Mixed => None,
        }
    }

    /// Whether there is nothing in it.
    fn is_empty(self) -> bool {
        match self.form {
            Form::Plain => self.start == self.end,
            Form::Quoted => self.end - self.start == 2,
            Form::Mixed => false,
        }
    }
}

/// A row, lent until the next one is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawRow<'a> {
    bytes: &'a [u8],
    /// The fields in order.
    pub(super) fields: &'a [Field],
    /// The line that it starts on, from 1.
    pub(super) line: u64,
    /// Line ends within its quoted fields.
    pub(super) line_ends: u64,
    /// Where it starts, in bytes from the beginning of the input.
    pub(super) offset: u64,
    dialect: Dialect,
}

impl<'a> RawRow<'a> {
    /// A field as it stands there, quotes and all; empty where the row is too short.
    pub(super) fn raw(&self, field: Field) -> &'a [u8] {
        self.bytes.get(field.range()).unwrap_or_default()
    }

    /// The bytes of the row, without its line end.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// A field's content, where it stands there as it is.
    #[inline]
    pub(super) fn plain(&self, field: Field) -> Option<&'a [u8]> {
        self.bytes.get(field.plain_range()?)
    }

    /// A field's content.
    pub(super) fn content(&self, field: Field) -> Cow<'a, [u8]> {
        match self.plain(field) {
            Some(content) => Cow::Borrowed(content),
            None => Cow::Owned(self.dialect.content(self.raw(field))),
        }
    }

    /// Whether a field is quoted, at least in part.
    pub(super) fn is_quoted(&self, field: Field) -> bool {
        self.raw(field).first().is_some_and(|byte| Some(*byte) == self.dialect.quote)
    }

    /// The first field that is too long to be used.
    pub(super) fn long_field(&self) -> Option<Field> {
        // Hardly any row is long enough to have one.
        let is_long = |field: &&Field| field.range().len() > FIELD_BYTES;
        if self.bytes.len() > FIELD_BYTES {
            self.fields.iter().find(is_long).copied()
        } else {
            None
        }
    }

    /// Whether a quote was opened by mistake and swallowed the beginning of the rows behind it: it is
    /// closed on a later line, in the middle of a field.
    pub(super) fn swallows_rows(&self) -> bool {
        let goes_on = |field: &Field| {
            self.is_quoted(*field) && memchr2(b'\n', b'\r', self.raw(*field)).is_some()
        };
        let mut over_lines = self.fields.iter().filter(|field| goes_on(field));
        self.line_ends > 0 && over_lines.any(|field| !self.is_closed(*field))
    }

    /// Whether the quote that closes a quoted field is its last sign. One that opens by mistake is
    /// closed where another field begins, and ends in the middle of that.
    pub(super) fn is_closed(&self, field: Field) -> bool {
        let raw = self.raw(field);
        let mut at = 1;
        while let Some(next) = raw.get(at..).and_then(|rest| self.dialect.find_sign(rest)) {
            at += next;
            let is_doubled = raw.get(at + 1).copied() == self.dialect.quote;
            if Some(raw[at]) == self.dialect.quote && !is_doubled {
                return at + 1 == raw.len();
            }
            at += 2;
        }
        false
    }

    /// The number of fields up to the last one that is not empty.
    pub(super) fn width(&self) -> usize {
        self.fields.iter().rposition(|field| !field.is_empty()).map_or(0, |last| last + 1)
    }
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect { delimiter: b',', quote: Some(b'"'), escape: None, comment: None }
    }
}

impl Dialect {
    /// Whether no character means two things.
    pub(super) fn is_clear(&self) -> bool {
        let signs = [Some(self.delimiter), self.quote, self.escape, self.comment];
        let signs: Vec<u8> = signs.into_iter().flatten().collect();
        signs.iter().enumerate().all(|(at, sign)| !signs[..at].contains(sign))
    }

    /// Whether a field that begins with a quote ends with one, and has none between them that is
    /// neither doubled nor escaped.
    pub(super) fn is_well_quoted(&self, raw: &[u8]) -> bool {
        let [first, inner @ .., last] = raw else { return true };
        if Some(*first) != self.quote {
            return true;
        }
        let mut rest = inner;
        while let Some(at) = self.find_sign(rest) {
            let is_escape = Some(rest[at]) == self.escape;
            match rest.get(at + 1) {
                Some(next) if is_escape || next == first => rest = &rest[at + 2..],
                _ => return false,
            }
        }
        last == first
    }

    /// The content of a field with quotes or escapes in it.
    fn content(&self, raw: &[u8]) -> Vec<u8> {
        let mut content = Vec::with_capacity(raw.len());
        let mut is_open = false;
        let mut rest = raw;
        if raw.first().is_some_and(|byte| Some(*byte) == self.quote) {
            is_open = true;
            rest = &raw[1..];
        }
        while let Some(at) = self.find_sign(rest) {
            content.extend_from_slice(&rest[..at]);
            let (byte, next) = (rest[at], rest.get(at + 1).copied());
            rest = &rest[at + 1..];
            let taken = if Some(byte) == self.escape {
                Some(next.unwrap_or(byte))
            } else if !is_open {
                content.push(byte);
                None
            } else if next == self.quote {
                next
            } else {
                is_open = false;
                None
            };
            if let Some(taken) = taken {
                content.push(taken);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        content.extend_from_slice(rest);
        content
    }

    /// The next byte that does not stand for itself.
    fn find_sign(&self, bytes: &[u8]) -> Option<usize> {
        match (self.quote, self.escape) {
            (Some(quote), Some(escape)) => memchr2(quote, escape, bytes),
            (Some(sign), None) | (None, Some(sign)) => memchr(sign, bytes),
            (None, None) => None,
        }
    }

    /// The bytes that stand for a content; `None` where this dialect has no way to say it.
    pub(super) fn written(&self, content: &[u8], is_quoted: bool) -> Option<Vec<u8>> {
        let is_special = |byte: &u8| {
            *byte == self.delimiter
                || matches!(byte, b'\r' | b'\n')
                || [self.quote, self.escape].contains(&Some(*byte))
        };
        let needs_quotes = content.iter().any(is_special)
            || content.first().is_some_and(|byte| Some(*byte) == self.comment);
        if !is_quoted && !needs_quotes {
            return Some(content.to_vec());
        }
        let quote = self.quote?;
        let mut written = vec![quote];
        for &byte in content {
            if Some(byte) == self.escape {
                written.push(byte);
            } else if byte == quote {
                written.push(self.escape.unwrap_or(quote));
            }
            written.push(byte);
        }
        written.push(quote);
        Some(written)
    }
}

/// Where a scan of one row ended.
enum Scan {
    /// The row's content ends here, the next line starts there.
    Row { end: usize, next: usize },
    /// The bytes end within the row.
    Cut { in_quotes: bool },
    /// A limit was passed.
    TooLarge(&'static str),
}

/// Reads rows, one after the other, from blocks of bytes.
#[derive(Debug)]
pub(super) struct Tokenizer {
    dialect: Dialect,
    buffer: Vec<u8>,
    /// What of the buffer is filled and still to be read.
    filled: Range<usize>,
    is_at_end: bool,
    /// The offset of the start of the buffer.
    offset: u64,
    /// The line of the next row.
    line: u64,
    /// Whether a line end stood behind the last row.
    is_row_ended: bool,
    fields: Vec<Field>,
    /// What the messages call the file.
    name: String,
}

impl Tokenizer {
    /// Starts at the beginning of an input; `offset` bytes of it, such as a byte order mark, were
    /// taken off before.
    pub(super) fn new(name: String, offset: u64) -> Tokenizer {
        Tokenizer {
            dialect: Dialect::default(),
            buffer: vec![0; BLOCK_BYTES],
            filled: 0..0,
            is_at_end: false,
            offset,
            line: 1,
            is_row_ended: true,
            fields: Vec::new(),
            name,
        }
    }

    /// Sets how the rows from here on are cut.
    pub(super) fn set_dialect(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    /// The bytes that come next, at least a block of them if there are so many.
    pub(super) fn peek(&mut self, input: Input<'_>) -> Result<&[u8], ConnectorError> {
        while !self.is_at_end && self.filled.len() < BLOCK_BYTES / 2 {
            self.fill(input)?;
        }
        Ok(&self.buffer[self.filled.clone()])
    }

    /// Whether what [`Tokenizer::peek`] gave is all that is left.
    pub(super) fn has_peeked_all(&self) -> bool {
        self.is_at_end
    }

    /// Leaves out a line, whatever stands in it. `false` at the end.
    pub(super) fn skip_line(&mut self, input: Input<'_>) -> Result<bool, ConnectorError> {
        loop {
            let bytes = &self.buffer[self.filled.clone()];
            match memchr2(b'\n', b'\r', bytes) {
                Some(at) if at + 1 < bytes.len() || self.is_at_end => {
                    let next = after_line_end(bytes, at);
                    self.filled.start += next;
                    self.line += 1;
                    return Ok(true);
                }
                None if self.is_at_end => {
                    self.filled.start = self.filled.end;
                    return Ok(false);
                }
                _ if bytes.len() > ROW_BYTES => return Err(self.too_large("a row is over 4 MiB")),
                _ => self.fill(input)?,
            }
        }
    }

    /// The next row that is neither blank nor a comment.
    pub(super) fn next<'a>(
        &'a mut self,
        input: Input<'_>,
    ) -> Result<Option<RawRow<'a>>, ConnectorError> {
        if !self.skip_blank(input)? {
            return Ok(None);
        }
        let (end, next) = loop {
            let bytes = &self.buffer[self.filled.clone()];
            match scan(self.dialect, bytes, self.is_at_end, &mut self.fields) {
                Scan::Row { end, next } => break (end, next),
                Scan::Cut { in_quotes: true } if self.is_at_end => return Err(self.cut()),
                Scan::Cut { .. } => self.fill(input)?,
                Scan::TooLarge(what) => return Err(self.too_large(what)),
            }
        };
        let start = self.filled.start;
        let bytes = &self.buffer[start..start + end];
        let line_ends = lines_within(bytes, &self.fields);
        let row = RawRow {
            bytes,
            fields: &self.fields,
            line: self.line,
            line_ends,
            offset: self.offset + start as u64,
            dialect: self.dialect,
        };
        self.filled.start += next;
        self.line += 1 + line_ends;
        self.is_row_ended = next > end;
        Ok(Some(row))
    }

    /// Whether a line end stood behind the last row: without one the file may be cut.
    pub(super) fn is_row_ended(&self) -> bool {
        self.is_row_ended
    }

    /// Goes to the start of the next row that says something. `false` at the end.
    fn skip_blank(&mut self, input: Input<'_>) -> Result<bool, ConnectorError> {
        loop {
            let bytes = &self.buffer[self.filled.clone()];
            match bytes.first().copied() {
                None if self.is_at_end => return Ok(false),
                None => self.fill(input)?,
                Some(b'\n') => {
                    self.filled.start += 1;
                    self.line += 1;
                }
                Some(b'\r') => {
                    self.skip_line(input)?;
                }
                Some(byte) if Some(byte) == self.dialect.comment => {
                    self.skip_line(input)?;
                }
                Some(b' ' | b'\t' | END_OF_TEXT) if self.skip_white_line(input)? => {}
                Some(_) => return Ok(true),
            }
        }
    }

    /// Leaves out a line of white space, or what stands behind the end of the text. `false` where
    /// there is something else.
    fn skip_white_line(&mut self, input: Input<'_>) -> Result<bool, ConnectorError> {
        loop {
            let bytes = &self.buffer[self.filled.clone()];
            let delimiter = self.dialect.delimiter;
            let white = |byte: &u8| {
                matches!(*byte, b' ' | b'\t') && *byte != delimiter || *byte == END_OF_TEXT
            };
            match bytes.iter().position(|byte| !white(byte)) {
                Some(at) if matches!(bytes[at], b'\r' | b'\n') => return self.skip_line(input),
                Some(_) => return Ok(false),
                None if self.is_at_end => {
                    self.filled.start = self.filled.end;
                    return Ok(true);
                }
                None if bytes.len() > ROW_BYTES => {
                    return Err(self.too_large("a row is over 4 MiB"));
                }
                None => self.fill(input)?,
            }
        }
    }

    /// Reads another block behind what is still to be read.
    fn fill(&mut self, input: Input<'_>) -> Result<(), ConnectorError> {
        if self.filled.start > 0 {
            self.buffer.copy_within(self.filled.clone(), 0);
            self.offset += self.filled.start as u64;
            self.filled = 0..self.filled.len();
        }
        // Doubling keeps the scans of a long row, which start over, linear in its length.
        if self.filled.end * 2 > self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        let count = input(&mut self.buffer[self.filled.end..])?;
        self.filled.end += count;
        self.is_at_end = count == 0;
        Ok(())
    }

    fn cut(&self) -> ConnectorError {
        ConnectorError::source(format!(
            "{}: a quote that opens in the row of line {} is still open at the end: the file is \
             cut, or its quotes are no quotes (`quote = \"\"`)",
            self.name, self.line
        ))
    }

    fn too_large(&self, what: &str) -> ConnectorError {
        too_large(&self.name, self.line, what)
    }
}

/// The error of what most likely is no row or field.
pub(super) fn too_large(name: &str, line: u64, what: &str) -> ConnectorError {
    ConnectorError::source(format!(
        "{name}: line {line}: {what}; is a quote never closed, or the `delimiter` another one?"
    ))
}

fn after_line_end(bytes: &[u8], at: usize) -> usize {
    if bytes[at..].starts_with(b"\r\n") { at + 2 } else { at + 1 }
}

/// Line ends within quoted fields, as an editor counts them.
fn lines_within(bytes: &[u8], fields: &[Field]) -> u64 {
    if fields.iter().all(|field| field.form == Form::Plain)
        || memchr2(b'\n', b'\r', bytes).is_none()
    {
        return 0;
    }
    let is_end = |at: &usize| bytes[*at] == b'\n' || bytes.get(at + 1) != Some(&b'\n');
    memchr::memchr2_iter(b'\n', b'\r', bytes).filter(is_end).count() as u64
}

/// The row at the start of some bytes, whatever it says, and where the next line starts; `None` where
/// it does not end within them, or passes a limit.
pub(super) fn first_row<'a>(
    dialect: Dialect,
    bytes: &'a [u8],
    is_all: bool,
    fields: &'a mut Vec<Field>,
) -> Option<(RawRow<'a>, usize)> {
    let Scan::Row { end, next } = scan(dialect, bytes, is_all, fields) else { return None };
    Some((RawRow { bytes: &bytes[..end], fields, line: 0, line_ends: 0, offset: 0, dialect }, next))
}

/// Cuts the row at the start of `bytes` into fields.
fn scan(dialect: Dialect, bytes: &[u8], is_all: bool, fields: &mut Vec<Field>) -> Scan {
    fields.clear();
    let mut at = 0;
    loop {
        let (end, form) = match field_end(dialect, bytes, at) {
            Ok(found) => found,
            Err(Open::Plain(form)) if is_all => (bytes.len(), form),
            Err(open) => return cut(bytes, matches!(open, Open::Quotes)),
        };
        if end > ROW_BYTES {
            return Scan::TooLarge("a row is over 4 MiB");
        }
        if fields.len() == COLUMNS {
            return Scan::TooLarge("a row has over 10,000 columns");
        }
        // The limit of a row fits.
        fields.push(Field { start: at as u32, end: end as u32, form });
        match bytes.get(end) {
            Some(byte) if *byte == dialect.delimiter => at = end + 1,
            Some(b'\r') if end + 1 == bytes.len() && !is_all => return cut(bytes, false),
            Some(_) => return Scan::Row { end, next: after_line_end(bytes, end) },
            None => return last_row(bytes, end, fields),
        }
    }
}

/// A row that the end of the file ends.
fn last_row(bytes: &[u8], end: usize, fields: &mut [Field]) -> Scan {
    let marks = bytes.iter().rev().take_while(|byte| **byte == END_OF_TEXT).count();
    if let Some(last) = fields.last_mut().filter(|last| last.form == Form::Plain) {
        last.end = last.end.saturating_sub(marks as u32).max(last.start);
    }
    Scan::Row { end, next: end }
}

fn cut(bytes: &[u8], in_quotes: bool) -> Scan {
    if bytes.len() > ROW_BYTES {
        return Scan::TooLarge("a row is over 4 MiB");
    }
    Scan::Cut { in_quotes }
}

/// What the bytes end in the middle of.
enum Open {
    /// A field without quotes, which the end of the file may end.
    Plain(Form),
    /// A quoted field.
    Quotes,
}

/// Where the field that starts at `at` ends: at a delimiter or line end.
fn field_end(dialect: Dialect, bytes: &[u8], at: usize) -> Result<(usize, Form), Open> {
    match (dialect.quote, dialect.escape) {
        (Some(quote), escape) if bytes.get(at) == Some(&quote) => {
            quoted_end(dialect, bytes, at, quote, escape)
        }
        (_, None) => match memchr3(dialect.delimiter, b'\n', b'\r', &bytes[at..]) {
            Some(length) => Ok((at + length, Form::Plain)),
            None => Err(Open::Plain(Form::Plain)),
        },
        (_, Some(escape)) => plain_end(dialect, bytes, at, Some(escape), Form::Plain),
    }
}

fn quoted_end(
    dialect: Dialect,
    bytes: &[u8],
    start: usize,
    quote: u8,
    escape: Option<u8>,
) -> Result<(usize, Form), Open> {
    let mut at = start + 1;
    let mut form = Form::Quoted;
    loop {
        let rest = &bytes[at..];
        let found = match escape {
            None => memchr(quote, rest),
            Some(escape) => memchr2(quote, escape, rest),
        };
        at += found.ok_or(Open::Quotes)?;
        if bytes[at] != quote {
            form = Form::Mixed;
            at += 2;
            if at > bytes.len() {
                return Err(Open::Quotes);
            }
            continue;
        }
        at += 1;
        match bytes.get(at) {
            Some(next) if *next == quote => {
                form = Form::Mixed;
                at += 1;
            }
            Some(next) if *next == dialect.delimiter || matches!(next, b'\n' | b'\r') => {
                return Ok((at, form));
            }
            Some(_) => return plain_end(dialect, bytes, at, escape, Form::Mixed),
            // The next byte may be a quote still.
            None => return Err(Open::Plain(form)),
        }
    }
}

/// The end of what is not quoted.
fn plain_end(
    dialect: Dialect,
    bytes: &[u8],
    start: usize,
    escape: Option<u8>,
    mut form: Form,
) -> Result<(usize, Form), Open> {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        if Some(*byte) == escape {
            form = Form::Mixed;
            at += 1;
        } else if *byte == dialect.delimiter || matches!(byte, b'\n' | b'\r') {
            return Ok((at, form));
        }
        at += 1;
    }
    Err(Open::Plain(form))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const COMMA: Dialect =
        Dialect { delimiter: b',', quote: Some(b'"'), escape: None, comment: None };

    /// All rows as lines and texts; the input comes in blocks of this size.
    fn rows_in(
        dialect: Dialect,
        text: &[u8],
        block: usize,
    ) -> Result<Vec<(u64, Vec<String>)>, ConnectorError> {
        let mut rest = text;
        let mut input = |into: &mut [u8]| {
            let count = rest.len().min(into.len()).min(block);
            into[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            Ok(count)
        };
        let mut tokenizer = Tokenizer::new("feed.csv".to_owned(), 0);
        tokenizer.set_dialect(dialect);
        let mut rows = Vec::new();
        while let Some(row) = tokenizer.next(&mut input)? {
            let at = usize::try_from(row.offset).unwrap();
            let texts = row.fields.iter().map(|field| {
                let range = field.range();
                assert_eq!(row.raw(*field), &text[at + range.start..at + range.end]);
                String::from_utf8_lossy(&row.content(*field)).into_owned()
            });
            rows.push((row.line, texts.collect()));
        }
        Ok(rows)
    }

    fn rows(dialect: Dialect, text: &str) -> Vec<(u64, Vec<String>)> {
        rows_in(dialect, text.as_bytes(), usize::MAX).unwrap()
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|field| (*field).to_owned()).collect())
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_line_ends() {
        let found = rows(COMMA, "a,\"b,\"\"c\"\"\"\r\n\"d\ne\",f\n\"\",\"g\"x,Monitor 22\",\n");
        assert_eq!(
            found,
            [
                row(1, &["a", "b,\"c\""]),
                row(2, &["d\ne", "f"]),
                row(4, &["", "gx", "Monitor 22\"", ""])
            ]
        );
    }

    #[test]
    fn every_line_end_counts_once_and_blank_lines_say_nothing() {
        let found = rows(COMMA, "a\r\n\r\nb\rc\n\n  \nd\n\u{1a}");
        assert_eq!(found, [row(1, &["a"]), row(3, &["b"]), row(4, &["c"]), row(7, &["d"])]);
        assert_eq!(rows(COMMA, "a,b\u{1a}"), [row(1, &["a", "b"])]);
    }

    #[test]
    fn a_dialect_may_escape_comment_and_not_quote() {
        let backslash = Dialect { escape: Some(b'\\'), ..COMMA };
        assert_eq!(
            rows(backslash, "\"a\\\"b\",c\\,d\n\"\\\\\",e\n"),
            [row(1, &["a\"b", "c,d"]), row(2, &["\\", "e"])]
        );
        let comment = Dialect { comment: Some(b'#'), ..COMMA };
        assert_eq!(rows(comment, "#x,\"\na\n# y\n"), [row(2, &["a"])]);
        let unquoted = Dialect { quote: None, ..COMMA };
        assert_eq!(rows(unquoted, "\"a,22\"\n"), [row(1, &["\"a", "22\""])]);
    }

    #[test]
    fn a_quote_that_stays_open_is_a_cut_file() {
        let error = rows_in(COMMA, b"a\nb,\"c\nd\n", 4).unwrap_err();
        assert!(error.message.contains("line 2"), "{error}");
    }

    #[test]
    fn limits_have_names_and_lines() {
        let message = |text: String| rows_in(COMMA, text.as_bytes(), 1 << 16).unwrap_err().message;
        let open = format!("a\n\"{}", "x\n".repeat(2 * FIELD_BYTES + 1));
        assert!(message(open).contains("line 2: a row is over 4 MiB"));
        assert!(message(",".repeat(COLUMNS)).contains("10,000 columns"));
        let row = format!("{}\n", vec!["x".repeat(1 << 19); 9].join(","));
        assert!(message(row).contains("a row is over 4 MiB"));
        let allowed = format!("{},b\n", "x".repeat(FIELD_BYTES));
        assert_eq!(rows(COMMA, &allowed).len(), 1);
    }

    proptest! {
        #[test]
        fn blocks_do_not_matter(text in "[ab,\"\r\n\\\\#\u{1a} ]{0,60}", block in 1_usize..9) {
            for escape in [None, Some(b'\\')] {
                let dialect = Dialect { escape, comment: Some(b'#'), ..COMMA };
                let whole = rows_in(dialect, text.as_bytes(), usize::MAX).map_err(|e| e.message);
                let cut = rows_in(dialect, text.as_bytes(), block).map_err(|e| e.message);
                prop_assert_eq!(whole, cut);
            }
        }

        #[test]
        fn what_is_written_is_read_again(
            cells in proptest::collection::vec("[ab,;\"\n\r\\\\#]{0,6}", 2..5),
            quoted in any::<bool>(),
            escape in proptest::option::of(Just(b'\\')),
        ) {
            let dialect = Dialect { escape, comment: Some(b'#'), ..COMMA };
            let written: Vec<_> =
                cells.iter().map(|c| dialect.written(c.as_bytes(), quoted).unwrap()).collect();
            let found = rows_in(dialect, &written.join(&b','), usize::MAX).unwrap();
            prop_assert_eq!(found, [(1, cells)]);
        }
    }
}
