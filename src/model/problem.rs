//! Problems: what is wrong with one row or item. Data of the report, not errors.

use serde::Serialize;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Warning,
    /// `check` exits 5 on it.
    Error,
}

impl Severity {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemKind {
    /// The item fits no product.
    Unlinked,
    /// The item fits several products, or several items fit one product.
    Ambiguous,
    /// A link made by SKU whose item now carries the SKU of another product.
    LinkConflict,
    /// Rows with one id whose values differ.
    DuplicateSku,
    /// The linked item is gone.
    BrokenLink,
    /// A product with a value to send, without an item.
    NotListed,
    /// A value that cannot be read or does not fit.
    InvalidValue,
    /// A price in another currency than the price group's.
    CurrencyMismatch,
    /// The store keeps no stock for this item.
    NotManaged,
    /// The store's value is not the one last confirmed there.
    ChangedElsewhere,
    /// Something in the config.
    Config,
}

impl ProblemKind {
    const ALL: [ProblemKind; 11] = [
        ProblemKind::Unlinked,
        ProblemKind::Ambiguous,
        ProblemKind::LinkConflict,
        ProblemKind::DuplicateSku,
        ProblemKind::BrokenLink,
        ProblemKind::NotListed,
        ProblemKind::InvalidValue,
        ProblemKind::CurrencyMismatch,
        ProblemKind::NotManaged,
        ProblemKind::ChangedElsewhere,
        ProblemKind::Config,
    ];

    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            ProblemKind::Unlinked => "unlinked",
            ProblemKind::Ambiguous => "ambiguous",
            ProblemKind::LinkConflict => "link_conflict",
            ProblemKind::DuplicateSku => "duplicate_sku",
            ProblemKind::BrokenLink => "broken_link",
            ProblemKind::NotListed => "not_listed",
            ProblemKind::InvalidValue => "invalid_value",
            ProblemKind::CurrencyMismatch => "currency_mismatch",
            ProblemKind::NotManaged => "not_managed",
            ProblemKind::ChangedElsewhere => "changed_elsewhere",
            ProblemKind::Config => "config",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<ProblemKind> {
        ProblemKind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The severity of every problem of this kind.
    pub fn severity(self) -> Severity {
        match self {
            ProblemKind::Unlinked
            | ProblemKind::NotListed
            | ProblemKind::NotManaged
            | ProblemKind::ChangedElsewhere => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether a pull or push that met it exits 3. Unlinked and ambiguous items are reported,
    /// not an error; a broken link matters to a push alone, which decides it itself.
    pub fn makes_partial(self) -> bool {
        matches!(
            self,
            ProblemKind::InvalidValue
                | ProblemKind::DuplicateSku
                | ProblemKind::CurrencyMismatch
                | ProblemKind::LinkConflict
                | ProblemKind::BrokenLink
                | ProblemKind::Config
        )
    }
}

/// One thing that is wrong with one row or item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub kind: ProblemKind,
    /// The item's id, where it has one.
    pub item_id: Option<String>,
    /// The item's or product's SKU.
    pub sku: Option<String>,
    /// The line in the source, counted as an editor does.
    pub line: Option<u64>,
    /// What is wrong, what was left unchanged, and what to do.
    pub message: String,
}
