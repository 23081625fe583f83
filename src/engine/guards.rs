//! Limits that stop or hold back what looks wrong before anything is written. No I/O.

use super::plan::{SectionPlan, Stats};
use crate::config::GuardSettings;
use crate::inventory::{Memory, ProductSet};
use crate::model::{Decimal, Guard, GuardVerdict, Percent, Section};

/// From how many values up the percentages apply, so that a small shop can change all it has.
const APPLIES_FROM: u64 = 20;

/// The guards of one section, and what `--allow` let pass.
pub(super) struct Limits<'a> {
    pub settings: &'a GuardSettings,
    pub allow: &'a [Guard],
}

/// The most that price guards found in a section.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PriceVerdict {
    /// By how much, of what.
    largest: Option<(i128, i128)>,
    lowest: Option<Decimal>,
}

impl PriceVerdict {
    /// The guards that struck, each with what it found.
    pub(super) fn actuals(&self) -> Vec<(Guard, String)> {
        let change = self
            .largest
            .map(|(part, whole)| (Guard::MaxPriceChange, Percent::show_share(part, whole)));
        let price = self.lowest.map(|price| (Guard::ZeroPrice, price.to_string()));
        change.into_iter().chain(price).collect()
    }
}

impl Limits<'_> {
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
        if self.settings.hold_zero_price && after.is_zero_or_less() {
            found.lowest = Some(found.lowest.map_or(after, |lowest| lowest.min(after)));
            if !self.allows(Guard::ZeroPrice) {
                let why = format!(
                    "a price of {after} is held back (zero_price). Accept it with --allow \
                     zero_price"
                );
                return Some((Guard::ZeroPrice, why));
            }
        }
        let before = before.filter(|price| *price > Decimal::ZERO)?;
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
        plan.stopped |= verdicts.iter().any(|verdict| !verdict.allowed);
        for (guard, actual) in &plan.held {
            verdicts.push(GuardVerdict {
                guard: guard.word().to_owned(),
                section: Some(plan.section.word().to_owned()),
                limit: match guard {
                    Guard::MaxPriceChange => settings.max_price_change.to_string(),
                    _ => "hold".to_owned(),
                },
                actual: actual.clone(),
                allowed: self.allows(*guard),
            });
        }
        verdicts
    }

    /// Whether a complete delivery lacks too many of the linked items that the last one had.
    pub(super) fn judge_missing(&self, last: &Memory, seen: &ProductSet) -> Option<GuardVerdict> {
        let limit = self.settings.max_missing;
        let whole = last.seen.len();
        let part = last.seen.without(seen).len();
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
