//! What the config leaves open about how a csv file is cut, found by looking at its beginning.
//!
//! The usual dialect (`"` around fields, no escape, no comments, the header in line 1) stays wherever
//! it fits, so that a file that has always been read is read as it was.

use super::settings::{Layout, Sign};
use super::tokenizer::{Dialect, RawRow, first_row};
use crate::connector::feed::decode::Charset;
use crate::connector::feed::mapping::{Lookup, Mapping, PathId};
use crate::connector::feed::number::trim;
use crate::connector::file::columns;

/// The separators that are looked for, the ones that are rare in texts and numbers first.
const DELIMITERS: [u8; 4] = [b';', b'\t', b'|', b','];
/// How much of the beginning is looked at.
const LOOK_BYTES: usize = 64 << 10;
/// Among how many lines the header is looked for.
const HEADER_LINES: usize = 30;
/// The longest row whose end may be behind the beginning; a longer one is a quote that never closes.
const CUT_ROW_BYTES: usize = 16 << 10;

/// How a file is cut: what the config says, and what was found where it says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Detected {
    /// What separates and quotes the fields.
    pub(super) dialect: Dialect,
    /// The line of the header, from 1; 0: there is none.
    pub(super) header_row: u64,
    /// The line where the reading starts: that of the header, or of the first row.
    pub(super) first_line: u64,
}

/// The beginning of a file, from a line on.
pub(super) struct Head<'a> {
    bytes: &'a [u8],
    /// Whether the file has no more.
    is_all: bool,
    /// The line that it starts with.
    line: u64,
    /// The separator of a line `sep=;` above it.
    separator: Option<u8>,
    charset: Charset,
}

impl<'a> Head<'a> {
    /// The beginning of what is still to be read; `is_all` where that is all of it.
    pub(super) fn new(bytes: &'a [u8], is_all: bool, line: u64, charset: Charset) -> Head<'a> {
        let is_all = is_all && bytes.len() <= LOOK_BYTES;
        let bytes = &bytes[..bytes.len().min(LOOK_BYTES)];
        Head { bytes, is_all, line, separator: None, charset }
    }

    /// The same below a line that names the separator.
    pub(super) fn separated(self, separator: Option<u8>) -> Head<'a> {
        Head { separator, ..self }
    }
}

/// The separator that a file's first line names for spreadsheets: `sep=;`.
pub(super) fn named_separator(bytes: &[u8]) -> Option<u8> {
    let end = memchr::memchr2(b'\n', b'\r', bytes).unwrap_or(bytes.len());
    let line = bytes[..end].strip_prefix(b"\"").unwrap_or(&bytes[..end]);
    let line = line.strip_suffix(b"\"").unwrap_or(line);
    match line.split_at_checked(4)? {
        (key, [separator]) if key.eq_ignore_ascii_case(b"sep=") && separator.is_ascii() => {
            Some(*separator)
        }
        _ => None,
    }
}

/// Finds out how a file is cut.
pub(super) fn detect(head: &Head<'_>, layout: &Layout, mapping: &Mapping) -> Detected {
    let look = Look { head, layout, mapping };
    let header = look.header();
    let comment = match layout.comment {
        Sign::Open => look.comment_above(header),
        set => set.or(None),
    };
    let dialect = look.dialect(header, comment);
    let first = if layout.header_row.is_none() { header.line } else { head.line };
    let header_row = match layout.header_row {
        Some(row) => row,
        None if look.has_names() || !look.is_row_of_values(header, dialect) => first,
        None => 0,
    };
    Detected { dialect, header_row, first_line: first }
}

/// Where a line starts.
#[derive(Clone, Copy, Debug)]
struct Place {
    line: u64,
    at: usize,
}

/// A look at the beginning of a file with what is known of it.
struct Look<'a> {
    head: &'a Head<'a>,
    layout: &'a Layout,
    mapping: &'a Mapping,
}

impl Look<'_> {
    /// Whether the mapping names a column by more than its place.
    fn has_names(&self) -> bool {
        self.mapping.paths.iter().any(|path| !path.text.starts_with('#'))
    }

    /// The first line with all columns, or else with the most of them.
    fn header(&self) -> Place {
        let lines = self.lines();
        let start = Place { line: self.head.line, at: 0 };
        let first = lines.first().copied().unwrap_or(start);
        if self.layout.header_row.is_some() || !self.has_names() {
            return first;
        }
        let has_all = |place: &&Place| {
            self.dialects(**place).into_iter().any(|dialect| self.has_columns(**place, dialect))
        };
        if let Some(found) = lines.iter().find(has_all) {
            return *found;
        }
        let known = |place: &Place| {
            let dialects = self.dialects(*place).into_iter();
            let names = dialects.filter_map(|dialect| self.names(*place, dialect));
            names.map(|names| columns::known(self.mapping, &names)).max().unwrap_or(0)
        };
        // The last of equal ones wins, so the order is turned round.
        lines.iter().rev().max_by_key(|place| known(place)).copied().unwrap_or(first)
    }

    /// The first lines that are neither blank nor comments.
    fn lines(&self) -> Vec<Place> {
        let (mut places, mut at, mut line) = (Vec::new(), 0, self.head.line);
        let bytes = self.head.bytes;
        let comment = self.layout.comment.or(None);
        for _ in 0..HEADER_LINES {
            let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) else { break };
            let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let is_comment = comment.is_some() && rest.first().copied() == comment;
            if !is_comment && !rest[..end].trim_ascii().is_empty() {
                places.push(Place { line, at });
            }
            at += if rest[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
            line += 1;
        }
        places
    }

    /// `#`, where all lines above the header begin with it and no row below does.
    fn comment_above(&self, header: Place) -> Option<u8> {
        let is_comment = |place: &Place| self.head.bytes[place.at] == b'#';
        let mut above = self.lines().into_iter().take_while(|place| place.line < header.line);
        let has_some = above.next().filter(is_comment)?;
        let is_row = |row: &RawRow<'_>, width: usize| {
            row.bytes().first() == Some(&b'#') && row.width() == width
        };
        let dialect = self.dialects(header).first().copied()?;
        let mut has_rows = false;
        self.rows(header, dialect, |row, width| has_rows |= is_row(row, width));
        (above.all(|place| is_comment(&place)) && !has_rows).then(|| self.head.bytes[has_some.at])
    }

    /// The dialect that fits all rows, or else the usual one.
    fn dialect(&self, header: Place, comment: Option<u8>) -> Dialect {
        let mut dialects = self.dialects(header);
        let usual = dialects.first().copied().unwrap_or_default();
        if self.has_names() {
            dialects.retain(|dialect| self.has_columns(header, *dialect));
        }
        for dialect in &mut dialects {
            dialect.comment = comment;
        }
        let usual = dialects.first().copied().unwrap_or(Dialect { comment, ..usual });
        if memchr::memchr2(b'\'', b'\\', self.head.bytes).is_none() {
            return usual;
        }
        let mut fitting = dialects.iter().copied().filter(|dialect| self.fits(header, *dialect));
        match fitting.next() {
            Some(found) if found == usual && self.has_column_in_apostrophes(header, usual) => {
                fitting.find(|dialect| dialect.quote == Some(b'\'')).unwrap_or(usual)
            }
            Some(found) => found,
            None => usual,
        }
    }

    /// The dialects that a line may be in, the usual one first.
    fn dialects(&self, place: Place) -> Vec<Dialect> {
        let Layout { delimiter, quote, escape, comment, .. } = *self.layout;
        let quotes = match quote {
            Sign::Open => vec![Some(b'"'), Some(b'\'')],
            set => vec![set.or(None)],
        };
        let escapes = match escape {
            Sign::Open => vec![None, Some(b'\\')],
            set => vec![set.or(None)],
        };
        let text = self.head.bytes.get(place.at..).unwrap_or_default();
        let with = |quote: Option<u8>, escape: Option<u8>| Dialect {
            delimiter: delimiter
                .or(self.head.separator)
                .unwrap_or_else(|| most_frequent(text, quote)),
            quote,
            escape,
            comment: comment.or(None),
        };
        let all = escapes.iter().flat_map(|escape| quotes.iter().map(|q| with(*q, *escape)));
        let usual = with(quotes[0], escapes[0]);
        all.filter(|dialect| *dialect == usual || dialect.is_clear()).collect()
    }

    fn has_columns(&self, place: Place, dialect: Dialect) -> bool {
        self.names(place, dialect)
            .is_some_and(|names| columns::find(self.mapping, Some(&names), "").is_ok())
    }

    /// The cells of the row that starts here.
    fn names(&self, place: Place, dialect: Dialect) -> Option<Vec<String>> {
        let mut fields = Vec::new();
        let bytes = self.head.bytes.get(place.at..)?;
        let (row, _) = first_row(dialect, bytes, self.head.is_all, &mut fields)?;
        let name = |content: &[u8]| {
            let text = self.head.charset.text(content);
            text.map_or_else(|_| String::from_utf8_lossy(content).into_owned(), Into::into)
        };
        let names = row.fields.iter().map(|field| name(&row.content(*field)));
        Some(names.map(|name| trim(&name).to_owned()).collect())
    }

    /// Whether each row has as many cells as the header, no quote stands where it means nothing, and
    /// apostrophes, if they are the quotes, are the only ones.
    fn fits(&self, header: Place, dialect: Dialect) -> bool {
        let has_names = self.has_names();
        let by_apostrophe = dialect.quote == Some(b'\'');
        let (mut fits, mut is_quoted) = (true, !by_apostrophe);
        let is_whole = self.rows(header, dialect, |row, width| {
            // Where there are names, cells may be absent at the end.
            fits &= row.width() <= width && (has_names || row.fields.len() == width);
            for field in row.fields {
                let raw = row.raw(*field);
                fits &= dialect.is_well_quoted(raw);
                fits &= !(by_apostrophe && matches!(raw, [b'"', .., b'"']));
                is_quoted |= row.is_quoted(*field);
            }
        });
        fits && is_quoted && is_whole
    }

    /// Whether a column has its texts in apostrophes in every row that has one.
    fn has_column_in_apostrophes(&self, header: Place, dialect: Dialect) -> bool {
        // How many cells of each column are in apostrophes; `None` where one is not.
        let mut columns: Vec<Option<usize>> = Vec::new();
        self.rows(header, dialect, |row, width| {
            columns.resize(width, Some(0));
            for (column, field) in columns.iter_mut().zip(row.fields) {
                *column = match row.raw(*field) {
                    [] => *column,
                    [b'\'', .., b'\''] => column.map(|count| count + 1),
                    _ => None,
                };
            }
        });
        columns.into_iter().flatten().any(|count| count > 1)
    }

    /// Calls `each` with every row below the header that the beginning holds, and the header's width.
    /// `false` where they do not go to its end.
    fn rows(
        &self,
        header: Place,
        dialect: Dialect,
        mut each: impl FnMut(&RawRow<'_>, usize),
    ) -> bool {
        let mut fields = Vec::new();
        let mut rest = self.head.bytes.get(header.at..).unwrap_or_default();
        let mut width = None;
        while !rest.is_empty() {
            let Some((row, next)) = first_row(dialect, rest, self.head.is_all, &mut fields) else {
                return !self.head.is_all && rest.len() <= CUT_ROW_BYTES;
            };
            let is_blank = row.bytes().trim_ascii().is_empty();
            let is_comment = dialect.comment.is_some_and(|sign| row.bytes().first() == Some(&sign));
            if !is_blank && !is_comment {
                match width {
                    None => width = Some(row.fields.len()),
                    Some(width) => each(&row, width),
                }
            }
            rest = &rest[next..];
        }
        true
    }

    /// Whether quantity or price can be read in a row and neither is nonsense.
    fn is_row_of_values(&self, place: Place, dialect: Dialect) -> bool {
        let Some(cells) = self.names(place, dialect) else { return false };
        let Ok(columns) = columns::find(self.mapping, None, "") else { return false };
        self.mapping.has_values(&Cells { cells, columns })
    }
}

/// The cells of one row, and which of them each path names.
struct Cells {
    cells: Vec<String>,
    columns: Vec<usize>,
}

impl Lookup for Cells {
    fn matches(&self, path: PathId, each: &mut dyn FnMut(&str) -> bool) {
        let column = self.columns.get(path.index());
        if let Some(cell) = column.and_then(|column| self.cells.get(*column)) {
            each(cell);
        }
    }
}

/// The separator that stands most often outside quotes in the line at the start of `text`.
fn most_frequent(text: &[u8], quote: Option<u8>) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut in_quotes = false;
    for byte in text {
        if Some(*byte) == quote {
            in_quotes = !in_quotes;
        } else if !in_quotes {
            if matches!(byte, b'\n' | b'\r') {
                break;
            }
            if let Some(at) = DELIMITERS.iter().position(|delimiter| delimiter == byte) {
                counts[at] += 1;
            }
        }
    }
    // The last of equal maxima wins, so the order is turned round.
    let best = (0..DELIMITERS.len()).rev().max_by_key(|at| counts[*at]);
    best.filter(|at| counts[*at] > 0).map_or(b',', |at| DELIMITERS[at])
}
