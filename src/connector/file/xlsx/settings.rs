//! The options of a spreadsheet.

use std::path::PathBuf;

use super::connector::Xlsx;
use crate::around::Around;
use crate::connector::feed::number::trim;
use crate::connector::feed::settings::FeedSettings;
use crate::connector::file::columns;
use crate::connector::{Connector, ConnectorError, Context, Settings};
use crate::model::{Section, StorePlaces};
use crate::settings::Table;

/// Everything that `[integrations.X]` says of a spreadsheet.
#[derive(Clone, Debug)]
pub(super) struct XlsxSettings {
    /// What every feed has.
    pub(super) feed: FeedSettings,
    /// Which sheet; the first one where the config does not say.
    pub(super) sheet: Option<String>,
    /// The row of the header, from 1; 0: there is none.
    pub(super) header_row: u64,
}

impl XlsxSettings {
    /// Takes the keys of a spreadsheet out of the integration's table.
    pub(super) fn read(table: &mut Table<'_>, context: &Context) -> Option<XlsxSettings> {
        let sheet = read_sheet(table);
        let header_row = table.integer("header_row", 0..10_001).unwrap_or(1);
        let feed = FeedSettings::read(table, context, &|path| columns::check(path, header_row));
        let (feed, sheet) = (feed?, sheet?);
        if feed.encoding.is_some() {
            let name = table.name_of("encoding");
            table.error(format!("`{name}`: a spreadsheet is always Unicode; take the key out"));
            return None;
        }
        Some(XlsxSettings { feed, sheet, header_row })
    }
}

/// `None` where the key is wrong, `Some(None)` where it is absent.
pub(super) fn read_sheet(table: &mut Table<'_>) -> Option<Option<String>> {
    let name = table.name_of("sheet");
    let Some(entry) = table.take("sheet") else { return Some(None) };
    let (text, _) = entry.string(&name)?;
    let text = trim(&text);
    if text.is_empty() {
        entry.error(format!("`{name}` must be the name of a sheet"));
        return None;
    }
    Some(Some(text.to_owned()))
}

impl Settings for XlsxSettings {
    fn connect(
        &self,
        around: &Around,
        _: &StorePlaces,
    ) -> Result<Box<dyn Connector>, ConnectorError> {
        let source = self.feed.source.connect(around)?;
        Ok(Box::new(Xlsx::new(self.clone(), source)))
    }

    fn is_remote(&self) -> bool {
        self.feed.source.is_remote()
    }

    fn local_file(&self) -> Option<PathBuf> {
        self.feed.source.local_file()
    }

    fn provides(&self, section: Section) -> Result<(), String> {
        self.feed.provides(section)
    }

    fn can_write(&self, _: Section) -> Result<(), String> {
        if !self.feed.is_store {
            return Err("nothing is ever written to a wholesaler".to_owned());
        }
        Err("a spreadsheet is only read; to write one, save it as csv and use that".to_owned())
    }
}
