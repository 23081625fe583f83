//! `connector = "edifact"`: interchanges such as PRICAT and INVRPT. Only read, never written.
//!
//! `segment` cuts the text, `walk` makes items of its segments, `sample` looks at those
//! that nobody has described yet.

mod sample;
mod segment;
mod walk;

use std::ops::Range;
use std::sync::Arc;

use encoding_rs::Encoding;

pub(crate) use self::sample::sample;
use self::segment::Signs;
use self::walk::EdifactWalk;
use super::items::Format;
use super::outline::{Item, Outline, Walk};
use super::path::{Path, Predicate, Step};
use super::window::{BLOCK_BYTES, Window};
use crate::connector::feed::decode::Characters;
use crate::connector::feed::settings::FeedSettings;
use crate::connector::feed::source::Bytes;
use crate::connector::{ConnectorError, Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration =
    Registration { name: "edifact", settings, is_feed: true, places: &[] };

const FORMAT: Format = Format {
    name: "edifact",
    default_items: Some("LIN"),
    parse_items,
    unknown_words: &[],
    number: Some(number),
    check,
    decode,
    walk,
    rewrite: None,
};

fn settings(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    FORMAT.settings(table, context)
}

/// The name of the segment that starts an item, with or without a `/`.
fn parse_items(text: &str) -> Result<Vec<Step>, String> {
    let name = text.strip_prefix('/').unwrap_or(text);
    match Path::parse_items(&format!("/{name}"))?.as_slice() {
        [step] if step.name.is_some() => Ok(vec![step.clone()]),
        _ => Err("it must be the name of one segment, such as \"LIN\"".to_owned()),
    }
}

/// Segments do not hold each other, and their values are named by place.
fn check(path: &Path) -> Result<(), String> {
    if path.steps.len() > 1 {
        return Err("segments stand beside each other, so that a path has one of them at most, \
                    such as `IMD/@3.4`"
            .to_owned());
    }
    let Some(value) = path.attribute.as_deref() else {
        return Err(
            "a segment has no value as a whole; name a component, such as `QTY/@1.2`: the \
                    second of the first element"
                .to_owned(),
        );
    };
    let mut names = vec![value];
    for predicate in path.steps.iter().flat_map(|step| &step.predicates) {
        match predicate {
            Predicate::Attribute { name, .. } => names.push(name),
            Predicate::Child { name, .. } => {
                return Err(format!("a segment holds no `{name}`; compare a component: `@1.1`"));
            }
            Predicate::Position(_) => {}
        }
    }
    match names.into_iter().find(|name| !is_place(name)) {
        Some(name) => Err(format!(
            "`@{name}` is no place in a segment; `@3.1` is the first component of the third element"
        )),
        None => Ok(()),
    }
}

/// `3` or `3.1`
fn is_place(name: &str) -> bool {
    let is_count = |text: &str| text.parse::<u16>().is_ok_and(|count| count > 0);
    let (element, component) = name.split_once('.').unwrap_or((name, "1"));
    is_count(element) && is_count(component)
}

/// Nothing stands between groups of digits: three decimals get a fourth, so that no other sign is
/// taken for that. A decimal comma is one where UNA says so, whatever the config has.
fn number(text: &str, _: &Range<u64>, item: &Item<'_>) -> Option<(String, bool)> {
    let (whole, decimals) = text.split_once(['.', ','])?;
    if item.has_decimal_comma && !decimals.contains(['.', ',']) {
        return Some((format!("{whole}.{decimals}"), true));
    }
    let is_group = decimals.len() == 3 && decimals.bytes().all(|b| b.is_ascii_digit());
    is_group.then(|| (format!("{text}0"), false))
}

fn walk(text: Characters, outline: Arc<Outline>) -> Result<Box<dyn Walk>, ConnectorError> {
    Ok(Box::new(EdifactWalk::new(Window::open(text, BLOCK_BYTES)?, outline)))
}

/// The interchange as text: in the encoding of its byte order mark, else of the config, else of its
/// syntax identifier, else found by looking.
fn decode(bytes: Bytes, feed: &FeedSettings) -> Result<Characters, ConnectorError> {
    let encoding = match (feed.encoding, declared_encoding(bytes.head())) {
        (Some(encoding), _) => Some(encoding),
        (None, Ok(encoding)) => encoding,
        (None, Err(syntax)) => {
            return Err(ConnectorError::source(format!(
                "{} is in {syntax}, whose characters are not known; name them with `encoding`",
                bytes.name()
            )));
        }
    };
    Ok(Characters::new(bytes, encoding))
}

/// The encoding of a syntax identifier; `None` for plain ASCII, whose files often hold more.
fn declared_encoding(head: &[u8]) -> Result<Option<&'static Encoding>, String> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let (signs, start) = Signs::of(head);
    let behind = head.get(start..).unwrap_or_default().trim_ascii_start();
    let syntax = behind.strip_prefix(b"UNB").and_then(|rest| rest.get(1..5));
    let is_start = behind.get(3) == Some(&signs.element);
    let Some(syntax) = syntax.filter(|_| is_start) else { return Ok(None) };
    let label = match syntax {
        b"UNOC" => "iso-8859-1",
        b"UNOD" => "iso-8859-2",
        b"UNOE" => "iso-8859-5",
        b"UNOF" => "iso-8859-7",
        b"UNOG" => "iso-8859-3",
        b"UNOH" => "iso-8859-4",
        b"UNOI" => "iso-8859-6",
        b"UNOJ" => "iso-8859-8",
        b"UNOK" => "iso-8859-9",
        b"UNOL" => "iso-8859-15",
        b"UNOW" | b"UNOY" => "utf-8",
        b"UNOX" => return Err("UNOX".to_owned()),
        _ => return Ok(None),
    };
    Ok(Encoding::for_label(label.as_bytes()))
}

#[cfg(test)]
mod tests;
