//! Looking at a feed that has no mapping yet: takes a sample, proposes a mapping, and reads the first
//! items with it as every other command would.

use toml::de::DeTable;

use super::UsageError;
use super::run::RunError;
use crate::around::Around;
use crate::config::ConfigErrors;
use crate::connector::feed::guess::{self, Line, Proposal, SAMPLERS, Sample, TakeSample};
use crate::connector::feed::source::{Keep, SourceSettings};
use crate::connector::http::HttpSettings;
use crate::connector::{Context, REGISTRY, RowBatch, Want};
use crate::model::StorePlaces;
use crate::settings::{Document, Problems, Table};

/// A proposal, and the first items that it reads.
#[derive(Debug)]
pub struct Mapped {
    /// The name of the connector.
    pub connector: String,
    /// The mapping.
    pub proposal: Proposal,
    /// Keys of the integration's own table, as text.
    pub lines: String,
    /// `[integrations.NAME.fields]` as text.
    pub table: String,
    /// The first items with this mapping, and what is wrong with them.
    pub items: RowBatch,
    /// Why they could not be read.
    pub fault: Option<String>,
    /// Whether the config has sections for the integration.
    pub has_sections: bool,
}

/// Looks at the feed of an integration, of which only its own table in the config is read.
pub fn map(document: &Document, name: &str) -> anyhow::Result<Mapped> {
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
    Look { document, name, own }.run()
}

struct Look<'a> {
    document: &'a Document,
    name: &'a str,
    own: &'a DeTable<'a>,
}

impl Look<'_> {
    fn run(&self) -> anyhow::Result<Mapped> {
        let (connector, is_found) = self.connector()?;
        let Some((_, take)) = SAMPLERS.iter().find(|(known, _)| *known == connector) else {
            let known: Vec<_> = SAMPLERS.iter().map(|(known, _)| *known).collect();
            let message = format!(
                "`map` looks at feeds ({}); the connector of `{}` needs no mapping, or is unknown",
                known.join(", "),
                self.name
            );
            return Err(UsageError(message).into());
        };
        let mut sample = self.sample(*take)?;
        if is_found {
            let value = guess::quoted(&connector);
            sample.options.insert(0, Line::new("connector", value, "by how the content begins"));
        }
        let proposal = guess::propose(&sample);
        let lines = guess::lines(&proposal);
        let table = guess::table(&proposal, self.name);
        let has_sections = self.own.contains_key("stock") || self.own.contains_key("prices");
        let (items, fault) = match proposal.has("sku") || proposal.has("item_id") {
            true => self.first_items(&connector, &format!("{lines}{table}")),
            false => (RowBatch::default(), None),
        };
        Ok(Mapped { connector, proposal, lines, table, items, fault, has_sections })
    }

    /// Hands the integration's own table to `read`; what it finds wrong is an error.
    fn with_table<T>(
        &self,
        own: &DeTable<'_>,
        read: impl FnOnce(&mut Table<'_>, &Context) -> Result<Option<T>, RunError>,
    ) -> anyhow::Result<T> {
        let problems = Problems::default();
        let (found, why) = {
            let mut table = Table::root(self.document, &problems, own);
            let mut context = Context::new(self.name, self.document.folder(), false);
            context.http = HttpSettings::read(table.table("http"));
            match read(&mut table, &context) {
                Ok(found) => (found, None),
                Err(why) => (None, Some(why)),
            }
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

    /// The connector that the config names, or else the one for what the content begins with.
    fn connector(&self) -> anyhow::Result<(String, bool)> {
        self.with_table(self.own, |table, context| {
            if table.has("connector") {
                return Ok(table.string("connector").map(|(name, _)| (name, false)));
            }
            let Some(source) = SourceSettings::read(table, context) else { return Ok(None) };
            let bytes = source.connect(&Around::nobody())?.open(Keep::Nothing)?;
            Ok(Some((guess::connector_of(bytes.head()).to_owned(), true)))
        })
    }

    fn sample(&self, take: TakeSample) -> anyhow::Result<Sample> {
        self.with_table(self.own, |table, context| Ok(take(table, context)?))
    }

    /// What the connector reads with the proposed text: the settings are made of that text.
    fn first_items(&self, connector: &str, text: &str) -> (RowBatch, Option<String>) {
        let read = || -> anyhow::Result<RowBatch> {
            let proposed = DeTable::parse(text)?;
            let mut merged = self.own.clone();
            for (key, value) in proposed.get_ref() {
                let fields = value.get_ref().as_table().and_then(|all| all.get(self.name));
                let fields =
                    fields.and_then(|own| own.get_ref().as_table()?.get_key_value("fields"));
                let (key, value) = match fields {
                    Some((key, fields)) if key.get_ref() == "fields" => (key, fields),
                    _ => (key, value),
                };
                merged.insert(key.clone(), value.clone());
            }
            self.with_table(&merged, |table, context| {
                let known = REGISTRY.iter().find(|known| known.name == connector);
                let Some(settings) = known.and_then(|known| (known.settings)(table, context))
                else {
                    return Ok(None);
                };
                let places = StorePlaces::default();
                let connector = settings.connect(&Around::nobody(), &places)?;
                let mut reader = connector.open(Want { stock: true, prices: true, names: true })?;
                let mut items = RowBatch::default();
                reader.next(&mut items)?;
                Ok(Some(items))
            })
        };
        match read() {
            Ok(items) => (items, None),
            Err(why) => (RowBatch::default(), Some(format!("{why:#}"))),
        }
    }
}

fn wrong(document: &Document, problems: Problems) -> anyhow::Error {
    let (errors, warnings) = problems.into_sorted();
    ConfigErrors { path: document.path().to_owned(), errors, warnings }.into()
}
