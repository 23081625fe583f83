//! One attempt: sent by a thread of its own, so that whoever waits for it can stop waiting.
//!
//! All limits of time are kept here, by who waits. A thread that is left behind ends by itself:
//! its own limits are a little longer.

use std::fs::File;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Request, Response};
use reqwest::header::HeaderMap;

use super::failure::{self, Failure};
use super::limits::Limits;
use super::spool::not_kept;
use crate::around::Around;

/// How long a wait goes on before it looks again whether it is to stop.
const GLANCE: Duration = Duration::from_millis(50);
/// What the thread's own limits are longer than those of who waits for it.
const MARGIN: Duration = Duration::from_secs(1);
/// What is read at once, in bytes.
const CHUNK: usize = 64 << 10;

/// Where the body of an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goes {
    /// Into memory.
    IntoMemory,
    /// Where the answer is a 2xx, into a file without a name, however long it is.
    IntoFile,
}

/// What came, as it came.
pub(super) struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// Packed, if the headers say so. Empty where there is a file.
    pub body: Vec<u8>,
    /// The body, where it was to go into a file.
    pub file: Option<File>,
    /// Why the body is not whole, if it is not.
    pub flaw: Option<Failure>,
}

/// What is the same for all attempts of a request.
pub(super) struct Terms<'a> {
    /// How long it may take altogether.
    pub timeout: Duration,
    /// The key of that limit in the config.
    pub timeout_key: &'static str,
    pub goes: Goes,
    /// Is told of the bytes that came by now, and of how many are announced.
    pub told: &'a dyn Fn(u64, Option<u64>),
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
    /// How many bytes are announced, and one; 0 where none are.
    announced: AtomicU64,
}

/// Sends a request and waits for the whole answer.
pub(super) fn send(client: &Client, mut request: Request, terms: &Terms) -> Result<Reply, Failure> {
    *request.timeout_mut() = Some(terms.timeout.saturating_add(MARGIN));
    let shared = Arc::new(Shared::default());
    let (sender, receiver) = mpsc::sync_channel(1);
    let (client, limits, theirs) = (client.clone(), terms.limits.clone(), Arc::clone(&shared));
    let peer = format!("{}{}", request.url().host_str().unwrap_or_default(), terms.way);
    let goes = terms.goes;
    let thread = std::thread::Builder::new().name("http".to_owned());
    let spawned = thread.spawn(move || {
        // Nobody may be there to take it.
        let _ = sender.send(exchange(&client, request, &peer, goes, &limits, &theirs));
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
            let announced = shared.announced.load(Ordering::Relaxed).checked_sub(1);
            (terms.told)(received.saturating_sub(1), announced);
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
    let (seconds, key) = (terms.timeout.as_secs_f32(), terms.timeout_key);
    Some(match received {
        0 => format!("no answer within {seconds} s (`{key}`)"),
        _ => format!("the answer was not whole within {seconds} s (`{key}`)"),
    })
}

/// The thread's side: everything that blocks.
fn exchange(
    client: &Client,
    request: Request,
    peer: &str,
    goes: Goes,
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
    if let Some(announced) = response.content_length() {
        shared.announced.store(announced.saturating_add(1), Ordering::Relaxed);
    }
    let mut reply = Reply { status, headers, body: Vec::new(), file: None, flaw: None };
    if goes == Goes::IntoFile && (200..300).contains(&status) {
        let mut file = tempfile::tempfile().map_err(|why| Failure::NotKept(not_kept(&why)))?;
        let mut keep =
            |bytes: &[u8]| file.write_all(bytes).map_err(|why| Failure::NotKept(not_kept(&why)));
        reply.flaw = read(&mut response, &mut keep, shared).err();
        reply.file = Some(file);
        return Ok(reply);
    }
    let body = &mut reply.body;
    let mut keep = |bytes: &[u8]| {
        body.extend_from_slice(bytes);
        if body.len() as u64 <= limits.body {
            return Ok(());
        }
        Err(Failure::TooLarge(format!("an answer of more than {} bytes", limits.body)))
    };
    reply.flaw = read(&mut response, &mut keep, shared).err();
    Ok(reply)
}

/// Reads the body as it comes.
fn read(
    response: &mut Response,
    keep: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    shared: &Shared,
) -> Result<(), Failure> {
    let announced = response.content_length();
    let mut chunk = vec![0; CHUNK];
    let mut received = 0;
    loop {
        let count = match response.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(why) => return Err(Failure::Broken(cut(received, announced, &why))),
        };
        keep(&chunk[..count])?;
        received += count as u64;
        shared.received.store(1 + received, Ordering::Relaxed);
        if shared.is_abandoned.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
    }
}

/// How an answer ended too early.
fn cut(received: u64, announced: Option<u64>, why: &std::io::Error) -> String {
    let words = failure::deepest(why);
    if words.contains("invalid chunk") || words.contains("Invalid chunk") {
        return format!("an answer that is no HTTP ({words}), after {received} bytes");
    }
    match announced {
        Some(announced) => format!("an answer that was cut after {received} of {announced} bytes"),
        None => format!("an answer that was cut after {received} bytes"),
    }
}
