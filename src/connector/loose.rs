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
