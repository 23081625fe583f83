//! Reading items out of a sheet.

use std::sync::Arc;

use super::rows::Rows;
use super::settings::XlsxSettings;
use crate::connector::feed::lacking::Tally;
use crate::connector::feed::source::Source;
use crate::connector::{
    Connector, ConnectorError, Delivery, Origin, Reader, RowBatch, Validators, Want, Writer,
};
use crate::model::Dialect;

/// A workbook.
#[derive(Debug)]
pub(super) struct Xlsx {
    settings: Arc<XlsxSettings>,
    source: Source,
}

impl Xlsx {
    pub(super) fn new(settings: XlsxSettings, source: Source) -> Xlsx {
        Xlsx { settings: Arc::new(settings), source }
    }
}

impl Connector for Xlsx {
    fn open(&self, want: Want) -> Result<Box<dyn Reader>, ConnectorError> {
        let rows = Rows::open(&self.settings, &self.source)?;
        let (settings, tally) = (Arc::clone(&self.settings), Tally::default());
        Ok(Box::new(XlsxReader { settings, rows, tally, want }))
    }

    fn if_unchanged(&self, known: &Validators) -> Result<Option<Origin>, ConnectorError> {
        self.source.if_unchanged(known)
    }

    fn origin(&self) -> Option<Origin> {
        self.source.origin()
    }

    fn writer(&self, _: &Delivery) -> Result<Option<Box<dyn Writer>>, ConnectorError> {
        Ok(None)
    }
}

/// One read of a sheet.
struct XlsxReader {
    settings: Arc<XlsxSettings>,
    rows: Rows,
    tally: Tally,
    want: Want,
}

impl Reader for XlsxReader {
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError> {
        rows.clear();
        while !rows.is_full() && rows.problems().len() < RowBatch::ROWS {
            if !self.rows.advance()? {
                break;
            }
            let fate = self.rows.evaluate(&self.settings.feed.mapping, self.want, rows);
            self.tally.count(fate);
        }
        Ok(!rows.is_empty() || !rows.problems().is_empty())
    }

    fn finish(self: Box<Self>) -> Result<Delivery, ConnectorError> {
        let header = self.rows.header().to_owned();
        let mut options = Vec::new();
        if self.settings.sheet.is_none() {
            options.push(("sheet", self.rows.sheet_name().to_owned()));
        }
        options.push(("header_row", self.settings.header_row.to_string()));
        let feed = &self.settings.feed;
        let generated = self.rows.finish(&feed.mapping)?;
        let (complete, why_empty) = (feed.complete, self.tally.why_empty(&feed.mapping, &[]));
        let dialect = Dialect { connector: "xlsx", options, joined: Vec::new() };
        Ok(Delivery { complete, header, generated, why_empty, dialect, ..Delivery::default() })
    }
}
