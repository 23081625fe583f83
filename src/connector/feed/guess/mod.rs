//! Looking at a feed that nobody has described yet: what its columns or paths hold, and the mapping
//! that follows from it, with its evidence. Pure functions over sampled values; each format takes
//! its own sample, and how a proposal looks stands in `render`.

mod column;
mod fields;
mod render;
mod rows;
#[cfg(test)]
mod tests;
mod tree;
mod words;

pub use render::{all_keys, inline, lines, quoted, table};
pub use tree::Node;

use crate::connector::feed::source::{AtHand, Keep, Source};
use crate::connector::file::{csv, edifact, json, xlsx, xml};
use crate::connector::{ConnectorError, Context};
use crate::settings::Table;

/// The most items that are looked at.
pub const ITEMS: usize = 2000;
/// The most bytes of a feed's text that are looked at.
pub(crate) const SAMPLE_BYTES: usize = 4 << 20;
/// The most elements or values of a document's beginning that are kept.
pub(crate) const NODES: usize = 200_000;
/// The most bytes of one value that are kept.
const VALUE_BYTES: usize = 200;

/// Takes a sample of an integration's feed. `None` where errors were added to the table's problems.
pub type TakeSample = fn(&mut Table<'_>, &Context) -> Result<Option<Sample>, ConnectorError>;

/// The connectors whose feeds can be looked at, one line each.
pub const SAMPLERS: &[(&str, TakeSample)] = &[
    ("csv", csv::sample),
    ("json", json::sample),
    ("xml", xml::sample),
    ("xlsx", xlsx::sample),
    ("edifact", edifact::sample),
];

/// The connector for what a source holds.
pub fn connector_of(source: &Source) -> Result<&'static str, ConnectorError> {
    // A workbook is a zip archive, out of which no file is to be taken.
    let beginning = AtHand::of(source)?.beginning()?;
    if xlsx::may_be_workbook(&beginning) && xlsx::is_workbook(source.open_whole()?)? {
        return Ok("xlsx");
    }
    match source.open(Keep::Nothing) {
        Ok(bytes) => Ok(connector_of_text(bytes.head())),
        // A workbook that is packed once more.
        Err(error) => match source.open_whole().and_then(xlsx::is_workbook) {
            Ok(true) => Ok("xlsx"),
            _ => Err(error),
        },
    }
}

/// The connector for a text that begins like this.
fn connector_of_text(head: &[u8]) -> &'static str {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let is_wide = head.starts_with(b"\xff\xfe<") || head.starts_with(b"\xfe\xff\0<");
    match head.trim_ascii_start() {
        [b'<', ..] => "xml",
        [b'{' | b'[', ..] => "json",
        [b'U', b'N', b'A', ..] | [b'U', b'N', b'B', b'+', ..] => "edifact",
        _ if is_wide => "xml",
        _ => "csv",
    }
}

/// A key of the config with its value in TOML, and what speaks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The key.
    pub key: &'static str,
    /// The value in TOML.
    pub value: String,
    /// What speaks for it.
    pub evidence: String,
}

impl Line {
    /// A line of the config.
    pub fn new(key: &'static str, value: String, evidence: impl Into<String>) -> Line {
        Line { key, value, evidence: evidence.into() }
    }
}

/// A column, or what a path finds in the items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Column {
    /// How the mapping names it.
    pub path: String,
    /// The name to judge it by.
    pub name: String,
    /// The name of what it is part of, and what else tells it from its like.
    pub context: String,
    /// Its value in each item; `None` where it has none.
    pub values: Vec<Option<String>>,
    /// Which of these are numbers of the format's own, whose sign is a point whatever the config says;
    /// empty where none is.
    pub numbers: Vec<bool>,
    /// An item has it more than once.
    pub repeats: bool,
}

/// Some items of a feed, and what was found out on the way to them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// How the source is cut, and where its items are.
    pub options: Vec<Line>,
    /// How many items were looked at.
    pub items: usize,
    /// Whether these are all.
    pub is_all: bool,
    /// What the items have.
    pub columns: Vec<Column>,
    /// Paths from the root that name a currency, with their values.
    pub currencies: Vec<(String, String)>,
}

/// What is proposed for one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldLine {
    /// The line.
    pub line: Line,
    /// What may be wrong with it.
    pub doubt: Option<String>,
    /// What else it could be.
    pub alternatives: Vec<Line>,
}

/// A mapping, with what speaks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proposal {
    /// How many items it rests on.
    pub items: usize,
    /// Whether these were all.
    pub is_all: bool,
    /// Keys of the integration's table.
    pub options: Vec<Line>,
    /// Keys of `fields`.
    pub fields: Vec<FieldLine>,
    /// What was not found, and what might stand for it.
    pub missing: Vec<(&'static str, Vec<Line>)>,
}

impl Proposal {
    /// Whether a field is proposed.
    pub fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|found| found.line.key == field)
    }

    /// Whether items can be told apart with it; those of a further file are found by its `key`.
    pub fn can_be_told_apart(&self, is_join: bool) -> bool {
        match is_join {
            true => self.options.iter().any(|line| line.key == "key"),
            false => self.has("sku") || self.has("item_id"),
        }
    }

    /// Whether a pull could work with it: items can be told apart, and have a quantity or price, in a
    /// further file anything.
    pub fn is_usable(&self, is_join: bool) -> bool {
        let has_value = self.has("quantity") || self.has("price");
        self.can_be_told_apart(is_join) && (has_value || (is_join && !self.fields.is_empty()))
    }

    /// Leaves fields out, which another source has.
    pub fn leave_out(&mut self, fields: &[&str]) {
        self.fields.retain(|field| !fields.contains(&field.line.key));
        self.missing.retain(|(field, _)| !fields.contains(field));
    }

    /// Makes it one of a further file: what tells the items apart is its `key`.
    pub fn make_join(&mut self) {
        let id = self.fields.iter().find(|field| field.line.key == "sku");
        let id = id.or_else(|| self.fields.iter().find(|field| field.line.key == "item_id"));
        self.options.extend(id.map(|id| Line { key: "key", ..id.line.clone() }));
        self.leave_out(&["sku", "item_id"]);
    }
}

/// The mapping that a sample speaks for.
pub fn propose(sample: &Sample) -> Proposal {
    fields::propose(sample)
}

/// The sample of a document's beginning. `items`, `variants`: what the config says already;
/// `prefix`: where items are that are found nowhere else.
pub(crate) fn sample_of_tree(
    root: &Node,
    is_all: bool,
    known: (Option<&str>, Option<&str>),
    is_json: bool,
) -> Sample {
    tree::sample(root, is_all, known, is_json)
}

/// The sample of rows.
pub(crate) fn sample_of_rows(header: Option<&[String]>, rows: Vec<Vec<Cell>>) -> Sample {
    rows::sample(header, rows)
}

/// How much items look like products; 0: not at all.
pub(crate) fn score(sample: &Sample) -> usize {
    fields::score(sample)
}

/// How the rows of a text are cut, and which of some rows is their header.
pub(crate) use rows::{Cell, Cut, HEADER_WITHIN, cut, header_row};

/// A value as it is kept: trimmed, not too long.
pub(crate) fn kept(text: &str) -> Option<String> {
    let text = super::number::trim(text);
    let mut end = text.len().min(VALUE_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    (end > 0).then(|| text[..end].to_owned())
}

/// Whether a text of a feed may stand in a config as it is: nothing in it is looked up elsewhere.
fn is_literal(text: &str) -> bool {
    !text.contains("${")
}
