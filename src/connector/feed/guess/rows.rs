//! Delimited rows: how they are cut, where their header is, and their columns.

use super::column::Look;
use super::words::{self, Words};
use super::{Column, Sample, fields, is_literal, kept};
use crate::connector::feed::number::{self, DecimalSign};
use crate::model::Gtin;

/// The separators that are looked for, the ones that are rare in texts and numbers first.
const DELIMITERS: [char; 4] = [';', '\t', '|', ','];
/// How many rows are looked at.
const ROWS: usize = 60;
/// The lowest place of a header.
pub(crate) const HEADER_WITHIN: usize = 20;

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

/// A cell of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) text: String,
    /// It is a number of the format's own.
    pub(crate) is_number: bool,
}

impl From<String> for Cell {
    fn from(text: String) -> Cell {
        Cell { text, is_number: false }
    }
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
    let delimiter = delimiter.unwrap_or(if count > 0 { DELIMITERS[at] } else { ',' });
    let header_row = header_row(&split_rows(&rows, delimiter, quote));
    Cut { delimiter, header_row, alike, rows: rows.len(), width: count + 1 }
}

fn split_rows(rows: &[Row], delimiter: char, quote: Option<char>) -> Vec<(u64, Vec<Cell>)> {
    rows.iter().map(|row| (row.line, split(&row.text, delimiter, quote))).collect()
}

/// The cells of a row, without the quotes around them.
fn split(row: &str, delimiter: char, quote: Option<char>) -> Vec<Cell> {
    let mut in_quotes = false;
    let cells = row.split(|c| {
        in_quotes ^= Some(c) == quote;
        c == delimiter && !in_quotes
    });
    let text = |cell: &str| number::trim(cell).trim_matches(|c| Some(c) == quote).to_owned();
    cells.map(|cell| Cell::from(text(cell))).collect()
}

/// Which row, by its number, holds the names of the columns: the one that has the most names of
/// fields, or else the first that has names and is as wide as the others. 0: none does.
pub(crate) fn header_row(rows: &[(u64, Vec<Cell>)]) -> u64 {
    let mut widths: Vec<usize> = rows.iter().map(|(_, cells)| filled(cells)).collect();
    widths.sort_unstable();
    let usual = widths.get(widths.len() / 2).copied().unwrap_or(0);
    let top = || rows.iter().take(HEADER_WITHIN);
    // Of equal ones the last wins, so the order is turned round.
    let known =
        top().rev().map(|(number, cells)| (known_names(cells), *number)).max_by_key(|of| of.0);
    if let Some((_, number)) = known.filter(|(known, _)| *known > 1) {
        return number;
    }
    let is_wide = |(_, cells): &&(u64, Vec<Cell>)| filled(cells) * 3 >= usual * 2;
    match top().find(is_wide) {
        Some((number, cells)) if !has_values(cells) => *number,
        Some(_) => 0,
        None => 1,
    }
}

fn filled(cells: &[Cell]) -> usize {
    cells.iter().filter(|cell| !cell.text.is_empty()).count()
}

/// How many different fields a row has names of; 0 where it has numbers as well.
fn known_names(cells: &[Cell]) -> usize {
    if has_values(cells) {
        return 0;
    }
    let named =
        |field: &&Words| cells.iter().any(|cell| fields::is_name_of(field.field, &cell.text));
    words::FIELDS.iter().filter(named).count()
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
    let mut before = '\n';
    for c in text.chars() {
        // One in the middle of a cell is an inch sign.
        let is_start = before == '\n' || DELIMITERS.contains(&before);
        if Some(c) == quote && (in_quotes || is_start) {
            in_quotes = !in_quotes;
        }
        before = c;
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

/// Whether a row has a number or a product's code, which names of columns are not.
fn has_values(cells: &[Cell]) -> bool {
    cells.iter().any(|cell| {
        let is_number = cell.is_number || number::plain(&cell.text, DecimalSign::Auto).is_ok();
        is_number || Gtin::parse(cell.text.as_bytes()).is_some()
    })
}

/// The columns of some rows.
pub(super) fn sample(header: Option<&[String]>, rows: Vec<Vec<Cell>>) -> Sample {
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
            let cell = row.get(at);
            column.values.push(cell.and_then(|cell| kept(&cell.text)));
            column.numbers.push(cell.is_some_and(|cell| cell.is_number));
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
