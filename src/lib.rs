//! invsync keeps stock and prices right between a shop's external stores and wholesalers and its
//! own local inventory, one pass at a time.
//!
//! The rooms, and the one way that arrows point:
//! `cli → engine → (connector | inventory | report) → model`.
//!
//! - [`model`]: the words of invsync as types
//! - [`settings`]: the pieces that a config is read with
//! - [`config`]: TOML to checked types
//! - [`connector`]: what speaks to an integration
//! - [`inventory`]: the SQLite file; the only room that knows SQL
//! - [`engine`]: the pass; the only room that knows the order of steps
//! - [`report`]: what people and scripts see
//! - [`cli`]: one file a command
//!
//! `around`, `child`, `leftovers` and `whole` stand below all of them: who is told and whether to
//! stop, programs that are started, what a killed process left beside a file, and files that appear
//! whole.

pub mod around;
mod child;
pub mod cli;
pub mod config;
pub mod connector;
pub mod engine;
pub mod inventory;
mod leftovers;
pub mod model;
pub mod report;
pub mod settings;
mod whole;
