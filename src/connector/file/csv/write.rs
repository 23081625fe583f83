//! Writing single cells of a csv file and leaving every other byte as it was.

use std::sync::Arc;

use super::rows::{CsvRow, Rows};
use super::settings::CsvSettings;
use super::tokenizer::Dialect;
use crate::connector::feed::decode::Charset;
use crate::connector::feed::source::{Keep, Source};
use crate::connector::file::edit::{Edit, restyled};
use crate::connector::file::rewrite::{self, Known, Rewrite};
use crate::connector::{ConnectorError, Fingerprint, Limits, RowBatch, Sent, Write, Writer};

/// Writes to a csv file that was read before.
#[derive(Debug)]
pub(super) struct CsvWriter {
    settings: Arc<CsvSettings>,
    source: Source,
    known: Known,
}

impl CsvWriter {
    pub(super) fn new(settings: Arc<CsvSettings>, source: Source, read: Fingerprint) -> CsvWriter {
        CsvWriter { settings, source, known: Known::new(read) }
    }

    /// Reads the file again and adds all cells that are to change.
    fn find(&self, rewrite: &mut Rewrite<'_>) -> Result<Option<Fingerprint>, ConnectorError> {
        let mut rows = Rows::open(&self.settings, &self.source, Keep::Fingerprint)?;
        let (dialect, charset) = (rows.detected().dialect, rows.charset());
        rewrite::check_charset(charset)?;
        let mut items = RowBatch::default();
        while let Some(row) = rows.next()? {
            items.clear();
            row.evaluate(&self.settings.feed.mapping, rewrite::WANT, &mut items);
            rewrite.add_row(&items, 0, &mut |write| self.edit(write, &row, dialect, charset));
        }
        rows.finish()
    }

    /// The change of one cell.
    fn edit(
        &self,
        write: &Write,
        row: &CsvRow<'_>,
        dialect: Dialect,
        charset: Charset,
    ) -> Result<Edit, String> {
        let (field, path) = self.settings.feed.mapping.writable(write.section)?;
        let cell = row
            .cell(path)
            .ok_or("the row is too short to have this cell; nothing is added to it")?;
        let content = row.raw.content(cell);
        let old = charset.text(&content).map_err(|why| format!("it {why}"))?;
        let new = restyled(field, write.section, &old, write.after)?;
        let content = charset
            .bytes(&new)
            .ok_or_else(|| format!("{new} cannot be written in {}", charset.name()))?;
        let bytes = dialect
            .written(&content, row.raw.is_quoted(cell))
            .ok_or_else(|| format!("{new} would need quotes, and `quote` is switched off"))?;
        let place = |in_row: usize| row.raw.offset + in_row as u64;
        let range = cell.range();
        Ok(Edit { range: place(range.start)..place(range.end), bytes })
    }
}

impl Writer for CsvWriter {
    fn limits(&self) -> Limits {
        rewrite::LIMITS
    }

    fn send(&self, batch: &[Write]) -> Sent {
        rewrite::send(batch, &self.source, &self.known, |rewrite| self.find(rewrite))
    }
}
