//! The shop as a connector: what is read, what is said about it, what writes to it.

use std::sync::{Arc, Mutex, PoisonError};

use super::read;
use super::rows::{MedusaReader, Memory, RowMaker};
use super::settings::ValueSettings;
use super::shared::{Reading, Share};
use super::store::{PriceTarget, Store};
use super::write::MedusaWriter;
use crate::connector::{Connector, ConnectorError, Delivery, Reader, Want, Writer};
use crate::model::{ProblemKind, StorePlaces};

/// A Medusa shop, and which of its places are meant.
pub(super) struct MedusaConnector {
    store: Arc<Store>,
    values: ValueSettings,
    places: StorePlaces,
    share: Share,
    memory: Arc<Memory>,
    /// What made the items of the last reading.
    maker: Mutex<Option<RowMaker>>,
}

impl MedusaConnector {
    pub(super) fn new(
        store: Arc<Store>,
        values: ValueSettings,
        places: StorePlaces,
        share: Share,
    ) -> MedusaConnector {
        let (memory, maker) = (Arc::default(), Mutex::default());
        MedusaConnector { store, values, places, share, memory, maker }
    }

    /// Finds the places that are meant; says why values cannot be used where they are not clear.
    fn resolve(&self, want: Want) -> Result<(RowMaker, Problems), ConnectorError> {
        let mut maker = RowMaker::new(&self.store, want, &self.values);
        let mut problems = Vec::new();
        if want.stock {
            match self.store.location(&self.places)? {
                Ok(location) => maker.location = Some(location),
                Err(why) if self.values.has_stock => return Err(ConnectorError::mapping(why)),
                Err(why) => problems.push((ProblemKind::Config, why)),
            }
        }
        if want.prices {
            match self.store.price_target(&self.places, self.values.currency)? {
                Ok(target) => match self.tax_problem(&target)? {
                    Some(why) => problems.push((ProblemKind::Config, why)),
                    None => maker.target = Some(target),
                },
                Err(why) => problems.push((ProblemKind::CurrencyMismatch, why)),
            }
        }
        Ok((maker, problems))
    }

    /// Finds the places while the variants are read, which takes longer.
    fn ask(&self, want: Want) -> Result<((RowMaker, Problems), Reading), ConnectorError> {
        std::thread::scope(|scope| {
            let read = move || self.share.read(&self.store, want);
            let reading = std::thread::Builder::new().spawn_scoped(scope, read);
            let reading = reading.map_err(|why| {
                ConnectorError::temporary(format!("no thread can be started: {why}"))
            })?;
            let resolved = self.resolve(want);
            let reading = reading
                .join()
                .map_err(|_| ConnectorError::source("the thread that reads ended by a panic"))?;
            Ok((resolved?, reading?))
        })
    }

    /// What is wrong with the shop's prices as a whole.
    fn tax_problem(&self, target: &PriceTarget) -> Result<Option<String>, ConnectorError> {
        let Some(wanted) = self.values.prices_include_tax else { return Ok(None) };
        Ok(match self.store.prices_include_tax(target)? {
            Some(includes) if includes != wanted => Some(format!(
                "the store's prices in {} are entered {}, and `prices_include_tax` says {}; no \
                 price was used. Change the key, or Medusa Admin → Settings → Store (or Regions)",
                target.currency,
                words(includes),
                words(wanted)
            )),
            _ => None,
        })
    }
}

/// What is wrong with a whole shop.
type Problems = Vec<(ProblemKind, String)>;

fn words(includes: bool) -> &'static str {
    if includes { "with tax" } else { "without tax" }
}

impl Connector for MedusaConnector {
    fn open(&self, want: Want) -> Result<Box<dyn Reader>, ConnectorError> {
        let (resolved, reading) = self.ask(want)?;
        let (mut maker, problems) = resolved;
        if let Some(target) = maker.target.as_ref().filter(|target| target.list.is_some()) {
            let listed = read::list_prices(&self.store, target)?;
            maker.take_listed(listed);
        }
        maker.take_shared(reading.shared);
        self.memory.lock().clear();
        *self.maker.lock().unwrap_or_else(PoisonError::into_inner) = Some(maker.clone());
        let (pages, memory) = (reading.pages, Arc::clone(&self.memory));
        Ok(Box::new(MedusaReader::new(pages, reading.read_at, maker, memory, problems)))
    }

    fn writer(&self, _: &Delivery) -> Result<Option<Box<dyn Writer>>, ConnectorError> {
        let maker = self.maker.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(maker) = maker else {
            return Err(ConnectorError::source(
                "the store was not read before it was to be written",
            ));
        };
        let (store, memory) = (Arc::clone(&self.store), Arc::clone(&self.memory));
        Ok(Some(Box::new(MedusaWriter::new(store, memory, maker, self.values.quantity_field))))
    }

    fn check(&self, _: bool) -> Result<(), ConnectorError> {
        if self.share.number == 0 {
            self.store.tell_places()?;
        }
        if let Ok(target) = self.store.price_target(&self.places, self.values.currency)?
            && let Some(includes) = self.store.prices_include_tax(&target)?
        {
            let (currency, words) = (target.currency, words(includes));
            self.store.detail(&format!("prices in {currency} are entered {words}"));
        }
        Ok(())
    }
}
