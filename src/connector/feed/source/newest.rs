//! Which of several files is the newest delivery: shared by folders here and elsewhere.

use std::cmp::Ordering;
use std::time::SystemTime;

/// A file that may be the delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its name, as messages and the next look name it.
    pub name: String,
    /// In bytes.
    pub length: u64,
    pub modified: Option<SystemTime>,
}

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// It is the only one.
    Itself,
    /// Its name: the numbers in it are the highest, such as those of a date.
    Name,
    /// The time of its last change.
    Time,
}

/// Whether a file is still on its way by its name, or empty.
pub(super) fn is_unfinished(candidate: &Candidate) -> bool {
    let name = candidate.name.to_ascii_lowercase();
    let endings = [".tmp", ".part", ".partial", ".filepart", ".crdownload"];
    candidate.length == 0 || endings.iter().any(|ending| name.ends_with(ending))
}

/// The candidates, the newest first, and what decided.
///
/// Names that all have numbers are compared by these, for suppliers put times into them; else the
/// time of the last change decides.
pub(super) fn newest_first(mut candidates: Vec<Candidate>) -> (Vec<Candidate>, By) {
    let by = match candidates.len() {
        0 | 1 => By::Itself,
        _ if differ_in_numbers(&candidates) => By::Name,
        _ => By::Time,
    };
    candidates.sort_by(|a, b| match by {
        By::Time => b.modified.cmp(&a.modified).then_with(|| by_name(&b.name, &a.name)),
        By::Itself | By::Name => by_name(&b.name, &a.name),
    });
    (candidates, by)
}

/// Whether all names are the same but for their numbers.
fn differ_in_numbers(candidates: &[Candidate]) -> bool {
    let mut shapes = candidates.iter().map(|candidate| {
        let digits = candidate.name.chars().map(|c| if c.is_ascii_digit() { '0' } else { c });
        let mut shape: Vec<char> = digits.collect();
        shape.dedup_by(|a, b| *a == '0' && *b == '0');
        shape
    });
    let first = shapes.next();
    first.is_some_and(|first| first.contains(&'0') && shapes.all(|shape| shape == first))
}

/// Numbers as numbers, all else as text.
fn by_name(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    loop {
        let ((number_a, rest_a), (number_b, rest_b)) = (number(a), number(b));
        if number_a.is_empty() || number_b.is_empty() {
            match (a.split_first(), b.split_first()) {
                (Some((x, rest_a)), Some((y, rest_b))) if x == y => (a, b) = (rest_a, rest_b),
                (x, y) => return x.cmp(&y),
            }
            continue;
        }
        let ordering = number_a.len().cmp(&number_b.len()).then_with(|| number_a.cmp(number_b));
        if ordering.is_ne() {
            return ordering;
        }
        (a, b) = (rest_a, rest_b);
    }
}

/// The digits at the beginning, without leading zeros (but one digit at least), and the rest.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let zeros = text[..end].iter().take_while(|byte| **byte == b'0').count();
    (&text[zeros.min(end.saturating_sub(1))..end], &text[end..])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn first(names: &[(&str, u64)]) -> (String, By) {
        let candidates = names.iter().map(|(name, seconds)| Candidate {
            name: (*name).to_owned(),
            length: 1,
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(*seconds)),
        });
        let (sorted, by) = newest_first(candidates.collect());
        (sorted[0].name.clone(), by)
    }

    #[test]
    fn names_with_times_sort_by_their_numbers() {
        for (names, newest) in [
            (&[("s-2026-11-24.csv", 1), ("s-2026-11-23.csv", 9)][..], "s-2026-11-24.csv"),
            (&[("s-9.csv", 1), ("s-10.csv", 0), ("s-1.csv", 3)], "s-10.csv"),
            (&[("s-009.csv", 1), ("s-10.csv", 0)], "s-10.csv"),
            (&[("s_20261124T0900.csv", 1), ("s_20261124T1000.csv", 0)], "s_20261124T1000.csv"),
        ] {
            assert_eq!(first(names), (newest.to_owned(), By::Name));
        }
    }

    #[test]
    fn other_names_sort_by_their_time() {
        for (names, newest) in [
            (&[("berlin.csv", 2), ("paris.csv", 1)][..], "berlin.csv"),
            (&[("stock.csv", 2), ("stock-2026.csv", 1)], "stock.csv"),
            (&[("a1x.csv", 2), ("b9x.csv", 1)], "a1x.csv"),
        ] {
            assert_eq!(first(names), (newest.to_owned(), By::Time));
        }
        assert_eq!(first(&[("a.csv", 1)]), ("a.csv".to_owned(), By::Itself));
    }

    #[test]
    fn what_is_still_on_its_way_is_no_delivery() {
        let unfinished = |name: &str, length| {
            is_unfinished(&Candidate { name: name.to_owned(), length, modified: None })
        };
        assert!(unfinished("a.csv.TMP", 5) && unfinished("a.csv.part", 5));
        assert!(unfinished("a.csv", 0) && !unfinished("a.part.csv", 5));
    }
}
