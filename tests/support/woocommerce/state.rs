//! Everything a fake knows, and the one way in which a request goes through it.

use std::collections::HashSet;

use super::auth::Door;
use super::batch::Desk;
use super::catalogue::Catalogue;
use super::events::Events;
use super::fault::{Delivery, Fault};
use super::http::{Request, Response};
use super::log::Logged;
use super::route::Server;
use super::server::{Reply, Site};
use super::settings::{Key, Settings};

#[derive(Default)]
pub(super) struct State {
    pub(super) catalogue: Catalogue,
    pub(super) settings: Settings,
    pub(super) key: Key,
    pub(super) faults: Vec<Fault>,
    pub(super) events: Events<Catalogue>,
    pub(super) log: Vec<Logged>,
    nonces: HashSet<String>,
}

impl Site for State {
    /// Answers a request: what was to happen before it, the shop, then what goes wrong.
    fn reply(&mut self, request: &Request) -> Reply {
        let root = format!("{}/wp-json/wc/v3/", self.settings.folder);
        let mut logged = Logged::new(request, &root);
        self.events.run(&logged, &mut self.catalogue);
        let fault = self.faults.iter_mut().position(|fault| fault.hits(&logged));
        let applies = fault.is_none_or(|fault| self.faults[fault].applies());
        let (mut response, saved) =
            if applies { self.ask_shop(request) } else { (Response::html(200, ""), Vec::new()) };
        let delivery = fault.map_or(Delivery::Whole, |fault| {
            self.faults[fault].strike(&mut response, &request.target)
        });
        let is_answered = !matches!(delivery, Delivery::Close | Delivery::Never);
        logged.status = is_answered.then_some(response.status);
        logged.saved = saved;
        self.log.push(logged);
        let takes_gzip = request.header("accept-encoding").is_some_and(|all| all.contains("gzip"));
        Reply {
            response,
            delivery,
            latency: self.settings.latency,
            gzip: self.settings.gzip && takes_gzip,
            chunked: self.settings.chunked,
        }
    }
}

impl State {
    /// The shop's own answer, and the items that it saved.
    fn ask_shop(&mut self, request: &Request) -> (Response, Vec<u64>) {
        let settings = &self.settings;
        let desk = Desk { catalogue: &mut self.catalogue, settings, saved: Vec::new() };
        let door = Door { settings, key: &mut self.key, nonces: &mut self.nonces };
        let mut server = Server { desk, door };
        (server.answer(request), server.desk.saved)
    }
}
