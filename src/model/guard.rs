//! Guards: limits that stop or hold back what looks wrong before anything is written.

use std::fmt;

use serde::Serialize;

/// The named guards; the names are the config keys and the values of `--allow`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Of linked items that already had a value: how many change. Stops the section.
    MaxChanged,
    /// Of linked items with stock: how many would drop to 0. Stops the section.
    MaxZeroed,
    /// Of linked items whose value was known in the last delivery: how many are unknown now.
    MaxUnknown,
    /// Of linked items of the last complete delivery: how many this one lacks. Stops all sections.
    MaxMissing,
    /// Of one price, up or down. Holds that price back.
    MaxPriceChange,
    /// A price of 0 or less. Holds that price back.
    ZeroPrice,
    /// The store's value is not the one last confirmed there, with `on_drift = "hold"`.
    OnDrift,
    /// A complete delivery holds fewer items than this. Stops all sections.
    MinItems,
    /// Items that a complete delivery must hold. Stops all sections.
    Sentinels,
    /// More than half of the changed prices moved by one and the same factor. Stops the section.
    SameFactor,
    /// The source lacks a path or a line end that its last delivery had. Stops all sections.
    Shape,
    /// A delivery older than this. Stops all sections.
    MaxAge,
    /// A price below this. Holds that price back.
    MinPrice,
    /// A price above this. Holds that price back.
    MaxPrice,
    /// A price that would make the store end a running sale by itself. Holds that price back.
    WouldEndSale,
}

impl Guard {
    /// All guards.
    pub const ALL: [Guard; 15] = [
        Guard::MaxChanged,
        Guard::MaxZeroed,
        Guard::MaxUnknown,
        Guard::MaxMissing,
        Guard::MaxPriceChange,
        Guard::ZeroPrice,
        Guard::OnDrift,
        Guard::MinItems,
        Guard::Sentinels,
        Guard::SameFactor,
        Guard::Shape,
        Guard::MaxAge,
        Guard::MinPrice,
        Guard::MaxPrice,
        Guard::WouldEndSale,
    ];

    /// The name in the config and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Guard::MaxChanged => "max_changed",
            Guard::MaxZeroed => "max_zeroed",
            Guard::MaxUnknown => "max_unknown",
            Guard::MaxMissing => "max_missing",
            Guard::MaxPriceChange => "max_price_change",
            Guard::ZeroPrice => "zero_price",
            Guard::OnDrift => "on_drift",
            Guard::MinItems => "min_items",
            Guard::Sentinels => "sentinels",
            Guard::SameFactor => "same_factor",
            Guard::Shape => "shape",
            Guard::MaxAge => "max_age",
            Guard::MinPrice => "min_price",
            Guard::MaxPrice => "max_price",
            Guard::WouldEndSale => "would_end_sale",
        }
    }

    /// The guard of a name.
    pub fn from_word(word: &str) -> Option<Guard> {
        Guard::ALL.into_iter().find(|guard| guard.word() == word)
    }

    /// Whether it stops a whole section, not a single value.
    pub fn stops_section(self) -> bool {
        !matches!(
            self,
            Guard::MaxPriceChange
                | Guard::ZeroPrice
                | Guard::OnDrift
                | Guard::MinPrice
                | Guard::MaxPrice
                | Guard::WouldEndSale
        )
    }
}

/// A share, exact to a millionth of a percent; its text ends with `%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    /// Millionths of a percent.
    micros: i64,
}

impl Percent {
    /// From a decimal number of percent.
    pub fn from_decimal(percent: super::Decimal) -> Percent {
        Percent { micros: percent.micros() }
    }

    /// A whole number of percent.
    pub const fn whole(percent: i64) -> Percent {
        Percent { micros: percent * 1_000_000 }
    }

    /// Whether `part` of `whole` is more than this share; exactly at the limit is not.
    pub fn is_exceeded_by(self, part: i128, whole: i128) -> bool {
        part * 100_000_000 > i128::from(self.micros) * whole
    }

    /// The share that `part` is of `whole`, as text with at most two decimals.
    pub fn show_share(part: i128, whole: i128) -> String {
        if whole == 0 {
            return "0%".to_owned();
        }
        let hundredths = (part * 10_000 + whole / 2) / whole;
        let text = match super::Decimal::from_scaled(hundredths, 2) {
            Ok(share) => share.to_string(),
            Err(_) => "999999999999".to_owned(),
        };
        format!("{text}%")
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match super::Decimal::from_micros(self.micros) {
            Some(share) => write!(f, "{share}%"),
            None => f.write_str("?%"),
        }
    }
}

/// A guard that struck, or that was allowed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct GuardVerdict {
    /// The guard's name.
    pub guard: String,
    /// The section; `None` where it stops every section that the delivery feeds.
    pub section: Option<String>,
    /// The limit as the config has it.
    pub limit: String,
    /// What was found; for `max_price_change` the largest.
    pub actual: String,
    /// Whether `--allow` let it pass.
    pub allowed: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_at_the_limit_passes() {
        let half = Percent::whole(50);
        assert!(!half.is_exceeded_by(10, 20));
        assert!(half.is_exceeded_by(11, 20));
        assert_eq!(Percent::show_share(11, 20), "55%");
        assert_eq!(Percent::show_share(1, 3), "33.33%");
        assert_eq!(half.to_string(), "50%");
    }
}
