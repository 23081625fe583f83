//! One row of a feed, on its way to an item.

use std::cell::Cell;

use super::field::{Factor, Field, Source};
use super::{Mapping, PathId, Rule};
use crate::connector::feed::number::{self, DecimalSign, Exact, NumberError};
use crate::connector::feed::shown;
use crate::connector::{Row, RowBatch, Span, Value, Want};
use crate::model::{Currency, Decimal, ProblemKind};

/// One row or item of a feed, as its format holds it.
pub trait Lookup {
    /// Calls `each` with every match of a path, in document order, until it returns `false`.
    fn matches(&self, path: PathId, each: &mut dyn FnMut(&str) -> bool);

    /// The first match of a path, where it can be lent as it stands there and has no NUL byte.
    /// `None` says nothing: [`Lookup::matches`] has to be asked. What makes the usual row fast,
    /// and no more than that.
    #[inline]
    fn at_hand(&self, _path: PathId) -> Option<&str> {
        None
    }

    /// The same for a number, as bytes that may be no text.
    #[inline]
    fn digits_at_hand(&self, path: PathId) -> Option<&[u8]> {
        self.at_hand(path).map(str::as_bytes)
    }

    /// Whether the match handed out last is a number of the format's own: its decimal sign is the
    /// point, whatever the texts of the feed have.
    #[inline]
    fn is_number(&self) -> bool {
        false
    }

    /// What kept a match from being read since this was last asked (bytes that are no text, say),
    /// as the end of a sentence that starts with the field's name.
    fn take_fault(&self) -> Option<String> {
        None
    }
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowFate {
    /// It is an item.
    Item,
    /// `where` left it out.
    FilteredByWhere,
    /// It may be an item, and nobody can tell which; exactly one problem of the batch says so.
    Lost,
}

/// What is wrong with a row, until it is known whether it becomes an item.
type Faults = Vec<(ProblemKind, String)>;

/// Why a number could not be had: the text and what is wrong with it.
type Fault = String;

impl Mapping {
    /// Evaluates one row and adds it, with its problems, to the batch.
    ///
    /// Only what is wanted is evaluated. `line` is 0 where the source has no lines.
    pub fn row<L: Lookup>(&self, lookup: &L, want: Want, line: u64, out: &mut RowBatch) -> RowFate {
        let is_wanted = self.rules.iter().all(|rule| rule.holds(lookup));
        if let Some(fault) = lookup.take_fault() {
            let message = format!("a text that `where` looks at {fault}; the row was left out");
            out.add_lost_row(ProblemKind::InvalidValue, line, message);
            return RowFate::Lost;
        }
        if !is_wanted {
            return RowFate::FilteredByWhere;
        }
        let mut faults = Faults::new();
        let Some(mut row) = self.ids(lookup, &mut faults, out) else {
            // One problem a row: the engine counts them.
            if let Some((kind, message)) = faults.into_iter().next() {
                out.add_lost_row(kind, line, message);
            }
            return RowFate::Lost;
        };
        row.line = line;
        if want.names {
            row.name = text(self.name.as_ref(), "name", lookup, &mut faults, out);
            row.parent_sku = text(self.parent_sku.as_ref(), "parent_sku", lookup, &mut faults, out);
        }
        if want.stock {
            row.quantity = self.quantity(lookup, &mut faults);
        }
        if want.prices {
            (row.price, row.currency) = self.price(lookup, &mut faults);
        }
        for (kind, message) in faults {
            out.add_problem(kind, line, message);
        }
        out.add_row(row);
        RowFate::Item
    }

    /// Whether a row has a quantity or price that can be read, and neither is nonsense: names of
    /// columns have not. A constant says nothing of it.
    pub(crate) fn has_values<L: Lookup>(&self, lookup: &L) -> bool {
        let is_mapped = |field: &Option<Field>| {
            field.as_ref().is_some_and(|field| !matches!(field.source, Source::Value(_)))
        };
        let mut faults = Faults::new();
        let mut values = Vec::new();
        if is_mapped(&self.quantity) {
            values.push(self.quantity(lookup, &mut faults));
        }
        if is_mapped(&self.price) {
            values.push(self.price(lookup, &mut faults).0);
        }
        faults.is_empty() && values.iter().any(|value| matches!(value, Value::Known(_)))
    }

    /// Hands out what a row says of the time of its feed; the answer is what kept it from being
    /// read.
    pub(crate) fn generated<L: Lookup>(
        &self,
        lookup: &L,
        take: &mut dyn FnMut(&str),
    ) -> Option<String> {
        first_text(self.generated_at.as_ref()?, lookup, take);
        lookup.take_fault()
    }

    /// The row with its ids; `None` with at least one fault where it can be no item.
    fn ids<L: Lookup>(&self, lookup: &L, faults: &mut Faults, out: &mut RowBatch) -> Option<Row> {
        let mut row = Row::EMPTY;
        row.item_id = text(self.item_id.as_ref(), "item_id", lookup, faults, out);
        row.sku = text(self.sku.as_ref(), "sku", lookup, faults, out);
        // An id that cannot be read might be anybody's: the row must not pass for another item.
        if !faults.is_empty() {
            return None;
        }
        row.ean = self.ean(lookup, faults, out);
        if row.item_id.is_absent() && row.sku.is_absent() && row.ean.is_absent() {
            if faults.is_empty() {
                let message = "the row has no item_id, SKU or EAN, so it is no item".to_owned();
                faults.push((ProblemKind::InvalidValue, message));
            }
            return None;
        }
        Some(row)
    }

    fn ean<L: Lookup>(&self, lookup: &L, faults: &mut Faults, out: &mut RowBatch) -> Span {
        let mut span = text(self.ean.as_ref(), "ean", lookup, faults, out);
        if let Some(digits) = out.text(span).and_then(behind_apostrophe).map(str::to_owned) {
            span = out.add_text(&digits);
        }
        match out.text(span).filter(|ean| has_lost_digits(ean)) {
            Some(ean) => {
                let message = format!(
                    "ean {} has lost its last digits, probably in a spreadsheet; it was left out",
                    shown(ean)
                );
                faults.push((ProblemKind::InvalidValue, message));
                Span::ABSENT
            }
            None => span,
        }
    }

    fn quantity<L: Lookup>(&self, lookup: &L, faults: &mut Faults) -> Value {
        let Some(field) = &self.quantity else { return Value::Unknown };
        let read = |text: &str, sign| {
            number::quantity(text, sign, &field.unit).map(|number| (number, None))
        };
        match value(field, lookup, &read) {
            Ok(found) => found.map_or(Value::Unknown, |(number, _)| Value::Known(number)),
            Err(fault) => invalid("quantity", &fault, faults),
        }
    }

    fn price<L: Lookup>(&self, lookup: &L, faults: &mut Faults) -> (Value, Option<Currency>) {
        let mapped = self.currency(lookup, faults);
        let Some(field) = &self.price else { return (Value::Unknown, mapped.unwrap_or(None)) };
        let read = |text: &str, sign| number::price(text, sign, &field.unit);
        let found = match value(field, lookup, &read) {
            Ok(found) => found,
            Err(fault) => return (invalid("price", &fault, faults), mapped.unwrap_or(None)),
        };
        // The price may be in any currency then.
        let Ok(mapped) = mapped else { return (Value::Invalid, None) };
        let Some((price, marked)) = found else { return (Value::Unknown, mapped) };
        match (mapped, marked) {
            (Some(mapped), Some(marked)) if mapped != marked => {
                let message = format!(
                    "the price is marked {marked} and the currency says {mapped}; the price was \
                     left unchanged"
                );
                faults.push((ProblemKind::CurrencyMismatch, message));
                (Value::Unknown, Some(mapped))
            }
            (mapped, marked) => (Value::Known(price), mapped.or(marked)),
        }
    }

    /// The mapped currency; an error where there is a text that names none.
    fn currency<L: Lookup>(&self, lookup: &L, faults: &mut Faults) -> Result<Option<Currency>, ()> {
        let Some(field) = &self.currency else { return Ok(None) };
        let mut found = Ok(None);
        first_text(field, lookup, &mut |text| {
            found = number::currency(text).map(Some).ok_or_else(|| {
                format!(
                    "currency {} is no code such as EUR; the price was left unchanged",
                    shown(text)
                )
            });
        });
        let found = match lookup.take_fault() {
            Some(fault) => Err(format!("currency {fault}; the price was left unchanged")),
            None => found,
        };
        found.map_err(|message| faults.push((ProblemKind::InvalidValue, message)))
    }
}

impl Rule {
    fn holds<L: Lookup>(&self, lookup: &L) -> bool {
        let mut listed = None;
        lookup.matches(self.path, &mut |text| {
            let text = number::trim(text);
            if text.is_empty() {
                return true;
            }
            listed = Some(self.texts.iter().any(|listed| listed == text));
            false
        });
        let listed = listed.unwrap_or_else(|| self.texts.iter().any(String::is_empty));
        listed == self.keeps
    }
}

fn invalid(name: &str, fault: &str, faults: &mut Faults) -> Value {
    let message = format!("{name} {fault}; this value was left unchanged");
    faults.push((ProblemKind::InvalidValue, message));
    Value::Invalid
}

/// The digits behind an apostrophe, with which spreadsheets mark what is text.
fn behind_apostrophe(ean: &str) -> Option<&str> {
    let digits = ean.strip_prefix('\'')?;
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Whether a number of a spreadsheet was written with an exponent: `5,90123E+12`.
fn has_lost_digits(ean: &str) -> bool {
    let Some(at) = memchr::memchr2(b'e', b'E', ean.as_bytes()) else { return false };
    let (front, back) = (&ean[..at], &ean[at + 1..]);
    let back = back.strip_prefix(['+', '-']).unwrap_or(back);
    front.starts_with(|c: char| c.is_ascii_digit())
        && front.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
        && !back.is_empty()
        && back.bytes().all(|b| b.is_ascii_digit())
}

/// The text of a field, trimmed.
fn text<L: Lookup>(
    field: Option<&Field>,
    name: &str,
    lookup: &L,
    faults: &mut Faults,
    out: &mut RowBatch,
) -> Span {
    let Some(field) = field else { return Span::ABSENT };
    if let Some(text) = field.plain_path().and_then(|path| lookup.at_hand(path)) {
        let text = number::trim(text);
        if !text.is_empty() {
            return out.add_text(text);
        }
    }
    let mut span = Span::ABSENT;
    let mut has_nul = false;
    first_text(field, lookup, &mut |text| {
        has_nul = memchr::memchr(0, text.as_bytes()).is_some();
        if !has_nul {
            span = out.add_text(text);
        }
    });
    let fault = match lookup.take_fault() {
        None if has_nul => Some("holds a NUL byte".to_owned()),
        fault => fault,
    };
    if let Some(fault) = fault {
        let message = match name {
            "sku" | "item_id" => format!("{name} {fault}; the row is no item"),
            _ => format!("{name} {fault}; it was left out"),
        };
        faults.push((ProblemKind::InvalidValue, message));
        return Span::ABSENT;
    }
    span
}

/// Calls `take` with the first text of a field that is not empty, trimmed, `values` applied.
fn first_text<L: Lookup>(field: &Field, lookup: &L, take: &mut dyn FnMut(&str)) {
    let found = Cell::new(false);
    let mut each = |text: &str| {
        let text = field.replaced(number::trim(text));
        if text.is_empty() {
            return true;
        }
        found.set(true);
        take(text);
        false
    };
    match &field.source {
        Source::Path(path) => lookup.matches(*path, &mut each),
        Source::Value(text) => {
            each(text);
        }
        Source::First(paths) | Source::Sum(paths) => {
            for path in paths {
                lookup.matches(*path, &mut each);
                if found.get() {
                    return;
                }
            }
        }
    }
}

/// How a text becomes a number, and a currency where its mark stands beside it.
type Read<'a> = &'a dyn Fn(&str, DecimalSign) -> Result<(Exact, Option<Currency>), NumberError>;

/// The decimal sign of the match handed out last.
#[inline]
fn sign<L: Lookup>(field: &Field, lookup: &L) -> DecimalSign {
    if lookup.is_number() { DecimalSign::Point } else { field.decimal }
}

/// What was found so far: a number, and the text that is shown if it does not fit.
struct Found {
    number: Exact,
    currency: Option<Currency>,
    text: String,
}

/// A field's number; `None` where it is unknown.
fn value<L: Lookup>(
    field: &Field,
    lookup: &L,
    read: Read<'_>,
) -> Result<Option<(Decimal, Option<Currency>)>, Fault> {
    if let Some(path) = field.plain_path() {
        // The usual cell is nothing but digits and a point; what is not goes the long way.
        if field.decimal == DecimalSign::Point
            && let Some(digits) = lookup.digits_at_hand(path)
            && let Ok(number) = Decimal::parse(digits)
        {
            return Ok(Some((number, None)));
        }
        return plain_value(field, path, lookup, read);
    }
    let found = match &field.source {
        Source::Value(text) => {
            field.constant.map(|number| Found { number, currency: None, text: text.clone() })
        }
        Source::Sum(paths) => sum(field, paths, lookup, read)?,
        Source::Path(path) => first(field, &[*path], lookup, read)?,
        Source::First(paths) => first(field, paths, lookup, read)?,
    };
    let Some(found) = found else { return Ok(None) };
    let number = computed(field, found.number, &found.text, lookup)?;
    let number = number.decimal().map_err(|why| bad(&found.text, why))?;
    Ok(Some((number, found.currency)))
}

/// The usual case: a path and nothing else. Allocates only for a fault.
fn plain_value<L: Lookup>(
    field: &Field,
    path: PathId,
    lookup: &L,
    read: Read<'_>,
) -> Result<Option<(Decimal, Option<Currency>)>, Fault> {
    let mut found = Ok(None);
    lookup.matches(path, &mut |text| {
        let text = number::trim(text);
        if field.is_unknown(text) {
            return true;
        }
        let sign = sign(field, lookup);
        if sign == DecimalSign::Point
            && let Ok(number) = Decimal::parse(text.as_bytes())
        {
            found = Ok(Some((number, None)));
            return false;
        }
        found = read(text, sign)
            .and_then(|(number, currency)| Ok(Some((number.decimal()?, currency))))
            .map_err(|why| bad(text, why));
        false
    });
    match lookup.take_fault() {
        Some(fault) => Err(fault),
        None => found,
    }
}

fn first<L: Lookup>(
    field: &Field,
    paths: &[PathId],
    lookup: &L,
    read: Read<'_>,
) -> Result<Option<Found>, Fault> {
    let mut found = Ok(None);
    for path in paths {
        lookup.matches(*path, &mut |text| {
            let text = field.replaced(number::trim(text));
            if field.is_unknown(text) {
                return true;
            }
            found = read(text, sign(field, lookup))
                .map(|(number, currency)| Some(Found { number, currency, text: text.to_owned() }))
                .map_err(|why| bad(text, why));
            false
        });
        if let Some(fault) = lookup.take_fault() {
            return Err(fault);
        }
        if !matches!(found, Ok(None)) {
            break;
        }
    }
    found
}

fn sum<L: Lookup>(
    field: &Field,
    paths: &[PathId],
    lookup: &L,
    read: Read<'_>,
) -> Result<Option<Found>, Fault> {
    let mut total: Result<Option<Found>, Fault> = Ok(None);
    for path in paths {
        lookup.matches(*path, &mut |text| {
            let text = field.replaced(number::trim(text));
            if field.is_unknown(text) {
                return true;
            }
            let so_far = match &total {
                Ok(Some(found)) => (found.number, found.currency),
                _ => (Exact::ZERO, None),
            };
            total = read(text, sign(field, lookup))
                .and_then(|(number, currency)| added(so_far, number, currency))
                .map(|(number, currency)| Some(Found { number, currency, text: text.to_owned() }))
                .map_err(|why| bad(text, why));
            total.is_ok()
        });
        if let Some(fault) = lookup.take_fault() {
            return Err(fault);
        }
        if total.is_err() {
            break;
        }
    }
    total
}

/// One more number of a sum; numbers in two currencies have none.
fn added(
    so_far: (Exact, Option<Currency>),
    number: Exact,
    currency: Option<Currency>,
) -> Result<(Exact, Option<Currency>), NumberError> {
    match (so_far.1, currency) {
        (Some(one), Some(other)) if one != other => Err(NumberError::SeveralCurrencies),
        (one, other) => Ok((so_far.0.plus(number)?, one.or(other))),
    }
}

/// `times`, `per` and `round`.
fn computed<L: Lookup>(
    field: &Field,
    mut number: Exact,
    text: &str,
    lookup: &L,
) -> Result<Exact, Fault> {
    if let Some(times) = field.times {
        number =
            number.times(factor(times, "times", field, lookup)?).map_err(|why| bad(text, why))?;
    }
    if let Some(per) = field.per {
        number = number.per(factor(per, "per", field, lookup)?).map_err(|why| bad(text, why))?;
    }
    Ok(field.round.map_or(number, |places| number.round_half_up(places)))
}

fn factor<L: Lookup>(
    factor: Factor,
    name: &str,
    field: &Field,
    lookup: &L,
) -> Result<Exact, Fault> {
    let path = match factor {
        Factor::Fixed(number) => return Ok(number.into()),
        Factor::Path(path) => path,
    };
    let mut found = Ok(Exact::ONE);
    lookup.matches(path, &mut |text| {
        let text = number::trim(text);
        if field.is_unknown(text) {
            return true;
        }
        found = number::plain(text, sign(field, lookup))
            .map_err(|why| format!("cannot be computed: its `{name}` {} {why}", shown(text)));
        false
    });
    match lookup.take_fault() {
        Some(fault) => Err(format!("cannot be computed: its `{name}` {fault}")),
        None => found,
    }
}

fn bad(text: &str, why: NumberError) -> Fault {
    format!("{} {why}", shown(text))
}
