//! Looking at feeds that have no mapping yet: takes a sample of each, proposes a mapping, and reads the
//! first items with it as every other command would.

use toml::de::{DeTable, DeValue};

use super::UsageError;
use super::run::RunError;
use crate::around::Around;
use crate::config::ConfigErrors;
use crate::connector::feed::combine::Combine;
use crate::connector::feed::guess::{self, Line, Proposal, SAMPLERS};
use crate::connector::feed::presets::{PRESETS, Preset};
use crate::connector::feed::source::{AtHand, SourceSettings};
use crate::connector::http::HttpSettings;
use crate::connector::{ConnectorError, Context, REGISTRY, RowBatch, RowView, Value, Want};
use crate::model::{Section, StorePlaces};
use crate::settings::{Document, Problems, Table};

/// A proposal for one source, and the first items that it reads.
#[derive(Debug)]
pub struct Mapped {
    /// The table of the config that names the source.
    pub table: SourceTable,
    /// The name of the connector.
    pub connector: String,
    /// The mapping, without what the config has already.
    pub proposal: Proposal,
    /// Whether it holds what a pull needs.
    is_enough: bool,
    /// The first items with this mapping, and what is wrong with them.
    pub items: RowBatch,
    /// Why they could not be read.
    pub fault: Option<String>,
    /// The presets that the feed is made for, too.
    pub presets: Vec<FittingPreset>,
    /// Whether the config has sections for the integration.
    pub has_sections: bool,
    /// Whether the integration's own table must name a connector as well, and does not.
    pub lacks_connector: bool,
}

impl Mapped {
    /// Whether a pull could work with it.
    pub fn is_usable(&self) -> bool {
        self.fault.is_none() && self.is_enough
    }
}

/// A preset that reads a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FittingPreset {
    /// Its name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    /// The fields of the first items that it reads in another way than the proposal does.
    pub differs: Vec<&'static str>,
}

/// Which table of an integration a source stands in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceTable {
    /// That of a section; else the integration's own.
    pub section: Option<Section>,
    /// The n-th `join` of that table, from 1.
    pub join: Option<usize>,
}

impl SourceTable {
    /// `integrations.NAME`, `integrations.NAME.stock.join`: how TOML names it.
    pub fn path(&self, name: &str) -> String {
        let section = self.section.map_or(String::new(), |section| format!(".{}", section.word()));
        let join = if self.join.is_some() { ".join" } else { "" };
        format!("integrations.{name}{section}{join}")
    }
}

/// Looks at the sources of an integration that have no `fields` yet, or at all where each has them.
/// Of the config only the integration's own table is read.
pub fn map(document: &Document, name: &str, around: &Around) -> anyhow::Result<Vec<Mapped>> {
    let root = match DeTable::parse(document.text()) {
        Ok(root) => root,
        Err(error) => {
            let line = document.line(&error.span().unwrap_or_default());
            let problems = Problems::default();
            problems.error(line, format!("not valid TOML: {}", error.message()));
            return Err(wrong(document, problems));
        }
    };
    let all = root.get_ref().get("integrations").and_then(|all| all.get_ref().as_table());
    let own = all.and_then(|all| all.get(name)).and_then(|own| own.get_ref().as_table());
    let Some(own) = own else {
        let names: Vec<_> = all.into_iter().flat_map(|all| all.keys()).collect();
        let names: Vec<_> = names.iter().map(|name| format!("`{}`", name.get_ref())).collect();
        let path = document.path().display();
        let has = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let message = format!("there is no integration `{name}`; {path} has {has}");
        return Err(UsageError(message).into());
    };
    around.progress.begin(&format!("looking at {name}"), None);
    let look = |(table, values)| Look { document, name, own, table, values, around }.run();
    let mapped = wanted(own).into_iter().map(look).collect();
    around.progress.end();
    mapped
}

/// The sources to look at, each with its table.
fn wanted<'c>(own: &'c DeTable<'c>) -> Vec<(SourceTable, &'c DeTable<'c>)> {
    let mut all = Vec::new();
    let sections = [Section::Stock, Section::Prices].map(|section| {
        (section, own.get(section.word()).and_then(|value| value.get_ref().as_table()))
    });
    let has_source = |table: &&DeTable<'_>| table.contains_key("source");
    let has_own = sections.iter().any(|(_, values)| values.as_ref().is_some_and(has_source));
    if own.contains_key("source") || !has_own {
        add_with_joins(None, own, &mut all);
    }
    for (section, values) in sections {
        if let Some(values) = values.filter(has_source) {
            add_with_joins(Some(section), values, &mut all);
        }
    }
    let is_open = |(_, values): &(SourceTable, &DeTable<'_>)| {
        !values.contains_key("fields") && !values.contains_key("preset")
    };
    if all.iter().any(is_open) {
        all.retain(is_open);
    }
    all
}

/// Adds a source and the further files that are joined to it.
fn add_with_joins<'c>(
    section: Option<Section>,
    values: &'c DeTable<'c>,
    all: &mut Vec<(SourceTable, &'c DeTable<'c>)>,
) {
    all.push((SourceTable { section, join: None }, values));
    let joins = match values.get("join").map(|joins| joins.get_ref()) {
        Some(DeValue::Array(joins)) => joins.iter().collect(),
        _ => Vec::new(),
    };
    for (join, n) in joins.into_iter().zip(1..) {
        if let Some(values) = join.get_ref().as_table() {
            all.push((SourceTable { section, join: Some(n) }, values));
        }
    }
}

/// A look at one source.
struct Look<'a> {
    document: &'a Document,
    name: &'a str,
    /// The integration's table.
    own: &'a DeTable<'a>,
    table: SourceTable,
    /// The source's table.
    values: &'a DeTable<'a>,
    around: &'a Around,
}

impl Look<'_> {
    fn run(&self) -> anyhow::Result<Mapped> {
        let at_hand = self.fetched()?;
        let (connector, is_found) = self.connector(&at_hand)?;
        let Some((_, take)) = SAMPLERS.iter().find(|(known, _)| *known == connector) else {
            let known: Vec<_> = SAMPLERS.iter().map(|(known, _)| *known).collect();
            let message = format!(
                "`map` looks at feeds ({}); the connector of `{}` needs no mapping, or is unknown",
                known.join(", "),
                self.name
            );
            return Err(UsageError(message).into());
        };
        let mut sample =
            self.with_table(self.values, &at_hand, |table, context| Ok(take(table, context)?))?;
        if is_found {
            let value = guess::quoted(&connector);
            sample.options.insert(0, Line::new("connector", value, "by how the content begins"));
        }
        let mut proposal = guess::propose(&sample);
        self.leave_out(&mut proposal);
        let is_join = self.table.join.is_some();
        let is_enough = proposal.is_usable(is_join);
        let can_be_read = proposal.can_be_told_apart(is_join);
        proposal.options.retain(|line| !self.values.contains_key(line.key));
        let (items, fault) = match can_be_read {
            true => self.first_items(&connector, &proposal, &at_hand)?,
            false => (RowBatch::default(), None),
        };
        let presets = self.presets(&connector, &proposal, &items, &at_hand);
        let has_sections = self.own.contains_key("stock") || self.own.contains_key("prices");
        Ok(Mapped {
            table: self.table,
            connector,
            proposal,
            is_enough,
            items,
            fault,
            presets,
            has_sections,
            lacks_connector: self.table.section.is_some() && !self.own.contains_key("connector"),
        })
    }

    /// What the source holds; it is contacted once, however often that is read.
    fn fetched(&self) -> anyhow::Result<Option<AtHand>> {
        self.with_table(self.values, &None, |table, context| {
            let Some(source) = SourceSettings::read(table, context) else { return Ok(None) };
            Ok(Some(Some(AtHand::of(&source.connect(self.around)?)?)))
        })
    }

    /// The connector that the config names, or else the one for what the source holds.
    fn connector(&self, at_hand: &Option<AtHand>) -> anyhow::Result<(String, bool)> {
        self.with_table(self.values, at_hand, |table, context| {
            if table.has("connector") {
                return Ok(table.string("connector").map(|(name, _)| (name, false)));
            }
            let Some(source) = SourceSettings::read(table, context) else { return Ok(None) };
            let found = guess::connector_of(&source.connect(self.around)?)?;
            Ok(Some((found.to_owned(), true)))
        })
    }

    /// Leaves out what another source has, and brings what is joined into its shape.
    fn leave_out(&self, proposal: &mut Proposal) {
        let has_source = |section: Section| {
            let values = self.own.get(section.word()).and_then(|value| value.get_ref().as_table());
            values.is_some_and(|values| values.contains_key("source"))
        };
        let [stock, prices] = match self.table.section {
            Some(section) => [section != Section::Stock, section != Section::Prices],
            None => [has_source(Section::Stock), has_source(Section::Prices)],
        };
        if stock {
            proposal.leave_out(&["quantity"]);
        }
        if prices {
            proposal.leave_out(&["price", "currency"]);
        }
        if self.table.join.is_some() {
            proposal.make_join();
        }
    }

    /// Hands a table to `read`; what it finds wrong is an error.
    fn with_table<T>(
        &self,
        values: &DeTable<'_>,
        at_hand: &Option<AtHand>,
        read: impl FnOnce(&mut Table<'_>, &Context) -> Result<Option<T>, RunError>,
    ) -> anyhow::Result<T> {
        let problems = Problems::default();
        let (found, why) = {
            let mut own = Table::root(self.document, &problems, self.own);
            let context = Context {
                http: HttpSettings::read(own.table("http")),
                is_join: self.table.join.is_some(),
                at_hand: at_hand.clone(),
                ..Context::new(self.name, self.document.folder(), false)
            };
            // Of several files of one shape the first stands for all.
            let mut table = Table::root(self.document, &problems, values).with_one_of("source", 0);
            match read(&mut table, &context) {
                Ok(found) => (found, None),
                Err(why) => (None, Some(why)),
            }
        };
        let why = match self.around.is_interrupted() {
            true => Some(ConnectorError::interrupted().into()),
            false => why,
        };
        match (found, why) {
            (_, Some(why)) => {
                let message = format!("{}: {}", self.name, why.message);
                Err(RunError::new(why.exit, message).into())
            }
            (Some(found), None) if problems.error_count() == 0 => Ok(found),
            _ => Err(wrong(self.document, problems)),
        }
    }

    /// What the connector reads with the proposal: the settings are made of its text.
    fn first_items(
        &self,
        connector: &str,
        proposal: &Proposal,
        at_hand: &Option<AtHand>,
    ) -> anyhow::Result<(RowBatch, Option<String>)> {
        match self.read(connector, &guess::all_keys(proposal), None, at_hand) {
            Err(why) if self.around.is_interrupted() => Err(why),
            Err(why) => Ok((RowBatch::default(), Some(format!("{why:#}")))),
            Ok(items) => Ok((items, None)),
        }
    }

    /// The presets that read the feed as well as the proposal does, if maybe not alike.
    fn presets(
        &self,
        connector: &str,
        proposal: &Proposal,
        items: &RowBatch,
        at_hand: &Option<AtHand>,
    ) -> Vec<FittingPreset> {
        if self.table.section.is_some() || self.table.join.is_some() {
            return Vec::new();
        }
        let option = |key: &str| {
            let given = self.values.get(key).and_then(|value| value.get_ref().as_str());
            let line = proposal.options.iter().find(|line| line.key == key);
            given.map(guess::quoted).or_else(|| line.map(|line| line.value.clone()))
        };
        let has_places = |preset: &&Preset| {
            let place = |key: &str| preset.keys().get(key).and_then(|at| at.get_ref().as_str());
            ["items", "variants"].iter().all(|key| place(key).map(guess::quoted) == option(key))
        };
        let dialect: String = (proposal.options.iter())
            .filter(|line| ["delimiter", "encoding", "header_row", "sheet"].contains(&line.key))
            .map(|line| format!("{} = {}\n", line.key, line.value))
            .collect();
        let fitting = PRESETS.iter().filter(|preset| preset.fits(connector)).filter(has_places);
        let mut found: Vec<_> = fitting
            .filter_map(|preset| {
                let read = self.read(connector, &dialect, Some(preset), at_hand).ok()?;
                let is_by_place = preset.keys().contains_key("items");
                let differs = differing(items, &read, is_by_place)?;
                Some(FittingPreset { name: preset.name, about: preset.about(), differs })
            })
            .collect();
        found.sort_by_key(|preset| preset.differs.len());
        found
    }

    /// The first items with these further keys, and a preset.
    fn read(
        &self,
        connector: &str,
        keys: &str,
        preset: Option<&'static Preset>,
        at_hand: &Option<AtHand>,
    ) -> anyhow::Result<RowBatch> {
        let keys = DeTable::parse(keys)?;
        let mut merged = self.values.clone();
        for (key, value) in keys.get_ref() {
            merged.insert(key.clone(), value.clone());
        }
        merged.remove("join");
        self.with_table(&merged, at_hand, |table, context| {
            if let Some(preset) = preset {
                table.stand_in(preset.keys(), 1);
            }
            let combine = (!context.is_join).then(|| Combine::read(table, context, &|_, _| None));
            let known = REGISTRY.iter().find(|known| known.name == connector);
            let settings = known.and_then(|known| (known.settings)(table, context));
            let settings = match (combine, settings) {
                (Some(Some(combine)), Some(settings)) => combine.with(vec![settings]),
                (None, settings) => settings,
                _ => None,
            };
            let Some(settings) = settings else { return Ok(None) };
            let connector = settings.connect(self.around, &StorePlaces::default())?;
            let mut reader = connector.open(Want { stock: true, prices: true, names: true })?;
            let mut items = RowBatch::default();
            reader.next(&mut items)?;
            Ok(Some(items))
        })
    }
}

/// Which fields a preset reads otherwise; `None` where it reads other items, or is worse.
/// `may_lack_values`: something else than the values speaks for it.
fn differing(
    proposed: &RowBatch,
    read: &RowBatch,
    may_lack_values: bool,
) -> Option<Vec<&'static str>> {
    let is_alike = proposed.len() == read.len() && !read.is_empty();
    if !is_alike || read.problems().len() > proposed.problems().len() {
        return None;
    }
    let mut fields = [("sku", 0), ("ean", 0), ("quantity", 0), ("price", 0), ("currency", 0)];
    let (mut known, mut more) = (0, 0);
    for (one, other) in proposed.rows().zip(read.rows()) {
        let differs = [
            one.sku() != other.sku(),
            one.ean() != other.ean(),
            one.quantity() != other.quantity(),
            one.price() != other.price(),
            one.currency() != other.currency(),
        ];
        for ((_, count), differs) in fields.iter_mut().zip(differs) {
            *count += usize::from(differs);
        }
        let values = |row: &RowView<'_>| {
            [row.quantity(), row.price()].iter().filter(|value| **value != Value::Unknown).count()
        };
        (known, more) = (known + values(&one), more + values(&other));
    }
    let differs = fields.iter().filter(|(_, count)| *count > 0).map(|(field, _)| *field);
    ((more > 0 || may_lack_values) && more >= known).then(|| differs.collect())
}

fn wrong(document: &Document, problems: Problems) -> anyhow::Error {
    let (errors, warnings) = problems.into_sorted();
    ConfigErrors { path: document.path().to_owned(), errors, warnings }.into()
}
