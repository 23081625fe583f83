//! The client: how one request becomes an answer or an error, whatever it takes.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue,
    IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Url, blocking};
use serde::de::DeserializeOwned;

use super::attempt::{self, Goes, Reply, Terms};
use super::failure::Failure;
use super::gate::Gate;
use super::limits::Limits;
use super::pace::Pace;
use super::redirect::{self, Hops, Reach};
use super::retry::{self, Budget, Meaning};
use super::safety;
use super::scrub::Scrubber;
use super::telling::seconds;
use super::transport::{self, Transport};
use super::verdict::{self, Again, Failed};
use super::{Answer, Fetch, Fetched, HttpError, HttpErrorKind, HttpSettings, Method, Request};
use crate::around::Around;
use crate::connector::ConnectorError;
use crate::settings::Secret;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");
const ANYTHING: HeaderValue = HeaderValue::from_static("*/*");
/// It is still the version that is known.
const NOT_MODIFIED: u16 = 304;

/// One integration's way to its server: its connections, its pace, its budget of retries. Shared
/// by reference among threads.
pub struct Client {
    /// `None` only while it is dropped.
    transport: Option<blocking::Client>,
    pub(super) around: Around,
    pub(super) name: String,
    settings: HttpSettings,
    limits: Limits,
    pub(super) scrubber: Scrubber,
    pub(super) budget: Budget,
    pace: Pace,
    gate: Gate,
    requests: AtomicU64,
    pub(super) has_told_of_notices: AtomicBool,
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    Read,
    /// Changes something there.
    Write,
    /// A file that may be anywhere and longer than memory.
    Fetch,
}

/// What is asked, and for what.
pub(super) struct Errand<'a> {
    pub request: &'a Request<'a>,
    pub intent: Intent,
    /// What stands in it beside what signs it.
    headers: HeaderMap,
    told: &'a dyn Fn(u64, Option<u64>),
}

impl<'a> Errand<'a> {
    fn new(request: &'a Request<'a>, intent: Intent) -> Errand<'a> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, if intent == Intent::Fetch { ANYTHING } else { JSON });
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        if let Some(body) = &request.body {
            let is_json = intent != Intent::Fetch || body.trim_start().starts_with(['{', '[']);
            headers.insert(CONTENT_TYPE, if is_json { JSON } else { FORM });
        }
        Errand { request, intent, headers, told: &|_, _| {} }
    }
}

/// Why there is no further attempt.
pub(super) enum GiveUp {
    /// Enough were made, or another would be the same.
    Enough,
    /// All waits together took as long as they may.
    NoBudget,
    /// The server asks for so long.
    TooLong(Duration),
    /// A signal asked to stop.
    Interrupted,
}

impl Client {
    /// `folder` is the config's, `name` the integration's. `secrets` are the texts that must never
    /// be shown, whatever the server says; their usual encodings are known.
    ///
    /// The error is one of usage: nobody has been contacted.
    pub fn new(
        settings: &HttpSettings,
        folder: &Path,
        around: &Around,
        name: &str,
        secrets: Vec<Secret>,
    ) -> Result<Client, ConnectorError> {
        Client::with_limits(settings, folder, around, name, secrets, Limits::default())
    }

    pub(super) fn with_limits(
        settings: &HttpSettings,
        folder: &Path,
        around: &Around,
        name: &str,
        mut secrets: Vec<Secret>,
        limits: Limits,
    ) -> Result<Client, ConnectorError> {
        let Transport { client, secrets: more } = transport::build(settings, folder)?;
        secrets.extend(more);
        let most = usize::try_from(settings.concurrency.max(1)).unwrap_or(1);
        Ok(Client {
            transport: Some(client),
            around: around.clone(),
            name: name.to_owned(),
            settings: settings.clone(),
            limits,
            scrubber: Scrubber::new(&secrets),
            budget: Budget::new(settings.retry_budget),
            pace: Pace::new(settings.max_requests_per_second),
            gate: Gate::new(most),
            requests: AtomicU64::new(0),
            has_told_of_notices: AtomicBool::new(false),
        })
    }

    /// Reads JSON. Tried again where that may help.
    pub fn read<T: DeserializeOwned>(&self, request: &Request<'_>) -> Result<Answer<T>, HttpError> {
        self.ask(&Errand::new(request, Intent::Read))
    }

    /// Sends values that are absolute: sending them twice is sending them once.
    ///
    /// Tried again only where the request surely did not arrive, or where the server says that it
    /// did not act. Everything else without a usable answer is [`HttpErrorKind::Uncertain`].
    pub fn write<T: DeserializeOwned>(
        &self,
        request: &Request<'_>,
    ) -> Result<Answer<T>, HttpError> {
        self.ask(&Errand::new(request, Intent::Write))
    }

    /// Fetches a whole file, as long as `http.download_timeout` allows. Tried again where that may
    /// help.
    pub fn download(&self, fetch: &Fetch<'_>) -> Result<Fetched, HttpError> {
        let mut errand = Errand::new(&fetch.request, Intent::Fetch);
        errand.told = fetch.told;
        let conditions = [(IF_NONE_MATCH, fetch.etag), (IF_MODIFIED_SINCE, fetch.last_modified)];
        for (name, condition) in conditions {
            if let Some(value) = condition.and_then(|text| HeaderValue::from_str(text).ok()) {
                errand.headers.insert(name, value);
            }
        }
        let is_conditional = errand.headers.contains_key(IF_NONE_MATCH)
            || errand.headers.contains_key(IF_MODIFIED_SINCE);
        self.repeat(&errand, &|attempt| {
            let (mut reply, _) = self.arrive(&errand, attempt)?;
            let file = if reply.status == NOT_MODIFIED && is_conditional {
                None
            } else {
                let judge = fetch.judge;
                Some(verdict::of_download(&mut reply, judge, &self.scrubber, &self.limits)?)
            };
            let text = |name: HeaderName| {
                reply.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
            };
            Ok(Fetched {
                file,
                etag: text(ETAG),
                last_modified: text(LAST_MODIFIED),
                modified: retry::last_modified(&reply.headers),
            })
        })
    }

    /// Waits before the attempt-th (1, 2, …) repetition of something that was uncertain. `false`:
    /// enough was tried, the budget is gone, or a signal asked to stop.
    pub fn pause(&self, attempt: u32) -> bool {
        let asked = Some(self.pace.held_for()).filter(|held| !held.is_zero());
        attempt <= self.settings.retries && self.wait(attempt, asked).is_ok()
    }

    /// How many requests may be under way at once. More wait for each other.
    pub fn concurrency(&self) -> usize {
        self.gate.most()
    }

    /// The text with everything secret replaced by `***`.
    pub fn scrub(&self, text: &str) -> String {
        self.scrubber.scrub(text)
    }

    /// Whom to tell and whether to stop.
    pub fn around(&self) -> &Around {
        &self.around
    }

    /// Asks for JSON.
    fn ask<T: DeserializeOwned>(&self, errand: &Errand<'_>) -> Result<Answer<T>, HttpError> {
        self.repeat(errand, &|attempt| {
            let (reply, url) = self.arrive(errand, attempt)?;
            let usable = verdict::of_reply(&reply, &self.scrubber, &self.limits)?;
            if let Some(notice) = &usable.preamble {
                self.tell_of_notice(notice);
            }
            Ok(Answer {
                status: reply.status,
                headers: reply.headers,
                value: usable.value,
                preamble: usable.preamble,
                url,
            })
        })
    }

    /// Makes attempts until there is an answer, or none is to be expected.
    fn repeat<A>(
        &self,
        errand: &Errand<'_>,
        once: &dyn Fn(u32) -> Result<A, Failed>,
    ) -> Result<A, HttpError> {
        if let Err(why) = safety::check(errand.request, &self.settings) {
            return Err(HttpError::new(HttpErrorKind::Usage, why));
        }
        let mut attempt = 1;
        loop {
            let failed = match once(attempt) {
                Ok(answer) => return Ok(answer),
                Err(failed) if errand.intent == Intent::Write => failed.of_a_write(),
                Err(failed) => failed,
            };
            if let Err(why) = self.prepare_next(&failed, attempt) {
                return Err(self.story(errand, failed, attempt, &why));
            }
            attempt += 1;
        }
    }

    /// One attempt, with all its hops: what came in the end, and where from.
    fn arrive(&self, errand: &Errand<'_>, attempt: u32) -> Result<(Reply, Url), Failed> {
        let (reach, most) = match errand.intent {
            Intent::Fetch => (Reach::AnyHost, self.limits.file_redirects),
            Intent::Read | Intent::Write => (Reach::SameHost, self.limits.redirects),
        };
        let mut hops = Hops::new(&errand.request.url, reach, most);
        let mut method = errand.request.method;
        loop {
            let (reply, signed) = self.exchange(errand, method, &hops, attempt)?;
            let points_to = redirect::pointed_to(&reply.headers, hops.here());
            let Some(place) = points_to.filter(|_| is_elsewhere(&reply)) else {
                return Ok((reply, hops.here().clone()));
            };
            if errand.intent == Intent::Fetch && matches!(reply.status, 301..=303) {
                // What a form is answered with is fetched elsewhere, as browsers do it.
                method = Method::Get;
            }
            if errand.intent == Intent::Write || method != Method::Get {
                let why = format!(
                    "to {place}: a write is not sent on; put the right `url` into the config"
                );
                return Err(verdict::of_redirect(&reply, &self.scrub(&why)));
            }
            if let Err(why) = hops.follow(&reply.headers, &signed) {
                return Err(verdict::of_redirect(&reply, &self.scrub(&why)));
            }
        }
    }

    /// Sends one request to where the hops lead, when it is its turn. Also gives the URL as it was
    /// sent.
    fn exchange(
        &self,
        errand: &Errand<'_>,
        method: Method,
        hops: &Hops,
        attempt: u32,
    ) -> Result<(Reply, Url), Failed> {
        let interrupted = || verdict::of_failure(Failure::Interrupted);
        self.count()?;
        let _permit = self.gate.enter(&self.around).ok_or_else(interrupted)?;
        if !self.pace.wait(&self.around) {
            return Err(interrupted());
        }
        let (signed, outgoing) = self.sign(errand, method, hops);
        let began = Instant::now();
        let sent = match &self.transport {
            Some(client) => attempt::send(client, outgoing, &self.terms(errand)),
            None => Err(Failure::Interrupted),
        };
        self.heed(&sent, began);
        let what = format!("{method} {}", self.target(errand, hops.here()));
        self.tell_of_attempt(&what, &sent, began.elapsed(), attempt);
        match sent {
            Ok(reply) => Ok((reply, signed)),
            Err(failure) => Err(verdict::of_failure(failure)),
        }
    }

    /// A limit against paging without end.
    fn count(&self) -> Result<(), Failed> {
        if self.requests.fetch_add(1, Ordering::Relaxed) < self.limits.requests {
            return Ok(());
        }
        let what = format!("not sent: this run made {} requests already", self.limits.requests);
        Err(Failed::new(HttpErrorKind::Status, Again::Never, what))
    }

    /// The request as it goes out, and its URL with what signing added. Credentials go nowhere but
    /// where the config says.
    fn sign(&self, errand: &Errand<'_>, method: Method, hops: &Hops) -> (Url, blocking::Request) {
        let mut url = hops.here().clone();
        let mut headers = errand.headers.clone();
        let body = errand.request.body.clone().filter(|_| method == errand.request.method);
        if body.is_none() {
            headers.remove(CONTENT_TYPE);
        }
        if let Some(auth) = errand.request.auth.filter(|_| hops.is_at_home()) {
            auth.sign(method.as_str(), &mut url, &mut headers);
        }
        let method = match method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut outgoing = blocking::Request::new(method, url.clone());
        *outgoing.headers_mut() = headers;
        *outgoing.body_mut() = body.map(blocking::Body::from);
        (url, outgoing)
    }

    fn terms<'t>(&'t self, errand: &Errand<'t>) -> Terms<'t> {
        let grace = match errand.intent {
            Intent::Read | Intent::Fetch => Duration::ZERO,
            Intent::Write => self.limits.grace,
        };
        let (timeout, timeout_key, goes) = match errand.intent {
            Intent::Read | Intent::Write => {
                (self.settings.timeout, "http.timeout", Goes::IntoMemory)
            }
            Intent::Fetch => {
                (self.settings.download_timeout, "http.download_timeout", Goes::IntoFile)
            }
        };
        Terms {
            timeout,
            timeout_key,
            goes,
            told: errand.told,
            grace,
            way: if self.settings.proxy.is_some() { " through `http.proxy`" } else { "" },
            limits: &self.limits,
            around: &self.around,
        }
    }

    /// Lets all threads go slower when the server says so, and faster when it is content.
    fn heed(&self, sent: &Result<Reply, Failure>, began: Instant) {
        let Ok(reply) = sent else { return };
        let asked = retry::retry_after(&reply.headers);
        let is_too_much = reply.status == 429 || (reply.status == 503 && asked.is_some());
        let is_content = matches!(retry::meaning(reply.status), Meaning::Done | Meaning::No);
        // Who would wait longer than there is budget gives up instead.
        if let Some(asked) = asked.filter(|asked| is_too_much && *asked <= self.budget.left()) {
            self.pace.hold(asked);
        }
        if is_too_much && self.pace.slow_down(began) {
            self.gate.narrow();
        }
        if is_content && self.pace.recover(began) {
            self.gate.recover();
        }
    }

    /// Waits before the next attempt, if there is to be one.
    fn prepare_next(&self, failed: &Failed, attempt: u32) -> Result<(), GiveUp> {
        if failed.error.kind == HttpErrorKind::Interrupted {
            return Err(GiveUp::Interrupted);
        }
        let retries = self.settings.retries;
        let (most, asked) = match failed.again {
            Again::Never => return Err(GiveUp::Enough),
            Again::Later(asked) => (retries, asked),
            Again::Seldom => (retries.min(self.limits.broken_repeats), None),
        };
        if attempt > most {
            return Err(GiveUp::Enough);
        }
        self.wait(attempt, asked)
    }

    fn wait(&self, repetition: u32, asked: Option<Duration>) -> Result<(), GiveUp> {
        let left = self.budget.left();
        if let Some(asked) = asked.filter(|asked| *asked > left) {
            return Err(GiveUp::TooLong(asked));
        }
        if left.is_zero() {
            return Err(GiveUp::NoBudget);
        }
        let Limits { first_wait, longest_wait, .. } = self.limits;
        let backoff = retry::backoff(repetition, first_wait, longest_wait).min(left);
        let wait = asked.unwrap_or_default().max(backoff);
        self.detail(&format!("waits {} before attempt {}", seconds(wait), repetition + 1));
        if self.budget.wait(wait, &self.around) { Ok(()) } else { Err(GiveUp::Interrupted) }
    }
}

impl Drop for Client {
    /// Dropping the connections waits for what is under way, such as a look-up of a name that
    /// takes its time after a signal: nobody waits for that.
    fn drop(&mut self) {
        let transport = self.transport.take();
        let _ = std::thread::Builder::new().spawn(move || drop(transport));
    }
}

fn is_elsewhere(reply: &Reply) -> bool {
    retry::meaning(reply.status) == Meaning::Elsewhere
}
