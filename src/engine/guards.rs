//! Limits that stop or hold back what looks wrong before anything is written. No I/O.

use std::time::{Duration, SystemTime};

use rustc_hash::FxHashMap;

use super::plan::{SectionPlan, Stats};
use crate::config::{GuardSettings, SectionSettings};
use crate::inventory::{Memory, ProductSet};
use crate::model::{Decimal, Guard, GuardVerdict, Percent, Section};

/// From how many values up the percentages apply, so that a small shop can change all it has.
const APPLIES_FROM: u64 = 20;

/// A complete delivery as a whole.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    /// The rows that are items.
    pub items: u64,
    /// Whether it lacks the item of a SKU.
    pub lacks: &'a dyn Fn(&str) -> bool,
    /// What it may have, and whether it has it.
    pub shape: &'a [(String, bool)],
    /// What the last one held.
    pub last: Option<&'a Memory>,
    /// The products whose linked item it holds.
    pub seen: &'a ProductSet,
    /// The products that a kept link leads to.
    pub kept: &'a ProductSet,
}

/// Whether a delivery of this time is older than the config allows. What says no time is not.
pub(super) fn is_too_old(
    settings: &SectionSettings,
    modified: Option<SystemTime>,
    now: SystemTime,
) -> bool {
    let age = modified.and_then(|at| now.duration_since(at).ok());
    settings.guard.max_age.zip(age).is_some_and(|(limit, age)| age > limit)
}

/// A time as configs write it: `26h`, `1h30m`, `5d`; the two largest units, and days only where
/// there are several.
fn show_duration(duration: Duration) -> String {
    const SEVERAL_DAYS: u64 = 4 * 86_400;
    let mut rest = duration.as_secs();
    let mut parts = Vec::new();
    let has_days = rest >= SEVERAL_DAYS;
    for (seconds, unit) in [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')] {
        if rest >= seconds && (unit != 'd' || has_days) {
            parts.push(format!("{}{unit}", rest / seconds));
            rest %= seconds;
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0s".to_owned() } else { parts.concat() }
}

fn show_limit(price: Option<Decimal>) -> String {
    price.map_or_else(String::new, |price| price.to_string())
}

/// The guards of one section, and what `--allow` let pass.
pub(super) struct Limits<'a> {
    pub settings: &'a GuardSettings,
    pub allow: &'a [Guard],
}

/// The most that price guards found in a section.
#[derive(Clone, Debug, Default)]
pub(super) struct PriceVerdict {
    /// By how much, of what.
    largest: Option<(i128, i128)>,
    /// The lowest price that is 0 or less.
    zero: Option<Decimal>,
    /// The lowest price below `min_price`.
    lowest: Option<Decimal>,
    /// The highest price above `max_price`.
    highest: Option<Decimal>,
    /// How many prices moved by each factor, to four digits.
    factors: FxHashMap<u64, u64>,
}

impl PriceVerdict {
    /// The guards that struck, each with what it found.
    pub(super) fn actuals(&self) -> Vec<(Guard, String)> {
        let change = self
            .largest
            .map(|(part, whole)| (Guard::MaxPriceChange, Percent::show_share(part, whole)));
        let price = |guard, price: Option<Decimal>| price.map(|price| (guard, price.to_string()));
        change
            .into_iter()
            .chain(price(Guard::ZeroPrice, self.zero))
            .chain(price(Guard::MinPrice, self.lowest))
            .chain(price(Guard::MaxPrice, self.highest))
            .collect()
    }

    /// Takes note of the factor by which a price moves.
    fn count_factor(&mut self, before: Decimal, after: Decimal) {
        if after > Decimal::ZERO {
            *self.factors.entry(four_digits(after, before)).or_default() += 1;
        }
    }

    /// The factor by which more than half of enough prices moved. Prices that moved by less than
    /// four digits show, by a cent perhaps, have no factor that says anything.
    pub(super) fn same_factor(&self) -> Option<String> {
        let all: u64 = self.factors.values().sum();
        let one = four_digits(Decimal::ONE, Decimal::ONE);
        let factors = self.factors.iter().filter(|(factor, _)| **factor != one);
        let (factor, count) = factors.max_by_key(|(_, count)| **count)?;
        (all >= APPLIES_FROM && count * 2 > all).then(|| show_factor(*factor))
    }
}

/// The ratio of two positive decimals to four significant digits: digits × 256 + exponent + 128.
fn four_digits(part: Decimal, whole: Decimal) -> u64 {
    let (mut part, mut whole) = (i128::from(part.micros()), i128::from(whole.micros()));
    let mut exponent: i32 = 0;
    while part < whole * 1000 {
        part *= 10;
        exponent -= 1;
    }
    while part >= whole * 10_000 {
        whole *= 10;
        exponent += 1;
    }
    let mut digits = (part * 2 + whole) / (whole * 2);
    if digits >= 10_000 {
        digits /= 10;
        exponent += 1;
    }
    let exponent = u64::try_from(exponent + 128).unwrap_or_default();
    u64::try_from(digits).unwrap_or_default() * 256 + exponent
}

fn show_factor(factor: u64) -> String {
    let (digits, exponent) = (factor / 256, factor % 256);
    let exponent = i32::try_from(exponent).unwrap_or_default() - 128;
    let scale = u32::try_from(-exponent).unwrap_or_default();
    let digits = i128::from(digits) * 10_i128.pow(u32::try_from(exponent).unwrap_or_default());
    match Decimal::from_scaled(digits, scale) {
        Ok(factor) => format!("× {factor}"),
        Err(_) => format!("× {digits}e-{scale}"),
    }
}

impl Limits<'_> {
    /// Whether a delivery of this time is too old.
    pub(super) fn judge_age(
        &self,
        settings: &SectionSettings,
        modified: Option<SystemTime>,
        now: SystemTime,
    ) -> Option<GuardVerdict> {
        let age = now.duration_since(modified?).ok()?;
        let limit = settings.guard.max_age?;
        is_too_old(settings, modified, now).then(|| GuardVerdict {
            guard: Guard::MaxAge.word().to_owned(),
            section: None,
            limit: show_duration(limit),
            actual: show_duration(age),
            allowed: self.allows(Guard::MaxAge),
        })
    }

    fn allows(&self, guard: Guard) -> bool {
        self.allow.contains(&guard)
    }

    /// Whether a price must be held back, by which guard and why. `found` learns what struck, also
    /// where it was allowed.
    pub(super) fn judge_price(
        &self,
        before: Option<Decimal>,
        after: Decimal,
        found: &mut PriceVerdict,
    ) -> Option<(Guard, String)> {
        let before = before.filter(|price| *price > Decimal::ZERO);
        if let Some(before) = before {
            found.count_factor(before, after);
        }
        let held = self.judge_level(after, found);
        // Who lets a price of 0 pass lets the change to it pass, which is always the whole price.
        if held.is_some() || after.is_zero_or_less() {
            return held;
        }
        self.judge_change(before?, after, found)
    }

    /// Prices of 0 or less, below the lowest and above the highest allowed.
    fn judge_level(&self, after: Decimal, found: &mut PriceVerdict) -> Option<(Guard, String)> {
        let PriceVerdict { zero, lowest, highest, .. } = found;
        let settings = self.settings;
        let limits = [
            (Guard::ZeroPrice, settings.hold_zero_price && after.is_zero_or_less(), zero),
            (Guard::MinPrice, settings.min_price.is_some_and(|least| after < least), lowest),
            (Guard::MaxPrice, settings.max_price.is_some_and(|most| after > most), highest),
        ];
        let mut held = None;
        for (guard, strikes, worst) in limits {
            if !strikes {
                continue;
            }
            *worst = Some(match (*worst, guard) {
                (None, _) => after,
                (Some(worst), Guard::MaxPrice) => worst.max(after),
                (Some(worst), _) => worst.min(after),
            });
            if held.is_none() && !self.allows(guard) {
                let word = guard.word();
                let why = format!(
                    "a price of {after} is held back ({word}). Accept it with --allow {word}"
                );
                held = Some((guard, why));
            }
        }
        held
    }

    /// Changes that are too large.
    fn judge_change(
        &self,
        before: Decimal,
        after: Decimal,
        found: &mut PriceVerdict,
    ) -> Option<(Guard, String)> {
        let whole = i128::from(before.micros());
        let part = (i128::from(after.micros()) - whole).abs();
        if !self.settings.max_price_change.is_exceeded_by(part, whole) {
            return None;
        }
        found.largest = Some(match found.largest {
            Some((p, w)) if p * whole >= part * w => (p, w),
            _ => (part, whole),
        });
        if self.allows(Guard::MaxPriceChange) {
            return None;
        }
        let why = format!(
            "a change by {} is held back (max_price_change {}). Accept it with --allow \
             max_price_change",
            Percent::show_share(part, whole),
            self.settings.max_price_change
        );
        Some((Guard::MaxPriceChange, why))
    }

    /// The guards that strike on a section's values, and those that were allowed to pass. Stops
    /// the section where one struck.
    pub(super) fn judge_section(&self, plan: &mut SectionPlan, pull: bool) -> Vec<GuardVerdict> {
        let Stats { had_value, changed, with_stock, zeroed, was_known, now_unknown } = plan.stats;
        let settings = self.settings;
        let mut verdicts = Vec::new();
        let mut percent = |guard, limit: Percent, part: u64, whole: u64| {
            if whole >= APPLIES_FROM && limit.is_exceeded_by(part.into(), whole.into()) {
                verdicts.push(GuardVerdict {
                    guard: Guard::word(guard).to_owned(),
                    section: Some(plan.section.word().to_owned()),
                    limit: limit.to_string(),
                    actual: Percent::show_share(part.into(), whole.into()),
                    allowed: self.allows(guard),
                });
            }
        };
        percent(Guard::MaxChanged, settings.max_changed, changed, had_value);
        if plan.section == Section::Stock {
            percent(Guard::MaxZeroed, settings.max_zeroed, zeroed, with_stock);
        }
        if pull {
            percent(Guard::MaxUnknown, settings.max_unknown, now_unknown, was_known);
        }
        if let Some(factor) = plan.same_factor.clone().filter(|_| settings.hold_same_factor) {
            verdicts.push(GuardVerdict {
                guard: Guard::SameFactor.word().to_owned(),
                section: Some(plan.section.word().to_owned()),
                limit: "hold".to_owned(),
                actual: factor,
                allowed: self.allows(Guard::SameFactor),
            });
        }
        plan.stopped |= verdicts.iter().any(|verdict| !verdict.allowed);
        for (guard, actual) in &plan.held {
            verdicts.push(GuardVerdict {
                guard: guard.word().to_owned(),
                section: Some(plan.section.word().to_owned()),
                limit: match guard {
                    Guard::MaxPriceChange => settings.max_price_change.to_string(),
                    Guard::MinPrice => show_limit(settings.min_price),
                    Guard::MaxPrice => show_limit(settings.max_price),
                    _ => "hold".to_owned(),
                },
                actual: actual.clone(),
                allowed: self.allows(*guard),
            });
        }
        verdicts
    }

    /// What is wrong with a complete delivery as a whole.
    pub(super) fn judge_delivery(&self, whole: &Whole<'_>) -> Vec<GuardVerdict> {
        let Whole { items, lacks, shape, last, seen, kept } = *whole;
        let verdict = |guard: Guard, limit: String, actual: String| GuardVerdict {
            guard: guard.word().to_owned(),
            section: None,
            limit,
            actual,
            allowed: self.allows(guard),
        };
        let too_few = self
            .settings
            .min_items
            .filter(|least| items < *least)
            .map(|least| verdict(Guard::MinItems, least.to_string(), items.to_string()));
        let lacking: Vec<&str> =
            self.settings.sentinels.iter().map(String::as_str).filter(|sku| lacks(sku)).collect();
        let lacking = (!lacking.is_empty()).then(|| {
            let all = self.settings.sentinels.join(", ");
            verdict(Guard::Sentinels, all, format!("without {}", lacking.join(", ")))
        });
        let gone: Vec<&str> = shape
            .iter()
            .filter(|(part, is_there)| {
                !is_there && last.is_some_and(|last| last.shape.contains(part))
            })
            .map(|(part, _)| part.as_str())
            .collect();
        let gone = (self.settings.hold_shape && !gone.is_empty()).then(|| {
            verdict(Guard::Shape, "hold".to_owned(), format!("without {}", gone.join(", ")))
        });
        let missing = last.and_then(|last| self.judge_missing(&last.seen.within(kept), seen));
        too_few.into_iter().chain(lacking).chain(gone).chain(missing).collect()
    }

    /// Whether a complete delivery lacks too many of the linked items that the last one had.
    fn judge_missing(&self, last: &ProductSet, seen: &ProductSet) -> Option<GuardVerdict> {
        let limit = self.settings.max_missing;
        let whole = last.len();
        let part = last.without(seen).len();
        let none_left = whole > 0 && part == whole;
        let is_off = limit >= Percent::whole(100);
        let applies = !is_off && (whole >= APPLIES_FROM || none_left);
        (applies && limit.is_exceeded_by(part.into(), whole.into())).then(|| GuardVerdict {
            guard: Guard::MaxMissing.word().to_owned(),
            section: None,
            limit: limit.to_string(),
            actual: Percent::show_share(part.into(), whole.into()),
            allowed: self.allows(Guard::MaxMissing),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn one_factor_for_most_prices_is_seen_whatever_its_size() {
        for (factor, shown) in [(123, "× 1.23"), (10_000, "× 100"), (1, "× 0.01")] {
            let mut found = PriceVerdict::default();
            for price in 1_000..1_020_i128 {
                let before = Decimal::from_scaled(price, 0).unwrap();
                found.count_factor(before, Decimal::from_scaled(price * factor, 2).unwrap());
            }
            assert_eq!(found.same_factor().as_deref(), Some(shown));
        }
    }

    #[test]
    fn prices_that_move_by_a_cent_have_no_factor() {
        let mut found = PriceVerdict::default();
        for price in 1_000_000..1_000_100_i128 {
            let before = Decimal::from_scaled(price, 2).unwrap();
            found.count_factor(before, Decimal::from_scaled(price + 1, 2).unwrap());
        }
        assert_eq!(found.same_factor(), None);
    }

    #[test]
    fn half_of_the_prices_or_fewer_than_twenty_are_no_factor() {
        let mut found = PriceVerdict::default();
        for price in 1..=19 {
            found.count_factor(Decimal::ONE, decimal("2"));
            assert_eq!(found.same_factor(), None, "{price}");
        }
        for price in 3..22 {
            found.count_factor(Decimal::ONE, Decimal::from_scaled(price, 0).unwrap());
        }
        assert_eq!(found.same_factor(), None);
        found.count_factor(Decimal::ONE, decimal("2"));
        assert_eq!(found.same_factor().as_deref(), Some("× 2"));
    }
}
