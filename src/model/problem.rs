//! Problems: what is wrong with one row or item. Data of the report, not errors.

use std::borrow::Cow;

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
    /// Every kind.
    pub const ALL: [ProblemKind; 11] = [
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

    /// What a problem of this kind is, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            ProblemKind::Unlinked => "An item fits no product, or its link is only proposed.",
            ProblemKind::Ambiguous => "An item fits several products, or several items fit one.",
            ProblemKind::LinkConflict => "A linked item now carries the SKU of another product.",
            ProblemKind::DuplicateSku => "Rows with one id, or items of one product, differ.",
            ProblemKind::BrokenLink => "A linked item is gone at the integration.",
            ProblemKind::NotListed => "A product has a value to send, but no item.",
            ProblemKind::InvalidValue => "A value cannot be read or does not fit.",
            ProblemKind::CurrencyMismatch => {
                "A price is in another currency than its price group's."
            }
            ProblemKind::NotManaged => "The store keeps no stock for an item.",
            ProblemKind::ChangedElsewhere => "A store's value is not the one last confirmed there.",
            ProblemKind::Config => "Something in the config or in a links file.",
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
    /// The file of the line, where it is not what the integration delivered, or where that is known
    /// to be a local file: as messages name it.
    pub file: Option<String>,
    /// The line in the source, counted as an editor does.
    pub line: Option<u64>,
    /// What is wrong, what was left unchanged, and what to do.
    pub message: String,
    /// Why the config accepts it, if it does.
    pub accepted: Option<String>,
}

impl Problem {
    /// What it is about: `item 99 (X-1)`, `MUG-01`.
    pub fn subject(&self) -> Option<String> {
        match (&self.item_id, &self.sku) {
            (Some(item), Some(sku)) if item != sku => Some(format!("item {item} ({sku})")),
            (Some(item), None) => Some(format!("item {item}")),
            (_, Some(sku)) => Some(sku.clone()),
            (None, None) => None,
        }
    }

    /// The message, and whether the problem is accepted.
    pub fn words(&self) -> Cow<'_, str> {
        match &self.accepted {
            None => Cow::Borrowed(&self.message),
            Some(reason) => Cow::Owned(format!("{} (accepted: {reason})", self.message)),
        }
    }
}

/// A kind of problem that an integration's config accepts, of one item or product or of all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acceptance {
    /// The kind.
    pub kind: ProblemKind,
    /// Only of the item with this id.
    pub item_id: Option<String>,
    /// Only of what has this SKU.
    pub sku: Option<String>,
    /// Why.
    pub reason: String,
    /// The line in the config.
    pub line: u64,
}

impl Acceptance {
    /// Whether it covers a problem of this kind, item and SKU.
    pub fn covers(&self, kind: ProblemKind, item_id: Option<&str>, sku: Option<&str>) -> bool {
        let fits = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        self.kind == kind && fits(&self.item_id, item_id) && fits(&self.sku, sku)
    }
}

/// A problem as `check` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The problem.
    pub problem: Problem,
    /// How much it matters: what is doubtful in a config is no error.
    pub severity: Severity,
    /// The line of the config that it concerns; 0: the whole file.
    pub config_line: u64,
}
