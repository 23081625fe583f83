//! A TOML table that is read key by key: every key that is asked for is taken out, every error is
//! collected with its line, and what is left at the end is unknown.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use toml::de::{DeTable, DeValue};

use super::text::is_open_to_all;
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
    /// The line of everything in it, where it is no part of the document.
    only_line: Option<u64>,
    /// What stands in for keys that are not there.
    base: Option<Base<'a>>,
    /// A key whose value is a list, of which this table has only one.
    picked: Option<(&'static str, usize)>,
    asked: BTreeSet<&'static str>,
}

/// Keys that stand in for those of a table that lacks them.
#[derive(Clone, Copy)]
struct Base<'a> {
    values: &'a DeTable<'a>,
    /// The line that asks for them.
    line: u64,
    /// Whether tables in it stand in for keys of the tables below as well.
    reaches_below: bool,
}

/// A key of a table whose value is still to be read.
#[derive(Clone, Copy)]
pub struct Entry<'a> {
    document: &'a Document,
    problems: &'a Problems,
    value: &'a DeValue<'a>,
    /// The line of the value.
    pub line: u64,
    only_line: Option<u64>,
    base: Option<Base<'a>>,
}

impl<'a> Table<'a> {
    /// The root table of a document.
    pub fn root(document: &'a Document, problems: &'a Problems, values: &'a DeTable<'a>) -> Self {
        Table {
            document,
            problems,
            values,
            path: String::new(),
            line: 1,
            only_line: None,
            base: None,
            picked: None,
            asked: BTreeSet::new(),
        }
    }

    /// Lets keys stand in for those that the table lacks, and for those that its tables lack. Their
    /// errors are told at `line`, which asks for them.
    pub fn stand_in(&mut self, values: &'a DeTable<'a>, line: u64) {
        self.base = Some(Base { values, line, reaches_below: true });
    }

    /// How many values a key has: those of its list, or one. 0 where it is not there.
    pub fn count(&self, key: &'static str) -> usize {
        let value = self.values.get(key).map(|value| value.get_ref());
        value.map_or(0, |value| value.as_array().map_or(1, |list| list.len()))
    }

    /// The same table, as far as it was read, in which a key that is a list has only its `index`-th
    /// value.
    pub fn with_one_of(&self, key: &'static str, index: usize) -> Table<'a> {
        Table {
            path: self.path.clone(),
            picked: Some((key, index)),
            asked: self.asked.clone(),
            ..*self
        }
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
        let stand_in = self.base.and_then(|base| Some((base, base.values.get(key)?)));
        let picked = self.picked.filter(|(picked, _)| *picked == key);
        match (self.values.get(key), stand_in) {
            (Some(value), _) if picked.is_some() => {
                let list = value.get_ref().as_array();
                let one = list.zip(picked).and_then(|(list, (_, index))| list.get(index));
                let one = one.unwrap_or(value);
                Some(self.entry(one.span(), one.get_ref()))
            }
            (Some(value), stand_in) => {
                let below = stand_in.filter(|(base, _)| base.reaches_below);
                let below = below.and_then(|(base, value)| {
                    let values = value.get_ref().as_table()?;
                    Some(Base { values, reaches_below: false, ..base })
                });
                Some(Entry { base: below, ..self.entry(value.span(), value.get_ref()) })
            }
            (None, Some((base, value))) => Some(Entry {
                document: self.document,
                problems: self.problems,
                value: value.get_ref(),
                line: base.line,
                only_line: Some(base.line),
                base: None,
            }),
            (None, None) => None,
        }
    }

    /// Whether a key is there; nothing is taken.
    pub fn has(&self, key: &str) -> bool {
        self.values.contains_key(key) || self.base.is_some_and(|base| base.values.contains_key(key))
    }

    /// Whether a key is not there and something stands in for it; nothing is taken.
    pub fn has_stand_in(&self, key: &str) -> bool {
        self.has(key) && (self.only_line.is_some() || !self.values.contains_key(key))
    }

    /// Takes a key that must be there; its absence is an error at the table's line.
    pub fn require(&mut self, key: &'static str) -> Option<Entry<'a>> {
        let entry = self.take(key);
        if entry.is_none() {
            self.absence(format!("`{}` is missing", self.name_of(key)));
        }
        entry
    }

    /// Adds an error at the table's own line.
    pub fn error(&self, message: impl Into<String>) {
        self.problems.error(self.line, message);
    }

    /// Adds an error about something that the table lacks, at the table's own line.
    pub fn absence(&self, message: impl Into<String>) {
        self.problems.absence(self.line, message);
    }

    /// A text that is resolved later.
    pub fn text(&mut self, key: &'static str) -> Option<Text> {
        let name = self.name_of(key);
        self.take(key)?.text(&name)
    }

    /// A text that must be there and be known to few: one that stands in a config which everyone
    /// may read is warned of.
    pub fn secret(&mut self, key: &'static str) -> Option<Text> {
        let name = self.name_of(key);
        self.require(key)?.secret(&name)
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

    /// A number of bytes such as `"4GiB"`, more than 0.
    pub fn bytes(&mut self, key: &'static str) -> Option<u64> {
        let name = self.name_of(key);
        let entry = self.take(key)?;
        let found = parse_bytes(&entry.string_or_empty(&name)?);
        if found.is_none() {
            entry.error(format!("`{name}` must be a size such as \"500MiB\" or \"4GiB\""));
        }
        found
    }

    /// A duration such as `"15m"`.
    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let name = self.name_of(key);
        let entry = self.take(key)?;
        match parse_duration(&entry.string_or_empty(&name)?) {
            Ok(found) => Some(found),
            Err(wanted) => {
                entry.error(format!("`{name}` {wanted}"));
                None
            }
        }
    }

    /// A duration that must not be 0.
    pub fn positive_duration(&mut self, key: &'static str) -> Option<Duration> {
        let name = self.name_of(key);
        let line = self.take(key)?.line;
        let found = self.duration(key)?;
        if found.is_zero() {
            self.problems().error(line, format!("`{name}` must be longer than \"0s\""));
            return None;
        }
        Some(found)
    }

    /// A percentage such as `"50%"`, at most `max`.
    pub fn percent(&mut self, key: &'static str, max: Option<Percent>) -> Option<Percent> {
        let name = self.name_of(key);
        let entry = self.take(key)?;
        match (parse_percent(&entry.string_or_empty(&name)?), max) {
            (Some(percent), Some(max)) if percent > max => {
                entry.error(format!("`{name}` must be at most \"{max}\""));
                None
            }
            (Some(percent), _) => Some(percent),
            (None, _) => {
                entry.error(format!("`{name}` must be a percentage such as \"50%\""));
                None
            }
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
                (key.span().start, key.get_ref().as_ref(), self.line_of(&key.span()), entry)
            })
            .collect();
        all.sort_by_key(|(at, ..)| *at);
        self.values = EMPTY.get_or_init(DeTable::new);
        all.into_iter().map(|(_, key, line, entry)| (key, line, entry)).collect()
    }

    /// Reports the keys that nobody asked for, each with the nearest known one.
    pub fn finish(self) {
        for (word, line) in self.unasked() {
            let known = self.asked.iter().copied();
            let hint = match nearest(word, known) {
                Some(known) => format!("; did you mean `{known}`?"),
                None if self.asked.is_empty() => String::new(),
                None => {
                    let known: Vec<_> = self.asked.iter().map(|k| format!("`{k}`")).collect();
                    format!("; known here: {}", known.join(", "))
                }
            };
            self.problems.error(line, format!("unknown key `{}`{hint}", self.name_of(word)));
        }
    }

    /// As [`Table::finish`] for a reader that gave up and may not have asked for all its keys:
    /// reports only what is most likely a misspelling of a key that it missed.
    pub fn finish_early(self) {
        for (word, line) in self.unasked() {
            let missed = self.asked.iter().copied().filter(|key| !self.values.contains_key(*key));
            if let Some(known) = nearest(word, missed) {
                let name = self.name_of(word);
                let message = format!("unknown key `{name}`; did you mean `{known}`?");
                self.problems.error(line, message);
            }
        }
    }

    /// The keys that nobody asked for, with their lines.
    fn unasked(&self) -> impl Iterator<Item = (&'a str, u64)> {
        let (values, asked) = (self.values, &self.asked);
        values
            .keys()
            .filter(|key| !asked.contains(key.get_ref().as_ref()))
            .map(|key| (key.get_ref().as_ref(), self.line_of(&key.span())))
    }

    fn entry(&self, span: Range<usize>, value: &'a DeValue<'a>) -> Entry<'a> {
        Entry {
            document: self.document,
            problems: self.problems,
            value,
            line: self.line_of(&span),
            only_line: self.only_line,
            base: None,
        }
    }

    fn line_of(&self, span: &Range<usize>) -> u64 {
        self.only_line.unwrap_or_else(|| self.document.line(span))
    }
}

static EMPTY: std::sync::OnceLock<DeTable<'static>> = std::sync::OnceLock::new();

impl<'a> Entry<'a> {
    /// Adds an error at the value's line.
    pub fn error(&self, message: impl Into<String>) {
        self.problems.error(self.line, message);
    }

    /// Where errors are collected.
    pub fn problems(&self) -> &'a Problems {
        self.problems
    }

    /// Whether the value is no part of the document and stands in for one that is not there.
    pub fn is_stand_in(&self) -> bool {
        self.only_line.is_some()
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
            return self.checked(name, Text::template(text, self.line));
        }
        if !self.is_table() {
            self.error(format!(
                "`{name}` must be a string, or {{ env = \"NAME\" }}, {{ file = \"path\" }} or \
                 {{ command = [\"program\", \"argument\"] }}"
            ));
            return None;
        }
        let mut table = self.table(name.to_owned())?;
        let (env, file, command) = (table.take("env"), table.take("file"), table.take("command"));
        table.finish();
        match (env, file, command) {
            (Some(env), None, None) => {
                self.checked(name, Text::from_env(env.plain(name)?, self.line))
            }
            (None, Some(file), None) => {
                let text = self.checked(name, Text::from_file(file.plain(name)?, self.line))?;
                if text.is_open_to_all(&self.document.folder()) {
                    self.problems.warning(
                        self.line,
                        "the secret file is readable by everyone on this machine; run chmod 600 \
                         on it",
                    );
                }
                Some(text)
            }
            (None, None, Some(command)) => {
                let words = command.words(name)?;
                self.checked(name, Text::from_command(&words, self.line))
            }
            _ => {
                self.error(format!("`{name}` needs exactly one of `env`, `file`, `command`"));
                None
            }
        }
    }

    /// As [`Entry::text`], for what must be known to few: one that stands in a config which
    /// everyone may read is warned of.
    pub fn secret(&self, name: &str) -> Option<Text> {
        let text = self.text(name)?;
        if text.literal().is_some() && is_open_to_all(self.document.path()) {
            self.problems.warning(
                text.line(),
                format!(
                    "`{name}` stands in a config that everyone on this machine can read; run chmod \
                     600 on it, or take the secret from elsewhere: \"${{NAME}}\", {{ file = … }} \
                     or {{ command = … }}"
                ),
            );
        }
        Some(text)
    }

    fn checked<T>(&self, name: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|why| self.error(format!("`{name}`: {why}"))).ok()
    }

    /// The words of a command: at least one.
    fn words(&self, name: &str) -> Option<Vec<&'a str>> {
        let name = format!("{name}.command");
        let words: Vec<_> = self.array(&name)?.iter().map(|word| word.plain(&name)).collect();
        if words.is_empty() {
            self.error(format!("`{name}` must begin with a program"));
            return None;
        }
        words.into_iter().collect()
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

    /// As [`Entry::string`], but what is no string is empty: the caller says what it wants instead.
    fn string_or_empty(&self, name: &str) -> Option<String> {
        if self.is_string() || self.is_table() {
            return self.string(name).map(|(text, _)| text);
        }
        Some(String::new())
    }

    /// One of several words.
    pub fn choice<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Option<T> {
        let (text, _) = self.string(name)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
            let all = match all.as_slice() {
                [some @ .., last] if !some.is_empty() => format!("{} or {last}", some.join(", ")),
                all => all.concat(),
            };
            self.error(format!("`{name}` must be {all}"));
        }
        found
    }

    /// A decimal: a string or a TOML integer, never a TOML float.
    pub fn decimal(&self, name: &str) -> Option<Decimal> {
        let text = match self.value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            _ => self.string_or_empty(name)?,
        };
        let text = text.trim();
        let found = Decimal::parse(text.strip_prefix('+').unwrap_or(text).as_bytes());
        if found.is_err() {
            self.error(format!(
                "`{name}` must be a decimal in quotes such as \"12.30\", or a whole number"
            ));
        }
        found.ok()
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
                    line: self.only_line.unwrap_or_else(|| self.document.line(&value.span())),
                    base: None,
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
            only_line: self.only_line,
            base: self.base,
            picked: None,
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

/// `4GiB`, `500 MB`: whole numbers with a unit, also by thousands.
fn parse_bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let factor: u64 = match unit.trim_start().to_ascii_lowercase().as_str() {
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "b" => 1,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|bytes| *bytes > 0)
}

/// Reads `50%`, `12.5 %`.
fn parse_percent(text: &str) -> Option<Percent> {
    let number = text.trim().strip_suffix('%')?.trim_end();
    let number = Decimal::parse(number.as_bytes()).ok()?;
    (number >= Decimal::ZERO).then(|| Percent::from_decimal(number))
}

/// The word that was most likely meant, if any is near.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // The distance is quadratic in the length; no key that anybody mistypes is that long.
    let word: String = word.chars().take(64).flat_map(char::to_lowercase).collect();
    known
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let longer = word.chars().count().max(candidate.chars().count());
            *distance <= (longer / 3).max(1)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::ConfigError;

    /// The errors that `read` leaves in this document, one a line.
    fn errors(text: &str, read: impl FnOnce(&mut Table<'_>)) -> String {
        let document = Document::new(Path::new("invsync.toml"), text.to_owned());
        let problems = Problems::default();
        let root = DeTable::parse(document.text()).unwrap();
        let mut table = Table::root(&document, &problems, root.get_ref());
        read(&mut table);
        table.finish();
        let lines = problems.into_sorted().0;
        lines.iter().map(|e| format!("{}: {}\n", e.line, e.message)).collect()
    }

    #[test]
    fn an_unknown_key_comes_with_the_nearest_known_one() {
        let found = errors("delimeter = 1\nURL = 2\nzzzzz = 3\n\"a\\nb\" = 4\n", |table| {
            table.take("delimiter");
            table.take("url");
        });
        insta::assert_snapshot!(found, @r"
        1: unknown key `delimeter`; did you mean `delimiter`?
        2: unknown key `URL`; did you mean `url`?
        3: unknown key `zzzzz`; known here: `delimiter`, `url`
        4: unknown key `a\nb`; known here: `delimiter`, `url`
        ");
        assert_eq!(nearest("quantities", ["quantity", "ean"].into_iter()), Some("quantity"));
        assert_eq!(nearest("sku", ["ean", "url"].into_iter()), None);
    }

    #[test]
    fn values_of_the_wrong_type_are_errors() {
        let text = "a = 1\nb = 1.5\nc = [1]\nd = 'x'\ne = -1\nf = 10\ng = 0x5\nh = 1_0\n";
        let found = errors(text, |table| {
            assert!(table.string("a").is_none());
            assert!(table.take("b").unwrap().decimal("b").is_none());
            assert!(table.text("c").is_none());
            assert!(table.bool("d").is_none());
            assert!(table.integer("e", 0..10).is_none());
            assert!(table.integer("f", 0..10).is_none());
            assert_eq!(table.integer("g", 0..10), Some(5));
            assert_eq!(table.integer("h", 0..11), Some(10));
            assert!(table.table("a").is_none());
            assert!(table.require("missing").is_none());
        });
        insta::assert_snapshot!(found, @r#"
        1: `a` must be a string
        1: `a` must be a table
        1: `missing` is missing
        2: `b` must be a decimal in quotes such as "12.30", or a whole number
        3: `c` must be a string, or { env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }
        4: `d` must be true or false
        5: `e` must be a whole number from 0 to 9
        6: `f` must be a whole number from 0 to 9
        "#);
    }

    #[test]
    fn decimals_are_strings_or_whole_numbers() {
        let text = "a = '12.30'\nb = 12\nc = '${INVSYNC_UNSET:-0.5}'\nd = '12,30'\ne = 0x10";
        let found = errors(text, |table| {
            let mut decimal = |key| table.take(key)?.decimal(key).map(|d| d.to_string());
            let read = ["a", "b", "c"].map(|key| decimal(key).unwrap());
            assert_eq!(read, ["12.3", "12", "0.5"]);
            assert_eq!(["d", "e"].map(decimal), [None, None]);
        });
        assert_eq!(found.lines().count(), 2, "{found}");
    }

    #[test]
    fn percentages_end_with_their_sign() {
        let text = "a='50%'\nb='12.5 %'\nc='101%'\nd='50'\ne='-1%'\nf='%'\ng='300%'\nh=50\n";
        let max = Some(Percent::whole(100));
        let found = errors(text, |table| {
            let read = ["a", "b"].map(|key| table.percent(key, max).unwrap().to_string());
            assert_eq!(read, ["50%", "12.5%"]);
            for key in ["c", "d", "e", "f", "h"] {
                assert!(table.percent(key, max).is_none());
            }
            assert_eq!(table.percent("g", None), Some(Percent::whole(300)));
        });
        insta::assert_snapshot!(found, @r#"
        3: `c` must be at most "100%"
        4: `d` must be a percentage such as "50%"
        5: `e` must be a percentage such as "50%"
        6: `f` must be a percentage such as "50%"
        8: `h` must be a percentage such as "50%"
        "#);
    }

    #[test]
    fn texts_come_from_elsewhere_in_three_ways() {
        let text = "\
a = { env = 'A' }
b = { file = 'b' }
c = { command = ['c', '${C}'] }
d = { env = 'D', file = 'd' }
e = { command = [] }
f = { evn = 'F' }
g = { env = 'no name' }
h = { file = 1 }
i = '${'
j = { command = ['x', '${'] }
k = { command = 'k' }
";
        let found = errors(text, |table| {
            for key in ["a", "b", "c"] {
                assert!(table.text(key).is_some_and(|text| text.literal().is_none()), "{key}");
            }
            for key in ["d", "e", "f", "g", "h", "i", "j", "k"] {
                assert!(table.text(key).is_none(), "{key}");
            }
        });
        insta::assert_snapshot!(found, @r"
        4: `d` needs exactly one of `env`, `file`, `command`
        5: `e.command` must begin with a program
        6: `f` needs exactly one of `env`, `file`, `command`
        6: unknown key `f.evn`; did you mean `env`?
        7: `g`: `env` needs the name of an environment variable: letters, digits and `_`
        8: `h` must hold a string
        9: `i`: a `${` has no `}`
        10: `j`: a `${` has no `}`
        11: `k.command` must be a list in [ ]
        ");
    }

    #[test]
    fn a_text_that_is_needed_now_is_resolved_at_once() {
        let found = errors("a = '${INVSYNC_UNSET:-x}y'\nb = '${INVSYNC_UNSET}'\n", |table| {
            assert_eq!(table.string("a"), Some(("xy".to_owned(), 1)));
            assert!(table.string("b").is_none());
        });
        insta::assert_snapshot!(found, @"2: `b`: the environment variable INVSYNC_UNSET is not set");
    }

    #[test]
    fn entries_keep_the_order_of_the_file() {
        let found = errors("z = 'z'\nb = 'b'\nc = 'c'\n", |table| {
            let keys: Vec<_> =
                table.entries().into_iter().map(|(key, line, _)| (key, line)).collect();
            assert_eq!(keys, [("z", 1), ("b", 2), ("c", 3)]);
        });
        assert_eq!(found, "");
    }

    #[test]
    fn a_reader_that_gave_up_tells_only_of_misspellings() {
        let document = Document::new(Path::new("x"), "fieds = 1\nother = 2\nsource = 3\n".into());
        let problems = Problems::default();
        let root = DeTable::parse(document.text()).unwrap();
        let mut table = Table::root(&document, &problems, root.get_ref());
        table.take("fields");
        table.finish_early();
        let found = problems.into_sorted().0;
        assert_eq!(found, [ConfigError::new(1, "unknown key `fieds`; did you mean `fields`?")]);
    }
}
