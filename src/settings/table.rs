//! A TOML table that is read key by key: every key that is asked for is taken out, every error is
//! collected with its line, and what is left at the end is unknown.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::{Document, Problems, Text, parse_duration};
use crate::model::{Decimal, Percent};

/// One table of a config.
///
/// Call [`Table::finish`] at the end: it reports the keys that nobody asked for.
pub struct Table<'a> {
    document: &'a Document,
    problems: &'a Problems,
    values: &'a DeTable<'a>,
    /// `integrations.store-a`, empty for the root.
    path: String,
    line: u64,
    asked: BTreeSet<&'static str>,
}

/// A key of a table whose value is still to be read.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    document: &'a Document,
    problems: &'a Problems,
    value: &'a DeValue<'a>,
    /// The line of the value.
    pub line: u64,
}

impl<'a> Table<'a> {
    /// The root table of a document.
    pub fn root(document: &'a Document, problems: &'a Problems, values: &'a DeTable<'a>) -> Self {
        Table { document, problems, values, path: String::new(), line: 1, asked: BTreeSet::new() }
    }

    /// The line of the table's header.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The table's name with its parents': `integrations.store-a.stock`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The document that this is a part of.
    pub fn document(&self) -> &'a Document {
        self.document
    }

    /// Where errors are collected.
    pub fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// The key with its table's name, for messages.
    pub fn name_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Takes a key.
    pub fn take(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.asked.insert(key);
        self.values.get(key).map(|value| self.entry(value.span(), value.get_ref()))
    }

    /// Takes a key that must be there; its absence is an error at the table's line.
    pub fn require(&mut self, key: &'static str) -> Option<Entry<'a>> {
        let entry = self.take(key);
        if entry.is_none() {
            self.error(format!("`{}` is missing", self.name_of(key)));
        }
        entry
    }

    /// Adds an error at the table's own line.
    pub fn error(&self, message: impl Into<String>) {
        self.problems.error(self.line, message);
    }

    /// A text that is resolved later.
    pub fn text(&mut self, key: &'static str) -> Option<Text> {
        let name = self.name_of(key);
        self.take(key)?.text(&name)
    }

    /// A string that is needed now: its variables are resolved at once.
    pub fn string(&mut self, key: &'static str) -> Option<(String, u64)> {
        let name = self.name_of(key);
        self.take(key)?.string(&name)
    }

    /// One of several words.
    pub fn choice<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let name = self.name_of(key);
        self.take(key)?.choice(&name, words)
    }

    /// `true` or `false`.
    pub fn bool(&mut self, key: &'static str) -> Option<bool> {
        let name = self.name_of(key);
        let entry = self.take(key)?;
        let found = entry.value.as_bool();
        if found.is_none() {
            entry.error(format!("`{name}` must be true or false"));
        }
        found
    }

    /// A whole number within a range.
    pub fn integer(&mut self, key: &'static str, range: Range<u64>) -> Option<u64> {
        let name = self.name_of(key);
        let entry = self.take(key)?;
        let found = entry
            .value
            .as_integer()
            .and_then(|number| u64::from_str_radix(number.as_str(), number.radix()).ok())
            .filter(|number| range.contains(number));
        if found.is_none() {
            entry.error(format!(
                "`{name}` must be a whole number from {} to {}",
                range.start,
                range.end - 1
            ));
        }
        found
    }

    /// A duration such as `"15m"`.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let name = self.name_of(key);
        let (text, line) = self.string(key)?;
        parse_duration(&text)
            .map_err(|wanted| self.problems.error(line, format!("`{name}`: {wanted}")))
            .ok()
    }

    /// A percentage such as `"50%"`, at most `max`.
    pub fn percent(&mut self, key: &'static str, max: Option<Percent>) -> Option<Percent> {
        let name = self.name_of(key);
        let (text, line) = self.string(key)?;
        let found = text
            .trim()
            .strip_suffix('%')
            .and_then(|number| Decimal::parse(number.trim_end().as_bytes()).ok())
            .filter(|number| *number >= Decimal::ZERO)
            .map(Percent::from_decimal);
        match (found, max) {
            (None, _) => {
                self.problems.error(line, format!("`{name}` must be a percentage such as \"50%\""));
                None
            }
            (Some(percent), Some(max)) if percent > max => {
                self.problems.error(line, format!("`{name}` must be at most \"{max}\""));
                None
            }
            (found, _) => found,
        }
    }

    /// A table below this one.
    pub fn table(&mut self, key: &'static str) -> Option<Table<'a>> {
        let name = self.name_of(key);
        self.take(key)?.table(name)
    }

    /// All keys with their values, in the order of the file, for tables whose keys are names.
    ///
    /// Counts as asking for all of them.
    pub fn entries(&mut self) -> Vec<(&'a str, u64, Entry<'a>)> {
        let mut all: Vec<_> = self
            .values
            .iter()
            .map(|(key, value)| {
                let entry = self.entry(value.span(), value.get_ref());
                (key.span().start, key.get_ref().as_ref(), self.document.line(&key.span()), entry)
            })
            .collect();
        all.sort_by_key(|(at, ..)| *at);
        self.values = EMPTY.get_or_init(DeTable::new);
        all.into_iter().map(|(_, key, line, entry)| (key, line, entry)).collect()
    }

    /// Reports the keys that nobody asked for, each with the nearest known one.
    pub fn finish(self) {
        for key in self.values.keys() {
            let word = key.get_ref().as_ref();
            if self.asked.contains(word) {
                continue;
            }
            let hint = nearest(word, self.asked.iter().copied());
            let hint = match hint {
                Some(known) => format!("; did you mean `{known}`?"),
                None if self.asked.is_empty() => String::new(),
                None => {
                    let known: Vec<_> = self.asked.iter().map(|k| format!("`{k}`")).collect();
                    format!("; known here: {}", known.join(", "))
                }
            };
            let line = self.document.line(&key.span());
            self.problems.error(line, format!("unknown key `{}`{hint}", self.name_of(word)));
        }
    }

    fn entry(&self, span: Range<usize>, value: &'a DeValue<'a>) -> Entry<'a> {
        Entry {
            document: self.document,
            problems: self.problems,
            value,
            line: self.document.line(&span),
        }
    }
}

static EMPTY: std::sync::OnceLock<DeTable<'static>> = std::sync::OnceLock::new();

impl<'a> Entry<'a> {
    /// Adds an error at the value's line.
    pub fn error(&self, message: impl Into<String>) {
        self.problems.error(self.line, message);
    }

    /// Whether the value is a table.
    pub fn is_table(&self) -> bool {
        self.value.is_table()
    }

    /// Whether the value is a string.
    pub fn is_string(&self) -> bool {
        self.value.is_str()
    }

    /// Whether the value is an array.
    pub fn is_array(&self) -> bool {
        self.value.is_array()
    }

    /// A text that is resolved later: a string, or `{ env }`, `{ file }`, `{ command }`.
    pub fn text(&self, name: &str) -> Option<Text> {
        if let Some(text) = self.value.as_str() {
            return Text::template(text, self.line)
                .map_err(|why| self.error(format!("`{name}`: {why}")))
                .ok();
        }
        let Some(mut table) = self.value.as_table().map(|_| self.table(name.to_owned())) else {
            self.error(format!(
                "`{name}` must be a string, or {{ env = \"NAME\" }}, {{ file = \"path\" }} or \
                 {{ command = [\"program\", \"argument\"] }}"
            ));
            return None;
        };
        let table = table.as_mut()?;
        let (env, file, command) = (table.take("env"), table.take("file"), table.take("command"));
        let found = match (env, file, command) {
            (Some(env), None, None) => Text::from_env(env.plain(name)?, self.line)
                .map_err(|why| self.error(format!("`{name}`: {why}")))
                .ok(),
            (None, Some(file), None) => Some(Text::from_file(file.plain(name)?.into(), self.line)),
            (None, None, Some(command)) => {
                let words: Option<Vec<String>> = command
                    .array(name)?
                    .into_iter()
                    .map(|word| word.plain(name).map(str::to_owned))
                    .collect();
                words.filter(|words| !words.is_empty()).map(|w| Text::from_command(w, self.line))
            }
            _ => {
                self.error(format!("`{name}` needs exactly one of `env`, `file`, `command`"));
                None
            }
        };
        for key in table.values.keys() {
            if !table.asked.contains(key.get_ref().as_ref()) {
                self.error(format!("unknown key `{name}.{}`", key.get_ref()));
            }
        }
        found
    }

    /// A string that is needed now: its variables are resolved at once.
    pub fn string(&self, name: &str) -> Option<(String, u64)> {
        if !self.value.is_str() && !self.value.is_table() {
            self.error(format!("`{name}` must be a string"));
            return None;
        }
        match self.text(name)?.resolve(&self.document.folder()) {
            Ok(value) => Some((value.expose().to_owned(), self.line)),
            Err(why) => {
                self.error(format!("`{name}`: {why}"));
                None
            }
        }
    }

    /// One of several words.
    pub fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let (text, _) = self.string(name)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            self.error(format!("`{name}` must be {}", all.join(" or ")));
        }
        found
    }

    /// A decimal: a string or a TOML integer, never a TOML float.
    pub fn decimal(&self, name: &str) -> Option<Decimal> {
        let text = match self.value {
            DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
            DeValue::String(_) => self.string(name).map(|(text, _)| text),
            _ => None,
        };
        let found = text.and_then(|text| Decimal::parse(text.trim().as_bytes()).ok());
        if found.is_none() {
            self.error(format!(
                "`{name}` must be a decimal in quotes such as \"12.30\", or a whole number"
            ));
        }
        found
    }

    /// The values of an array.
    pub fn array(&self, name: &str) -> Option<Vec<Entry<'a>>> {
        let Some(array) = self.value.as_array() else {
            self.error(format!("`{name}` must be a list in [ ]"));
            return None;
        };
        Some(
            array
                .iter()
                .map(|value| Entry {
                    value: value.get_ref(),
                    line: self.document.line(&value.span()),
                    ..*self
                })
                .collect(),
        )
    }

    /// The value as a table with this name.
    pub fn table(&self, name: String) -> Option<Table<'a>> {
        let Some(values) = self.value.as_table() else {
            self.error(format!("`{name}` must be a table"));
            return None;
        };
        Some(Table {
            document: self.document,
            problems: self.problems,
            values,
            path: name,
            line: self.line,
            asked: BTreeSet::new(),
        })
    }

    fn plain(&self, name: &str) -> Option<&'a str> {
        let found = self.value.as_str();
        if found.is_none() {
            self.error(format!("`{name}` must hold a string"));
        }
        found
    }
}

/// The word that was most likely meant, if any is near.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    known
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().min(9) / 3)
        .min()
        .map(|(_, candidate)| candidate)
}
