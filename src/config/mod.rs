//! The config file: TOML to checked types, every error at once, each with its line.
//!
//! What a connector's own keys mean stands beside the connector; this room reads the rest.

mod accept;
mod errors;
mod find;
mod guard;
mod integration;
mod links;
mod notify;
mod places;
mod read;
mod section;
mod starter;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use errors::ConfigErrors;
pub use find::{DEFAULT_NAME, FindError, VARIABLE, find, locate};
pub use read::document;
pub use starter::{SCHEMA_NAME, schema, starter, starter_with};

use crate::connector::Settings;
use crate::connector::http::HttpSettings;
use crate::model::{
    Acceptance, Decimal, Direction, LinkKey, Percent, Place, RunStatus, Section, StorePlaces,
};
use crate::settings::{ConfigError, Table, Text, TextError};

/// A config that was read and found right.
#[derive(Debug)]
pub struct Config {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// The folder that its relative paths are relative to.
    pub folder: PathBuf,
    /// The inventory.
    pub inventory: InventorySettings,
    /// The declared warehouses, in the order of the file.
    pub warehouses: Vec<Place>,
    /// The declared price groups, in the order of the file.
    pub price_groups: Vec<Place>,
    /// The integrations, in the order of the file.
    pub integrations: Vec<Integration>,
    /// Who is told of runs that did not go well.
    pub notify: Option<NotifySettings>,
    /// What is doubtful but no error.
    pub warnings: Vec<ConfigError>,
}

/// `[inventory]`.
#[derive(Debug)]
pub struct InventorySettings {
    /// The SQLite file.
    pub path: Text,
    /// A CSV that is imported once, when the file is created.
    pub seed: Option<Text>,
    /// How long the changes of runs stay on record.
    pub keep_runs: Duration,
}

/// `[notify]`.
#[derive(Debug)]
pub struct NotifySettings {
    /// The program and its arguments; at least the program.
    pub command: Vec<Text>,
    /// How the runs end that it is told of.
    pub on: Vec<RunStatus>,
    /// How long it may take.
    pub timeout: Duration,
}

/// `[integrations.NAME]`.
#[derive(Debug)]
pub struct Integration {
    /// The name.
    pub name: String,
    /// The line of its table.
    pub line: u64,
    /// Whether it is a store (can be written) or a wholesaler (is only ever read).
    pub is_store: bool,
    /// Its sources, and which sections each feeds. At least one.
    pub parts: Vec<Part>,
    /// What items and products are linked by, in this order.
    pub link_by: Vec<LinkKey>,
    /// The file that holds its links; `None`: the inventory does.
    pub links: Option<Text>,
    /// What becomes of items without a product.
    pub unlinked: Unlinked,
    /// Problems that are known and accepted.
    pub accept: Arc<[Acceptance]>,
    /// Whether a delivery without items is no failure.
    pub allow_empty: bool,
    /// How it is fetched, where it is fetched by http.
    pub http: HttpSettings,
    /// `[integrations.NAME.stock]`: none, one, or one for each of its `locations`.
    pub stock: Vec<SectionSettings>,
    /// `[integrations.NAME.prices]`.
    pub prices: Option<SectionSettings>,
}

/// What becomes of items that fit no product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlinked {
    /// They are reported.
    Report,
    /// A pull makes products of them.
    Create,
    /// Nothing is said.
    Ignore,
}

/// `[integrations.NAME.stock]` or `[integrations.NAME.prices]`.
#[derive(Clone, Debug)]
pub struct SectionSettings {
    /// Who is superior.
    pub direction: Direction,
    /// The key of the warehouse or price group; may be empty with the direction `off`.
    pub place: String,
    /// The places at the other side that it names.
    pub places: StorePlaces,
    /// How often `sync --due` runs it.
    pub every: Option<Duration>,
    /// How much later than that it may come due, so that many machines do not come at once.
    pub jitter: Duration,
    /// What to do where the store's value is not the one last confirmed there.
    pub on_drift: OnDrift,
    /// The guards of this section: its own over the integration's over the defaults.
    pub guard: GuardSettings,
    /// The line of its table.
    pub line: u64,
}

/// What a push does where the store's value is not the one last confirmed there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDrift {
    /// Our value is sent.
    Overwrite,
    /// The change is held back.
    Hold,
}

/// `[integrations.NAME.guard]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardSettings {
    /// Of linked items that already had a value.
    pub max_changed: Percent,
    /// Of linked items with stock that would drop to 0.
    pub max_zeroed: Percent,
    /// Of linked items whose value was known in the last delivery and is unknown now.
    pub max_unknown: Percent,
    /// Of linked items that the last complete delivery had and this one lacks.
    pub max_missing: Percent,
    /// Of one price, up or down.
    pub max_price_change: Percent,
    /// Whether a price of 0 or less is held back.
    pub hold_zero_price: bool,
    /// Whether stock of an item that a complete delivery lacks becomes 0.
    pub zero_missing: bool,
    /// After how many complete deliveries in a row without the item.
    pub missing_after: u64,
    /// The fewest items that a complete delivery may hold.
    pub min_items: Option<u64>,
    /// The SKUs of items that a complete delivery must hold.
    pub sentinels: Vec<String>,
    /// Whether prices that mostly moved by one and the same factor stop the section.
    pub hold_same_factor: bool,
    /// Whether a source that lacks a path or a line end that it had before is stopped.
    pub hold_shape: bool,
    /// How old a delivery may be.
    pub max_age: Option<Duration>,
    /// The lowest price that is not held back.
    pub min_price: Option<Decimal>,
    /// The highest price that is not held back.
    pub max_price: Option<Decimal>,
}

impl Default for GuardSettings {
    fn default() -> GuardSettings {
        GuardSettings {
            max_changed: Percent::whole(50),
            max_zeroed: Percent::whole(30),
            max_unknown: Percent::whole(20),
            max_missing: Percent::whole(20),
            max_price_change: Percent::whole(80),
            hold_zero_price: true,
            zero_missing: false,
            missing_after: 1,
            min_items: None,
            sentinels: Vec::new(),
            hold_same_factor: true,
            hold_shape: true,
            max_age: None,
            min_price: None,
            max_price: None,
        }
    }
}

/// One source of an integration: all of it, or what one section has for itself. Of several
/// locations each is a source of its own.
#[derive(Debug)]
pub struct Part {
    /// Its name in the memory of deliveries: empty for the integration's own source.
    pub key: String,
    /// The section that has this source for itself; `None`: the integration's own source.
    pub of: Option<Section>,
    /// The connector's settings, which several parts may share.
    pub settings: Arc<dyn Settings>,
    /// The sections that it feeds.
    pub sections: Vec<Section>,
    /// The places at the other side whose values it has.
    pub places: StorePlaces,
}

impl Part {
    /// Whether it has the values of a section.
    pub fn feeds(&self, section: Section, settings: &SectionSettings) -> bool {
        self.sections.contains(&section) && self.places.include(&settings.places)
    }
}

impl Integration {
    /// All sections that the config has, stock first, once for each location.
    pub fn all_sections(&self) -> impl Iterator<Item = (Section, &SectionSettings)> {
        let stock = self.stock.iter().map(|settings| (Section::Stock, settings));
        stock.chain(self.prices.iter().map(|settings| (Section::Prices, settings)))
    }

    /// The sections with this direction.
    pub fn sections(
        &self,
        direction: Direction,
    ) -> impl Iterator<Item = (Section, &SectionSettings)> {
        self.all_sections().filter(move |(_, settings)| settings.direction == direction)
    }
}

impl Config {
    /// The path of the inventory's file.
    pub fn inventory_path(&self) -> Result<PathBuf, TextError> {
        Ok(self.folder.join(self.inventory.path.resolve(&self.folder)?.expose()))
    }

    /// The path of the CSV that a new inventory starts with, if there is one.
    pub fn seed_path(&self) -> Result<Option<PathBuf>, TextError> {
        let Some(seed) = &self.inventory.seed else { return Ok(None) };
        Ok(Some(self.folder.join(seed.resolve(&self.folder)?.expose())))
    }

    /// The integration of this name.
    pub fn integration(&self, name: &str) -> Option<&Integration> {
        self.integrations.iter().find(|integration| integration.name == name)
    }

    /// The declared price group of this key.
    pub fn price_group(&self, key: &str) -> Option<&Place> {
        self.price_groups.iter().find(|place| place.key == key)
    }

    /// The declared warehouse of this key.
    pub fn warehouse(&self, key: &str) -> Option<&Place> {
        self.warehouses.iter().find(|place| place.key == key)
    }
}

/// Reports a name that is more than letters, digits, `_` and `-`.
fn check_name(table: &Table<'_>, line: u64, key: &str, name: &str) {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if name.is_empty() || !name.chars().all(good) {
        let message = format!(
            "`{key}` is not a valid name: use only letters (a to z, A to Z), digits, `_` and `-`"
        );
        table.problems().error(line, message);
    }
}
