//! `connector = "xml"`.

mod builder;
mod sample;
pub(in crate::connector::file) mod tag;
mod value;
mod walk;

use std::sync::Arc;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

pub(crate) use self::sample::sample;

use self::walk::XmlWalk;
use super::items::Format;
use super::outline::{Outline, Walk};
use super::path::Path;
use super::window::{BLOCK_BYTES, Window};
use crate::connector::feed::decode::Characters;
use crate::connector::feed::settings::FeedSettings;
use crate::connector::feed::shown;
use crate::connector::feed::source::Bytes;
use crate::connector::{ConnectorError, Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration =
    Registration { name: "xml", settings, is_feed: true, places: &[] };

const FORMAT: Format = Format {
    name: "xml",
    default_items: None,
    parse_items: Path::parse_items,
    unknown_words: &[],
    number: None,
    check: |_| Ok(()),
    decode,
    walk,
    rewrite: Some(value::rewrite),
};

fn settings(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    FORMAT.settings(table, context)
}

fn walk(text: Characters, outline: Arc<Outline>) -> Result<Box<dyn Walk>, ConnectorError> {
    Ok(Box::new(XmlWalk::new(Window::open(text, BLOCK_BYTES)?, outline)))
}

/// The document as text: in the encoding of its byte order mark, else of the config, else of its
/// declaration, else UTF-8.
fn decode(bytes: Bytes, feed: &FeedSettings) -> Result<Characters, ConnectorError> {
    let encoding = match feed.encoding {
        Some(encoding) => encoding,
        None => declared(&bytes)?,
    };
    Ok(Characters::new(bytes, Some(encoding)))
}

fn declared(bytes: &Bytes) -> Result<&'static Encoding, ConnectorError> {
    declared_encoding(bytes.head()).map_err(|label| {
        ConnectorError::source(format!(
            "{} says that its encoding is {}, which is unknown; name the right one with \
             `encoding`",
            bytes.name(),
            shown(&label)
        ))
    })
}

/// The encoding that the first bytes of a document tell; an error has a name that is unknown.
fn declared_encoding(head: &[u8]) -> Result<&'static Encoding, String> {
    if head.starts_with(b"<\0") {
        return Ok(UTF_16LE);
    }
    if head.starts_with(b"\0<") {
        return Ok(UTF_16BE);
    }
    let label = declared_label(head);
    match label.as_deref().map(|label| (Encoding::for_label(label.as_bytes()), label)) {
        None => Ok(UTF_8),
        // What can be read as ASCII is not in UTF-16, whatever it says.
        Some((Some(encoding), _)) if !encoding.is_ascii_compatible() => Ok(UTF_8),
        Some((Some(encoding), _)) => Ok(encoding),
        Some((None, label)) => Err(label.to_owned()),
    }
}

/// The `encoding` of an XML declaration.
fn declared_label(head: &[u8]) -> Option<String> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let rest = head.strip_prefix(b"<?xml")?;
    let end = memchr::memmem::find(&rest[..rest.len().min(1024)], b"?>")?;
    let declaration = String::from_utf8_lossy(&rest[..end]);
    let mut attributes = tag::Attributes::new(&declaration);
    while let Ok(Some(attribute)) = attributes.next() {
        if attribute.name == "encoding" {
            return Some(attribute.value.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests;
