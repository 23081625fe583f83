//! The sockets: a thread a connection, answers that come whole, late, in parts or not at all.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::fault::{Delivery, compress};
use super::http::{Request, Response};

/// An answer, and how it gets to the client.
pub(crate) struct Reply {
    pub(crate) response: Response,
    pub(crate) delivery: Delivery,
    /// How long it takes at least.
    pub(crate) latency: Duration,
    pub(crate) gzip: bool,
    pub(crate) chunked: bool,
}

/// What a fake answers with.
pub(crate) trait Site: Default + Send + 'static {
    fn reply(&mut self, request: &Request) -> Reply;
}

/// What the threads share.
#[derive(Default)]
pub(crate) struct Shared<S> {
    state: Mutex<S>,
    connections: Mutex<BTreeMap<usize, TcpStream>>,
    accepted: AtomicUsize,
    under_way: AtomicUsize,
    most_at_once: AtomicUsize,
    stopped: Mutex<bool>,
    stop: Condvar,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<S: Site> Shared<S> {
    pub(crate) fn state(&self) -> MutexGuard<'_, S> {
        lock(&self.state)
    }

    /// The most requests that were under way at one time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.most_at_once.load(Ordering::SeqCst)
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }

    /// Waits, as long as the fake runs; `false` when the fake is stopped meanwhile.
    fn wait(&self, time: Duration) -> bool {
        let stopped = lock(&self.stopped);
        let waited = self.stop.wait_timeout_while(stopped, time, |stopped| !*stopped);
        !*waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn stop(&self) {
        *lock(&self.stopped) = true;
        self.stop.notify_all();
        for stream in lock(&self.connections).values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Server<S: Site> {
    pub(crate) shared: Arc<Shared<S>>,
    pub(crate) port: u16,
    accepting: Option<JoinHandle<()>>,
}

impl<S: Site> Server<S> {
    pub(crate) fn start(shared: Shared<S>) -> io::Result<Server<S>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(shared);
        let for_thread = Arc::clone(&shared);
        let accepting = thread::spawn(move || accept(&listener, &for_thread));
        Ok(Server { shared, port, accepting: Some(accepting) })
    }
}

impl<S: Site> Drop for Server<S> {
    fn drop(&mut self) {
        self.shared.stop();
        // Wakes the thread that waits for connections.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        // A connection may have been accepted meanwhile.
        self.shared.stop();
    }
}

fn accept<S: Site>(listener: &TcpListener, shared: &Arc<Shared<S>>) {
    for stream in listener.incoming().flatten() {
        if *lock(&shared.stopped) {
            return;
        }
        let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
        if let Ok(clone) = stream.try_clone() {
            lock(&shared.connections).insert(number, clone);
        }
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            // A client that goes away is nothing to speak of.
            let _ = converse(&stream, &shared);
            let _ = stream.shutdown(Shutdown::Both);
            lock(&shared.connections).remove(&number);
        });
    }
}

/// Answers requests until one side has had enough.
fn converse<S: Site>(stream: &TcpStream, shared: &Shared<S>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = Request::read(&mut reader)? {
        let arrived = Instant::now();
        let now = shared.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_at_once.fetch_max(now, Ordering::SeqCst);
        let mut reply = shared.state().reply(&request);
        if let Delivery::Late(delay) = reply.delivery {
            reply.latency += delay;
        }
        let goes_on = shared.wait(reply.latency.saturating_sub(arrived.elapsed()));
        // Before the last byte is out: the client may be back before this thread is.
        shared.under_way.fetch_sub(1, Ordering::SeqCst);
        let is_last = request.header("connection").is_some_and(|word| word == "close");
        if !goes_on || !send(stream, shared, reply, request.method == "HEAD")? || is_last {
            break;
        }
    }
    Ok(())
}

/// Sends an answer; `false` where the connection ends with it.
fn send<S: Site>(
    mut stream: &TcpStream,
    shared: &Shared<S>,
    reply: Reply,
    head: bool,
) -> io::Result<bool> {
    let delivery = reply.delivery;
    let (head, body) = framed(reply, head);
    match delivery {
        Delivery::Whole | Delivery::Late(_) => {
            stream.write_all(&[head, body].concat())?;
            return Ok(true);
        }
        Delivery::Close => {}
        Delivery::Never => {
            shared.wait(Duration::from_secs(24 * 60 * 60));
        }
        Delivery::HeadOnly => stream.write_all(&head)?,
        Delivery::HalfBody => stream.write_all(&[&head, &body[..body.len() / 2]].concat())?,
        Delivery::ShortLength | Delivery::HangUp => stream.write_all(&[head, body].concat())?,
        Delivery::Trickle(pause) => {
            for byte in [head, body].concat() {
                stream.write_all(&[byte])?;
                if !shared.wait(pause) {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        Delivery::Padded(bytes) => {
            stream.write_all(&head)?;
            let blanks = vec![b' '; 1 << 16];
            for start in (0..bytes).step_by(blanks.len()) {
                stream.write_all(&blanks[..blanks.len().min(bytes - start)])?;
            }
            stream.write_all(&body)?;
            return Ok(true);
        }
    }
    Ok(false)
}

/// The bytes of an answer, with the headers that say where it ends.
fn framed(reply: Reply, is_head: bool) -> (Vec<u8>, Vec<u8>) {
    let Reply { mut response, delivery, gzip, chunked, .. } = reply;
    if gzip && !response.headers.iter().any(|(name, _)| name == "Content-Encoding") {
        compress(&mut response);
    }
    if response.status == 204 {
        return (response.head(), Vec::new());
    }
    let length = match delivery {
        Delivery::ShortLength => response.body.len() / 2,
        Delivery::Padded(blanks) => response.body.len() + blanks,
        _ => response.body.len(),
    };
    if chunked && matches!(delivery, Delivery::Whole | Delivery::HalfBody) && !is_head {
        response.set("Transfer-Encoding", "chunked");
        response.body = in_chunks(&response.body);
    } else {
        response.set("Content-Length", length.to_string());
    }
    let head = response.head();
    (head, if is_head { Vec::new() } else { response.body })
}

fn in_chunks(body: &[u8]) -> Vec<u8> {
    let mut framed = Vec::with_capacity(body.len() + 64);
    for chunk in body.chunks(4096) {
        framed.extend(format!("{:x}\r\n", chunk.len()).bytes());
        framed.extend(chunk);
        framed.extend(b"\r\n");
    }
    framed.extend(b"0\r\n\r\n");
    framed
}
