//! The options of a csv feed.

use std::path::PathBuf;

use super::connector::Csv;
use crate::around::Around;
use crate::connector::feed::settings::FeedSettings;
use crate::connector::file::columns;
use crate::connector::{Connector, ConnectorError, Context, Settings};
use crate::model::{Section, StorePlaces};
use crate::settings::Table;

/// Everything that `[integrations.X]` says of a csv file.
#[derive(Clone, Debug)]
pub(super) struct CsvSettings {
    /// What every feed has.
    pub(super) feed: FeedSettings,
    /// How the file is cut.
    pub(super) layout: Layout,
}

/// How the file is cut, as far as the config says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// Between two fields; found by looking where the config does not say.
    pub(super) delimiter: Option<u8>,
    /// Around a field; switched off, quotes are text.
    pub(super) quote: Sign,
    /// Makes the next byte stand for itself.
    pub(super) escape: Sign,
    /// Starts a line that says nothing.
    pub(super) comment: Sign,
    /// The line of the header, from 1; 0: there is none. Found by looking where it is `None`.
    pub(super) header_row: Option<u64>,
}

/// What the config says of an option that is one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// Nothing: it is found by looking.
    Open,
    /// There is none.
    Off,
    /// This one.
    Byte(u8),
}

impl Sign {
    /// The character; `open` where the config leaves it open.
    pub(super) fn or(self, open: Option<u8>) -> Option<u8> {
        match self {
            Sign::Open => open,
            Sign::Off => None,
            Sign::Byte(byte) => Some(byte),
        }
    }
}

impl CsvSettings {
    /// Takes the keys of a csv feed out of the integration's table.
    pub(super) fn read(table: &mut Table<'_>, context: &Context) -> Option<CsvSettings> {
        let layout = Layout::read(table);
        // A wrong layout is reported already; the paths are checked as far as that goes.
        let header_row = layout.and_then(|layout| layout.header_row).unwrap_or(1);
        let feed = FeedSettings::read(table, context, &|path| columns::check(path, header_row));
        Some(CsvSettings { layout: layout?, feed: feed? })
    }
}

impl Settings for CsvSettings {
    fn connect(
        &self,
        around: &Around,
        _: &StorePlaces,
    ) -> Result<Box<dyn Connector>, ConnectorError> {
        let source = self.feed.source.connect(around)?;
        Ok(Box::new(Csv::new(self.clone(), source)))
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

    fn can_write(&self, section: Section) -> Result<(), String> {
        self.feed.can_write(section)
    }
}

impl Layout {
    /// Takes its keys out of the integration's table.
    pub(super) fn read(table: &mut Table<'_>) -> Option<Layout> {
        let delimiter = one_byte(table, "delimiter");
        let quote = one_byte(table, "quote");
        let escape = one_byte(table, "escape");
        let comment = one_byte(table, "comment");
        let header_row = table.integer("header_row", 0..10_001);
        if delimiter? == Sign::Off {
            table.error(format!("`{}` must not be empty", table.name_of("delimiter")));
            return None;
        }
        let layout = Layout {
            delimiter: delimiter?.or(None),
            quote: quote?,
            escape: escape?,
            comment: comment?,
            header_row,
        };
        layout.check(table)
    }

    /// No character can mean two things.
    fn check(self, table: &Table<'_>) -> Option<Layout> {
        let quote = self.quote.or(Some(b'"'));
        let (escape, comment) = (self.escape.or(None), self.comment.or(None));
        let mut signs: Vec<u8> =
            [self.delimiter, quote, escape, comment].into_iter().flatten().collect();
        let count = signs.len();
        signs.sort_unstable();
        signs.dedup();
        if signs.len() == count {
            return Some(self);
        }
        table.error(format!(
            "`{}`: `delimiter`, `quote`, `escape` and `comment` must differ",
            table.path()
        ));
        None
    }
}

/// `None` where the option is wrong.
fn one_byte(table: &mut Table<'_>, key: &'static str) -> Option<Sign> {
    let name = table.name_of(key);
    let Some(entry) = table.take(key) else { return Some(Sign::Open) };
    let (text, _) = entry.string(&name)?;
    match text.as_bytes() {
        [] => Some(Sign::Off),
        [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n' | 0) => Some(Sign::Byte(*byte)),
        _ => {
            entry.error(format!("`{name}` must be one ASCII character"));
            None
        }
    }
}
