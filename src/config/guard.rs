//! `[integrations.NAME.guard]` and `[integrations.NAME.SECTION.guard]`.

use super::GuardSettings;
use crate::model::Percent;
use crate::settings::{Entry, Table};

impl GuardSettings {
    /// Reads the table; what it lacks, or has wrong, is as in `base`.
    pub(super) fn read(table: Option<Table<'_>>, base: &GuardSettings) -> GuardSettings {
        let Some(mut table) = table else { return base.clone() };
        let all = Some(Percent::whole(100));
        let mut percent = |key, max, base| table.percent(key, max).unwrap_or(base);
        let max_changed = percent("max_changed", all, base.max_changed);
        let max_zeroed = percent("max_zeroed", all, base.max_zeroed);
        let max_unknown = percent("max_unknown", all, base.max_unknown);
        let max_missing = percent("max_missing", all, base.max_missing);
        let max_price_change = percent("max_price_change", None, base.max_price_change);
        let hold_zero_price = table
            .choice("zero_price", &[("hold", true), ("allow", false)])
            .unwrap_or(base.hold_zero_price);
        let zero_missing = table
            .choice("missing", &[("keep", false), ("zero", true)])
            .unwrap_or(base.zero_missing);
        let missing_after = table.integer("missing_after", 1..1001).unwrap_or(base.missing_after);
        let min_items = table.integer("min_items", 1..u64::MAX).or(base.min_items);
        let sentinels = skus(&mut table).unwrap_or_else(|| base.sentinels.clone());
        let hold_same_factor = table
            .choice("same_factor", &[("hold", true), ("allow", false)])
            .unwrap_or(base.hold_same_factor);
        let hold_shape =
            table.choice("shape", &[("hold", true), ("allow", false)]).unwrap_or(base.hold_shape);
        let max_age = table.positive_duration("max_age").or(base.max_age);
        let mut price = |key| {
            let name = table.name_of(key);
            table.take(key).and_then(|entry| entry.decimal(&name))
        };
        let min_price = price("min_price").or(base.min_price);
        let max_price = price("max_price").or(base.max_price);
        table.finish();
        GuardSettings {
            max_changed,
            max_zeroed,
            max_unknown,
            max_missing,
            max_price_change,
            hold_zero_price,
            zero_missing,
            missing_after,
            min_items,
            sentinels,
            hold_same_factor,
            hold_shape,
            max_age,
            min_price,
            max_price,
        }
    }
}

/// `sentinels = ["SKU", …]`.
fn skus(table: &mut Table<'_>) -> Option<Vec<String>> {
    let name = table.name_of("sentinels");
    let entries = table.take("sentinels")?.array(&name)?;
    let sku = |entry: Entry<'_>| entry.string(&name).map(|(sku, _)| sku.trim().to_owned());
    entries.into_iter().map(sku).collect()
}
