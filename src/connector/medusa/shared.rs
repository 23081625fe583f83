//! One reading of all variants for several locations: they are read once, and handed out to each.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustc_hash::FxHashSet;

use super::read;
use super::store::Store;
use crate::connector::http::Pages;
use crate::connector::{ConnectorError, Want};

/// What several connectors read together.
pub(super) struct SharedReading {
    /// How many they are.
    of: usize,
    last: Mutex<Option<Reading>>,
}

/// All variants as they were read once.
#[derive(Clone)]
pub(super) struct Reading {
    want: Want,
    pub(super) read_at: Instant,
    pub(super) pages: Pages,
    /// Inventory items that several variants share.
    pub(super) shared: Arc<FxHashSet<Box<str>>>,
    /// Who has had it.
    taken_by: Vec<usize>,
}

/// The part that one connector has in it.
#[derive(Clone)]
pub(super) struct Share {
    pub(super) shared: Arc<SharedReading>,
    pub(super) number: usize,
}

impl SharedReading {
    pub(super) fn of(count: usize) -> SharedReading {
        SharedReading { of: count, last: Mutex::default() }
    }
}

impl Share {
    /// All variants: as they were read for another one, where this one has not had that yet, or as
    /// they are now.
    pub(super) fn read(&self, store: &Store, want: Want) -> Result<Reading, ConnectorError> {
        let mut last = self.shared.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reading) = last.as_mut()
            && reading.has(want)
            && !reading.taken_by.contains(&self.number)
        {
            reading.taken_by.push(self.number);
            return Ok(reading.clone());
        }
        // Who shares it is after the stock of another location.
        let want = Want { stock: want.stock || self.shared.of > 1, ..want };
        let read_at = Instant::now();
        let catalogue = read::catalogue(store, want)?;
        let (pages, shared) = (catalogue.pages.into_pages(), Arc::new(catalogue.shared));
        let reading = Reading { want, read_at, pages, shared, taken_by: vec![self.number] };
        if self.shared.of > 1 {
            *last = Some(reading.clone());
        }
        Ok(reading)
    }
}

impl Reading {
    /// Whether it has all that is wanted.
    fn has(&self, want: Want) -> bool {
        (self.want.stock || !want.stock)
            && (self.want.prices || !want.prices)
            && (self.want.names || !want.names)
    }
}
