//! `connector = "json"`.

mod fill;
mod sample;
mod scan;
mod value;
mod walk;

use std::ops::Range;
use std::sync::Arc;

use encoding_rs::UTF_8;

pub(crate) use self::sample::sample;
pub(crate) use self::scan::plain_number;

use self::walk::JsonWalk;
use super::items::Format;
use super::outline::{Item, Outline, Walk};
use super::path::{Path, Predicate};
use super::window::{BLOCK_BYTES, Window};
use crate::connector::feed::decode::Characters;
use crate::connector::feed::settings::FeedSettings;
use crate::connector::feed::source::Bytes;
use crate::connector::{ConnectorError, Context, Registration, Settings};
use crate::settings::Table;

/// How deep values may be nested.
const DEPTH: usize = 128;

/// The registry's line.
pub const REGISTRATION: Registration =
    Registration { name: "json", settings, is_feed: true, places: &[] };

const FORMAT: Format = Format {
    name: "json",
    default_items: Some("/"),
    parse_items: Path::parse_items,
    unknown_words: &["false"],
    number: Some(number),
    check,
    decode,
    walk,
    rewrite: Some(value::rewrite),
};

fn settings(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    FORMAT.settings(table, context)
}

/// A number of JSON has a decimal point, whatever the texts of the feed have.
fn number(text: &str, raw: &Range<u64>, item: &Item<'_>) -> Option<(String, bool)> {
    // Without decimals it is the same number by any rule.
    if !text.contains('.') {
        return None;
    }
    let start = usize::try_from(raw.start.checked_sub(item.source_offset)?).ok()?;
    let is_text = item.source.as_bytes().get(start) == Some(&b'"');
    (!is_text).then(|| (text.to_owned(), true))
}

/// The only attribute of JSON is the key.
fn check(path: &Path) -> Result<(), String> {
    let in_predicates = path.steps.iter().flat_map(|step| &step.predicates);
    let in_predicates = in_predicates.filter_map(|predicate| match predicate {
        Predicate::Attribute { name, .. } => Some(name),
        _ => None,
    });
    match path.attribute.iter().chain(in_predicates).find(|name| *name != "key") {
        Some(name) => Err(format!(
            "JSON has no attribute `@{name}`, only `@key`; the value of a key is written without \
             `@`: `{name}`"
        )),
        None => Ok(()),
    }
}

fn walk(text: Characters, outline: Arc<Outline>) -> Result<Box<dyn Walk>, ConnectorError> {
    Ok(Box::new(JsonWalk::new(Window::open(text, BLOCK_BYTES)?, outline)))
}

/// The document as text: in the encoding of its byte order mark, else of the config, else UTF-8.
fn decode(bytes: Bytes, feed: &FeedSettings) -> Result<Characters, ConnectorError> {
    Ok(Characters::new(bytes, Some(feed.encoding.unwrap_or(UTF_8))))
}

#[cfg(test)]
mod tests;
