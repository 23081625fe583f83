//! `connector = "medusa"`: shops with Medusa 2, by its Admin REST API.
//!
//! `store` asks and knows what the shop has, `read` reads all variants, once for several locations
//! (`shared`), `rows` makes items of them, `prices` knows which of a variant's prices is meant and
//! what stands beside it, `write` sends values, `diagnose` says what is wrong with a shop that does
//! not answer as it should. `api` is the shop's JSON as types. README.md beside this file lists the
//! facts and quirks that all this rests on.

mod api;
mod connector;
mod diagnose;
mod prices;
mod read;
mod rows;
mod settings;
mod shared;
mod store;
mod write;

use self::settings::MedusaSettings;
use crate::connector::{Context, Registration, Settings};
use crate::model::StorePlaceKind;
use crate::settings::Table;

/// The registry's line.
pub const REGISTRATION: Registration = Registration {
    name: "medusa",
    settings,
    is_feed: false,
    places: &[StorePlaceKind::Location, StorePlaceKind::PriceList, StorePlaceKind::Region],
};

fn settings(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    let settings = MedusaSettings::read(table, context)?;
    Some(Box::new(settings))
}
