//! How counts, times and values read in tables.

use std::time::Duration;

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

/// A duration by its two largest units, as the config has it: `15m`, `1h30m`, `2d4h`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 86_400, 'd'), (seconds / 3_600 % 24, 'h'), (seconds / 60 % 60, 'm')];
    let parts = parts.into_iter().chain([(seconds % 60, 's')]);
    let parts: Vec<_> = parts.skip_while(|(number, _)| *number == 0).take(2).collect();
    let shown = parts.iter().filter(|(number, _)| *number > 0);
    let text: String = shown.map(|(number, unit)| format!("{number}{unit}")).collect();
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// A size in bytes: `512 bytes`, `1.4 MB`.
pub(super) fn bytes(size: u64) -> String {
    let units = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    match units.into_iter().find(|(unit, _)| size >= *unit) {
        Some((unit, word)) => format!("{}.{} {word}", size / unit, size % unit / (unit / 10)),
        None => format!("{size} bytes"),
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
    fn durations_and_sizes_read_well() {
        let show = |seconds| duration(Duration::from_secs(seconds));
        assert_eq!([0, 59, 900, 5_400, 86_400].map(show), ["0s", "59s", "15m", "1h30m", "1d"]);
        assert_eq!([725, 3_605, 187_200].map(show), ["12m5s", "1h", "2d4h"]);
        let sizes = [0, 999, 1_000, 1_449_999, 2_000_000_000].map(bytes);
        assert_eq!(sizes, ["0 bytes", "999 bytes", "1.0 kB", "1.4 MB", "2.0 GB"]);
    }

    #[test]
    fn times_read_well() {
        let show =
            |ms: i64| elapsed(Timestamp { unix_ms: 1_000 }, Timestamp { unix_ms: 1_000 + ms });
        assert_eq!([0, 840, 59_999].map(show), ["0.0 s", "0.8 s", "59.9 s"]);
        assert_eq!([125_000, 3_725_000, -5].map(show), ["2 min 5 s", "1 h 2 min", "0.0 s"]);
    }
}
