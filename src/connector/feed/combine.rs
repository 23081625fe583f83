//! Feeds that are more than the rows of one file: several files one after the other (a list as
//! `source`), rows with one SKU that are added up (`rows = "sum"`), and fields that stand in further
//! files (`[[join]]`), found by the SKU.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rustc_hash::FxHashMap;

use crate::around::Around;
use crate::connector::{
    Connector, ConnectorError, Context, Delivery, Origin, Reader, Row, RowBatch, RowProblem,
    RowView, Settings, Span, Validators, Value, Want, Writer,
};
use crate::model::{Dialect, ProblemKind, Section, StorePlaces};
use crate::settings::{Entry, Table};

/// Texts that are kept of one feed, in bytes: the spans of a batch reach no further.
const MAX_TEXT: usize = 3 << 30;

/// How the settings of a further file are read: the connector that it names, or else this one's.
pub(crate) type ReadJoin<'r> = &'r dyn Fn(Table<'_>, &Context) -> Option<Box<dyn Settings>>;

/// `rows` and `join` of a feed, before its own settings are known.
pub(crate) struct Combine {
    sums: bool,
    joins: Vec<Join>,
}

/// A further file.
#[derive(Debug)]
struct Join {
    settings: Box<dyn Settings>,
    sums: bool,
}

impl Combine {
    /// Takes the keys out of the table. `None` where errors, added to its problems, leave none.
    pub(crate) fn read(
        table: &mut Table<'_>,
        context: &Context,
        read_join: ReadJoin<'_>,
    ) -> Option<Combine> {
        let sums = read_sums(table);
        let name = table.name_of("join");
        let Some(entry) = table.take("join") else {
            return Some(Combine { sums, joins: Vec::new() });
        };
        let context =
            Context { is_join: true, is_store: false, sections: Vec::new(), ..context.clone() };
        let read_one = |join: &Entry<'_>| {
            let mut table = join.table(name.clone())?;
            let sums = read_sums(&mut table);
            Some(Join { settings: read_join(table, &context)?, sums })
        };
        // All are read before the first failure ends it: every error at once.
        let joins: Vec<_> = entry.array(&name)?.iter().map(read_one).collect();
        let joins: Option<Vec<_>> = joins.into_iter().collect();
        Some(Combine { sums, joins: joins? })
    }

    /// The settings of the feed as a whole, of which these are the files. At least one.
    pub(crate) fn with(self, mut files: Vec<Box<dyn Settings>>) -> Option<Box<dyn Settings>> {
        if !self.sums && self.joins.is_empty() && files.len() == 1 {
            return files.pop();
        }
        Some(Box::new(Combined { files, sums: self.sums, joins: self.joins }))
    }
}

fn read_sums(table: &mut Table<'_>) -> bool {
    table.choice("rows", &[("each", false), ("sum", true)]).unwrap_or(false)
}

/// The settings of a feed and of what it is combined with.
#[derive(Debug)]
struct Combined {
    files: Vec<Box<dyn Settings>>,
    sums: bool,
    joins: Vec<Join>,
}

impl Settings for Combined {
    fn connect(
        &self,
        around: &Around,
        places: &StorePlaces,
    ) -> Result<Box<dyn Connector>, ConnectorError> {
        let connect = |settings: &dyn Settings| settings.connect(around, places);
        let joins = self.joins.iter().map(|join| Ok((connect(join.settings.as_ref())?, join.sums)));
        let files = self.files.iter().map(|file| Ok(Arc::from(connect(file.as_ref())?)));
        Ok(Box::new(CombinedConnector {
            files: files.collect::<Result<_, ConnectorError>>()?,
            sums: self.sums,
            joins: joins.collect::<Result<_, ConnectorError>>()?,
        }))
    }

    fn is_remote(&self) -> bool {
        let joined = self.joins.iter().map(|join| &join.settings);
        self.files.iter().chain(joined).any(|settings| settings.is_remote())
    }

    fn local_file(&self) -> Option<PathBuf> {
        match self.files.as_slice() {
            [file] => file.local_file(),
            _ => None,
        }
    }

    fn provides(&self, section: Section) -> Result<(), String> {
        if self.joins.iter().any(|join| join.settings.provides(section).is_ok()) {
            return Ok(());
        }
        self.files.iter().try_for_each(|file| file.provides(section))
    }

    fn can_write(&self, section: Section) -> Result<(), String> {
        if self.sums {
            return Err("values of rows that are added up cannot be written".to_owned());
        }
        if self.files.len() > 1 {
            return Err("what stands in several files cannot be written".to_owned());
        }
        if self.joins.iter().any(|join| join.settings.provides(section).is_ok()) {
            return Err("what stands in a joined file cannot be written".to_owned());
        }
        self.files.iter().try_for_each(|file| file.can_write(section))
    }
}

struct CombinedConnector {
    files: Vec<Arc<dyn Connector>>,
    sums: bool,
    /// The further files, and whether their rows are added up.
    joins: Vec<(Box<dyn Connector>, bool)>,
}

impl CombinedConnector {
    /// All files, the joined ones last.
    fn all(&self) -> impl Iterator<Item = &dyn Connector> {
        let joined = self.joins.iter().map(|(join, _)| join.as_ref());
        self.files.iter().map(Arc::as_ref).chain(joined)
    }
}

impl Connector for CombinedConnector {
    fn open(&self, want: Want) -> Result<Box<dyn Reader>, ConnectorError> {
        // All are fetched before the first is read.
        let joins: Result<Vec<_>, _> = self.joins.iter().map(|(join, _)| join.open(want)).collect();
        let mut tables = Vec::new();
        for (reader, (join, sums)) in joins?.into_iter().zip(&self.joins) {
            let mut table = Gathered::join(reader, *sums)?;
            table.modified = modified(join.as_ref());
            tables.push(table);
        }
        let files = self.files.iter().map(|file| Ok((file.open(want)?, Arc::clone(file))));
        let files: Result<VecDeque<_>, ConnectorError> = files.collect();
        let mut files = Files { left: files?, done: Vec::new() };
        let mut sums = None;
        if self.sums {
            let mut rows = Gathered::default();
            rows.gather(&mut |batch| files.next(batch), &mut Gathered::add_up)?;
            sums = Some(rows);
        }
        let (given, handed_out) = (RowBatch::default(), 0);
        Ok(Box::new(CombinedReader { files, sums, handed_out, tables, given }))
    }

    /// Nothing is new only where no file has anything new.
    fn if_unchanged(&self, known: &Validators) -> Result<Option<Origin>, ConnectorError> {
        if known.joined.len() + 1 != self.all().count() {
            return Ok(None);
        }
        let of_first = Validators { joined: Vec::new(), ..known.clone() };
        let known = std::iter::once(&of_first).chain(&known.joined);
        let mut all = Vec::new();
        for (file, known) in self.all().zip(known) {
            let Some(origin) = file.if_unchanged(known)? else { return Ok(None) };
            all.push(origin);
        }
        Ok(joined(all))
    }

    /// As old as the oldest file.
    fn origin(&self) -> Option<Origin> {
        joined(self.all().map(Connector::origin).collect::<Option<_>>()?)
    }

    fn writer(&self, read: &Delivery) -> Result<Option<Box<dyn Writer>>, ConnectorError> {
        match self.files.as_slice() {
            [file] => file.writer(read),
            _ => Ok(None),
        }
    }

    fn make_durable(&self) -> Result<(), ConnectorError> {
        self.files.iter().try_for_each(|file| file.make_durable())
    }

    fn check(&self, sends: bool) -> Result<(), ConnectorError> {
        self.files.iter().try_for_each(|file| file.check(sends))
    }
}

/// The first with all others joined to it.
fn joined(origins: Vec<Origin>) -> Option<Origin> {
    origins.into_iter().reduce(|mut first, other| {
        first.join(other);
        first
    })
}

/// One file that is read, and what says where it came from once it is.
type File = (Box<dyn Reader>, Arc<dyn Connector>);

/// The files of a feed, read one after the other.
struct Files {
    left: VecDeque<File>,
    done: Vec<File>,
}

impl Files {
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError> {
        while let Some((file, _)) = self.left.front_mut() {
            if file.next(rows)? {
                return Ok(true);
            }
            self.done.extend(self.left.pop_front());
        }
        rows.clear();
        Ok(false)
    }

    /// What all of them were together, and the times of each.
    fn finish(self) -> Result<(Delivery, Vec<Times>), ConnectorError> {
        let (mut whole, mut times) = (None, Vec::new());
        for ((reader, connector), n) in self.done.into_iter().chain(self.left).zip(1..) {
            let delivery = reader.finish()?;
            times.push((delivery.generated, modified(connector.as_ref())));
            whole = Some(match whole {
                None => delivery,
                Some(whole) => joined_to(whole, delivery, n),
            });
        }
        Ok((whole.unwrap_or_default(), times))
    }
}

/// A delivery with that of the `n`-th file.
fn joined_to(mut whole: Delivery, delivery: Delivery, n: usize) -> Delivery {
    let Delivery { complete, shape, nowhere, why_empty, .. } = delivery;
    whole.complete &= complete;
    whole.shape.extend(shape.into_iter().map(|(part, is)| (format!("file {n}: {part}"), is)));
    whole.nowhere.extend(nowhere);
    whole.why_empty = whole.why_empty.or(why_empty);
    whole.fingerprint = None;
    whole
}

/// When a file says that it was made, and when its source says that it was changed last.
type Times = (Option<SystemTime>, Option<SystemTime>);

fn modified(connector: &dyn Connector) -> Option<SystemTime> {
    connector.origin().and_then(|origin| origin.modified)
}

struct CombinedReader {
    files: Files,
    /// The rows, added up.
    sums: Option<Gathered>,
    handed_out: usize,
    tables: Vec<Gathered>,
    /// What the feed gave last.
    given: RowBatch,
}

impl Reader for CombinedReader {
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError> {
        rows.clear();
        for table in &mut self.tables {
            table.hand_out_lost(rows);
        }
        let Some(sums) = &mut self.sums else {
            let more = self.files.next(&mut self.given)?;
            for at in 0..self.given.len() {
                let problems = self.given.problems().iter();
                let problems = problems.filter(|problem| is_of(problem, at));
                copy(&self.given, at, problems, &self.tables, rows);
            }
            self.given.problems().iter().filter(|problem| problem.row.is_none()).for_each(|lost| {
                rows.add_lost_row(lost.kind, lost.line, lost.message.clone());
            });
            return Ok(more);
        };
        sums.hand_out_lost(rows);
        while self.handed_out < sums.rows.len() && !rows.is_full() {
            let at = self.handed_out;
            copy(&sums.rows, at, sums.problems_of(at), &self.tables, rows);
            self.handed_out += 1;
        }
        Ok(!rows.is_empty() || !rows.problems().is_empty())
    }

    fn finish(self: Box<Self>) -> Result<Delivery, ConnectorError> {
        let (mut delivery, of_files) = self.files.finish()?;
        let times = self.tables.iter().map(|table| (table.generated, table.modified));
        delivery.generated = oldest(times.chain(of_files));
        for (table, n) in self.tables.into_iter().zip(1..) {
            let shape = table.shape.into_iter();
            delivery.shape.extend(shape.map(|(part, is)| (format!("join {n}: {part}"), is)));
            delivery.dialect.joined.push(table.dialect);
        }
        Ok(delivery)
    }
}

/// The time of files together is that of the oldest, where one at least tells its own: each by what
/// it says itself, else by its source.
fn oldest(times: impl Iterator<Item = Times> + Clone) -> Option<SystemTime> {
    times.clone().find_map(|(generated, _)| generated)?;
    times.filter_map(|(generated, modified)| generated.or(modified)).min()
}

fn is_of(problem: &RowProblem, at: usize) -> bool {
    problem.row.is_some_and(|row| row as usize == at)
}

/// Copies a row, with what further files have of its SKU where it has nothing itself.
fn copy<'p>(
    from: &RowBatch,
    at: usize,
    problems: impl Iterator<Item = &'p RowProblem>,
    tables: &[Gathered],
    rows: &mut RowBatch,
) {
    let Some(view) = from.row(at) else { return };
    let mut row = *view.raw();
    for span in texts_of(&mut row) {
        *span = from.text(*span).map_or(Span::ABSENT, |text| rows.add_text(text));
    }
    problems.for_each(|problem| {
        rows.add_problem(problem.kind, problem.line, problem.message.clone());
    });
    for (table, n) in tables.iter().zip(1..) {
        let Some(found) = view.sku().and_then(|sku| table.find(sku)) else { continue };
        complete(&mut row, found.0, rows);
        for problem in table.problems_of(found.1) {
            let message = format!("in joined file {n}: {}", problem.message);
            rows.add_problem(problem.kind, problem.line, message);
        }
    }
    rows.add_row(row);
}

fn texts_of(row: &mut Row) -> [&mut Span; 6] {
    let Row { item_id, sku, ean, name, parent_sku, handle, .. } = row;
    [item_id, sku, ean, name, parent_sku, handle]
}

/// Takes what the row lacks from a further file's row.
fn complete(row: &mut Row, other: RowView<'_>, rows: &mut RowBatch) {
    let mut take = |span: &mut Span, text: Option<&str>| {
        if span.is_absent()
            && let Some(text) = text
        {
            *span = rows.add_text(text);
        }
    };
    take(&mut row.ean, other.ean());
    take(&mut row.name, other.name());
    take(&mut row.parent_sku, other.parent_sku());
    if row.quantity == Value::Unknown {
        row.quantity = other.quantity();
    }
    if row.price == Value::Unknown {
        row.price = other.price();
        row.currency = other.currency().or(row.currency);
    }
}

/// All rows of a feed by their SKU (or else their id), each key once.
#[derive(Default)]
struct Gathered {
    rows: RowBatch,
    by_key: FxHashMap<Box<str>, u32>,
    problems: FxHashMap<u32, Vec<RowProblem>>,
    lost: Vec<RowProblem>,
    shape: Vec<(String, bool)>,
    /// When a further file says that it was made.
    generated: Option<SystemTime>,
    /// When it was changed last, as far as its source says.
    modified: Option<SystemTime>,
    dialect: Dialect,
}

/// What becomes of a further row with a key that is there: its place, and the row.
type Merge<'m> = &'m mut dyn FnMut(&mut Gathered, u32, RowView<'_>);

/// Fills a batch with the next rows, as [`Reader::next`] does.
type NextRows<'n> = &'n mut dyn FnMut(&mut RowBatch) -> Result<bool, ConnectorError>;

impl Gathered {
    /// A further file. Of rows with one SKU that are not added up, a value is trusted only where
    /// they are equal.
    fn join(mut reader: Box<dyn Reader>, sums: bool) -> Result<Gathered, ConnectorError> {
        let mut gathered = Gathered::default();
        let merge = if sums { Gathered::add_up } else { Gathered::keep_equal };
        gathered.gather(&mut |batch| reader.next(batch), &mut { merge })?;
        let delivery = reader.finish()?;
        (gathered.shape, gathered.generated) = (delivery.shape, delivery.generated);
        gathered.dialect = delivery.dialect;
        Ok(gathered)
    }

    fn gather(&mut self, next: NextRows<'_>, merge: Merge<'_>) -> Result<(), ConnectorError> {
        let mut batch = RowBatch::default();
        while next(&mut batch)? {
            for at in 0..batch.len() {
                self.take(&batch, at, merge)?;
            }
            let lost = batch.problems().iter().filter(|problem| problem.row.is_none());
            self.lost.extend(lost.cloned());
        }
        Ok(())
    }

    fn take(
        &mut self,
        batch: &RowBatch,
        at: usize,
        merge: Merge<'_>,
    ) -> Result<(), ConnectorError> {
        let Some(view) = batch.row(at) else { return Ok(()) };
        let Some(key) = view.sku().or(view.item_id()).or(view.ean()) else { return Ok(()) };
        let place = match self.by_key.get(key) {
            Some(place) => {
                let place = *place;
                merge(self, place, view);
                place
            }
            None => {
                if self.rows.text_len() > MAX_TEXT {
                    return Err(ConnectorError::source(
                        "the feed is too large to be added up or joined: its texts take more than \
                         3 GiB",
                    ));
                }
                let place = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
                self.by_key.insert(key.into(), place);
                copy(batch, at, std::iter::empty(), &[], &mut self.rows);
                place
            }
        };
        let problems: Vec<_> =
            batch.problems().iter().filter(|problem| is_of(problem, at)).cloned().collect();
        if !problems.is_empty() {
            self.problems.entry(place).or_default().extend(problems);
        }
        Ok(())
    }

    /// Adds a row's quantity to that of the row with its SKU; their prices must be equal.
    fn add_up(&mut self, place: u32, other: RowView<'_>) {
        let row = self.rows.row_mut(place as usize);
        row.quantity = match (row.quantity, other.quantity()) {
            (Value::Known(a), Value::Known(b)) => {
                a.checked_add(b).map_or(Value::Invalid, Value::Known)
            }
            (Value::Invalid, _) | (_, Value::Invalid) => Value::Invalid,
            (Value::Unknown, value) | (value, Value::Unknown) => value,
        };
        let is_new = row.price == Value::Unknown;
        let is_equal = [Value::Unknown, row.price].contains(&other.price());
        if is_new {
            (row.price, row.currency) = (other.price(), other.currency());
        } else if !is_equal && row.price != Value::Invalid {
            row.price = Value::Invalid;
            let message = "several rows have this SKU and their prices differ; the price was left \
                           unchanged";
            self.distrust(place, other.line(), message);
        }
    }

    /// Of two rows with one SKU a value is trusted only where they are equal.
    fn keep_equal(&mut self, place: u32, other: RowView<'_>) {
        let row = self.rows.row_mut(place as usize);
        let (quantity, price) = (row.quantity == other.quantity(), row.price == other.price());
        if !quantity {
            row.quantity = Value::Invalid;
        }
        if !price {
            row.price = Value::Invalid;
        }
        if !(quantity && price) {
            let message = "several rows have this SKU and their values differ; the differing \
                           values were not used";
            self.distrust(place, other.line(), message);
        }
    }

    fn distrust(&mut self, place: u32, line: u64, message: &str) {
        let (kind, message) = (ProblemKind::DuplicateSku, message.to_owned());
        let problem = RowProblem { row: None, kind, line, message };
        self.problems.entry(place).or_default().push(problem);
    }

    fn find(&self, sku: &str) -> Option<(RowView<'_>, usize)> {
        let place = *self.by_key.get(sku)? as usize;
        Some((self.rows.row(place)?, place))
    }

    fn problems_of(&self, place: usize) -> impl Iterator<Item = &RowProblem> {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        self.problems.get(&place).into_iter().flatten()
    }

    fn hand_out_lost(&mut self, rows: &mut RowBatch) {
        for lost in self.lost.drain(..) {
            rows.add_lost_row(lost.kind, lost.line, lost.message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Decimal;

    #[test]
    fn what_is_unknown_adds_nothing_and_what_is_invalid_spoils_the_sum() {
        let number = |value: i64| Value::Known(Decimal::from_micros(value * 1_000_000).unwrap());
        for (first, second, sum) in [
            (number(2), number(3), number(5)),
            (number(2), Value::Unknown, number(2)),
            (Value::Unknown, number(3), number(3)),
            (Value::Unknown, Value::Unknown, Value::Unknown),
            (number(2), Value::Invalid, Value::Invalid),
        ] {
            let mut rows = RowBatch::default();
            for quantity in [first, second] {
                let sku = rows.add_text("A");
                rows.add_row(Row { sku, quantity, ..Row::EMPTY });
            }
            let mut gathered = Gathered::default();
            for at in 0..2 {
                gathered.take(&rows, at, &mut Gathered::add_up).unwrap();
            }
            assert_eq!(gathered.rows.len(), 1);
            assert_eq!(gathered.find("A").unwrap().0.quantity(), sum);
        }
    }
}
