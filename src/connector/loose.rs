//! Values of a store's JSON that may be texts or numbers, with all their digits.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::connector::feed::number::{self, is_unknown};
use crate::connector::file::json::plain_number;
use crate::model::Decimal;

/// A text or number, as a store or a plugin of it happens to write it; nothing where it is `null`,
/// `true` or `false`. Numbers keep all their digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Loose(String);

impl Loose {
    /// The text without the white space around it; `None` where there is none.
    pub(crate) fn text(&self) -> Option<&str> {
        let text = number::trim(&self.0);
        (!text.is_empty()).then_some(text)
    }

    /// The number; `Ok(None)` where the text says nothing. The error is the text that is none.
    pub(crate) fn number(&self) -> Result<Option<Decimal>, &str> {
        let Some(text) = self.text().filter(|text| !is_unknown(text)) else { return Ok(None) };
        Decimal::parse(text.as_bytes()).map(Some).map_err(|_| text)
    }

    /// The same of a server that computes in binary: what does not fit otherwise is read with the
    /// fifteen digits that its numbers hold for sure. What stands behind them is nobody's price
    /// but the noise of a sum, as in 11.120000000000001.
    pub(crate) fn binary_number(&self) -> Result<Option<Decimal>, &str> {
        self.number().or_else(|text| without_noise(text).map(Some).ok_or(text))
    }
}

/// Digits that a number in binary holds for sure.
const SURE_DIGITS: usize = 15;

/// A number with more digits than can be sure, cut to those that are.
fn without_noise(text: &str) -> Option<Decimal> {
    let (whole, decimals) = text.split_once('.')?;
    let digits = format!("{whole}{decimals}");
    let is_plain = digits.trim_start_matches('-').bytes().all(|digit| digit.is_ascii_digit());
    let significant = digits.trim_start_matches('-').trim_start_matches('0').len();
    let noise = u32::try_from(significant.checked_sub(SURE_DIGITS).filter(|n| *n > 0)?).ok()?;
    let scale = u32::try_from(decimals.len()).ok()?.checked_sub(noise).filter(|_| is_plain)?;
    let (value, unit) = (digits.parse::<i128>().ok()?, 10_i128.checked_pow(noise)?);
    let half = if value < 0 { -unit / 2 } else { unit / 2 };
    Decimal::from_scaled(value.checked_add(half)? / unit, scale).ok()
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Loose, D::Error> {
        let raw: &RawValue = Deserialize::deserialize(deserializer)?;
        let text = match raw.get() {
            "null" | "true" | "false" => String::new(),
            text if text.starts_with('"') => {
                serde_json::from_str(text).map_err(serde::de::Error::custom)?
            }
            number => plain_number(number).into_owned(),
        };
        Ok(Loose(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_noise_of_binary_sums_is_no_digit_of_a_price() {
        let price = |json: &str| {
            let loose: Loose = serde_json::from_str(json).unwrap();
            loose.binary_number().ok().flatten().map(|price| price.to_string())
        };
        for (json, is) in [
            ("11.120000000000001", "11.12"),
            ("0.30000000000000004", "0.3"),
            ("-14.760000000000002", "-14.76"),
            ("2.2999999999999998", "2.3"),
            ("123456789012.345678", "123456789012.345678"),
        ] {
            assert_eq!(price(json).as_deref(), Some(is), "{json}");
        }
        // Digits that somebody meant are not rounded away.
        for none in
            ["12.3456789", "1.0000001", "1234567890123456789", "\"1,5\"", "0.1234567890123456"]
        {
            assert_eq!(price(none), None, "{none}");
        }
    }

    #[test]
    fn texts_and_numbers_keep_all_their_digits() {
        let loose = |json: &str| serde_json::from_str::<Loose>(json).unwrap();
        assert_eq!(loose("12.3456789012345678").text(), Some("12.3456789012345678"));
        assert_eq!(loose("\" 12.30 \"").number(), Ok(Decimal::parse(b"12.30").ok()));
        assert_eq!(loose("\"zł 12.00\"").number(), Err("zł 12.00"));
        assert_eq!(loose("\"\\u0105\"").text(), Some("ą"));
        assert_eq!(loose("1.0e-6").number(), Ok(Decimal::from_micros(1)));
        for nothing in ["null", "true", "\"\"", "\" \"", "\"n/a\"", "\"-\""] {
            assert_eq!(loose(nothing).number(), Ok(None));
        }
    }
}
