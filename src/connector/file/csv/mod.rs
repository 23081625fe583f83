//! `connector = "csv"`: delimited text.
//!
//! `detect` finds out how the bytes are cut, `tokenizer` cuts them, `rows` knows header and columns, `connector` reads items, `write`
//! changes single cells.

mod connector;
mod detect;
mod rows;
mod sample;
mod settings;
mod tokenizer;
mod write;

pub(crate) use self::sample::sample;

use self::settings::CsvSettings;
use crate::connector::{Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration =
    Registration { name: "csv", settings, is_feed: true, places: &[] };

fn settings(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    let settings = CsvSettings::read(table, context)?;
    Some(Box::new(settings))
}

#[cfg(test)]
mod tests;
