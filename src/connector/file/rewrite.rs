//! Writing to a file of items, whatever its format: which item gets which values, what becomes of
//! each, and the file replaced in one step.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::edit::{Edit, rewrite};
use super::replace::ReplaceError;
use crate::connector::feed::decode::Charset;
use crate::connector::feed::source::{Keep, Source};
use crate::connector::{
    ConnectorError, Fingerprint, Limits, Outcome, RowBatch, RowView, Sent, Value, Want, Write,
};
use crate::model::{Decimal, ProblemKind, Section};

/// A file takes all changes at once, with any decimals.
pub(crate) const LIMITS: Limits = Limits {
    batch: None,
    concurrency: 1,
    fresh_for: None,
    price_decimals: None,
    quantity_decimals: None,
};

/// What is read again of a file that is written.
pub(crate) const WANT: Want = Want { stock: true, prices: true, names: false };

/// What a file was when it was read, or after the last values were written.
pub(crate) type Known = Mutex<Fingerprint>;

/// Writes values into a file, one outcome for each: `find` reads the file again, adds its rows,
/// and says what it was.
pub(crate) fn send(
    batch: &[Write],
    source: &Source,
    known: &Known,
    find: impl FnOnce(&mut Rewrite<'_>) -> Result<Option<Fingerprint>, ConnectorError>,
) -> Sent {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    let mut rewrite = Rewrite::new(batch);
    let failed = match find(&mut rewrite) {
        Ok(Some(now)) if now == *known => return rewrite.apply(source, &mut known).into(),
        Ok(_) => changed(source),
        Err(why) => refused_or_changed(why.message, source, &known),
    };
    vec![failed; batch.len()].into()
}

/// Refuses a file whose bytes cannot be put back one by one.
pub(crate) fn check_charset(charset: Charset) -> Result<(), ConnectorError> {
    if charset.is_raw() {
        return Ok(());
    }
    Err(ConnectorError::source(format!(
        "a file in {} is only read; save it as UTF-8 to have it written",
        charset.name()
    )))
}

/// A value of an item as it stands in the file.
struct Cell {
    line: u64,
    current: Value,
    /// What to change so that it becomes the new one, or why that cannot be.
    edit: Result<Edit, String>,
}

/// The values to write, and the cells found for them so far.
pub(crate) struct Rewrite<'w> {
    writes: &'w [Write],
    by_item: HashMap<&'w str, Vec<usize>>,
    cells: Vec<Vec<Cell>>,
}

impl<'w> Rewrite<'w> {
    /// Starts with the values to write.
    pub(crate) fn new(writes: &'w [Write]) -> Rewrite<'w> {
        let mut by_item: HashMap<&str, Vec<usize>> = HashMap::with_capacity(writes.len());
        for (at, write) in writes.iter().enumerate() {
            by_item.entry(&write.item_id).or_default().push(at);
        }
        Rewrite { writes, by_item, cells: writes.iter().map(|_| Vec::new()).collect() }
    }

    /// Adds the cells of one row of the file: `edit` makes the change of one value.
    pub(crate) fn add_row(
        &mut self,
        batch: &RowBatch,
        at: usize,
        edit: &mut dyn FnMut(&Write) -> Result<Edit, String>,
    ) {
        let Some(row) = batch.row(at) else { return };
        let Some(item_id) = id_of(&row) else { return };
        let Some(places) = self.by_item.get(item_id.as_ref()) else { return };
        let is_of_another_currency = batch.problems().iter().any(|problem| {
            problem.row == u32::try_from(at).ok() && problem.kind == ProblemKind::CurrencyMismatch
        });
        for &at in places {
            let write = &self.writes[at];
            let (current, is_foreign) = match write.section {
                Section::Prices => (row.price(), is_of_another_currency),
                _ => (row.quantity(), false),
            };
            let edit = match is_foreign {
                true => Err("its price is marked with another currency".to_owned()),
                false => edit(write),
            };
            self.cells[at].push(Cell { line: row.line(), current, edit });
        }
    }

    /// Replaces the file, if it still is the one that is known; then it is known as what it has
    /// become. One outcome for each value.
    fn apply(self, source: &Source, known: &mut Fingerprint) -> Vec<Outcome> {
        let (edits, mut outcomes) = self.decide();
        if edits.is_empty() {
            return outcomes;
        }
        let failed = match rewrite(source, &edits, known) {
            Ok(written) => {
                *known = written;
                return outcomes;
            }
            Err(ReplaceError::Unchanged(why)) => refused_or_changed(why, source, known),
            Err(ReplaceError::ChangedMeanwhile(_)) => changed(source),
            Err(ReplaceError::NotSynced(why)) => Outcome::Uncertain(why),
        };
        for outcome in &mut outcomes {
            if *outcome == Outcome::Applied {
                *outcome = failed.clone();
            }
        }
        outcomes
    }

    /// What is to be changed, in the order of the file, and what becomes of each value if that
    /// succeeds.
    fn decide(self) -> (Vec<Edit>, Vec<Outcome>) {
        let (mut edits, mut outcomes) = (Vec::new(), Vec::new());
        for (at, (write, cells)) in self.writes.iter().zip(self.cells).enumerate() {
            match decide_one(write, cells) {
                Ok(all) => {
                    outcomes.push(Outcome::Applied);
                    edits.extend(all.into_iter().map(|edit| (edit, at)));
                }
                Err(outcome) => outcomes.push(outcome),
            }
        }
        edits.sort_by_key(|(edit, at)| (edit.range.start, edit.range.end, *at));
        refuse_shared_places(&mut edits, &mut outcomes);
        (edits.into_iter().map(|(edit, _)| edit).collect(), outcomes)
    }
}

/// The changes of one value, on all rows of its item.
fn decide_one(write: &Write, cells: Vec<Cell>) -> Result<Vec<Edit>, Outcome> {
    let Some(first) = cells.first() else {
        return Err(Outcome::Refused("the item is no longer in the file".to_owned()));
    };
    let at_line = |cell: &Cell, why: &str| Outcome::Refused(format!("line {}: {why}", cell.line));
    if let Some(other) = cells.iter().find(|cell| cell.current != first.current) {
        return Err(Outcome::Refused(format!(
            "lines {} and {} hold this item with different values; make them equal or remove one",
            first.line, other.line
        )));
    }
    let current = match first.current {
        Value::Known(value) => Some(value),
        Value::Unknown => None,
        Value::Invalid => return Err(at_line(first, "what stands there is no number")),
    };
    if current == Some(write.after) {
        return Ok(Vec::new());
    }
    if current != write.before {
        return Err(Outcome::Skipped(format!(
            "line {} has {} now, and had {} when it was read",
            first.line,
            shown(current),
            shown(write.before)
        )));
    }
    let edits = cells.into_iter().map(|cell| match cell.edit {
        Ok(edit) => Ok(edit),
        Err(why) => Err(Outcome::Refused(format!("line {}: {why}", cell.line))),
    });
    edits.collect()
}

/// What becomes of a value when the file is no longer the one that was read.
fn changed(source: &Source) -> Outcome {
    Outcome::Skipped(format!(
        "{} changed since it was read; run again to see what is there now",
        source.path().display()
    ))
}

/// A failure is the file's own only while that is the one that is known.
fn refused_or_changed(why: String, source: &Source, known: &Fingerprint) -> Outcome {
    match fingerprint(source) {
        Ok(Some(now)) if now == *known => Outcome::Refused(why),
        _ => changed(source),
    }
}

fn fingerprint(source: &Source) -> Result<Option<Fingerprint>, ConnectorError> {
    let mut bytes = source.open(Keep::Fingerprint)?;
    let mut block = vec![0; 256 << 10];
    while bytes.read(&mut block)? > 0 {}
    bytes.finish()
}

/// Two values that stand in one place of the file are written only where they are equal.
fn refuse_shared_places(edits: &mut Vec<(Edit, usize)>, outcomes: &mut [Outcome]) {
    let overlap = |earlier: &Edit, later: &Edit| {
        later.range.start < earlier.range.end || later.range == earlier.range
    };
    let mut is_refused = vec![false; outcomes.len()];
    for group in edits.chunk_by(|earlier, later| overlap(&earlier.0, &later.0)) {
        if group.iter().any(|(edit, _)| *edit != group[0].0) {
            for &(_, at) in group {
                let words = "another value that differs is to be written to the same place of the \
                             file";
                outcomes[at] = Outcome::Refused(words.to_owned());
                is_refused[at] = true;
            }
        }
    }
    edits.retain(|(_, at)| !is_refused[*at]);
    edits.dedup_by(|later, earlier| later.0 == earlier.0);
}

fn shown(value: Option<Decimal>) -> String {
    value.map_or("no value".to_owned(), |value| value.to_string())
}

/// The id of an item: its own, else its SKU, else its EAN.
fn id_of<'a>(row: &RowView<'a>) -> Option<std::borrow::Cow<'a, str>> {
    let own = row.item_id().or(row.sku()).map(Into::into);
    own.or_else(|| row.ean().map(|ean| format!("ean:{ean}").into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::Registration;
    use crate::connector::file::testing::Feed;
    use crate::connector::file::{csv, json, xml};

    const FIELDS: &str = "fields = { sku = 'sku', quantity = 'qty' }";

    /// The same two items in each format.
    fn formats() -> [(&'static Registration, String, &'static str); 3] {
        [
            (&csv::REGISTRATION, FIELDS.to_owned(), "sku,qty\nA,5\nB,1\n"),
            (
                &json::REGISTRATION,
                FIELDS.to_owned(),
                "[{\"sku\":\"A\",\"qty\":5},{\"sku\":\"B\",\"qty\":1}]",
            ),
            (
                &xml::REGISTRATION,
                format!("items = '/s/i'\n{FIELDS}"),
                "<s><i><sku>A</sku><qty>5</qty></i><i><sku>B</sku><qty>1</qty></i></s>",
            ),
        ]
    }

    fn stock(item_id: &str, before: &str, after: &str) -> Write {
        let decimal = |text: &str| Decimal::parse(text.as_bytes()).unwrap();
        let (before, after) = (Some(decimal(before)), decimal(after));
        Write { item_id: item_id.to_owned(), handle: None, section: Section::Stock, before, after }
    }

    /// What a file may be when it is to be written; `None` where it is no longer there.
    fn changed_somehow(document: &str) -> [Option<String>; 5] {
        [
            Some(document.replace('5', "6")),
            Some(format!("{document}\n")),
            Some(document[..document.len() - 4].to_owned()),
            Some(String::new()),
            None,
        ]
    }

    #[test]
    fn whatever_happened_to_a_file_since_it_was_read_its_values_are_skipped() {
        for (registration, config, document) in formats() {
            for new in changed_somehow(document) {
                let feed = Feed::new(registration, &config, document.as_bytes());
                let (_, delivery) = feed.read().unwrap();
                let writer = feed.connector.writer(&delivery).unwrap().unwrap();
                match &new {
                    Some(new) => std::fs::write(&feed.path, new).unwrap(),
                    None => std::fs::remove_file(&feed.path).unwrap(),
                }
                // A value that is there already is no exception: all were planned on another file.
                for outcome in writer.send(&[stock("A", "5", "7"), stock("B", "0", "1")]).outcomes {
                    let Outcome::Skipped(why) = &outcome else { panic!("{new:?}: {outcome:?}") };
                    assert!(why.contains("changed since it was read; run again"), "{why}");
                }
                assert_eq!(std::fs::read_to_string(&feed.path).ok(), new);
            }
        }
    }

    #[test]
    fn a_value_that_is_another_one_now_is_skipped_alone() {
        for (registration, config, document) in formats() {
            let feed = Feed::new(registration, &config, document.as_bytes());
            let outcomes =
                feed.write(&[("A", Section::Stock, "4", "7"), ("B", Section::Stock, "1", "2")]);
            let Outcome::Skipped(why) = &outcomes[0] else { panic!("{outcomes:?}") };
            assert!(why.contains("has 5 now, and had 4 when it was read"), "{why}");
            assert_eq!(outcomes[1], Outcome::Applied);
        }
    }

    #[test]
    fn values_in_one_place_are_written_where_they_are_equal() {
        let edit = |start, text: &str, at| {
            (Edit { range: start..start + 2, bytes: text.as_bytes().to_vec() }, at)
        };
        // Writes 0 and 1 share a place and agree; 2 and 3 do not, and 2 has another place.
        let mut edits = vec![
            edit(0, "a", 0),
            edit(0, "a", 1),
            edit(2, "b", 2),
            edit(3, "c", 3),
            edit(9, "b", 2),
        ];
        let mut outcomes = vec![Outcome::Applied; 4];
        refuse_shared_places(&mut edits, &mut outcomes);
        assert_eq!(edits, [edit(0, "a", 0)]);
        assert_eq!(outcomes[..2], [Outcome::Applied, Outcome::Applied]);
        assert!(outcomes[2..].iter().all(|outcome| matches!(outcome, Outcome::Refused(_))));
    }
}
