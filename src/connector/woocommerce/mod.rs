//! `connector = "woocommerce"`: shops with WooCommerce, by its REST API `wc/v3`.
//!
//! `shop` asks and knows how (`auth`), `read` reads the whole catalogue, `rows` makes items of it,
//! `write` sends values, `diagnose` says what is wrong with a shop that does not answer as it
//! should. `api` is the shop's JSON as types. README.md beside this file lists the facts and quirks
//! that all this rests on.

mod api;
mod auth;
mod connector;
mod diagnose;
mod read;
mod rows;
mod settings;
mod shop;
mod write;

use self::settings::WooSettings;
use crate::connector::{Context, Registration, Settings};
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration =
    Registration { name: "woocommerce", settings, is_feed: false, places: &[] };

fn settings(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    let settings = WooSettings::read(table, context)?;
    Some(Box::new(settings))
}
