//! Reading items out of a csv file.

use std::sync::Arc;

use super::rows::Rows;
use super::settings::CsvSettings;
use super::write::CsvWriter;
use crate::connector::feed::generated::Generated;
use crate::connector::feed::lacking::Tally;
use crate::connector::feed::mapping::Mapping;
use crate::connector::feed::source::Source;
use crate::connector::file::replace::make_durable;
use crate::connector::{
    Connector, ConnectorError, Delivery, Origin, Reader, RowBatch, Validators, Want, Writer,
};
use crate::model::{Dialect, Section};

/// A csv file.
#[derive(Debug)]
pub(super) struct Csv {
    settings: Arc<CsvSettings>,
    source: Source,
}

impl Csv {
    pub(super) fn new(settings: CsvSettings, source: Source) -> Csv {
        Csv { settings: Arc::new(settings), source }
    }
}

impl Connector for Csv {
    fn open(&self, want: Want) -> Result<Box<dyn Reader>, ConnectorError> {
        let rows = Rows::open(&self.settings, &self.source, self.settings.feed.keep())?;
        Ok(Box::new(CsvReader {
            mapping: self.settings.feed.mapping.clone(),
            complete: self.settings.feed.complete,
            generated: Generated::default(),
            dialect: rows.described(&self.settings),
            rows,
            tally: Tally::default(),
            want,
        }))
    }

    fn if_unchanged(&self, known: &Validators) -> Result<Option<Origin>, ConnectorError> {
        self.source.if_unchanged(known)
    }

    fn origin(&self) -> Option<Origin> {
        self.source.origin()
    }

    fn writer(&self, read: &Delivery) -> Result<Option<Box<dyn Writer>>, ConnectorError> {
        let can_write = |section| self.settings.feed.can_write(section).is_ok();
        let Some(fingerprint) = &read.fingerprint else { return Ok(None) };
        if !Section::ALL.into_iter().any(can_write) {
            return Ok(None);
        }
        let writer =
            CsvWriter::new(self.settings.clone(), self.source.clone(), fingerprint.clone());
        Ok(Some(Box::new(writer)))
    }

    fn make_durable(&self) -> Result<(), ConnectorError> {
        make_durable(self.source.path())
    }
}

/// One read of a csv file.
struct CsvReader {
    rows: Rows,
    tally: Tally,
    mapping: Mapping,
    want: Want,
    complete: bool,
    generated: Generated,
    dialect: Dialect,
}

impl Reader for CsvReader {
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError> {
        rows.clear();
        while !rows.is_full() && rows.problems().len() < RowBatch::ROWS {
            let Some(row) = self.rows.next()? else { break };
            self.generated.look(&self.mapping, &row);
            self.tally.count(row.evaluate(&self.mapping, self.want, rows));
        }
        Ok(!rows.is_empty() || !rows.problems().is_empty())
    }

    fn finish(self: Box<Self>) -> Result<Delivery, ConnectorError> {
        let header = self.rows.header().to_owned();
        let is_ended = self.rows.is_last_row_ended();
        let shape = vec![("the line end of the last row".to_owned(), is_ended)];
        let generated = self.generated.finish(&self.mapping, self.rows.name())?;
        let why_empty = self.tally.why_empty(&self.mapping, &[]);
        let (complete, fingerprint) = (self.complete, self.rows.finish()?);
        let dialect = self.dialect;
        Ok(Delivery {
            complete,
            header,
            shape,
            fingerprint,
            generated,
            why_empty,
            dialect,
            ..Delivery::default()
        })
    }
}
