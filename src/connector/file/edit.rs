//! Changing a file at a few places: a copy that leaves every other byte as it was, and new
//! numbers in the style of the old ones.

use std::io::Write;
use std::ops::Range;

use super::replace::{ReplaceError, Replacement};
use crate::connector::feed::mapping::Field;
use crate::connector::feed::number::{self, DecimalSign};
use crate::connector::feed::shown;
use crate::connector::feed::source::{Keep, Source};
use crate::connector::{ConnectorError, Fingerprint};
use crate::model::{Currency, Decimal, Section};

/// Bytes to put in the place of a range of bytes of the old file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Edit {
    /// The range in the old file.
    pub(crate) range: Range<u64>,
    /// What stands there in the new one.
    pub(crate) bytes: Vec<u8>,
}

/// Replaces a file by itself with some edits (in the order of the file, without overlaps), if it
/// is still the one that has this fingerprint. The answer is the fingerprint that it has then.
pub(crate) fn rewrite(
    source: &Source,
    edits: &[Edit],
    read: &Fingerprint,
) -> Result<Fingerprint, ReplaceError> {
    let unchanged = |why: ConnectorError| ReplaceError::Unchanged(why.message);
    let mut old = source.open(Keep::Fingerprint).map_err(unchanged)?;
    let stamp = old.stamp().clone();
    let mut new = Replacement::start(source.path())?;
    let mut copy = Copy { edits, at: 0 };
    let mut block = vec![0; 256 << 10];
    loop {
        let count = old.read(&mut block).map_err(unchanged)?;
        if count == 0 {
            break;
        }
        copy.block(&block[..count], &mut new).map_err(|why| {
            ReplaceError::Unchanged(format!(
                "the new version of {} could not be written: {why}",
                source.path().display()
            ))
        })?;
    }
    let now = old.finish().map_err(|why| ReplaceError::ChangedMeanwhile(why.message))?;
    if now.as_ref() != Some(read) {
        return Err(ReplaceError::ChangedMeanwhile(format!(
            "{} changed since it was read",
            source.path().display()
        )));
    }
    if !copy.edits.is_empty() {
        return Err(ReplaceError::Unchanged("an edit lies beyond the end of the file".to_owned()));
    }
    new.commit(&stamp)
}

/// A copy in blocks, with the edits that are still to come.
struct Copy<'a> {
    edits: &'a [Edit],
    /// The offset of the next block.
    at: u64,
}

impl Copy<'_> {
    fn block(&mut self, block: &[u8], new: &mut impl Write) -> std::io::Result<()> {
        let end = self.at + block.len() as u64;
        let mut at = self.at;
        let part = |range: Range<u64>| {
            let place = |offset: u64| usize::try_from(offset - self.at).unwrap_or(block.len());
            block.get(place(range.start)..place(range.end)).unwrap_or_default()
        };
        while let Some((edit, later)) = self.edits.split_first() {
            if edit.range.start >= end && !(edit.range.start == end && edit.range.is_empty()) {
                break;
            }
            // An edit that began in an earlier block has been written; its rest is left out.
            if edit.range.start >= at {
                new.write_all(part(at..edit.range.start))?;
                new.write_all(&edit.bytes)?;
            }
            at = edit.range.end.min(end);
            if edit.range.end > end {
                break;
            }
            self.edits = later;
        }
        if at < end {
            new.write_all(part(at..end))?;
        }
        self.at = end;
        Ok(())
    }
}

/// A number in the place and style of an old text: at least as many decimals, the same decimal
/// sign, what stands around it stays, but for the sign of a bound (`>10`). Without group signs.
///
/// `None` where the old text holds no number, though it is not empty or a word for nothing.
fn in_old_style(old: &str, value: Decimal, sign: DecimalSign) -> Option<String> {
    let trimmed = number::trim(old);
    if number::is_unknown(trimmed) {
        let point = if sign == DecimalSign::Comma { ',' } else { '.' };
        let number = written(value, 0, point);
        return Some(match old.find(trimmed).filter(|_| !trimmed.is_empty()) {
            Some(at) => [&old[..at], &number, &old[at + trimmed.len()..]].concat(),
            None => number,
        });
    }
    let first = old.find(|c: char| c.is_ascii_digit())?;
    let last = old.rfind(|c: char| c.is_ascii_digit())? + 1;
    let before = old[..first].trim_end_matches(['.', ',']).trim_end_matches(['-', '−']);
    let (before, after) = (without_bound(before), without_bound(&old[last..]));
    let (point, decimals) = decimals_of(&old[first - leading_sign(old, first)..last], sign);
    Some([&before, written(value, decimals, point).as_str(), &after].concat())
}

/// The length of a decimal sign right before the first digit, as in `,8`.
fn leading_sign(old: &str, first: usize) -> usize {
    usize::from(old[..first].ends_with(['.', ',']))
}

/// What stands beside a number, without the sign of a bound.
fn without_bound(text: &str) -> String {
    if text.contains(['>', '≥', '+']) {
        return text.trim_matches(|c| matches!(c, '>' | '≥' | '=' | '+' | ' ')).to_owned();
    }
    text.to_owned()
}

/// The decimal sign of a number and how many digits stand behind it.
fn decimals_of(number: &str, sign: DecimalSign) -> (char, usize) {
    let point = match sign {
        DecimalSign::Point => '.',
        DecimalSign::Comma => ',',
        DecimalSign::Auto => match number.rfind(['.', ',']) {
            Some(at) if number.matches(&number[at..=at]).count() == 1 => {
                char::from(number.as_bytes()[at])
            }
            _ => return ('.', 0),
        },
    };
    (point, number.rfind(point).map_or(0, |at| number.len() - at - 1))
}

fn written(value: Decimal, decimals: usize, point: char) -> String {
    let min = u32::try_from(decimals).unwrap_or(u32::MAX);
    let mut text = value.with_decimals(min).to_string();
    // More decimals than a value can have are zeros.
    if let Some(at) = text.find('.') {
        let missing = decimals.min(40).saturating_sub(text.len() - at - 1);
        text.extend(std::iter::repeat_n('0', missing));
    }
    text.replace('.', point.encode_utf8(&mut [0; 4]))
}

/// The text of a field with a new value in the place and style of the old one, read back to be
/// sure: the value is the one asked for, the currency beside it the one that was there.
///
/// The error is a sentence for the person who asked.
pub(crate) fn restyled(
    field: &Field,
    section: Section,
    old: &str,
    value: Decimal,
) -> Result<String, String> {
    if field.is_word_for_unknown(old) {
        return Err(format!(
            "what stands there, {}, means that it has no value of its own; it was left as it is",
            shown(old)
        ));
    }
    let read = |text: &str| read_back(field, section, text);
    let currency = read(old).and_then(|(_, currency)| currency);
    let is_right = |text: &str| read(text) == Some((value, currency));
    checked_in_old_style(old, value, field.decimal, &is_right)
}

/// A text as a read of the file sees it.
fn read_back(field: &Field, section: Section, text: &str) -> Option<(Decimal, Option<Currency>)> {
    let text = number::trim(text);
    let (number, currency) = match section {
        Section::Prices => number::price(text, field.decimal, &field.unit).ok()?,
        _ => (number::quantity(text, field.decimal, &field.unit).ok()?, None),
    };
    Some((number.decimal().ok()?, currency))
}

/// [`in_old_style`], checked.
fn checked_in_old_style(
    old: &str,
    value: Decimal,
    sign: DecimalSign,
    is_right: &dyn Fn(&str) -> bool,
) -> Result<String, String> {
    let new = in_old_style(old, value, sign)
        .ok_or_else(|| format!("what stands there, {}, is no number", shown(old)))?;
    if is_right(&new) {
        return Ok(new);
    }
    // With "auto", three decimals can be read in two ways; a fourth cannot.
    let point = if new.contains(',') { ',' } else { '.' };
    let longer = new.replace(&written(value, 3, point), &written(value, 4, point));
    if is_right(&longer) {
        return Ok(longer);
    }
    Err(format!("{value} cannot be written in the style of {}", shown(old)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_new_number_has_the_style_of_the_old_one() {
        use DecimalSign::{Auto, Comma, Point};
        for (old, value, sign, new) in [
            ("14.3 EUR", "15", Point, "15.0 EUR"),
            ("€ 14.30", "7.125", Point, "€ 7.125"),
            ("1 234,50 zł", "2000", Comma, "2000,00 zł"),
            ("1.234,50", "2000.5", Auto, "2000,50"),
            ("12", "3.5", Auto, "3.5"),
            (" 5 ", "6", Point, " 6 "),
            ("", "6.5", Comma, "6,5"),
            (" - ", "6", Point, " 6 "),
            ("n/a", "0", Point, "0"),
            (">10", "4", Point, "4"),
            ("10+", "4", Point, "4"),
            ("12 szt.", "0", Point, "0 szt."),
            ("-5", "5", Point, "5"),
            ("5", "-5", Point, "-5"),
            (",8", "0.25", Comma, "0,25"),
            ("1.00000000", "2", Point, "2.00000000"),
            ("007", "8", Point, "8"),
        ] {
            let written = in_old_style(old, decimal(value), sign);
            assert_eq!(written.as_deref(), Some(new), "{old} -> {value}");
        }
        assert_eq!(in_old_style("abc", decimal("1"), Point), None);
    }

    #[test]
    fn three_decimals_that_could_be_a_group_get_a_fourth() {
        let value = decimal("1.125");
        let is_right = |text: &str| {
            number::plain(text, DecimalSign::Auto).and_then(|n| n.decimal()) == Ok(value)
        };
        let new = checked_in_old_style("1,5", value, DecimalSign::Auto, &is_right);
        assert_eq!(new.as_deref(), Ok("1,1250"));
    }

    fn copied(old: &[u8], edits: &[Edit], block: usize) -> Vec<u8> {
        let (mut copy, mut new) = (Copy { edits, at: 0 }, Vec::new());
        for block in old.chunks(block) {
            copy.block(block, &mut new).unwrap();
        }
        assert!(copy.edits.is_empty());
        new
    }

    proptest! {
        #[test]
        fn a_copy_differs_only_where_it_was_edited(
            pieces in proptest::collection::vec(("[a-z]{0,9}", "[A-Z]{0,5}", "[0-9]{0,5}"), 1..8),
            block in 1_usize..12,
        ) {
            let (mut old, mut wanted, mut edits) = (String::new(), String::new(), Vec::new());
            for (kept, removed, added) in &pieces {
                old += kept;
                wanted += kept;
                let start = old.len() as u64;
                old += removed;
                wanted += added;
                let bytes = added.clone().into_bytes();
                edits.push(Edit { range: start..old.len() as u64, bytes });
            }
            prop_assume!(!old.is_empty());
            let new = copied(old.as_bytes(), &edits, block);
            prop_assert_eq!(String::from_utf8(new).unwrap(), wanted);
        }

        #[test]
        fn any_old_text_is_met_without_a_panic(old in ".{0,30}", micros in any::<i32>()) {
            let value = Decimal::from_micros(i64::from(micros)).unwrap();
            for sign in [DecimalSign::Point, DecimalSign::Comma, DecimalSign::Auto] {
                let _ = in_old_style(&old, value, sign);
            }
        }
    }
}
