//! One field of a mapping, as the config gives it.

use super::{PathId, Paths, texts_of};
use crate::connector::feed::number::{self, DecimalSign, Exact};
use crate::connector::feed::shown;
use crate::model::{Currency, Decimal};
use crate::settings::{Entry, Table};

/// Where a field's text comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A constant.
    Value(String),
    /// The first match that is not empty.
    Path(PathId),
    /// The first match of any of the paths, in this order, that is not empty.
    First(Vec<PathId>),
    /// All matches of all paths, added.
    Sum(Vec<PathId>),
}

/// What a number is multiplied or divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// The same for all items.
    Fixed(Decimal),
    /// From the item; one that finds nothing counts as 1.
    Path(PathId),
}

/// A field: its source, and what happens to its text on the way to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where the text comes from.
    pub source: Source,
    /// Texts (trimmed, in lower case) and what they stand for; empty makes the value unknown.
    pub values: Vec<(String, String)>,
    /// What the number is multiplied by.
    pub times: Option<Factor>,
    /// What the number is divided by.
    pub per: Option<Factor>,
    /// Decimals that the number is rounded to, half-up, after everything else.
    pub round: Option<u32>,
    /// Units that are taken off behind a number.
    pub unit: Vec<String>,
    /// The sign before the decimals.
    pub decimal: DecimalSign,
    /// Words of the format that say nothing, beside the usual ones.
    pub(super) unknown_words: &'static [&'static str],
    /// The constant, where the source is one that is a number.
    pub(super) constant: Option<Exact>,
    /// The line in the config.
    pub line: u64,
}

impl Field {
    /// Whether a text says nothing.
    pub(super) fn is_unknown(&self, text: &str) -> bool {
        number::is_unknown(text) || self.unknown_words.contains(&text)
    }

    /// The path that a value can be written to: only a path, with `decimal`, `unit` and words that
    /// say nothing at most.
    pub fn written_path(&self) -> Option<PathId> {
        match self.source {
            Source::Path(path) if !self.is_computed() && self.has_only_words_for_unknown() => {
                Some(path)
            }
            _ => None,
        }
    }

    /// Whether `values` makes a text say nothing.
    pub fn is_word_for_unknown(&self, text: &str) -> bool {
        !self.values.is_empty() && self.replaced(number::trim(text)).is_empty()
    }

    fn has_only_words_for_unknown(&self) -> bool {
        self.values.iter().all(|(_, to)| to.is_empty())
    }

    /// The paths that its text is looked for at.
    pub(crate) fn paths(&self) -> &[PathId] {
        match &self.source {
            Source::Value(_) => &[],
            Source::Path(path) => std::slice::from_ref(path),
            Source::First(paths) | Source::Sum(paths) => paths,
        }
    }

    /// The paths of what its number is multiplied or divided by.
    pub(crate) fn factor_paths(&self) -> impl Iterator<Item = PathId> {
        [self.times, self.per].into_iter().flatten().filter_map(|factor| match factor {
            Factor::Path(path) => Some(path),
            Factor::Fixed(_) => None,
        })
    }

    /// The path of a field that is nothing but a path, with `decimal` and `unit` at most.
    pub fn plain_path(&self) -> Option<PathId> {
        match self.source {
            Source::Path(path) if self.values.is_empty() && !self.is_computed() => Some(path),
            _ => None,
        }
    }

    /// Whether the number is changed after it was read.
    pub(super) fn is_computed(&self) -> bool {
        self.times.is_some() || self.per.is_some() || self.round.is_some()
    }

    /// The text that stands for a trimmed text: `values` applied.
    pub(super) fn replaced<'a>(&'a self, text: &'a str) -> &'a str {
        if self.values.is_empty() {
            return text;
        }
        let lower = text.to_lowercase();
        self.values.iter().find(|(from, _)| *from == lower).map_or(text, |(_, to)| to)
    }
}

/// What a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Currency,
}

/// Reads a path, or a table with one source and modifiers.
pub(super) fn read_field(
    entry: Entry<'_>,
    name: &str,
    kind: Kind,
    sign: DecimalSign,
    paths: &mut Paths<'_>,
) -> Option<Field> {
    let mut field = Field {
        source: Source::Value(String::new()),
        values: Vec::new(),
        times: None,
        per: None,
        round: None,
        unit: Vec::new(),
        decimal: sign,
        constant: None,
        line: entry.line,
        unknown_words: &[],
    };
    if !entry.is_table() {
        field.source = Source::Path(paths.take(&entry, name)?);
        return Some(field);
    }
    let mut table = entry.table(name.to_owned())?;
    let source = read_source(&mut table, kind, &mut field, paths);
    let values = read_values(&mut table);
    let numbers = match kind {
        Kind::Number => read_number_modifiers(&mut table, &mut field, paths),
        _ => Some(()),
    };
    table.finish();
    (field.source, field.values) = (source?, values?);
    numbers?;
    check_values(&field, &entry, name, kind)?;
    Some(field)
}

fn read_source(
    table: &mut Table<'_>,
    kind: Kind,
    field: &mut Field,
    paths: &mut Paths<'_>,
) -> Option<Source> {
    let name = table.path().to_owned();
    let (value, path) = (table.take("value"), table.take("path"));
    let first = table.take("first");
    let sum = if kind == Kind::Number { table.take("sum") } else { None };
    match (value, path, first, sum) {
        (Some(value), None, None, None) => read_constant(&value, &name, kind, field),
        (None, Some(path), None, None) => paths.take(&path, &name).map(Source::Path),
        (None, None, Some(first), None) => read_paths(&first, &name, paths).map(Source::First),
        (None, None, None, Some(sum)) => read_paths(&sum, &name, paths).map(Source::Sum),
        _ => {
            let known = match kind {
                Kind::Number => "`path`, `value`, `first` and `sum`",
                _ => "`path`, `value` and `first`",
            };
            table.error(format!("`{name}` needs exactly one of {known}"));
            None
        }
    }
}

fn read_constant(value: &Entry<'_>, name: &str, kind: Kind, field: &mut Field) -> Option<Source> {
    if kind == Kind::Number {
        let number = value.decimal(&format!("{name}.value"))?;
        field.constant = Some(number.into());
        return Some(Source::Value(number.to_string()));
    }
    let (text, _) = value.string(&format!("{name}.value"))?;
    let text = number::trim(&text);
    if kind == Kind::Currency {
        let Some(currency) = number::currency(text) else {
            value.error(format!("`{name}.value` must be a currency code such as \"EUR\""));
            return None;
        };
        return Some(Source::Value(currency.code().to_owned()));
    }
    Some(Source::Value(text.to_owned()))
}

fn read_paths(entry: &Entry<'_>, name: &str, paths: &mut Paths<'_>) -> Option<Vec<PathId>> {
    let entries = entry.array(name)?;
    if entries.is_empty() {
        entry.error(format!("`{name}` needs at least one path"));
        return None;
    }
    let ids: Vec<_> = entries.iter().map(|entry| paths.take(entry, name)).collect();
    ids.into_iter().collect()
}

fn read_values(table: &mut Table<'_>) -> Option<Vec<(String, String)>> {
    let Some(mut values) = optional(table, "values", |entry, name| entry.table(name))? else {
        return Some(Vec::new());
    };
    let name = values.path().to_owned();
    let mut found: Vec<(String, String)> = Vec::new();
    let mut good = true;
    for (text, line, to) in values.entries() {
        let from = number::trim(text).to_lowercase();
        if found.iter().any(|(known, _)| *known == from) {
            values.problems().error(line, format!("`{name}` says twice what one text means"));
            good = false;
        }
        match to.string(&name) {
            Some((to, _)) => found.push((from, number::trim(&to).to_owned())),
            None => good = false,
        }
    }
    good.then_some(found)
}

fn read_number_modifiers(
    table: &mut Table<'_>,
    field: &mut Field,
    paths: &mut Paths<'_>,
) -> Option<()> {
    if let Some(sign) = super::read_sign(table) {
        field.decimal = sign;
    }
    let times = optional(table, "times", |entry, name| read_factor(&entry, &name, paths));
    let per = optional(table, "per", |entry, name| read_factor(&entry, &name, paths));
    field.round = table.integer("round", 0..7).and_then(|places| u32::try_from(places).ok());
    let unit = optional(table, "unit", |entry, name| texts_of(&entry, &name));
    field.times = times?;
    field.per = per?;
    field.unit = unit?.unwrap_or_default().into_iter().filter(|unit| !unit.is_empty()).collect();
    if field.per == Some(Factor::Fixed(Decimal::ZERO)) {
        table.error(format!("`{}` must not be 0", table.name_of("per")));
        return None;
    }
    Some(())
}

/// `Some(None)` where the key is absent, `None` where it is wrong.
fn optional<'a, T>(
    table: &mut Table<'a>,
    key: &'static str,
    read: impl FnOnce(Entry<'a>, String) -> Option<T>,
) -> Option<Option<T>> {
    let name = table.name_of(key);
    match table.take(key) {
        Some(entry) => read(entry, name).map(Some),
        None => Some(None),
    }
}

/// A whole number, a string that is a decimal, or else a path.
fn read_factor(entry: &Entry<'_>, name: &str, paths: &mut Paths<'_>) -> Option<Factor> {
    if !entry.is_string() {
        return entry.decimal(name).map(Factor::Fixed);
    }
    let (text, _) = entry.string(name)?;
    match Decimal::parse(text.trim().as_bytes()) {
        Ok(number) => Some(Factor::Fixed(number)),
        Err(_) => paths.take(entry, name).map(Factor::Path),
    }
}

/// What `values` makes of a text must itself be readable.
fn check_values(field: &Field, entry: &Entry<'_>, name: &str, kind: Kind) -> Option<()> {
    let wanted = match kind {
        Kind::Text => return Some(()),
        Kind::Number => "numbers, or \"\" for unknown",
        Kind::Currency => "currency codes such as \"EUR\"",
    };
    let fits = |to: &str| match kind {
        Kind::Currency => to.is_empty() || Currency::parse(to).is_some(),
        _ => number::is_unknown(to) || number::price(to, field.decimal, &field.unit).is_ok(),
    };
    let Some((from, to)) = field.values.iter().find(|(_, to)| !fits(to)) else { return Some(()) };
    entry.error(format!(
        "`{name}.values` must make {wanted}; {} becomes {}",
        shown(from),
        shown(to)
    ));
    None
}
