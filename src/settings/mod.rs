//! The pieces that a config is read with: a TOML table that knows its lines and collects every
//! error, texts that may come from the environment, durations. What the keys mean stands in the
//! config room and beside each connector.

mod document;
mod duration;
mod table;
mod template;
mod text;

pub use document::{ConfigError, Document, Problems};
pub use duration::parse_duration;
pub(crate) use table::nearest;
pub use table::{Entry, Table};
pub use text::{Secret, Text, TextError};
