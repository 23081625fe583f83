//! Durations: `30s`, `15m`, `4h`, `1d`, `1h30m`.

use std::time::Duration;

const WANTED: &str = "must be a duration such as \"30s\", \"15m\", \"4h\", \"1d\" or \"1h30m\"";
const TOO_LONG: &str = "must be at most \"36500d\"";

/// A hundred years: far enough from where adding it to a time would overflow.
const MAX_SECONDS: u64 = 36_500 * 86_400;

/// Reads whole numbers with the units `s`, `m`, `h`, `d`, the larger ones first.
///
/// The error says what would be right, to stand behind the name of what is wrong: `must be …`.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    let mut total: u64 = 0;
    let mut last_unit = u64::MAX;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(WANTED);
    }
    while !rest.is_empty() {
        let (number, unit, behind) = next_part(rest)?;
        if unit >= last_unit {
            return Err(WANTED);
        }
        last_unit = unit;
        total = number.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or(TOO_LONG)?;
        rest = behind;
    }
    if total > MAX_SECONDS { Err(TOO_LONG) } else { Ok(Duration::from_secs(total)) }
}

/// The first number, the seconds of its unit, and what stands behind.
fn next_part(text: &str) -> Result<(u64, u64, &str), &'static str> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Err(WANTED);
    }
    let unit = match text.as_bytes().get(digits) {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => 86_400,
        _ => return Err(WANTED),
    };
    let number = text[..digits].parse().map_err(|_| TOO_LONG)?;
    Ok((number, unit, &text[digits + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_of_the_contract_are_read() {
        for (text, seconds) in [
            ("30s", 30),
            ("15m", 900),
            ("4h", 14_400),
            ("1d", 86_400),
            ("1h30m", 5_400),
            (" 90m ", 5_400),
            ("0s", 0),
            ("36500d", MAX_SECONDS),
        ] {
            assert_eq!(parse_duration(text).map(|d| d.as_secs()), Ok(seconds), "{text}");
        }
    }

    #[test]
    fn anything_else_is_an_error_that_says_what_is_wanted() {
        for text in ["", "15", "m", "15 m", "1.5h", "30m1h", "1w", "-1s", "+1s", "1h1h", "é", "1é"]
        {
            assert_eq!(parse_duration(text), Err(WANTED), "{text}");
        }
        for text in ["36500d1s", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse_duration(text), Err(TOO_LONG), "{text}");
        }
    }
}
