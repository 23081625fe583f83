//! From a file to a [`Config`], or to everything that is wrong with it.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use toml::de::DeTable;

use super::integration::IntegrationReader;
use super::{
    Config, ConfigErrors, Integration, InventorySettings, NotifySettings, check_name, places,
};
use crate::connector::{REGISTRY, Registration};
use crate::model::{Direction, Section};
use crate::settings::{ConfigError, Document, Problems, Table, Text};

/// More is no config, but a wrong file.
const MAX_BYTES: u64 = 16 << 20;

impl Config {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
        Config::parse(&document(path)?, REGISTRY)
    }

    /// Checks the text of a file, with these connectors.
    pub fn parse(document: &Document, registry: &[Registration]) -> Result<Config, ConfigErrors> {
        let problems = Problems::default();
        let (root, syntax) = DeTable::parse_recoverable(document.text());
        for error in &syntax {
            let line = document.line(&error.span().unwrap_or_default());
            problems.syntax_error(document, line, format!("not valid TOML: {}", error.message()));
        }
        let config = read_root(Table::root(document, &problems, root.get_ref()), registry);
        let (errors, warnings) = problems.into_sorted();
        if errors.is_empty() {
            Ok(Config { warnings, ..config })
        } else {
            Err(ConfigErrors { path: document.path().to_owned(), errors, warnings })
        }
    }
}

/// The text of a config, for who looks at a part of it.
pub fn document(path: &Path) -> Result<Document, ConfigErrors> {
    let text = read_text(path).map_err(|why| ConfigErrors::of_file(path, why))?;
    Ok(Document::new(path, text))
}

fn read_text(path: &Path) -> Result<String, String> {
    if path.is_dir() {
        return Err("is a folder; the config is a file".to_owned());
    }
    let file = std::fs::File::open(path).map_err(|why| format!("cannot be read: {why}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|why| format!("cannot be read: {why}"))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err("is larger than 16 MiB: this is no config".to_owned());
    }
    String::from_utf8(bytes).map_err(|why| {
        let good = &why.as_bytes()[..why.utf8_error().valid_up_to()];
        let line = memchr::memchr_iter(b'\n', good).count() + 1;
        format!("is not UTF-8 text (first in line {line}): save it as UTF-8")
    })
}

fn read_root(mut root: Table<'_>, registry: &[Registration]) -> Config {
    let document = root.document();
    let inventory = read_inventory(&mut root);
    let warehouses = places::warehouses(root.table("warehouses"));
    let price_groups = places::price_groups(root.table("price_groups"));
    let reader =
        IntegrationReader { warehouses: &warehouses, price_groups: &price_groups, registry };
    let integrations = read_integrations(root.table("integrations"), &reader);
    let notify = root.table("notify").and_then(NotifySettings::read);
    root.finish();
    Config {
        path: document.path().to_owned(),
        folder: document.folder(),
        inventory,
        warehouses,
        price_groups,
        integrations,
        notify,
        warnings: Vec::new(),
    }
}

/// How long the changes of runs stay on record: 90 days.
const DEFAULT_KEEP_RUNS: Duration = Duration::from_secs(90 * 86_400);

fn read_inventory(root: &mut Table<'_>) -> InventorySettings {
    let mut path = Text::plain("inventory.db", root.line());
    let mut seed = None;
    let mut keep_runs = DEFAULT_KEEP_RUNS;
    if let Some(mut table) = root.table("inventory") {
        if let Some(found) = table.text("path") {
            path = found;
        }
        seed = table.text("seed");
        keep_runs = table.duration("keep_runs").unwrap_or(keep_runs);
        for (key, text) in [("path", Some(&path)), ("seed", seed.as_ref())] {
            if let Some(text) = text.filter(|text| text.literal() == Some("")) {
                let name = table.name_of(key);
                table.problems().error(text.line(), format!("`{name}` must name a file"));
            }
        }
        table.finish();
    }
    InventorySettings { path, seed, keep_runs }
}

fn read_integrations(table: Option<Table<'_>>, reader: &IntegrationReader<'_>) -> Vec<Integration> {
    let Some(mut table) = table else { return Vec::new() };
    let mut integrations = Vec::new();
    for (name, line, entry) in table.entries() {
        let path = table.name_of(name);
        check_name(&table, line, &path, name);
        if let Some(below) = entry.table(path) {
            integrations.extend(reader.read(name, below));
        }
    }
    super::links::refuse_shared_files(&table, &integrations);
    integrations
}

impl Config {
    /// Integrations that are both superior in one place: each overwrites the values of the other.
    /// Who runs one of them cannot change that, so it is for `check` to say.
    pub fn rivals(&self) -> Vec<ConfigError> {
        let mut seen: Vec<(Section, &str, &str)> = Vec::new();
        let mut found = Vec::new();
        for integration in &self.integrations {
            let name = &integration.name;
            for (section, settings) in integration.sections(Direction::Download) {
                let place = settings.place.as_str();
                let rival = seen.iter().find(|(s, p, _)| (*s, *p) == (section, place));
                let Some((_, _, rival)) = rival else {
                    seen.push((section, place, name));
                    continue;
                };
                let kind = if section == Section::Stock { "warehouse" } else { "price group" };
                let word = section.word();
                let message = format!(
                    "`integrations.{name}.{word}` downloads into the {kind} `{place}`, as \
                     `integrations.{rival}.{word}` does: each overwrites the values of the other"
                );
                found.push(ConfigError::new(settings.line, message));
            }
        }
        found
    }
}
