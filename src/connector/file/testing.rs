//! What tests of file connectors share: a document and a config in, rows as short texts out.

use std::path::PathBuf;
use std::sync::Arc;

use encoding_rs::UTF_8;
use tempfile::TempDir;

use super::outline::{Item, Outline, Walk};
use super::path::Path;
use super::tree::Tree;
use super::window::Window;
use crate::around::Around;
use crate::connector::feed::decode::Characters;
use crate::connector::feed::source::{Keep, Source};
use crate::connector::{
    Connector, ConnectorError, Context, Delivery, Outcome, Registration, RowBatch, RowView, Value,
    Want, Write,
};
use crate::model::{Decimal, Section, StorePlaces};
use crate::settings::{Document, Problems, Table};

/// A file and the connector that reads it.
pub(crate) struct Feed {
    _folder: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) connector: Box<dyn Connector>,
}

impl Feed {
    /// Writes the document to a file and connects to it; `config` lacks only its source.
    pub(crate) fn new(registration: &Registration, config: &str, document: &[u8]) -> Feed {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed");
        std::fs::write(&path, document).unwrap();
        let text = format!("source = '{}'\n{config}", path.display());
        let (settings, places) = (settings(registration, &text).unwrap(), StorePlaces::default());
        let connector = settings.connect(&Around::nobody(), &places).unwrap();
        Feed { _folder: folder, path, connector }
    }

    /// All rows and problems, one a line, and the delivery.
    pub(crate) fn read(&self) -> Result<(Vec<String>, Delivery), ConnectorError> {
        let mut reader = self.connector.open(Want { stock: true, prices: true, names: true })?;
        let (mut batch, mut lines) = (RowBatch::default(), Vec::new());
        while reader.next(&mut batch)? {
            lines.extend(batch.rows().map(|row| show(&row)));
            lines.extend(batch.problems().iter().map(|p| format!("{}! {}", p.line, p.message)));
        }
        Ok((lines, reader.finish()?))
    }

    /// Writes values given as `item section before after`.
    pub(crate) fn write(&self, writes: &[(&str, Section, &str, &str)]) -> Vec<Outcome> {
        let (_, delivery) = self.read().unwrap();
        let number = |text: &str| Decimal::parse(text.as_bytes()).ok();
        let writes: Vec<_> = writes
            .iter()
            .map(|(item_id, section, before, after)| Write {
                item_id: (*item_id).to_owned(),
                handle: None,
                section: *section,
                before: number(before),
                after: number(after).unwrap(),
            })
            .collect();
        self.connector.writer(&delivery).unwrap().unwrap().send(&writes).outcomes
    }

    /// Writes quantities that are there already, of items called by their place; says whether all
    /// counted as applied and not a byte changed.
    pub(crate) fn stays_when_written_again<Q: ToString>(&self, quantities: &[Q]) -> bool {
        let before = self.document();
        let texts: Vec<_> =
            quantities.iter().enumerate().map(|(at, q)| (at.to_string(), q.to_string())).collect();
        let writes: Vec<_> = texts
            .iter()
            .map(|(at, q)| (at.as_str(), Section::Stock, q.as_str(), q.as_str()))
            .collect();
        self.write(&writes).iter().all(|outcome| *outcome == Outcome::Applied)
            && self.document() == before
    }

    pub(crate) fn document(&self) -> String {
        String::from_utf8(std::fs::read(&self.path).unwrap()).unwrap()
    }
}

/// The settings of a store, or the errors in its config.
pub(crate) fn settings(
    registration: &Registration,
    config: &str,
) -> Result<Box<dyn crate::connector::Settings>, String> {
    let document = Document::new("invsync.toml".as_ref(), config.to_owned());
    let values = toml::de::DeTable::parse(document.text()).map_err(|why| why.to_string())?;
    let problems = Problems::default();
    let mut table = Table::root(&document, &problems, values.get_ref());
    let context = Context::new("x", ".", true);
    let settings = (registration.settings)(&mut table, &context);
    table.finish();
    let errors: Vec<_> = problems.into_sorted().0;
    match errors.is_empty() {
        true => Ok(settings.unwrap()),
        false => Err(errors.iter().map(|e| format!("{}: {}\n", e.line, e.message)).collect()),
    }
}

/// Rows and problems of a document, or its error.
pub(crate) fn read(
    registration: &Registration,
    config: &str,
    document: &[u8],
) -> Result<Vec<String>, String> {
    Feed::new(registration, config, document)
        .read()
        .map(|(lines, _)| lines)
        .map_err(|error| error.message.split_once("feed: ").unwrap_or_default().1.to_owned())
}

/// What one path finds in the items of a walk over windows of this size: the line of each item,
/// each text and how it is written.
pub(crate) fn found_in_windows_of(
    block_bytes: usize,
    document: &str,
    (items, path): (&str, &str),
    start: impl FnOnce(Window, Arc<Outline>) -> Box<dyn Walk>,
) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("feed");
    std::fs::write(&file, document).unwrap();
    let bytes = Source::file(&file).open(Keep::Nothing).map_err(|why| why.message)?;
    let window = Window::open(Characters::new(bytes, Some(UTF_8)), block_bytes)
        .map_err(|why| why.message)?;
    let (items, path) = (Path::parse_items(items).unwrap(), Path::parse(path).unwrap());
    let outline = Arc::new(Outline::new(items, None, [&path].into_iter()));
    let mut walk = start(window, Arc::clone(&outline));
    let mut found = Vec::new();
    let mut each = |item: Item<'_>| {
        let path = &outline.paths[0];
        found.push(item.line.to_string());
        item.tree.find(Tree::TOP, &path.steps, path.attribute, &mut |one| {
            let at = |place: u64| place.saturating_sub(item.source_offset) as usize;
            let raw = &item.source[at(one.raw.start)..at(one.raw.end)];
            found.push(format!("{} {raw}", one.text.unwrap_or("null")));
            true
        });
        // A walk may be interrupted at any item.
        found.len() % 2 == 0
    };
    while walk.walk(&mut each).map_err(|why| why.message)? {}
    Ok(found)
}

/// `line id sku ean name quantity price currency`, with `.` for what is absent.
fn show(row: &RowView<'_>) -> String {
    let text = |text: Option<&str>| text.unwrap_or(".").to_owned();
    let value = |value: Value| match value {
        Value::Known(number) => number.to_string(),
        Value::Unknown => ".".to_owned(),
        Value::Invalid => "!".to_owned(),
    };
    [
        row.line().to_string(),
        text(row.item_id()),
        text(row.sku()),
        text(row.ean()),
        text(row.name()),
        value(row.quantity()),
        value(row.price()),
        row.currency().map_or(".".to_owned(), |currency| currency.to_string()),
    ]
    .join(" ")
}
