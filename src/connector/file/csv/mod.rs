//! `connector = "csv"`.

use crate::connector::{Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration = Registration { name: "csv", settings };

fn settings(_table: &mut Table<'_>, _context: &Context) -> Option<Box<dyn Settings>> {
    None
}
