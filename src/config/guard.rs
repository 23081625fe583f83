//! `[integrations.NAME.guard]` and `[integrations.NAME.SECTION.guard]`.

use super::GuardSettings;
use crate::model::Percent;
use crate::settings::Table;

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
        table.finish();
        GuardSettings {
            max_changed,
            max_zeroed,
            max_unknown,
            max_missing,
            max_price_change,
            hold_zero_price,
            zero_missing,
        }
    }
}
