//! What speaks to an integration: the interface of all connectors, and their registry.
//!
//! A connector reads items in batches and, for a store, writes values. It compares nothing,
//! journals nothing, never sees the inventory: the engine does that for all of them alike.

mod batch;
mod error;
pub mod feed;
pub mod file;
pub mod http;
mod loose;
pub mod medusa;
mod origin;
pub mod woocommerce;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

pub use batch::{Row, RowBatch, RowProblem, RowView, SaleBound, Span, Value};
pub use error::{ConnectorError, ErrorKind};
pub use origin::{Origin, Validators};

use crate::around::Around;
use crate::model::{Currency, Decimal, Dialect, Section, StorePlaceKind, StorePlaces};
use crate::settings::Table;

/// What the engine wants to know of each item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Want {
    /// Quantities.
    pub stock: bool,
    /// Prices and their currency.
    pub prices: bool,
    /// Names and parents; left out where no product is made and nothing is listed.
    pub names: bool,
}

/// One external party, ready to be contacted.
pub trait Connector: Send + Sync {
    /// Contacts the other side.
    ///
    /// What is remote is fetched whole before this returns, so that the engine can hold the
    /// inventory still while it drains the reader.
    fn open(&self, want: Want) -> Result<Box<dyn Reader>, ConnectorError>;

    /// Whether the other side still has what it had when it said `known`; if so, where that is
    /// from. What is fetched to find out is what the next `open` reads.
    fn if_unchanged(&self, _known: &Validators) -> Result<Option<Origin>, ConnectorError> {
        Ok(None)
    }

    /// Where what was read last came from; `None` where the other side says nothing of it.
    fn origin(&self) -> Option<Origin> {
        None
    }

    /// What writes to the other side; `None` for what is only ever read.
    ///
    /// It gets what was read, so that it can refuse when the file or shop is no longer that one.
    fn writer(&self, read: &Delivery) -> Result<Option<Box<dyn Writer>>, ConnectorError>;

    /// Makes what the store has now outlast a power failure, where that is in this machine's hands:
    /// before what was only read there, and not answered, is recorded as applied.
    fn make_durable(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// What only a closer look shows, for `check`: whether what is to be sent may be written.
    /// Changes nothing there.
    fn check(&self, _sends: bool) -> Result<(), ConnectorError> {
        Ok(())
    }
}

/// The items of one delivery, in batches, in the order of the source.
pub trait Reader: Send {
    /// Fills `rows` (emptied first) with the next items. `false` at the end: then it is empty.
    fn next(&mut self, rows: &mut RowBatch) -> Result<bool, ConnectorError>;

    /// What the delivery was, once `next` has said `false`. An error where the source turned out
    /// to be cut or to be no longer the one that was opened.
    fn finish(self: Box<Self>) -> Result<Delivery, ConnectorError>;
}

/// What one source handed over in one read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Whether what is absent is meant to be absent.
    pub complete: bool,
    /// The header or paths that the source has, for the memory of the delivery.
    pub header: String,
    /// What a delivery of this source may have, and whether this one has it: paths that match
    /// somewhere, a line end behind the last row. What was there once and is gone says that the
    /// source has changed its shape, or is cut.
    pub shape: Vec<(String, bool)>,
    /// What the bytes were, for files that are written back; `None` for what cannot be.
    pub fingerprint: Option<Fingerprint>,
    /// How it is written, as far as the config does not say.
    pub dialect: Dialect,
    /// When it says itself that it was made.
    pub generated: Option<SystemTime>,
    /// What the mapping asks for and no item has, where that can be told.
    pub nowhere: Vec<Nowhere>,
    /// What left it without any item, where the connector can tell.
    pub why_empty: Option<ConnectorError>,
    /// When it began to be read, where that was before it was opened.
    pub read_at: Option<Instant>,
}

/// A field of the mapping that a whole delivery has nothing for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nowhere {
    /// Whether a delivery is of no use without it.
    pub is_needed: bool,
    /// Its paths, as [`Delivery::shape`] names them.
    pub paths: Vec<String>,
    /// The line of its key in the config.
    pub line: u64,
    /// The key, its line, and what there is instead.
    pub message: String,
}

/// What a file was when it was read: a writer refuses a file that is no longer that one.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Fingerprint {
    /// Length in bytes.
    pub length: u64,
    /// A hash of all its bytes, the same on every machine, stable within one version of the program.
    pub hash: u64,
}

/// What writes quantities and prices to a store, and nothing else. Several threads use it at once.
pub trait Writer: Send + Sync {
    /// How the engine must cut a plan into batches; asked before each batch, for a writer may learn.
    fn limits(&self) -> Limits;

    /// Items of different groups never share a batch; groups are sent in the order of their numbers.
    fn group(&self, _item_id: &str, _handle: Option<&str>) -> u32 {
        0
    }

    /// Sends one batch, once. Writes of one item stand side by side.
    fn send(&self, batch: &[Write]) -> Sent;

    /// What the store has now in place of these writes, one for each.
    fn read_back(&self, _batch: &[Write]) -> Result<Vec<Current>, ConnectorError> {
        Err(ConnectorError::source("this store cannot be read back"))
    }

    /// Waits before the `attempt`-th (1, 2, …) repetition of what was left without an answer.
    /// `false`: enough was tried.
    fn pause(&self, _attempt: u32) -> bool {
        false
    }
}

/// How much a writer takes at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Items in one batch; `None`: all at once, as for a file.
    pub batch: Option<usize>,
    /// Batches under way at once.
    pub concurrency: usize,
    /// How long what was read counts as what the store has; `None`: the writer sees for itself.
    pub fresh_for: Option<Duration>,
    /// Decimals that a price can have there; `None`: as many as it needs.
    pub price_decimals: Option<u32>,
    /// Decimals that a quantity can have there; `None`: as many as it needs.
    pub quantity_decimals: Option<u32>,
}

/// One value to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The item's id.
    pub item_id: String,
    /// What the store needs beside the id, such as the parent's.
    pub handle: Option<String>,
    /// Stock or prices.
    pub section: Section,
    /// The store's value when it was read.
    pub before: Option<Decimal>,
    /// The value to write.
    pub after: Decimal,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct Sent {
    /// One outcome per write, in the order of the batch.
    pub outcomes: Vec<Outcome>,
    /// Why nothing more can be sent now: rejected credentials, a store that is down.
    pub stop: Option<ConnectorError>,
}

impl Sent {
    /// Nothing of a batch left this machine or was acted upon, and nothing more can be sent.
    pub fn nothing(of: usize, why: ConnectorError) -> Sent {
        Sent { outcomes: vec![Outcome::NotSent; of], stop: Some(why) }
    }
}

impl From<Vec<Outcome>> for Sent {
    fn from(outcomes: Vec<Outcome>) -> Sent {
        Sent { outcomes, stop: None }
    }
}

/// What became of one [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The answer said so, and the value there is the one asked for.
    Applied,
    /// The answer said no, in these words.
    Refused(String),
    /// It changed there since it was read, and was left alone.
    Skipped(String),
    /// The store would do something else by itself on it, and it was not sent.
    HeldBack(String),
    /// No answer: it may have been applied.
    Uncertain(String),
    /// It was surely not acted upon, and nobody said no.
    NotSent,
}

/// What a store has in place of a [`Write`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Current {
    /// This value; `None`: none.
    Value(Option<Decimal>),
    /// The item is not there, or cannot take such a value any more, in these words.
    Gone(String),
    /// The store would do something else by itself on such a value, in these words.
    Held(String),
}

/// A connector's settings, read from the config and checked; contacts nobody.
pub trait Settings: Send + Sync + std::fmt::Debug {
    /// Resolves what is needed (secrets, paths) and makes the connector for these places at the
    /// other side: of the kinds that the registration names, and no others.
    ///
    /// The error is one of usage (exit 2): nobody has been contacted. What the store has the
    /// connector finds out when it opens, by id or else by name: an unknown place, or a name that
    /// several have, is a [`ErrorKind::Mapping`] that lists what there is.
    fn connect(
        &self,
        around: &Around,
        places: &StorePlaces,
    ) -> Result<Box<dyn Connector>, ConnectorError>;

    /// The same for several places of one store: the connectors may share what they read, each
    /// handing it out once.
    fn connect_all(
        &self,
        around: &Around,
        places: &[StorePlaces],
    ) -> Result<Vec<Box<dyn Connector>>, ConnectorError> {
        places.iter().map(|places| self.connect(around, places)).collect()
    }

    /// Whether reading it contacts another machine.
    fn is_remote(&self) -> bool {
        false
    }

    /// The local file that is read, where there is exactly one: problems name it.
    fn local_file(&self) -> Option<PathBuf> {
        None
    }

    /// Whether a value of this section is mapped, or else what to add to the config.
    fn provides(&self, section: Section) -> Result<(), String>;

    /// Whether a value of this section can be written, or else why not.
    fn can_write(&self, section: Section) -> Result<(), String>;
}

/// Whether an integration may be written at all: a wholesaler never is.
pub fn may_be_written(is_store: bool) -> Result<(), String> {
    if is_store { Ok(()) } else { Err("nothing is ever written to a wholesaler".to_owned()) }
}

/// What reading a connector's settings may depend on.
#[derive(Clone, Debug)]
pub struct Context {
    /// The integration's name.
    pub name: String,
    /// The folder that relative paths are relative to.
    pub folder: PathBuf,
    /// Whether the integration is a store (may be written) or a wholesaler.
    pub is_store: bool,
    /// The currency of the price group of the prices section, if there is one.
    pub currency: Option<Currency>,
    /// How it is fetched, where it is fetched by http.
    pub http: http::HttpSettings,
    /// Whether it is a further file of a feed, whose `key` finds the SKU.
    pub is_join: bool,
    /// The sections that are worked on, and so need a value.
    pub sections: Vec<Section>,
    /// What its source holds, where that was fetched before.
    pub at_hand: Option<feed::source::AtHand>,
}

impl Context {
    /// A store, or else a wholesaler, without prices, fetched with the defaults.
    pub fn new(name: &str, folder: impl Into<PathBuf>, is_store: bool) -> Context {
        let http = http::HttpSettings::default();
        Context {
            name: name.to_owned(),
            folder: folder.into(),
            is_store,
            currency: None,
            http,
            is_join: false,
            sections: Section::ALL.to_vec(),
            at_hand: None,
        }
    }
}

/// One line of the registry.
pub struct Registration {
    /// The value of `connector` in the config.
    pub name: &'static str,
    /// Takes the connector's keys out of the integration's table, all of them before it gives up,
    /// so that every error is found at once. `None` where errors, added to the table's problems,
    /// make the settings unusable.
    pub settings: fn(&mut Table<'_>, &Context) -> Option<Box<dyn Settings>>,
    /// Whether it reads a feed, which may be combined with others.
    pub is_feed: bool,
    /// The kinds of places that the other side has more than one of, so that a section may say
    /// which is meant.
    pub places: &'static [StorePlaceKind],
}

/// Every connector, one line each.
pub const REGISTRY: &[Registration] = &[
    file::csv::REGISTRATION,
    file::json::REGISTRATION,
    file::xml::REGISTRATION,
    file::xlsx::REGISTRATION,
    file::edifact::REGISTRATION,
    woocommerce::REGISTRATION,
    medusa::REGISTRATION,
];
