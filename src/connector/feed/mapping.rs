//! The mapping language: which column or path of a feed holds what, and how a row of it becomes
//! an item. How a number is read stands in `number`; how a path is followed, beside each format.

mod field;
mod row;

pub use field::{Factor, Field, Source};
pub use row::{Lookup, RowFate};

use self::field::{Kind, read_field};
use super::number::DecimalSign;
use crate::model::Section;
use crate::settings::{Entry, Table};

/// A path of a mapping, as an index into [`Mapping::paths`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathId(u16);

impl PathId {
    /// The place in [`Mapping::paths`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// The path at a place of [`Mapping::paths`].
    pub fn from_index(index: usize) -> Option<PathId> {
        u16::try_from(index).ok().map(PathId)
    }
}

/// A path that some key of the mapping names: a column, or where in an item a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappedPath {
    /// The path as it stands in the config, trimmed.
    pub text: String,
    /// The line in the config.
    pub line: u64,
    /// The key that names it first, such as `fields.quantity`.
    pub key: String,
    /// Only a preset names it: a feed may lack it, as long as the field has another one or is one
    /// that an item needs not have.
    pub is_optional: bool,
}

/// The checked mapping of a feed.
#[derive(Clone, Debug, Default)]
pub struct Mapping {
    /// Every path that any field or filter names, each text once.
    pub paths: Vec<MappedPath>,
    /// The integration's own id of an item.
    pub item_id: Option<Field>,
    /// The SKU.
    pub sku: Option<Field>,
    /// The EAN.
    pub ean: Option<Field>,
    /// The name.
    pub name: Option<Field>,
    /// The SKU of the parent.
    pub parent_sku: Option<Field>,
    /// The quantity.
    pub quantity: Option<Field>,
    /// The price.
    pub price: Option<Field>,
    /// The price's currency.
    pub currency: Option<Field>,
    /// The sections that need a value.
    pub(crate) sections: Vec<Section>,
    /// When the feed was made, as it says itself.
    pub generated_at: Option<Field>,
    /// What a row must fulfil to be an item.
    rules: Vec<Rule>,
}

/// One entry of `where`.
#[derive(Clone, Debug)]
struct Rule {
    /// The line in the config.
    line: u64,
    path: PathId,
    texts: Vec<String>,
    /// What being one of the texts means for the row: kept (`is`) or left out (`not`).
    keeps: bool,
}

/// What a format says of a path: what is wrong with it, if anything.
pub type CheckPath<'a> = &'a dyn Fn(&str) -> Result<(), String>;

impl Mapping {
    /// The paths of what is read as numbers.
    pub(crate) fn value_paths(&self) -> Vec<PathId> {
        let fields = [&self.quantity, &self.price].into_iter().flatten();
        fields.flat_map(|field| field.paths().iter().copied().chain(field.factor_paths())).collect()
    }

    /// The paths that decide which item a row is, whether it is one, and what its numbers mean: what
    /// cannot be read there must not pass for nothing.
    pub(crate) fn deciding_paths(&self) -> Vec<PathId> {
        let fields = [&self.item_id, &self.sku, &self.currency].into_iter().flatten();
        let numbers = [&self.quantity, &self.price].into_iter().flatten();
        let several = |field: &&Field| field.paths().len() > 1;
        fields
            .chain(numbers.clone().filter(several))
            .flat_map(Field::paths)
            .copied()
            .chain(numbers.flat_map(Field::factor_paths))
            .chain(self.rules.iter().map(|rule| rule.path))
            .collect()
    }

    /// Every field that may be mapped, by its key.
    pub(crate) fn fields(&self) -> [(&'static str, &Option<Field>); 8] {
        [
            ("item_id", &self.item_id),
            ("sku", &self.sku),
            ("ean", &self.ean),
            ("name", &self.name),
            ("parent_sku", &self.parent_sku),
            ("quantity", &self.quantity),
            ("price", &self.price),
            ("currency", &self.currency),
        ]
    }

    /// The line of the first entry of `where`.
    pub(crate) fn where_line(&self) -> Option<u64> {
        self.rules.first().map(|rule| rule.line)
    }

    /// Makes words of a format say nothing where a quantity or price should be.
    pub(crate) fn set_unknown_words(&mut self, words: &'static [&'static str]) {
        for field in [&mut self.quantity, &mut self.price].into_iter().flatten() {
            field.unknown_words = words;
        }
    }

    /// Takes `fields`, `where`, `decimal` and `generated_at` out of the integration's table, of a
    /// further file also `key`, which holds the SKU.
    ///
    /// `None` where an error, added to the table's problems, makes the mapping unusable.
    pub fn read(
        table: &mut Table<'_>,
        check_path: CheckPath<'_>,
        is_join: bool,
    ) -> Option<Mapping> {
        let mut paths = Paths { list: Vec::new(), check: check_path };
        let sign = read_sign(table).unwrap_or_default();
        let rules = read_rules(table, &mut paths);
        let name = table.name_of("generated_at");
        let generated_at = table
            .take("generated_at")
            .map(|entry| read_field(entry, &name, Kind::Text, sign, &mut paths));
        // Whose row it is in a further file `key` says, or else a preset's `sku`.
        let ids = match (is_join, table.has("key")) {
            (false, _) => Ids::Own,
            (true, true) => Ids::Key(read_key(table, sign, &mut paths).map(Box::new)),
            (true, false) => Ids::Preset,
        };
        let lacks_key = matches!(ids, Ids::Key(None));
        let mapping = read_fields(table, sign, &mut paths, ids);
        let mut mapping = mapping.filter(|_| !lacks_key)?;
        mapping.rules = rules?;
        mapping.generated_at = match generated_at {
            Some(field) => Some(field?),
            None => None,
        };
        mapping.paths = paths.list;
        Some(mapping)
    }

    /// The fields without which a feed is not the one that the mapping is for, by their keys.
    pub(crate) fn needed(&self) -> impl Iterator<Item = (&'static str, &Field)> {
        let ids = [("item_id", &self.item_id), ("sku", &self.sku)].into_iter();
        let values = self.sections.iter().filter_map(|section| match section {
            Section::Stock => Some(("quantity", &self.quantity)),
            Section::Prices => Some(("price", &self.price)),
            Section::Links => None,
        });
        ids.chain(values).filter_map(|(key, field)| Some((key, field.as_ref()?)))
    }

    /// The field that holds a section's value.
    pub fn value(&self, section: Section) -> Option<&Field> {
        match section {
            Section::Stock => self.quantity.as_ref(),
            Section::Prices => self.price.as_ref(),
            Section::Links => None,
        }
    }

    /// Whether a section's value is mapped, or else what to add to the config.
    pub fn provides(&self, section: Section) -> Result<(), String> {
        match (self.value(section), value_key(section)) {
            (Some(_), _) | (None, None) => Ok(()),
            (None, Some(key)) => Err(format!(
                "`fields.{key}` is not mapped; say in `fields` what holds it: {key} = \"…\""
            )),
        }
    }

    /// The path that a section's value is written to, or else why it cannot be.
    ///
    /// Only a plain path, with `decimal`, `unit` and words for unknown, can be turned round.
    pub fn writable(&self, section: Section) -> Result<(&Field, PathId), String> {
        self.provides(section)?;
        let key = value_key(section).unwrap_or_default();
        let field = self.value(section).ok_or_else(|| "this section has no value".to_owned())?;
        match field.written_path() {
            Some(path) => Ok((field, path)),
            None => Err(format!(
                "`fields.{key}` is computed; only a plain path, with `decimal` and `unit`, can be \
                 written"
            )),
        }
    }
}

fn value_key(section: Section) -> Option<&'static str> {
    match section {
        Section::Stock => Some("quantity"),
        Section::Prices => Some("price"),
        Section::Links => None,
    }
}

/// The paths met so far, and what the format says of them.
struct Paths<'a> {
    list: Vec<MappedPath>,
    check: CheckPath<'a>,
}

impl Paths<'_> {
    /// The id of the path that an entry holds.
    fn take(&mut self, entry: &Entry<'_>, key: &str) -> Option<PathId> {
        let (text, line) = entry.string(key)?;
        let text = super::number::trim(&text).to_owned();
        let checked = if text.is_empty() {
            Err("a path must not be empty".to_owned())
        } else {
            (self.check)(&text)
        };
        if let Err(why) = checked {
            entry.error(format!("`{key}`: {why}"));
            return None;
        }
        if let Some(known) = self.list.iter().position(|path| path.text == text) {
            self.list[known].is_optional &= entry.is_stand_in();
            return PathId::from_index(known);
        }
        let id = PathId::from_index(self.list.len());
        if id.is_none() {
            entry.error(format!("`{key}`: more than {} paths", u16::MAX));
            return None;
        }
        let is_optional = entry.is_stand_in();
        self.list.push(MappedPath { text, line, key: short_key(key), is_optional });
        id
    }
}

/// The key without the integration's name, for messages that name the integration already.
fn short_key(key: &str) -> String {
    key.splitn(3, '.').nth(2).filter(|_| key.starts_with("integrations.")).unwrap_or(key).to_owned()
}

fn read_sign(table: &mut Table<'_>) -> Option<DecimalSign> {
    table.choice(
        "decimal",
        &[(".", DecimalSign::Point), (",", DecimalSign::Comma), ("auto", DecimalSign::Auto)],
    )
}

fn read_key(table: &mut Table<'_>, sign: DecimalSign, paths: &mut Paths<'_>) -> Option<Field> {
    let name = table.name_of("key");
    read_field(table.require("key")?, &name, Kind::Text, sign, paths)
}

/// What tells one item from another.
enum Ids {
    /// The fields `item_id` and `sku`.
    Own,
    /// Of a further file: its `key`, which holds the SKU, if that is right.
    Key(Option<Box<Field>>),
    /// Of a further file without `key`: the `sku` of its preset.
    Preset,
}

fn read_fields(
    table: &mut Table<'_>,
    sign: DecimalSign,
    paths: &mut Paths<'_>,
    ids: Ids,
) -> Option<Mapping> {
    let line = table.line();
    let name = table.name_of("fields");
    let Some(entry) = table.take("fields") else {
        let is_own = matches!(ids, Ids::Own);
        let integration = table.path().strip_prefix("integrations.").filter(|_| is_own);
        let hint =
            integration.filter(|name| !name.contains('.')).map_or_else(String::new, |name| {
                format!("; `invsync map {name}` looks at the feed and proposes it")
            });
        table.absence(format!("`{name}` is missing{hint}"));
        return None;
    };
    let mut fields = entry.table(name.clone())?;
    let mut good = true;
    let mut take = |key: &'static str, kind: Kind, fields: &mut Table<'_>| {
        let entry = fields.take(key)?;
        let field = read_field(entry, &fields.name_of(key), kind, sign, paths);
        good &= field.is_some();
        field
    };
    let is_join = !matches!(ids, Ids::Own);
    let (item_id, sku) = match ids {
        Ids::Own => {
            (take("item_id", Kind::Text, &mut fields), take("sku", Kind::Text, &mut fields))
        }
        Ids::Key(key) => (None, key.map(|key| *key)),
        Ids::Preset if fields.has_stand_in("sku") => (None, take("sku", Kind::Text, &mut fields)),
        Ids::Preset => {
            table.require("key");
            return None;
        }
    };
    // Those of a preset are no mistake in a further file.
    for id in ["item_id", "sku"] {
        if is_join && fields.has_stand_in(id) {
            fields.take(id);
        }
    }
    let mapping = Mapping {
        item_id,
        sku,
        ean: take("ean", Kind::Text, &mut fields),
        name: take("name", Kind::Text, &mut fields),
        parent_sku: take("parent_sku", Kind::Text, &mut fields),
        quantity: take("quantity", Kind::Number, &mut fields),
        price: take("price", Kind::Number, &mut fields),
        currency: take("currency", Kind::Currency, &mut fields),
        ..Mapping::default()
    };
    if good && !is_join && mapping.item_id.is_none() && mapping.sku.is_none() {
        let message = format!("`{name}` needs `sku` or `item_id`, to know one item from another");
        table.problems().error(if entry.line > 0 { entry.line } else { line }, message);
        good = false;
    }
    fields.finish();
    good.then_some(mapping)
}

fn read_rules(table: &mut Table<'_>, paths: &mut Paths<'_>) -> Option<Vec<Rule>> {
    let name = table.name_of("where");
    let Some(entry) = table.take("where") else { return Some(Vec::new()) };
    // All entries are read before the first failure ends it: every error at once.
    let rules: Vec<_> =
        entry.array(&name)?.iter().map(|entry| read_rule(entry, &name, paths)).collect();
    rules.into_iter().collect()
}

fn read_rule(entry: &Entry<'_>, name: &str, paths: &mut Paths<'_>) -> Option<Rule> {
    let mut table = entry.table(name.to_owned())?;
    let path = table.require("path").and_then(|path| paths.take(&path, name));
    let (is, not) = (table.take("is"), table.take("not"));
    let rule = match (is, not) {
        (Some(texts), None) => texts_of(&texts, &format!("{name}.is")).map(|texts| (texts, true)),
        (None, Some(texts)) => texts_of(&texts, &format!("{name}.not")).map(|texts| (texts, false)),
        _ => {
            entry.error(format!("`{name}` needs exactly one of `is` and `not` in each entry"));
            None
        }
    };
    table.finish();
    let (path, (texts, keeps)) = (path?, rule?);
    Some(Rule { line: entry.line, path, texts, keeps })
}

/// The trimmed strings of a list.
fn texts_of(entry: &Entry<'_>, name: &str) -> Option<Vec<String>> {
    entry
        .array(name)?
        .iter()
        .map(|text| text.string(name).map(|(text, _)| super::number::trim(&text).to_owned()))
        .collect()
}

#[cfg(test)]
mod tests;
