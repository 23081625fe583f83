//! Delimited rows: how they are cut, where their header is, and their columns.

use super::column::Look;
use super::{Column, Sample, is_literal, kept};
use crate::connector::feed::number::{self, DecimalSign};
use crate::model::Gtin;

/// The separators that are looked for, the ones that are rare in texts and numbers first.
const DELIMITERS: [char; 4] = [';', '\t', '|', ','];
/// How many rows are looked at.
const ROWS: usize = 60;
/// The lowest place of a header.
const HEADER_WITHIN: usize = 20;

/// How rows are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Between two fields.
    pub(crate) delimiter: char,
    /// The line of the header, from 1; 0: there is none.
    pub(crate) header_row: u64,
    /// How many rows have as many fields as the header, and how many were looked at.
    pub(crate) alike: usize,
    /// How many were looked at.
    pub(crate) rows: usize,
    /// The number of fields.
    pub(crate) width: usize,
}

/// A row of the beginning: the line that it starts on, how often each separator is in it.
struct Row {
    line: u64,
    counts: [usize; DELIMITERS.len()],
    text: String,
}

/// Finds out how the rows of a text are cut; `delimiter` where the config says.
pub(crate) fn cut(text: &str, quote: Option<char>, delimiter: Option<char>) -> Cut {
    let rows = rows_of(text, quote);
    let candidates =
        (0..DELIMITERS.len()).filter(|at| delimiter.is_none_or(|wanted| DELIMITERS[*at] == wanted));
    // Of equal ones the first wins, so the order is turned round.
    let best = candidates.rev().map(|at| (at, usual(&rows, at))).max_by_key(|(_, usual)| {
        let (count, alike) = *usual;
        (count > 0, alike * count.min(8))
    });
    let (at, (count, alike)) = best.unwrap_or((3, (0, rows.len())));
    let is_header = |row: &&Row| row.counts[at] == count;
    let header = rows.iter().take(HEADER_WITHIN).find(is_header);
    let delimiter = delimiter.unwrap_or(if count > 0 { DELIMITERS[at] } else { ',' });
    let has_names = header.is_none_or(|row| has_names(&row.text, delimiter, quote));
    let header_row = if has_names { header.map_or(1, |row| row.line) } else { 0 };
    Cut { delimiter, header_row, alike, rows: rows.len(), width: count + 1 }
}

/// The number of separators that most rows have, and how many rows have it.
fn usual(rows: &[Row], at: usize) -> (usize, usize) {
    let of = |count: usize| rows.iter().filter(|row| row.counts[at] == count).count();
    let counts = rows.iter().map(|row| row.counts[at]).filter(|count| *count > 0);
    counts
        .map(|count| (count, of(count)))
        .max_by_key(|(count, alike)| (*alike, *count))
        .unwrap_or((0, 0))
}

fn rows_of(text: &str, quote: Option<char>) -> Vec<Row> {
    let (mut rows, mut line, mut in_quotes) = (Vec::new(), 1, false);
    let mut row = Row { line, counts: [0; DELIMITERS.len()], text: String::new() };
    for c in text.chars() {
        if Some(c) == quote {
            in_quotes = !in_quotes;
        }
        line += u64::from(c == '\n');
        if c == '\n' && !in_quotes {
            let next = Row { line, counts: [0; DELIMITERS.len()], text: String::new() };
            let done = std::mem::replace(&mut row, next);
            if !done.text.trim().is_empty() {
                rows.push(done);
            }
            if rows.len() == ROWS {
                return rows;
            }
            continue;
        }
        if let Some(at) = DELIMITERS.iter().position(|d| *d == c).filter(|_| !in_quotes) {
            row.counts[at] += 1;
        }
        row.text.push(c);
    }
    if !row.text.trim().is_empty() && !in_quotes {
        rows.push(row);
    }
    rows
}

/// Whether a row has no number and no product code, which names of columns are not.
fn has_names(row: &str, delimiter: char, quote: Option<char>) -> bool {
    let cells =
        row.split(delimiter).map(|cell| number::trim(cell).trim_matches(|c| Some(c) == quote));
    !cells.into_iter().any(|cell| {
        let is_number = number::plain(cell, DecimalSign::Auto).is_ok();
        Gtin::parse(cell.as_bytes()).is_some() || is_number
    })
}

/// The columns of some rows.
pub(super) fn sample(header: Option<&[String]>, rows: Vec<Vec<String>>) -> Sample {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = header.map_or(width, <[String]>::len);
    let mut columns: Vec<_> = (0..width)
        .map(|at| {
            let name = header.map_or("", |names| names[at].as_str());
            Column { path: path(header, at), name: name.to_owned(), ..Column::default() }
        })
        .collect();
    for row in &rows {
        for (at, column) in columns.iter_mut().enumerate() {
            column.values.push(row.get(at).and_then(|cell| kept(cell)));
        }
    }
    columns.retain(|column| Look::of(column).filled > 0);
    Sample { items: rows.len(), columns, ..Sample::default() }
}

/// A column by its name, or by its place where the name is not enough.
fn path(header: Option<&[String]>, at: usize) -> String {
    let is_it = |name: &&String, other: &String| name.to_lowercase() == other.to_lowercase();
    let name = header
        .map(|names| &names[at])
        .filter(|name| !name.is_empty() && !name.starts_with('#') && is_literal(name));
    let is_alone = |name: &&String| {
        header.unwrap_or_default().iter().filter(|other| is_it(name, other)).count() == 1
    };
    name.filter(is_alone).cloned().unwrap_or_else(|| format!("#{}", at + 1))
}
