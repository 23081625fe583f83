//! The places that a store has of its own: stock locations, price lists, regions, channels.

use serde::{Deserialize, Serialize};

use super::Section;

/// A kind of place at a store; its word is the key of the config.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StorePlaceKind {
    /// Where stock is kept.
    Location,
    /// A set of prices beside the usual ones.
    PriceList,
    /// Where customers live who see prices of their own.
    Region,
    /// Through which it is sold.
    Channel,
}

impl StorePlaceKind {
    /// All of them.
    pub const ALL: [StorePlaceKind; 4] = [
        StorePlaceKind::Location,
        StorePlaceKind::PriceList,
        StorePlaceKind::Region,
        StorePlaceKind::Channel,
    ];

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            StorePlaceKind::Location => "location",
            StorePlaceKind::PriceList => "price_list",
            StorePlaceKind::Region => "region",
            StorePlaceKind::Channel => "channel",
        }
    }

    /// For people: `price list`.
    pub fn shown(self) -> &'static str {
        match self {
            StorePlaceKind::PriceList => "price list",
            other => other.word(),
        }
    }

    /// The section that may name one.
    pub fn section(self) -> Section {
        match self {
            StorePlaceKind::Location => Section::Stock,
            _ => Section::Prices,
        }
    }
}

/// Which of a store's places are meant, by id or by name, as the config has them. Empty: the store
/// has one place only, or its usual ones are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorePlaces(Vec<(StorePlaceKind, String)>);

impl StorePlaces {
    /// Adds one, by its id or its name.
    pub fn add(&mut self, kind: StorePlaceKind, named: String) {
        self.0.push((kind, named));
    }

    /// The one of a kind.
    pub fn get(&self, kind: StorePlaceKind) -> Option<&str> {
        self.0.iter().find(|(own, _)| *own == kind).map(|(_, named)| named.as_str())
    }

    /// The stock location.
    pub fn location(&self) -> Option<&str> {
        self.get(StorePlaceKind::Location)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (StorePlaceKind, &str)> {
        self.0.iter().map(|(kind, named)| (*kind, named.as_str()))
    }

    /// Whether none is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether all of these are among them.
    pub fn include(&self, others: &StorePlaces) -> bool {
        others.0.iter().all(|other| self.0.contains(other))
    }

    /// Those of them that belong to a section.
    pub fn of(&self, section: Section) -> StorePlaces {
        let own = self.0.iter().filter(|(kind, _)| kind.section() == section);
        StorePlaces(own.cloned().collect())
    }

    /// As text, for the record; empty where none is named.
    pub fn to_text(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        // What is made of words and texts can always be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// From such a text; none where it is another.
    pub fn from_text(text: &str) -> StorePlaces {
        serde_json::from_str(text).map(StorePlaces).unwrap_or_default()
    }

    /// Adds all of these.
    pub fn extend(&mut self, others: &StorePlaces) {
        self.0.extend(others.0.iter().cloned());
    }
}
