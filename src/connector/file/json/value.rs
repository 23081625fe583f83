//! A new value in the place of an old one: a number stays a number, a string stays a string.

use super::scan::plain_number;
use crate::connector::feed::number::DecimalSign;
use crate::connector::file::tree::Match;
use crate::connector::file::tree_write::Restyle;

/// How the new value is written; `raw` is how the old one is.
pub(super) fn rewrite(
    found: &Match<'_>,
    raw: &str,
    restyle: Restyle<'_>,
) -> Result<String, String> {
    match (raw.as_bytes().first(), found.text) {
        (Some(b'"'), Some(old)) => {
            serde_json::to_string(&restyle(old, None)?).map_err(|why| why.to_string())
        }
        (Some(b'-' | b'0'..=b'9'), _) => {
            let new = restyle(&plain_number(raw), Some(DecimalSign::Point))?;
            match serde_json::from_str::<serde_json::Number>(&new) {
                Ok(_) => Ok(new),
                Err(_) => Err(format!("{new} is no JSON number")),
            }
        }
        (Some(b'n'), _) => {
            Err("the value is null: whether a number or a string belongs there is not known"
                .to_owned())
        }
        (Some(b't' | b'f'), _) => Err(format!("the value is {raw}, no number")),
        _ => Err("the value is no number and no string".to_owned()),
    }
}
