//! What every feed's table holds, whatever its format.

use encoding_rs::Encoding;

use super::decode::read_encoding;
use super::mapping::{CheckPath, Mapping};
use super::source::{Keep, SourceSettings};
use crate::connector::{Context, may_be_written};
use crate::model::Section;
use crate::settings::Table;

/// `source`, `complete`, `encoding` and the mapping.
#[derive(Clone, Debug)]
pub struct FeedSettings {
    /// Where the bytes come from.
    pub source: SourceSettings,
    /// Whether what a delivery lacks is meant to be absent.
    pub complete: bool,
    /// The encoding that the config names.
    pub encoding: Option<&'static Encoding>,
    /// Which column or path holds what.
    pub mapping: Mapping,
    /// Whether values may be written back at all.
    pub is_store: bool,
}

impl FeedSettings {
    /// Takes the keys out of the integration's table. `None` where errors, added to the table's
    /// problems, make them unusable.
    pub fn read(
        table: &mut Table<'_>,
        context: &Context,
        check_path: CheckPath<'_>,
    ) -> Option<FeedSettings> {
        // All of them are read before the first failure ends it: every error at once.
        let source = SourceSettings::read(table, context);
        let complete = table.bool("complete").unwrap_or(true);
        let encoding = read_encoding(table);
        let mut mapping = Mapping::read(table, check_path, context.is_join);
        if let Some(mapping) = &mut mapping {
            mapping.sections.clone_from(&context.sections);
        }
        Some(FeedSettings {
            source: source?,
            complete,
            encoding: encoding?,
            mapping: mapping?,
            is_store: context.is_store,
        })
    }

    /// Whether a value of this section is mapped, or else what to add to the config.
    pub fn provides(&self, section: Section) -> Result<(), String> {
        self.mapping.provides(section)
    }

    /// Whether a value of this section can be written, or else why not.
    pub fn can_write(&self, section: Section) -> Result<(), String> {
        may_be_written(self.is_store)?;
        self.source.can_write()?;
        self.mapping.writable(section).map(|_| ())
    }

    /// Whether a read has to keep a fingerprint for a later write.
    pub fn keep(&self) -> Keep {
        let writable = Section::ALL.into_iter().any(|section| self.can_write(section).is_ok());
        if writable { Keep::Fingerprint } else { Keep::Nothing }
    }
}
