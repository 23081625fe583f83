//! `connector = "xlsx"`: the sheets of xlsx and ods workbooks. Only read, never written.
//!
//! `archive` opens the zip file around a workbook, `xml` reads its members, `workbook` and `cells`
//! know xlsx, `ods` knows ods; both give `sheet` rows. `rows` knows header and columns,
//! `connector` reads items, `sample` looks at workbooks that nobody has described yet.

mod archive;
mod cells;
mod connector;
mod number;
mod ods;
mod rows;
mod sample;
mod settings;
mod sheet;
mod workbook;
mod xml;

pub(crate) use self::sample::{is_workbook, may_be_workbook, sample};
use self::settings::XlsxSettings;
use crate::connector::{Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration =
    Registration { name: "xlsx", settings, is_feed: true, places: &[] };

fn settings(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    let settings = XlsxSettings::read(table, context)?;
    Some(Box::new(settings))
}
