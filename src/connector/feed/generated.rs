//! When a feed says that it was made (`generated_at`): the texts it gives, as a moment.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

use super::mapping::{Lookup, Mapping};
use super::number::trim;
use super::shown;
use crate::connector::ConnectorError;

/// What the rows of a feed say of its time. Where they differ, as in a column of changes, the feed
/// is as new as the newest.
#[derive(Debug, Default)]
pub(crate) struct Generated {
    /// The text met last: mostly it is the same for all rows.
    last: String,
    newest: Option<Timestamp>,
    /// The first text that is no time.
    unreadable: Option<String>,
}

impl Generated {
    /// Takes in what a row says.
    #[inline]
    pub(crate) fn look<L: Lookup>(&mut self, mapping: &Mapping, lookup: &L) {
        if mapping.generated_at.is_some() {
            self.look_closer(mapping, lookup);
        }
    }

    fn look_closer<L: Lookup>(&mut self, mapping: &Mapping, lookup: &L) {
        let fault = mapping.generated(lookup, &mut |text| {
            if text == self.last {
                return;
            }
            text.clone_into(&mut self.last);
            match time_of(text) {
                Some(time) => self.newest = self.newest.max(Some(time)),
                None => self.unreadable = self.unreadable.take().or_else(|| Some(shown(text))),
            }
        });
        if let Some(fault) = fault {
            self.unreadable.get_or_insert(fault);
        }
    }

    /// When the feed was made, as far as it says so. What the config names and is no time is an
    /// error; what only a preset names counts as absent then.
    pub(crate) fn finish(
        self,
        mapping: &Mapping,
        name: &str,
    ) -> Result<Option<SystemTime>, ConnectorError> {
        let (None, Some(text), Some(field)) = (self.newest, self.unreadable, &mapping.generated_at)
        else {
            return Ok(self.newest.and_then(|time| SystemTime::try_from(time).ok()));
        };
        let is_own = |path: &super::mapping::PathId| !mapping.paths[path.index()].is_optional;
        if !field.paths().iter().any(is_own) {
            return Ok(None);
        }
        Err(ConnectorError::mapping(format!(
            "{name}: `generated_at` (config line {}) finds {text}, which is no time such as \
             2026-01-31 08:00 or 2026-01-31T08:00:00+01:00; name what holds the time of the feed, \
             or leave the key out",
            field.line
        )))
    }
}

/// The moment that a text names: ISO 8601, the dates of mails and RSS, `31.01.2026 08:00`, the
/// compact forms of EDIFACT, seconds or milliseconds since 1970. Without a zone it is this
/// machine's; a date alone is its beginning. Which of `01/02/2026` is the month nobody knows.
fn time_of(text: &str) -> Option<Timestamp> {
    let text = text.split(|c: char| c.is_whitespace()).filter(|word| !word.is_empty());
    let text = text.collect::<Vec<_>>().join(" ");
    let text = trim(&text);
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return compact(text);
    }
    if let Ok(time) = DateTimeParser::new().parse_timestamp(text) {
        return Some(time);
    }
    let text = with_iso_date(text);
    let text = ["+", "-", "Z", "UTC", "GMT"].iter().fold(text, |text, zone| {
        text.replace(&format!(" {zone}"), zone).replace("UTC", "Z").replace("GMT", "Z")
    });
    text.parse().ok().or_else(|| local(text.parse().ok()?))
}

/// `31.01.2026 …` as `2026-01-31 …`; all else as it is.
fn with_iso_date(text: &str) -> String {
    let (date, rest) = text.split_at(text.find([' ', 'T', ',']).unwrap_or(text.len()));
    let parts: Vec<_> = date.split('.').collect();
    match parts.as_slice() {
        [day, month, year] if year.len() == 4 && day.len() <= 2 && month.len() <= 2 => {
            format!("{year}-{month:0>2}-{day:0>2}{}", rest.trim_start_matches(','))
        }
        _ => text.to_owned(),
    }
}

/// A time of nothing but digits.
fn compact(text: &str) -> Option<Timestamp> {
    let number: i64 = text.parse().ok()?;
    let part = |range: std::ops::Range<usize>| text.get(range).map_or(Some(0), |t| t.parse().ok());
    match text.len() {
        10 => Timestamp::from_second(number).ok(),
        13 => Timestamp::from_millisecond(number).ok(),
        8 | 12 | 14 => {
            let year = text[..4].parse().ok()?;
            let (month, day) = (part(4..6)?, part(6..8)?);
            let (hour, minute, second) = (part(8..10)?, part(10..12)?, part(12..14)?);
            local(DateTime::new(year, month, day, hour, minute, second, 0).ok()?)
        }
        _ => None,
    }
}

fn local(time: DateTime) -> Option<Timestamp> {
    TimeZone::system().to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_feeds_are_read_and_nothing_else() {
        let utc = |text: &str| time_of(text).map(|time| time.to_string());
        for text in [
            "2026-01-31T07:00:00Z",
            "2026-01-31T08:00:00+01:00",
            "2026-01-31 08:00 +0100",
            "2026-01-31 07:00:00 UTC",
            "2026-01-31\n 08:00:00\n +01:00",
            "Sat, 31 Jan 2026 08:00:00 +0100",
            "31.01.2026 08:00 +01:00",
            "1769842800",
            "1769842800000",
        ] {
            assert_eq!(utc(text).as_deref(), Some("2026-01-31T07:00:00Z"), "{text}");
        }
        for text in ["", "x", "01/02/2026", "2026-13-01", "12345", "08:00", "31.01.26", "Jan"] {
            assert_eq!(utc(text), None, "{text}");
        }
    }

    #[test]
    fn without_a_zone_a_time_is_this_machines() {
        let local = |time: DateTime| TimeZone::system().to_timestamp(time).unwrap();
        let at = |hour, minute| Some(local(jiff::civil::date(2026, 1, 31).at(hour, minute, 0, 0)));
        for text in ["2026-01-31 08:05", "31.1.2026 08:05:00", "202601310805", "20260131080500"] {
            assert_eq!(time_of(text), at(8, 5), "{text}");
        }
        for text in ["2026-01-31", "31.01.2026", "20260131"] {
            assert_eq!(time_of(text), at(0, 0), "{text}");
        }
    }
}
