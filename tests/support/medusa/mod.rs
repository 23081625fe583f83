//! A fake Medusa shop: real HTTP on the loopback, the Admin API with its traps, and faults that
//! tests script.
//!
//! `catalogue` is what the shop has, `show` reads it, `save` writes to it, `route` leads from a
//! request to either. Sockets, faults and the log are those of the other fakes. Nothing here knows
//! invsync.

mod catalogue;
mod route;
mod save;
mod show;

use super::woocommerce::Fault;
use super::woocommerce::events::Events;
use super::woocommerce::fault::Delivery;
use super::woocommerce::http::{Request, Response};
use super::woocommerce::log::Logged;
use super::woocommerce::server::{Reply, Server, Shared, Site};

pub(crate) use self::catalogue::{Catalogue, Price};

/// The shop's secret key. Nothing else looks like it, so that a leak is found.
pub(crate) const KEY: &str = "sk_5ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4e75ec4";

#[derive(Default)]
struct State {
    catalogue: Catalogue,
    faults: Vec<Fault>,
    events: Events<Catalogue>,
    log: Vec<Logged>,
    is_revoked: bool,
    may_only_read: bool,
    /// Whether a batch of variants heeds the product in its address.
    looks_at_product: bool,
}

impl Site for State {
    /// Answers a request: what was to happen before it, the shop, then what goes wrong.
    fn reply(&mut self, request: &Request) -> Reply {
        let mut logged = Logged::new(request, "/admin/");
        self.events.run(&logged, &mut self.catalogue);
        let fault = self.faults.iter_mut().position(|fault| fault.hits(&logged));
        let applies = fault.is_none_or(|fault| self.faults[fault].applies());
        let mut response = if applies { self.answer(request) } else { Response::html(200, "") };
        let delivery = fault.map_or(Delivery::Whole, |fault| {
            self.faults[fault].strike(&mut response, &request.target)
        });
        let is_answered = !matches!(delivery, Delivery::Close | Delivery::Never);
        logged.status = is_answered.then_some(response.status);
        self.log.push(logged);
        let latency = std::time::Duration::ZERO;
        Reply { response, delivery, latency, gzip: false, chunked: false }
    }
}

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

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.server.port)
    }

    /// `web` of a config: this shop, with these sections behind it.
    pub(crate) fn config(&self, more: &str) -> String {
        let url = self.url();
        format!(
            "[integrations.web]\ntype = \"store\"\nconnector = \"medusa\"\nurl = \"{url}\"\n\
             api_key = \"{KEY}\"\nhttp = {{ max_requests_per_second = 0, retries = 1, \
             retry_budget = \"2s\" }}\n{more}\n"
        )
    }

    /// Lets something go wrong. Of several faults that fit a request the first one hits.
    pub(crate) fn fail(&self, fault: Fault) -> &Fake {
        self.server.shared.state().faults.push(fault);
        self
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn heal(&self) {
        self.server.shared.state().faults.clear();
    }

    /// Changes the catalogue before the nth such request from now.
    pub(crate) fn before_nth(
        &self,
        nth: usize,
        pattern: &str,
        change: impl FnOnce(&mut Catalogue) + Send + 'static,
    ) -> &Fake {
        self.server.shared.state().events.before_nth(nth, pattern, change);
        self
    }

    /// Looks at the catalogue, or changes it.
    pub(crate) fn catalogue<T>(&self, with: impl FnOnce(&mut Catalogue) -> T) -> T {
        with(&mut self.server.shared.state().catalogue)
    }

    /// The key of the config is no longer known.
    pub(crate) fn revoke(&self) {
        self.server.shared.state().is_revoked = true;
    }

    /// The key of the config may only read.
    pub(crate) fn forbid_writes(&self) {
        self.server.shared.state().may_only_read = true;
    }

    /// From now on a batch of variants is only of the product in its address.
    pub(crate) fn look_at_product(&self) {
        self.server.shared.state().looks_at_product = true;
    }

    /// Every request so far.
    pub(crate) fn log(&self) -> Vec<Logged> {
        self.server.shared.state().log.clone()
    }

    /// Every write so far as a line: `POST products/prod_1/variants/batch (2)`.
    pub(crate) fn writes(&self) -> Vec<String> {
        let log = self.log().into_iter().filter(|request| request.method == "POST");
        log.map(|request| {
            let count = |list: &str| {
                request.body.as_ref().and_then(|body| body[list].as_array()).map_or(0, Vec::len)
            };
            let (updated, created) = (count("update"), count("create"));
            let status = request.status.filter(|status| *status != 200);
            let status = status.map(|status| format!(" → {status}")).unwrap_or_default();
            format!("{} {updated}+{created}{status}", request.path)
        })
        .collect()
    }
}
