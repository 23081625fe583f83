//! One attempt: sent by a thread of its own, so that whoever waits for it can stop waiting.
//!
//! All limits of time are kept here, by who waits. A thread that is left behind ends by itself:
//! its own limits are a little longer.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Request, Response};
use reqwest::header::HeaderMap;

use super::failure::{self, Failure};
use super::limits::Limits;
use crate::around::Around;

/// How long a wait goes on before it looks again whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);
/// What the thread's own limits are longer than those of who waits for it.
const MARGIN: Duration = Duration::from_secs(1);
/// What is read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// What came, as it came.
pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// Packed, if the headers say so.
    pub body: Vec<u8>,
    /// Why the body is not whole, if it is not.
    pub flaw: Option<Failure>,
}

/// What is the same for all attempts of a request.
pub(super) struct Terms<'a> {
    /// How long it may take altogether.
    pub timeout: Duration,
    /// How long its answer is still waited for after a signal.
    pub grace: Duration,
    /// What stands between, in words behind the host.
    pub way: &'static str,
    pub limits: &'a Limits,
    pub around: &'a Around,
}

/// What the two threads know of each other.
#[derive(Default)]
struct Shared {
    /// Nobody waits any more.
    is_abandoned: AtomicBool,
    /// Bytes of the body by now, and one for the headers.
    received: AtomicU64,
}

/// Sends a request and waits for the whole answer.
pub(super) fn send(client: &Client, mut request: Request, terms: &Terms) -> Result<Reply, Failure> {
    *request.timeout_mut() = Some(terms.timeout.saturating_add(MARGIN));
    let shared = Arc::new(Shared::default());
    let (sender, receiver) = mpsc::sync_channel(1);
    let (client, limits, theirs) = (client.clone(), terms.limits.clone(), Arc::clone(&shared));
    let peer = format!("{}{}", request.url().host_str().unwrap_or_default(), terms.way);
    let thread = std::thread::Builder::new().name("http".to_owned());
    let spawned = thread.spawn(move || {
        // Nobody may be there to take it.
        let _ = sender.send(exchange(&client, request, &peer, &limits, &theirs));
    });
    if let Err(why) = spawned {
        return Err(Failure::NotSent(format!("no thread can be started: {why}")));
    }
    let reply = wait(&receiver, &shared, terms);
    shared.is_abandoned.store(true, Ordering::Relaxed);
    reply
}

/// Waits for the thread, within all limits.
fn wait(
    receiver: &mpsc::Receiver<Result<Reply, Failure>>,
    shared: &Shared,
    terms: &Terms,
) -> Result<Reply, Failure> {
    let began = Instant::now();
    let mut interrupted: Option<Instant> = None;
    let mut last = (0, began);
    loop {
        match receiver.recv_timeout(GLANCE) {
            Ok(reply) => return reply,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(Failure::NoAnswer("no answer: its thread ended".to_owned()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let now = Instant::now();
        if terms.around.is_interrupted() {
            let since = *interrupted.get_or_insert(now);
            if terms.grace.is_zero() {
                return Err(Failure::Interrupted);
            }
            if now - since >= terms.grace {
                return Err(Failure::NoAnswer(
                    "interrupted by a signal before an answer came".to_owned(),
                ));
            }
        }
        let received = shared.received.load(Ordering::Relaxed);
        if received != last.0 {
            last = (received, now);
        }
        if let Some(why) = overdue(received, now - began, now - last.1, terms) {
            return Err(Failure::NoAnswer(why));
        }
    }
}

/// Which limit of time is over, in words.
fn overdue(received: u64, total: Duration, silent: Duration, terms: &Terms) -> Option<String> {
    if silent >= terms.limits.stall {
        let stall = terms.limits.stall.as_secs_f32();
        return Some(match received {
            0 => format!("no answer within {stall} s"),
            _ => format!("no byte for {stall} s in the middle of the answer"),
        });
    }
    if total < terms.timeout {
        return None;
    }
    let seconds = terms.timeout.as_secs_f32();
    Some(match received {
        0 => format!("no answer within {seconds} s (`http.timeout`)"),
        _ => format!("the answer was not whole within {seconds} s (`http.timeout`)"),
    })
}

/// The thread's side: everything that blocks.
fn exchange(
    client: &Client,
    request: Request,
    peer: &str,
    limits: &Limits,
    shared: &Shared,
) -> Result<Reply, Failure> {
    let mut response =
        client.execute(request).map_err(|why| failure::of_sending(&why.without_url(), peer))?;
    shared.received.store(1, Ordering::Relaxed);
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let length: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if length > limits.headers {
        return Err(Failure::TooLarge(format!(
            "{status} with {length} bytes of headers; at most {} are taken",
            limits.headers
        )));
    }
    let mut body = Vec::new();
    let flaw = read(&mut response, &mut body, limits, shared).err();
    Ok(Reply { status, headers, body, flaw })
}

/// Reads the body as it comes.
fn read(
    response: &mut Response,
    body: &mut Vec<u8>,
    limits: &Limits,
    shared: &Shared,
) -> Result<(), Failure> {
    let announced = response.content_length();
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match response.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(why) => return Err(Failure::Broken(cut(body.len(), announced, &why))),
        };
        body.extend_from_slice(&chunk[..count]);
        if body.len() as u64 > limits.body {
            return Err(Failure::TooLarge(format!("an answer of more than {} bytes", limits.body)));
        }
        shared.received.store(1 + body.len() as u64, Ordering::Relaxed);
        if shared.is_abandoned.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
    }
}

/// How an answer ended too early.
fn cut(received: usize, announced: Option<u64>, why: &std::io::Error) -> String {
    let words = failure::deepest(why);
    if words.contains("invalid chunk") || words.contains("Invalid chunk") {
        return format!("an answer that is no HTTP ({words}), after {received} bytes");
    }
    match announced {
        Some(announced) => format!("an answer that was cut after {received} of {announced} bytes"),
        None => format!("an answer that was cut after {received} bytes"),
    }
}
