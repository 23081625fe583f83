//! Numbers and dates of cells, as the texts that a mapping reads.

use std::fmt::Write;

use jiff::ToSpan as _;
use jiff::civil::{DateTime, date};

use super::sheet::Kind;

/// Above this a binary number has no place for every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Adds a stored number as its shortest exact decimal, without exponent; what is none as it is.
pub(super) fn add(stored: &str, to: &mut String) -> Kind {
    let as_it_is = |to: &mut String, kind| {
        to.push_str(stored);
        kind
    };
    match stored.trim().parse::<f64>() {
        Ok(number) if !number.is_finite() => as_it_is(to, Kind::Unreadable),
        Ok(number) if number.abs() > EXACT => as_it_is(to, Kind::Inexact),
        Ok(number) => {
            // There is no negative zero to tell.
            let number = if number == 0.0 { 0.0 } else { number };
            // Writing to a String cannot fail.
            let _ = write!(to, "{number}");
            Kind::Number
        }
        Err(_) => as_it_is(to, Kind::Unreadable),
    }
}

/// Adds a stored number that is shown as a date, a time or both.
pub(super) fn add_date(stored: &str, counts_from_1904: bool, to: &mut String) -> Kind {
    let Some(shown) = stored.trim().parse().ok().and_then(|days| moment(days, counts_from_1904))
    else {
        to.push_str(stored);
        return Kind::Unreadable;
    };
    to.push_str(&shown);
    Kind::Text
}

fn moment(days: f64, counts_from_1904: bool) -> Option<String> {
    const SECONDS: f64 = 86_400.0;
    if !(0.0..3_000_000.0).contains(&days) {
        return None;
    }
    let first = if counts_from_1904 { date(1904, 1, 1) } else { date(1899, 12, 30) };
    // Within the range above both fit.
    let seconds = (days * SECONDS).round() as i64;
    let moment: DateTime = first.at(0, 0, 0, 0).checked_add(seconds.seconds()).ok()?;
    Some(match (days < 1.0, seconds % SECONDS as i64 == 0) {
        (true, _) => moment.time().to_string(),
        (false, true) => moment.date().to_string(),
        (false, false) => moment.to_string(),
    })
}

/// Whether a number format shows a date or time.
pub(super) fn is_date_format(code: &str) -> bool {
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                chars.by_ref().find(|c| *c == '"');
            }
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                // `[h]` counts hours; `[Red]`, `[$-407]`, `[>5]` say how to show.
                let is_time = |c: char| matches!(c.to_ascii_lowercase(), 'h' | 'm' | 's');
                if !inside.is_empty() && inside.chars().all(is_time) {
                    return true;
                }
            }
            // Formats of positive numbers come first and decide.
            ';' => return false,
            'd' | 'm' | 'y' | 'h' | 's' | 'D' | 'M' | 'Y' | 'H' | 'S' => return true,
            _ => {}
        }
    }
    false
}

/// Whether a number format that every file has shows a date or time.
pub(super) fn is_built_in_date_format(id: u64) -> bool {
    matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(stored: &str) -> String {
        let mut text = String::new();
        match add(stored, &mut text) {
            Kind::Number => text,
            kind => format!("{kind:?}"),
        }
    }

    #[test]
    fn a_number_is_its_shortest_exact_decimal_without_exponent() {
        assert_eq!(number("10.5"), "10.5");
        assert_eq!(number("0.10000000000000001"), "0.1");
        assert_eq!(number("4.006381333931E12"), "4006381333931");
        assert_eq!(number("1E-3"), "0.001");
        assert_eq!(number("7.0"), "7");
        assert_eq!(number("-0"), "0");
        assert_eq!(number("9007199254740991"), "9007199254740991");
        assert_eq!(number("12345678901234567890"), "Inexact");
        for text in ["inf", "NaN", "", "12,5", "x"] {
            assert_eq!(number(text), "Unreadable", "{text}");
        }
    }

    #[test]
    fn dates_are_written_the_same_everywhere() {
        let shown = |days: f64, counts_from_1904| moment(days, counts_from_1904).unwrap();
        assert_eq!(shown(46_053.0, false), "2026-01-31");
        assert_eq!(shown(44_591.0, true), "2026-01-31");
        assert_eq!(shown(46_053.520_833_333_336, false), "2026-01-31T12:30:00");
        assert_eq!(shown(0.75, false), "18:00:00");
        assert_eq!(moment(-1.0, false), None);
        assert_eq!(moment(1e300, false), None);
    }

    #[test]
    fn formats_of_dates_are_told_from_those_of_money() {
        for code in ["yyyy-mm-dd", "d.m.", "[h]:mm", "[$-407]d/m/yyyy;@", "hh:mm AM/PM"] {
            assert!(is_date_format(code), "{code}");
        }
        for code in
            ["General", "0.00", "#,##0.00\\ \"szt. dom\"", "[Red]0.00", "_d0", "0;\"yes\"", "@", ""]
        {
            assert!(!is_date_format(code), "{code}");
        }
    }
}
