//! One changed value, as a report shows it.

use serde::Serialize;

use super::{Currency, Decimal, Section};

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatus {
    /// Written, and confirmed where there is somebody to confirm it.
    Applied,
    /// Not written: a dry run, or its section was stopped.
    Planned,
    /// A guard held this one value back.
    HeldBack,
    /// The other side said no.
    Refused,
    /// It changed meanwhile.
    Skipped,
    /// Sent, and no answer came.
    Uncertain,
    /// Journalled, about to be sent. Only in the inventory, for the time of a batch; a run that
    /// ended shows it as uncertain.
    Sending,
}

impl ChangeStatus {
    const ALL: [ChangeStatus; 7] = [
        ChangeStatus::Applied,
        ChangeStatus::Planned,
        ChangeStatus::HeldBack,
        ChangeStatus::Refused,
        ChangeStatus::Skipped,
        ChangeStatus::Uncertain,
        ChangeStatus::Sending,
    ];

    /// The word of the contract; a change that is still being sent is uncertain to everyone else.
    pub fn word(self) -> &'static str {
        match self {
            ChangeStatus::Applied => "applied",
            ChangeStatus::Planned => "planned",
            ChangeStatus::HeldBack => "held_back",
            ChangeStatus::Refused => "refused",
            ChangeStatus::Skipped => "skipped",
            ChangeStatus::Uncertain | ChangeStatus::Sending => "uncertain",
        }
    }

    /// The code in the inventory's tables.
    pub fn code(self) -> i64 {
        self as i64
    }

    /// The status of a code in the inventory's tables.
    pub fn from_code(code: i64) -> Option<ChangeStatus> {
        ChangeStatus::ALL.into_iter().find(|s| s.code() == code)
    }
}

/// One change with all its texts, lent to a report while it streams by.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRow<'a> {
    /// The section.
    pub section: Section,
    /// The item's id at the integration; `None` for the inventory's own commands.
    pub item_id: Option<&'a str>,
    /// The product's SKU; `None` for an item that is never to be linked.
    pub sku: Option<&'a str>,
    /// The product's name.
    pub name: Option<&'a str>,
    /// The key of the warehouse or price group; `None` for links.
    pub place: Option<&'a str>,
    /// The stock location at the store, as the config names it; `None` where it names none.
    pub location: Option<&'a str>,
    /// The price group's currency; `None` but for prices.
    pub currency: Option<Currency>,
    /// The value before: of a push the value at the store.
    pub before: Value<'a>,
    /// The value after.
    pub after: Value<'a>,
    /// What became of it.
    pub status: ChangeStatus,
    /// Why, where there is something to say.
    pub message: Option<&'a str>,
}

/// A side of a change: a quantity or price, or, for links, a SKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Unknown, or no link.
    None,
    /// A quantity or a price.
    Number(Decimal),
    /// The SKU of a linked product.
    Sku(&'a str),
}

impl From<Option<Decimal>> for Value<'_> {
    fn from(value: Option<Decimal>) -> Self {
        value.map_or(Value::None, Value::Number)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Value::None, Value::Sku)
    }
}

impl Value<'_> {
    /// The number, where it is one.
    pub fn number(&self) -> Option<Decimal> {
        match self {
            Value::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The text of the contract: quantities without trailing zeros, prices with the currency's
    /// usual decimals, `None` where unknown.
    pub fn text(&self, currency: Option<Currency>) -> Option<String> {
        match self {
            Value::None => None,
            Value::Number(value) => {
                Some(value.with_decimals(currency.map_or(0, Currency::decimals)).to_string())
            }
            Value::Sku(sku) => Some((*sku).to_owned()),
        }
    }
}
