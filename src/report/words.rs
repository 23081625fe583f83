//! How counts, times and values read in tables.

use crate::model::{ChangeRow, Timestamp, Value};

/// What stands for an unknown value.
pub(super) const UNKNOWN: &str = "–";

/// A count with its thousands apart: `2,104`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The time between two moments: `0.8 s`, `2 min 5 s`, `1 h 2 min`.
pub(super) fn elapsed(from: Timestamp, to: Timestamp) -> String {
    let ms = to.unix_ms.saturating_sub(from.unix_ms).max(0);
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds}.{} s", ms % 1000 / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// A side of a change; of a price with the currency's usual decimals.
pub(super) fn value(change: &ChangeRow<'_>, value: &Value<'_>) -> String {
    value.text(change.currency).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// What a change adds or takes away, with its sign; nothing where a side is unknown.
pub(super) fn difference(change: &ChangeRow<'_>) -> String {
    let sides = change.before.number().zip(change.after.number());
    let Some(difference) = sides.and_then(|(before, after)| after.checked_sub(before)) else {
        return String::new();
    };
    let sign = if difference.micros() > 0 { "+" } else { "" };
    let text = Value::Number(difference).text(change.currency).unwrap_or_default();
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_have_their_thousands_apart() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn times_read_well() {
        let show =
            |ms: i64| elapsed(Timestamp { unix_ms: 1_000 }, Timestamp { unix_ms: 1_000 + ms });
        assert_eq!([0, 840, 59_999].map(show), ["0.0 s", "0.8 s", "59.9 s"]);
        assert_eq!([125_000, 3_725_000, -5].map(show), ["2 min 5 s", "1 h 2 min", "0.0 s"]);
    }
}
