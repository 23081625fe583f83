//! Writing to a file of items, whatever its format: which item gets which values, what becomes of
//! each, and the file replaced in one step.

use std::collections::HashMap;

use super::edit::{Edit, rewrite};
use super::replace::ReplaceError;
use crate::connector::feed::source::Source;
use crate::connector::{Fingerprint, Outcome, RowView, Value, Write};
use crate::model::{Decimal, Section};

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
        row: &RowView<'_>,
        edit: &mut dyn FnMut(&Write) -> Result<Edit, String>,
    ) {
        let Some(item_id) = id_of(row) else { return };
        let Some(places) = self.by_item.get(item_id.as_ref()) else { return };
        for &at in places {
            let write = &self.writes[at];
            let current = match write.section {
                Section::Prices => row.price(),
                _ => row.quantity(),
            };
            self.cells[at].push(Cell { line: row.line(), current, edit: edit(write) });
        }
    }

    /// Replaces the file, if it still is the one that is known; then it is known as what it has
    /// become. One outcome for each value.
    pub(crate) fn apply(self, source: &Source, known: &mut Fingerprint) -> Vec<Outcome> {
        let (edits, mut outcomes) = self.decide();
        if edits.is_empty() {
            return outcomes;
        }
        let failed = match rewrite(source, &edits, known) {
            Ok(written) => {
                *known = written;
                return outcomes;
            }
            Err(ReplaceError::Unchanged(why)) => Outcome::Refused(why),
            Err(ReplaceError::ChangedMeanwhile(why)) => changed(&why),
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
        return Err(Outcome::Refused("the file has no such item".to_owned()));
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
pub(crate) fn changed(why: &str) -> Outcome {
    Outcome::Skipped(format!("{why}; run again to see what is there now"))
}

/// Two values that stand in one place of the file are written only where they are equal.
fn refuse_shared_places(edits: &mut Vec<(Edit, usize)>, outcomes: &mut [Outcome]) {
    edits.dedup_by(|later, earlier| later.0 == earlier.0);
    let clashes: Vec<usize> = edits
        .windows(2)
        .filter(|pair| pair[1].0.range.start < pair[0].0.range.end || same_place(pair))
        .flat_map(|pair| [pair[0].1, pair[1].1])
        .collect();
    for &at in &clashes {
        let words = "another value that differs is to be written to the same place of the file";
        outcomes[at] = Outcome::Refused(words.to_owned());
    }
    edits.retain(|(_, at)| !clashes.contains(at));
}

fn same_place(pair: &[(Edit, usize)]) -> bool {
    pair[0].0.range == pair[1].0.range
}

fn shown(value: Option<Decimal>) -> String {
    value.map_or("no value".to_owned(), |value| value.to_string())
}

/// The id of an item: its own, else its SKU, else its EAN.
fn id_of<'a>(row: &RowView<'a>) -> Option<std::borrow::Cow<'a, str>> {
    let own = row.item_id().or(row.sku()).map(Into::into);
    own.or_else(|| row.ean().map(|ean| format!("ean:{ean}").into()))
}
