//! Writing to tree-shaped files: the values are found as they were read, and only their own bytes
//! change.

use std::ops::Range;

use super::edit::{Edit, restyled};
use super::items::{TreeConnector, View};
use super::outline::{Item, Walk};
use super::rewrite::{self, Known, Rewrite};
use super::tree::Match;
use crate::connector::feed::decode::Charset;
use crate::connector::feed::mapping::{Field, PathId};
use crate::connector::feed::number::{self, DecimalSign};
use crate::connector::feed::shown;
use crate::connector::{ConnectorError, Fingerprint, Limits, RowBatch, Sent, Write, Writer};

/// Makes the new text of a value out of the old one, or says why it cannot. Gets the decimal sign
/// of the format's own numbers; a text has that of the config.
pub(crate) type Restyle<'a> = &'a dyn Fn(&str, Option<DecimalSign>) -> Result<String, String>;

/// Puts a new value into what stands in the file: gets what was found, how it is written, and how
/// its text changes. The answer is how it will be written.
pub(crate) type RewriteValue = fn(&Match<'_>, &str, Restyle<'_>) -> Result<String, String>;

/// Writes values into a file that was read before.
pub(crate) struct TreeWriter {
    pub(crate) connector: TreeConnector,
    pub(crate) known: Known,
}

impl Writer for TreeWriter {
    fn limits(&self) -> Limits {
        rewrite::LIMITS
    }

    fn send(&self, batch: &[Write]) -> Sent {
        rewrite::send(batch, &self.connector.source, &self.known, |rewrite| self.find(rewrite))
    }
}

impl TreeWriter {
    /// Reads the file again and adds all places that are to change.
    fn find(&self, rewrite: &mut Rewrite<'_>) -> Result<Option<Fingerprint>, ConnectorError> {
        let mut walk: Box<dyn Walk> = self.connector.walk()?;
        let charset = walk.charset();
        rewrite::check_charset(charset)?;
        let mut rows = self.connector.rows(rewrite::WANT);
        let mut places = Places { charset, source_offset: 0, counted: (0, 0) };
        let mut batch = RowBatch::default();
        let mut goes_on = true;
        while goes_on {
            goes_on = walk.walk(&mut |item| {
                batch.clear();
                rows.add(&item, &mut batch, &mut |batch, at, view| {
                    rewrite.add_row(batch, at, &mut |write| self.edit(write, view, &mut places));
                });
                true
            })?;
        }
        walk.finish()
    }

    fn edit(&self, write: &Write, view: &View<'_>, places: &mut Places) -> Result<Edit, String> {
        let settings = &self.connector.settings;
        let (field, path) = settings.feed.mapping.writable(write.section)?;
        let found = chosen(view, path)?;
        let raw = places.written(view, &found.raw)?;
        let restyle = |old: &str, sign: Option<DecimalSign>| {
            let mut field: Field = field.clone();
            field.decimal = sign.unwrap_or(field.decimal);
            restyled(&field, write.section, old, write.after)
        };
        let rewrite = settings.format.rewrite.ok_or("this format is only read")?;
        let new = rewrite(&found, raw, &restyle)?;
        let bytes = places.charset.bytes(&new).ok_or_else(|| {
            format!("{} cannot be written in {}", shown(&new), places.charset.name())
        })?;
        Ok(Edit { range: places.in_file(view, &found.raw), bytes: bytes.into_owned() })
    }
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
        if self.charset.is_utf_8() {
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
