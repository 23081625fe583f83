//! What the values of one column look like.

use std::collections::{BTreeMap, BTreeSet};

use super::Column;
use crate::connector::feed::number::{self, DecimalSign, is_unknown};
use crate::model::{Currency, Gtin};

/// More kinds of texts are no choice of words.
const MOST_WORDS: usize = 16;

/// The signs, the plainest first.
pub(super) const SIGNS: [DecimalSign; 3] =
    [DecimalSign::Point, DecimalSign::Comma, DecimalSign::Auto];

/// The looks of a column.
#[derive(Debug, Default)]
pub(super) struct Look {
    /// Values that say something.
    pub(super) filled: usize,
    /// How many of these differ.
    pub(super) distinct: usize,
    /// With a right check digit.
    pub(super) gtins: usize,
    /// Readable as a price, by sign.
    pub(super) prices: [usize; 3],
    /// Readable as a quantity, by sign.
    pub(super) quantities: [usize; 3],
    /// Prices that have decimals or a currency.
    pub(super) money: usize,
    /// Currency codes.
    pub(super) codes: usize,
    /// The currencies met, in the column's prices or as codes.
    pub(super) currencies: BTreeSet<String>,
    /// Numbers of the format's own.
    pub(super) numbers: usize,
    /// Addresses.
    pub(super) urls: usize,
    /// Values that hold a letter.
    pub(super) letters: usize,
    /// Texts that are no number, in lower case; empty where there are too many.
    pub(super) words: BTreeMap<String, usize>,
    /// How many texts are no number.
    pub(super) texts: usize,
    /// What stands behind numbers.
    pub(super) units: BTreeMap<String, usize>,
    /// Values that are exactly this.
    pub(super) minus_ones: usize,
    /// Negative numbers.
    pub(super) negatives: usize,
    /// Bytes of all values.
    bytes: usize,
    /// The first values that differ.
    pub(super) examples: Vec<String>,
}

impl Look {
    pub(super) fn of(column: &Column) -> Look {
        let mut look = Look::default();
        let mut seen = BTreeSet::new();
        let is_number = |row: usize| column.numbers.get(row).copied().unwrap_or(false);
        for (row, value) in column.values.iter().enumerate() {
            let Some(value) = value else { continue };
            look.take(value, is_number(row));
            if seen.insert(value.as_str()) && look.examples.len() < 3 {
                look.examples.push(value.clone());
            }
        }
        look.distinct = seen.len();
        if look.words.len() > MOST_WORDS {
            look.words.clear();
        }
        look
    }

    fn take(&mut self, value: &str, is_own_number: bool) {
        self.numbers += usize::from(is_own_number);
        self.filled += 1;
        self.bytes += value.len();
        self.gtins += usize::from(Gtin::parse(value.as_bytes()).is_some());
        self.letters += usize::from(value.chars().any(char::is_alphabetic));
        self.urls += usize::from(value.contains("://"));
        if let Some(code) = Currency::parse(value) {
            self.codes += 1;
            self.currencies.insert(code.code().to_owned());
        }
        self.minus_ones += usize::from(value == "-1");
        self.negatives += usize::from(value.starts_with('-') && value.len() > 1);
        self.take_numbers(value, is_own_number);
    }

    fn take_numbers(&mut self, value: &str, is_own_number: bool) {
        let mut is_number = is_unknown(value);
        for (at, sign) in SIGNS.into_iter().enumerate() {
            let read_with = if is_own_number { DecimalSign::Point } else { sign };
            let priced = number::price(value, read_with, &[]);
            self.prices[at] += usize::from(priced.is_ok() || is_unknown(value));
            let counted = number::quantity(value, read_with, &[]).is_ok();
            self.quantities[at] += usize::from(counted || is_unknown(value));
            is_number |= counted || priced.is_ok();
            if let (DecimalSign::Auto, Ok((_, currency))) = (sign, priced) {
                self.money += usize::from(currency.is_some() || has_decimals(value));
                self.currencies.extend(currency.map(|found| found.code().to_owned()));
            }
        }
        if is_number {
            return;
        }
        self.texts += 1;
        if self.words.len() <= MOST_WORDS {
            *self.words.entry(value.to_lowercase()).or_default() += 1;
        }
        if let Some(unit) = unit_of(value).filter(|_| self.units.len() < 4) {
            *self.units.entry(unit.to_owned()).or_default() += 1;
        }
    }

    /// Whether at least nine in ten of the values are so.
    pub(super) fn mostly(&self, count: usize) -> bool {
        self.filled > 0 && count * 10 >= self.filled * 9
    }

    /// Whether every value is there once.
    pub(super) fn is_unique(&self) -> bool {
        self.filled > 0 && self.distinct == self.filled
    }

    /// The mean length of a value in bytes.
    pub(super) fn mean_bytes(&self) -> usize {
        self.bytes / self.filled.max(1)
    }

    /// The plainest sign with which the most values can be read.
    pub(super) fn sign(&self, counts: [usize; 3]) -> (DecimalSign, usize) {
        let most = counts.into_iter().max().unwrap_or(0);
        let best = counts.iter().position(|count| *count == most).unwrap_or(0);
        (SIGNS[best], most)
    }
}

/// A sign with one or two digits behind it at the end of the number.
fn has_decimals(value: &str) -> bool {
    let digits = value.trim_end_matches(|c: char| !c.is_ascii_digit());
    digits.rfind(['.', ',']).is_some_and(|at| digits.len() - at <= 3)
}

/// The letters behind a number.
pub(super) fn unit_of(value: &str) -> Option<&str> {
    let at = value.find(|c: char| c.is_alphabetic())?;
    let (before, unit) = value.split_at(at);
    let is_number = number::quantity(number::trim(before), DecimalSign::Auto, &[]).is_ok();
    (is_number && unit.len() <= 12 && !unit.contains(|c: char| c.is_ascii_digit())).then_some(unit)
}
