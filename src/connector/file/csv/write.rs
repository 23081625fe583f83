//! Writing single cells of a csv file and leaving every other byte as it was.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;

use super::rows::{CsvRow, Rows};
use super::settings::CsvSettings;
use super::tokenizer::Dialect;
use crate::connector::feed::decode::Charset;
use crate::connector::feed::mapping::{Field, PathId, RowFate};
use crate::connector::feed::number;
use crate::connector::feed::source::{Keep, Source};
use crate::connector::file::edit::{self, Edit};
use crate::connector::file::replace::ReplaceError;
use crate::connector::{
    ConnectorError, Fingerprint, Limits, Outcome, RowBatch, RowView, Value, Want, Write, Writer,
};
use crate::model::{Currency, Decimal, ProblemKind, Section};

/// Writes to a csv file that was read before.
#[derive(Debug)]
pub(super) struct CsvWriter {
    settings: Arc<CsvSettings>,
    source: Source,
    /// What the file was when it was read, or after the last batch.
    known: Mutex<Fingerprint>,
}

impl CsvWriter {
    pub(super) fn new(settings: Arc<CsvSettings>, source: Source, read: Fingerprint) -> CsvWriter {
        CsvWriter { settings, source, known: Mutex::new(read) }
    }

    /// Finds the cells of a batch in the file as it is now.
    fn plan<'a>(&self, batch: &'a [Write]) -> Result<Plan<'a>, ReplaceError> {
        let unchanged = |why: ConnectorError| ReplaceError::Unchanged(why.message);
        let mut rows =
            Rows::open(&self.settings, &self.source, Keep::Fingerprint).map_err(unchanged)?;
        let mut plan = Plan::new(batch, rows.dialect(), rows.row_charset());
        let want = |section| batch.iter().any(|write| write.section == section);
        let want =
            Want { stock: want(Section::Stock), prices: want(Section::Prices), names: false };
        let (mut items, mut id) = (RowBatch::default(), String::new());
        while let Some(row) = rows.next().map_err(unchanged)? {
            items.clear();
            if row.evaluate(&self.settings.feed.mapping, want, &mut items) != RowFate::Item {
                continue;
            }
            let Some(item) = items.row(0) else { continue };
            item_id(&item, &mut id);
            let Some(writes) = plan.by_item.get(id.as_str()).copied() else { continue };
            for at in writes.into_iter().flatten() {
                self.plan_cell(&mut plan, at, &row, &item, &items);
            }
        }
        let now = rows.finish().map_err(|why| ReplaceError::ChangedMeanwhile(why.message))?;
        if now.as_ref() != Some(&*self.known()) {
            return Err(edit::changed(self.source.path()));
        }
        Ok(plan)
    }

    fn plan_cell(
        &self,
        plan: &mut Plan<'_>,
        at: usize,
        row: &CsvRow<'_>,
        item: &RowView<'_>,
        items: &RowBatch,
    ) {
        let write = &plan.batch[at];
        let value = match write.section {
            Section::Prices => item.price(),
            _ => item.quantity(),
        };
        if !plan.is_like_its_other_rows(at, value, row.raw.line) {
            return;
        }
        let is_of_another_currency = write.section == Section::Prices
            && items.problems().iter().any(|p| p.kind == ProblemKind::CurrencyMismatch);
        let edit = match self.settings.feed.mapping.writable(write.section) {
            Err(why) => Err(Outcome::Refused(why)),
            Ok(_) if is_of_another_currency => {
                Err(refused(row, "its price is marked with another currency"))
            }
            Ok(target) => plan.edit(row, target, write, value),
        };
        plan.add(at, edit);
    }

    /// Replaces the file.
    fn rewrite(&self, edits: &[Edit]) -> Result<(), ReplaceError> {
        if edits.is_empty() {
            return Ok(());
        }
        let mut known = self.known();
        *known = edit::rewrite(&self.source, edits, &known)?;
        Ok(())
    }

    fn known(&self) -> MutexGuard<'_, Fingerprint> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer for CsvWriter {
    fn limits(&self) -> Limits {
        Limits { batch: None, price_decimals: None, quantity_decimals: None }
    }

    fn send(&self, batch: &[Write]) -> Vec<Outcome> {
        let plan = match self.plan(batch) {
            Ok(plan) => plan,
            Err(why) => return vec![outcome(&why); batch.len()],
        };
        let (mut outcomes, edits) = plan.finish(&self.source);
        if let Err(why) = self.rewrite(&edits) {
            for applied in outcomes.iter_mut().filter(|o| **o == Outcome::Applied) {
                *applied = outcome(&why);
            }
        }
        outcomes
    }
}

fn outcome(why: &ReplaceError) -> Outcome {
    match why {
        ReplaceError::Unchanged(why) => Outcome::Refused(why.clone()),
        ReplaceError::ChangedMeanwhile(why) => {
            Outcome::Skipped(format!("{why}; run again to see what is there now"))
        }
        ReplaceError::NotSynced(why) => Outcome::Uncertain(why.clone()),
    }
}

fn refused(row: &CsvRow<'_>, why: &str) -> Outcome {
    Outcome::Refused(format!("line {}: {why}", row.raw.line))
}

/// An item's id: `item_id`, else its SKU, else `ean:` and its EAN.
fn item_id(item: &RowView<'_>, id: &mut String) {
    id.clear();
    match (item.item_id().or(item.sku()), item.ean()) {
        (Some(own), _) => id.push_str(own),
        (None, ean) => {
            id.push_str("ean:");
            id.push_str(ean.unwrap_or_default());
        }
    }
}

/// What a batch does to a file.
struct Plan<'a> {
    batch: &'a [Write],
    dialect: Dialect,
    charset: Charset,
    /// The writes of each item: stock and price.
    by_item: FxHashMap<&'a str, [Option<usize>; 2]>,
    states: Vec<State>,
    /// The value of the first row of each write's item.
    values: Vec<Option<Value>>,
    /// Edits, each with its write.
    edits: Vec<(usize, Edit)>,
}

/// What is known of one write.
#[derive(Clone, Debug)]
enum State {
    /// No row of its item yet.
    Missing,
    /// Its rows were found.
    Found,
    /// It will not be written.
    Failed(Outcome),
}

impl<'a> Plan<'a> {
    fn new(batch: &'a [Write], dialect: Dialect, charset: Charset) -> Plan<'a> {
        let mut by_item: FxHashMap<&str, [Option<usize>; 2]> = FxHashMap::default();
        let mut states = vec![State::Missing; batch.len()];
        for (at, write) in batch.iter().enumerate() {
            let writes = by_item.entry(write.item_id.as_str()).or_default();
            let slot = &mut writes[usize::from(write.section == Section::Prices)];
            if slot.is_some() {
                let why = "this item got another value in the same batch".to_owned();
                states[at] = State::Failed(Outcome::Refused(why));
            } else {
                *slot = Some(at);
            }
        }
        let values = vec![None; batch.len()];
        Plan { batch, dialect, charset, by_item, states, values, edits: Vec::new() }
    }

    /// The edit of one cell, `None` where the value is there already.
    fn edit(
        &self,
        row: &CsvRow<'_>,
        (field, path): (&Field, PathId),
        write: &Write,
        value: Value,
    ) -> Result<Option<Edit>, Outcome> {
        let before = match value {
            Value::Invalid => return Err(refused(row, "what stands there is no number")),
            Value::Unknown => None,
            Value::Known(before) => Some(before),
        };
        if before == Some(write.after) {
            return Ok(None);
        }
        if before != write.before {
            let show = |v: Option<Decimal>| v.map_or("no value".to_owned(), |v| v.to_string());
            return Err(Outcome::Skipped(format!(
                "line {} has {} now, and had {} when it was read",
                row.raw.line,
                show(before),
                show(write.before)
            )));
        }
        let cell = row.cell(path).ok_or_else(|| {
            refused(row, "the row is too short to have this cell; nothing is added to it")
        })?;
        let content = row.raw.content(cell);
        let old = self.charset.text(&content).map_err(|why| refused(row, &format!("it {why}")))?;
        let currency = read(field, write.section, &old).and_then(|(_, currency)| currency);
        let reread = |text: &str| {
            read(field, write.section, text)
                .filter(|(_, now)| before.is_none() || *now == currency)
                .map(|(value, _)| value)
        };
        let new = edit::checked_in_old_style(&old, write.after, field.decimal, &reread)
            .map_err(|why| refused(row, &why))?;
        let is_quoted = row.raw.is_quoted(cell);
        let bytes = self
            .charset
            .bytes(&new)
            .and_then(|content| self.dialect.written(&content, is_quoted))
            .ok_or_else(|| {
                refused(row, &format!("{new} would need quotes, and `quote` is switched off"))
            })?;
        let start = row.raw.offset + cell.range().start as u64;
        let range = start..row.raw.offset + cell.range().end as u64;
        Ok(Some(Edit { range, bytes }))
    }

    /// Of repeated rows all are written, or none where they differ.
    fn is_like_its_other_rows(&mut self, at: usize, value: Value, line: u64) -> bool {
        let first = *self.values[at].get_or_insert(value);
        if first != value {
            self.states[at] = State::Failed(Outcome::Refused(format!(
                "its rows differ (line {line} from an earlier one); make them equal first"
            )));
        }
        first == value
    }

    fn add(&mut self, at: usize, edit: Result<Option<Edit>, Outcome>) {
        let state = &mut self.states[at];
        match edit {
            _ if matches!(state, State::Failed(_)) => {}
            Err(outcome) => *state = State::Failed(outcome),
            Ok(edit) => {
                *state = State::Found;
                self.edits.extend(edit.map(|edit| (at, edit)));
            }
        }
    }

    /// What becomes of each write if the edits are made, and the edits in the order of the file.
    fn finish(self, source: &Source) -> (Vec<Outcome>, Vec<Edit>) {
        let Plan { states, edits, .. } = self;
        let is_found = |at: usize| matches!(states[at], State::Found);
        let mut edits: Vec<Edit> =
            edits.into_iter().filter(|(at, _)| is_found(*at)).map(|(_, edit)| edit).collect();
        edits.sort_by_key(|edit| edit.range.start);
        let outcomes = states.into_iter().map(|state| match state {
            State::Found => Outcome::Applied,
            State::Failed(outcome) => outcome,
            State::Missing => {
                Outcome::Refused(format!("the item is no longer in {}", source.path().display()))
            }
        });
        (outcomes.collect(), edits)
    }
}

/// A cell's value, as a read of the file would see it.
fn read(field: &Field, section: Section, text: &str) -> Option<(Decimal, Option<Currency>)> {
    let text = number::trim(text);
    let (value, currency) = match section {
        Section::Prices => number::price(text, field.decimal, &field.unit).ok()?,
        _ => (number::quantity(text, field.decimal, &field.unit).ok()?, None),
    };
    Some((value.decimal().ok()?, currency))
}
