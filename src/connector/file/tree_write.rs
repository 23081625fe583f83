//! Writing to tree-shaped files: the values are found as they were read, and only their own bytes
//! change.

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::edit::{Edit, checked_in_old_style};
use super::items::{TreeConnector, View};
use super::outline::{Item, Walk};
use super::rewrite::{Rewrite, changed};
use super::tree::Match;
use crate::connector::feed::decode::Charset;
use crate::connector::feed::mapping::{Field, PathId};
use crate::connector::feed::{number, shown};
use crate::connector::{
    ConnectorError, Fingerprint, Limits, Outcome, RowBatch, Want, Write, Writer,
};
use crate::model::{Decimal, ProblemKind, Section};

/// Makes the new text of a value out of the old one, or says why it cannot.
pub(crate) type Restyle<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Puts a new value into what stands in the file: gets what was found, how it is written, and how
/// its text changes. The answer is how it will be written.
pub(crate) type RewriteValue = fn(&Match<'_>, &str, Restyle<'_>) -> Result<String, String>;

/// Writes values into a file that was read before.
pub(crate) struct TreeWriter {
    pub(crate) connector: TreeConnector,
    /// What the file was when it was read, or after the last batch.
    pub(crate) known: Mutex<Fingerprint>,
}

impl Writer for TreeWriter {
    fn limits(&self) -> Limits {
        Limits { batch: None, price_decimals: None, quantity_decimals: None }
    }

    fn send(&self, batch: &[Write]) -> Vec<Outcome> {
        let mut rewrite = Rewrite::new(batch);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match self.find(&mut rewrite) {
            Ok(fingerprint) if fingerprint == *known => {
                rewrite.apply(&self.connector.source, &mut known)
            }
            Ok(_) => {
                let path = self.connector.source.path().display();
                vec![changed(&format!("{path} changed since it was read")); batch.len()]
            }
            Err(why) => vec![Outcome::Refused(why.message); batch.len()],
        }
    }
}

impl TreeWriter {
    /// Reads the file again and adds all places that are to change.
    fn find(&self, rewrite: &mut Rewrite<'_>) -> Result<Fingerprint, ConnectorError> {
        let mut walk: Box<dyn Walk> = self.connector.walk()?;
        let charset = walk.charset();
        if !charset.is_raw() {
            return Err(ConnectorError::source(format!(
                "a file in {} cannot be written; only UTF-8 and encodings of one byte a character \
                 can",
                charset.name()
            )));
        }
        let mut rows = self.connector.rows(Want { stock: true, prices: true, names: false });
        let mut places = Places { charset, source_offset: 0, counted: (0, 0) };
        let mut batch = RowBatch::default();
        let mut goes_on = true;
        while goes_on {
            goes_on = walk.walk(&mut |item| {
                batch.clear();
                rows.add(&item, &mut batch, &mut |batch, at, view| {
                    let Some(row) = batch.row(at) else { return };
                    let is_of_another_currency = batch.problems().iter().any(|problem| {
                        problem.row == u32::try_from(at).ok()
                            && problem.kind == ProblemKind::CurrencyMismatch
                    });
                    rewrite.add_row(&row, &mut |write| {
                        if is_of_another_currency && write.section == Section::Prices {
                            return Err("its price is marked with another currency".to_owned());
                        }
                        self.edit(write, view, &mut places)
                    });
                });
                true
            })?;
        }
        let fingerprint = walk.finish()?;
        fingerprint.ok_or_else(|| ConnectorError::source("this file cannot be written"))
    }

    fn edit(&self, write: &Write, view: &View<'_>, places: &mut Places) -> Result<Edit, String> {
        let settings = &self.connector.settings;
        let (field, path) = settings.feed.mapping.writable(write.section)?;
        let found = chosen(view, path)?;
        let raw = places.written(view, &found.raw)?;
        let restyle = |old: &str| {
            let read = |text: &str| read_value(field, write.section, text);
            checked_in_old_style(old, write.after, field.decimal, &read)
        };
        let new = (settings.format.rewrite)(&found, raw, &restyle)?;
        let bytes = places.charset.bytes(&new).ok_or_else(|| {
            format!("{} cannot be written in {}", shown(&new), places.charset.name())
        })?;
        Ok(Edit { range: places.in_file(view, &found.raw), bytes: bytes.into_owned() })
    }
}

/// What a text is read as.
fn read_value(field: &Field, section: Section, text: &str) -> Option<Decimal> {
    let text = number::trim(text);
    let number = match section {
        Section::Prices => number::price(text, field.decimal, &field.unit).ok()?.0,
        _ => number::quantity(text, field.decimal, &field.unit).ok()?,
    };
    number.decimal().ok()
}

/// The place that a value is read from: the first that says something, else the only one.
fn chosen<'t>(view: &View<'t>, path: PathId) -> Result<Match<'t>, String> {
    let compiled = view.outline.paths.get(path.index()).ok_or("this field has no path")?;
    let from = view.start(compiled.start).ok_or("a value for all items cannot be written")?;
    let (mut first, mut chosen, mut count) = (None, None, 0);
    view.item.tree.find(from, &compiled.steps, compiled.attribute, &mut |found| {
        count += 1;
        if found.text.is_some_and(|text| !number::is_unknown(number::trim(text))) {
            chosen = Some(found);
            return false;
        }
        first.get_or_insert(found);
        true
    });
    match (chosen, first, count) {
        (Some(found), ..) | (None, Some(found), 1) => Ok(found),
        (None, None, _) => Err("the item has no place for this value".to_owned()),
        _ => {
            Err("the item has several places for this value, and none of them says anything"
                .to_owned())
        }
    }
}

/// From places in the text that was read to places in the file.
struct Places {
    charset: Charset,
    /// The start of the part that was counted last.
    source_offset: u64,
    /// How far in it characters have been counted, and how many.
    counted: (usize, u64),
}

impl Places {
    /// How a value is written.
    fn written<'t>(&self, view: &View<'t>, raw: &Range<u64>) -> Result<&'t str, String> {
        let item = view.item;
        item.source.get(within(item, raw)).ok_or_else(|| "its place was lost".to_owned())
    }

    /// The bytes of the file that a value takes.
    fn in_file(&mut self, view: &View<'_>, raw: &Range<u64>) -> Range<u64> {
        if self.charset.name() == Charset::UTF_8.name() {
            let mark = self.charset.mark_bytes() as u64;
            return raw.start + mark..raw.end + mark;
        }
        let item = view.item;
        let range = within(item, raw);
        if self.source_offset != item.source_offset
            || range.start < self.counted.0
            || self.counted == (0, 0)
        {
            self.source_offset = item.source_offset;
            self.counted = (0, item.source_chars);
        }
        let characters = |range: Range<usize>| {
            item.source.get(range).map_or(0, |text| text.chars().count()) as u64
        };
        let start = self.counted.1 + characters(self.counted.0..range.start);
        self.counted = (range.start, start);
        start..start + characters(range)
    }
}

fn within(item: &Item<'_>, raw: &Range<u64>) -> Range<usize> {
    let place =
        |at: u64| at.checked_sub(item.source_offset).and_then(|at| usize::try_from(at).ok());
    place(raw.start).unwrap_or(usize::MAX)..place(raw.end).unwrap_or(usize::MAX)
}
