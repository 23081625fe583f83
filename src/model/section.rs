//! Sections, directions and how a link came to be.

use serde::{Deserialize, Serialize};

/// One of the two things that an integration keeps right, each with a direction of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Section {
    /// Quantities, in a warehouse.
    Stock,
    /// Prices, in a price group.
    Prices,
    /// Links: only in the changes of link commands, never in the config.
    Links,
}

impl Section {
    /// The sections of an integration in the config, in the order in which they are shown.
    pub const ALL: [Section; 2] = [Section::Stock, Section::Prices];

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Section::Stock => "stock",
            Section::Prices => "prices",
            Section::Links => "links",
        }
    }

    /// The code in the inventory's tables.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The section of a code in the inventory's tables.
    pub fn from_code(code: i64) -> Option<Section> {
        [Section::Stock, Section::Prices, Section::Links].into_iter().find(|s| s.code() == code)
    }
}

/// Who is superior in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The integration is superior: its values overwrite the inventory's.
    Download,
    /// The inventory is superior: its values are sent to the store.
    Send,
    /// The section does nothing.
    Off,
}

/// What an item and a product are compared by to link them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkKey {
    /// Trimmed, case-sensitive text.
    Sku,
    /// A GTIN with a right check digit.
    Ean,
}

/// How a link was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkedBy {
    /// By equal SKUs.
    Sku,
    /// By equal GTINs.
    Ean,
    /// By `link set` or `link import`.
    Hand,
    /// Not a link: this item is never to be linked.
    Never,
}

impl LinkedBy {
    const ALL: [LinkedBy; 4] = [LinkedBy::Sku, LinkedBy::Ean, LinkedBy::Hand, LinkedBy::Never];

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            LinkedBy::Sku => "sku",
            LinkedBy::Ean => "ean",
            LinkedBy::Hand => "hand",
            LinkedBy::Never => "never",
        }
    }

    /// The code in the inventory's tables.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The value of a code in the inventory's tables.
    pub fn from_code(code: i64) -> Option<LinkedBy> {
        LinkedBy::ALL.into_iter().find(|l| l.code() == code)
    }
}

impl From<LinkKey> for LinkedBy {
    fn from(key: LinkKey) -> LinkedBy {
        match key {
            LinkKey::Sku => LinkedBy::Sku,
            LinkKey::Ean => LinkedBy::Ean,
        }
    }
}
