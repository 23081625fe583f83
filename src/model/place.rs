//! Warehouses and price groups, as the config declares them.

use super::Currency;

/// A declared warehouse or price group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The key: letters, digits, `_`, `-`.
    pub key: String,
    /// The display name.
    pub name: String,
    /// The key that it had before.
    pub renamed_from: Option<String>,
    /// The currency; `None` for warehouses.
    pub currency: Option<Currency>,
    /// The line in the config.
    pub line: u64,
}
