//! Durations: `30s`, `15m`, `4h`, `1d`, `1h30m`.

use std::time::Duration;

/// Reads whole numbers with the units `s`, `m`, `h`, `d`, the larger ones first.
///
/// The error says what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, &'static str> {
    const WANTED: &str = "write a duration such as \"30s\", \"15m\", \"4h\", \"1d\" or \"1h30m\"";
    let mut total: u64 = 0;
    let mut last_unit = u64::MAX;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(WANTED);
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest[..digits].parse().map_err(|_| WANTED)?;
        let unit = match rest.as_bytes().get(digits) {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3_600,
            Some(b'd') => 86_400,
            _ => return Err(WANTED),
        };
        if unit >= last_unit {
            return Err(WANTED);
        }
        last_unit = unit;
        total = number.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or(WANTED)?;
        rest = &rest[digits + 1..];
    }
    Ok(Duration::from_secs(total))
}

#[cfg(test)]
mod tests {
    use super::parse_duration;

    #[test]
    fn durations_of_the_contract_are_read() {
        for (text, seconds) in
            [("30s", 30), ("15m", 900), ("4h", 14_400), ("1d", 86_400), ("1h30m", 5_400)]
        {
            assert_eq!(parse_duration(text).map(|d| d.as_secs()), Ok(seconds), "{text}");
        }
        for text in ["", "15", "m", "15 m", "1.5h", "30m1h", "1w", "-1s", "1h1h", "é"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }
}
