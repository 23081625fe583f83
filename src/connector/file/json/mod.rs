//! `connector = "json"`.

mod scan;
mod walk;

/// How deep values may be nested.
const DEPTH: usize = 128;

use crate::connector::{Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration = Registration { name: "json", settings };

fn settings(_table: &mut Table<'_>, _context: &Context) -> Option<Box<dyn Settings>> {
    None
}
