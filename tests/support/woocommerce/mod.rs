//! A fake WooCommerce shop: real HTTP on the loopback, the real protocol with its quirks, and
//! faults that tests script.
//!
//! ```text
//! let fake = Fake::start(
//!     Catalogue::new()
//!         .simple(45, "MUG-01", |p| p.stock("3").price("12.30"))
//!         .variable(50, "TEE", |p| p.variation(51, "TEE-S", |v| v.stock("7").price("20.00"))),
//! );
//! fake.fail(Fault::status(500).on("POST products/batch").times(1).after_applying());
//! Shop::new().config(&fake.config(SEND)).run("push store-a").code(0);
//! assert_eq!(fake.stock(45), "4");
//! ```
//!
//! `catalogue` is what the shop has, `show` and `list` read it, `write` and `batch` save to it,
//! `auth` and `oauth` stand at the door, `route` leads from one to the other, `fault` breaks
//! answers, `log` remembers requests, `server` has the sockets; these three and `http` serve the
//! fakes of other stores, too. Nothing here knows invsync.

mod auth;
mod batch;
mod call;
mod catalogue;
pub(crate) mod events;
pub(crate) mod fault;
mod fields;
pub(crate) mod http;
mod info;
mod list;
pub(crate) mod log;
mod oauth;
pub(crate) mod pages;
mod route;
pub(crate) mod server;
mod settings;
mod show;
mod state;
mod write;

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use self::auth::Auth;
pub(crate) use self::catalogue::{Catalogue, Item, Kind};
pub(crate) use self::fault::{Fault, PHP_NOTICE};
pub(crate) use self::log::Logged;
pub(crate) use self::oauth::Signed;
pub(crate) use self::settings::{KEY, Key, Permissions, SECRET, Settings};

use self::log::Pattern;
use self::server::{Server, Shared};
use self::state::State;

/// A shop that runs until it is dropped.
pub(crate) struct Fake {
    server: Server<State>,
}

impl Fake {
    pub(crate) fn start(catalogue: Catalogue) -> Fake {
        let shared = Shared::<State>::default();
        shared.state().catalogue = catalogue;
        Fake { server: Server::start(shared).unwrap() }
    }

    /// The site's address.
    pub(crate) fn url(&self) -> String {
        format!("http://{}{}", self.host(), self.shared().state().settings.folder)
    }

    /// The address that the server listens on, with its port.
    pub(crate) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.server.port)
    }

    /// `store-a` of a config: this shop, with these sections behind it. The table `http` is the
    /// last, so that more of its keys can follow.
    pub(crate) fn config(&self, sections: &str) -> String {
        let url = self.url();
        format!(
            r#"
[integrations.store-a]
type = "store"
connector = "woocommerce"
url = "{url}"
consumer_key = "{KEY}"
consumer_secret = "{SECRET}"
{sections}
[integrations.store-a.http]
max_requests_per_second = 0
"#
        )
    }

    /// Changes what the shop and its server are like.
    pub(crate) fn settings(&self, change: impl FnOnce(&mut Settings)) -> &Fake {
        change(&mut self.shared().state().settings);
        self
    }

    /// Changes the shop's key.
    pub(crate) fn key(&self, change: impl FnOnce(&mut Key)) -> &Fake {
        change(&mut self.shared().state().key);
        self
    }

    /// Lets something go wrong. Of several faults that fit a request the first one hits.
    pub(crate) fn fail(&self, fault: Fault) -> &Fake {
        self.shared().state().faults.push(fault);
        self
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn heal(&self) {
        self.shared().state().faults.clear();
    }

    /// Changes the catalogue before the first such request from now: a sale in the middle. The
    /// fake stands still meanwhile.
    pub(crate) fn before(
        &self,
        pattern: &str,
        change: impl FnOnce(&mut Catalogue) + Send + 'static,
    ) -> &Fake {
        self.before_nth(1, pattern, change)
    }

    /// Changes the catalogue before the nth such request from now.
    pub(crate) fn before_nth(
        &self,
        nth: usize,
        pattern: &str,
        change: impl FnOnce(&mut Catalogue) + Send + 'static,
    ) -> &Fake {
        self.shared().state().events.before_nth(nth, pattern, change);
        self
    }

    /// Looks at the catalogue, or changes it.
    pub(crate) fn catalogue<T>(&self, with: impl FnOnce(&mut Catalogue) -> T) -> T {
        with(&mut self.shared().state().catalogue)
    }

    /// An item as it is stored.
    pub(crate) fn item(&self, id: u64) -> Item {
        self.catalogue(|catalogue| catalogue.get(id).clone())
    }

    /// The stored stock of an item; `–`: none.
    pub(crate) fn stock(&self, id: u64) -> String {
        self.item(id).quantity.unwrap_or_else(|| "–".to_owned())
    }

    /// The stored regular price of an item.
    pub(crate) fn price(&self, id: u64) -> String {
        self.item(id).regular_price
    }

    pub(crate) fn set_stock(&self, id: u64, quantity: &str) {
        self.catalogue(|catalogue| catalogue.set_stock(id, quantity));
    }

    pub(crate) fn set_price(&self, id: u64, price: &str) {
        self.catalogue(|catalogue| catalogue.set_price(id, price));
    }

    pub(crate) fn add(&self, item: Item) {
        self.catalogue(|catalogue| catalogue.add(item));
    }

    pub(crate) fn remove(&self, id: u64) {
        self.catalogue(|catalogue| catalogue.remove(id));
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Logged> {
        self.shared().state().log.clone()
    }

    /// Every request so far as a line: see [`Logged`].
    pub(crate) fn requests(&self) -> Vec<String> {
        self.log().iter().map(Logged::to_string).collect()
    }

    /// How many requests of each kind there were: `10 × POST products/batch`.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let mut counts = BTreeMap::new();
        for request in self.log() {
            *counts.entry(request.kind()).or_insert(0) += 1;
        }
        counts.into_iter().map(|(kind, count)| format!("{count} × {kind}")).collect()
    }

    /// How many requests there were of a pattern as [`Fault::on`] takes it.
    pub(crate) fn count(&self, pattern: &str) -> usize {
        let pattern = Pattern::new(pattern);
        self.log().iter().filter(|request| pattern.matches(request)).count()
    }

    /// Waits until there were so many requests of a pattern.
    pub(crate) fn wait_for(&self, count: usize, pattern: &str) {
        let limit = Instant::now() + Duration::from_secs(30);
        while self.count(pattern) < count {
            assert!(Instant::now() < limit, "waited for {count} × {pattern}: {:#?}", self.kinds());
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Forgets the requests so far.
    pub(crate) fn forget(&self) {
        self.shared().state().log.clear();
    }

    /// The most requests that were under way at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared().most_at_once()
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.shared().connections()
    }

    fn shared(&self) -> &Shared<State> {
        &self.server.shared
    }
}
