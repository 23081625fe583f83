//! `connector = "xml"`.

mod tag;
mod walk;

use crate::connector::{Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration = Registration { name: "xml", settings };

fn settings(_table: &mut Table<'_>, _context: &Context) -> Option<Box<dyn Settings>> {
    None
}
