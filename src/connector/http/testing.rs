//! For tests: a server that does what a script says, and someone who is told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::Url;
use crate::around::{Around, Progress};

/// What the server does with one request.
#[derive(Clone)]
pub(super) enum Step {
    /// Answers, and keeps the connection.
    Say(Vec<u8>),
    /// Answers after a while.
    After(Duration, Vec<u8>),
    /// Answers, and closes the connection.
    SayAndClose(Vec<u8>),
    /// Says this much and no more, but stays there.
    SayAndHang(Vec<u8>),
    /// Says it byte by byte, with so much time between two.
    Drip(Duration, Vec<u8>),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Came {
    pub connection: usize,
    pub at: Instant,
    /// `GET /path?query`.
    pub line: String,
    /// All lines, the first one too, in lower case.
    pub head: String,
    pub body: String,
}

/// A server on a port of its own.
pub(super) struct Server {
    pub address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
    /// Most requests that were under way at once.
    most: Arc<AtomicUsize>,
}

/// What all connections of a server share.
struct Shared {
    steps: Vec<Step>,
    came: Arc<Mutex<Vec<Came>>>,
    under_way: AtomicUsize,
    most: Arc<AtomicUsize>,
}

impl Server {
    /// The n-th request gets the n-th step, and the last step is repeated.
    pub(super) fn new(steps: impl IntoIterator<Item = Step>) -> Server {
        Server::wrapped(steps, Some)
    }

    /// The same behind what `wrap` makes of a connection, such as TLS.
    pub(super) fn wrapped<S: Read + Write>(
        steps: impl IntoIterator<Item = Step>,
        wrap: impl Fn(TcpStream) -> Option<S> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            steps: steps.into_iter().collect(),
            came: Arc::default(),
            under_way: AtomicUsize::new(0),
            most: Arc::default(),
        });
        let (came, most) = (Arc::clone(&shared.came), Arc::clone(&shared.most));
        let wrap = Arc::new(wrap);
        std::thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                stream.set_nodelay(true).unwrap();
                let (shared, wrap) = (Arc::clone(&shared), Arc::clone(&wrap));
                std::thread::spawn(move || {
                    if let Some(stream) = wrap(stream) {
                        // The client may have gone away.
                        let _ = serve(stream, connection, &shared);
                    }
                });
            }
        });
        Server { address, came, most }
    }

    pub(super) fn url(&self, path: &str) -> Url {
        Url::parse(&format!("http://{}{path}", self.address)).unwrap()
    }

    pub(super) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    pub(super) fn count(&self) -> usize {
        self.came.lock().unwrap().len()
    }

    /// Waits for the first request.
    pub(super) fn until_asked(&self) {
        while self.count() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

fn serve<S: Read + Write>(stream: S, connection: usize, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(came) = receive(&mut stream, connection)? {
        let step = {
            let mut all = shared.came.lock().unwrap();
            all.push(came);
            shared.steps[(all.len() - 1).min(shared.steps.len() - 1)].clone()
        };
        let under_way = shared.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most.fetch_max(under_way, Ordering::SeqCst);
        let stays = perform(stream.get_mut(), step, &shared.under_way)?;
        if !stays {
            return Ok(());
        }
    }
    Ok(())
}

/// Says `false` where the connection is to be closed.
fn perform(stream: &mut impl Write, step: Step, under_way: &AtomicUsize) -> std::io::Result<bool> {
    if let Step::After(wait, _) = &step {
        std::thread::sleep(*wait);
    }
    // Before the answer, for the next request may come while this thread still is here.
    under_way.fetch_sub(1, Ordering::SeqCst);
    match step {
        Step::Say(bytes) | Step::After(_, bytes) => stream.write_all(&bytes)?,
        Step::SayAndClose(bytes) => {
            stream.write_all(&bytes)?;
            stream.flush()?;
            return Ok(false);
        }
        Step::SayAndHang(bytes) => {
            stream.write_all(&bytes)?;
            stream.flush()?;
            std::thread::sleep(Duration::from_secs(60));
            return Ok(false);
        }
        Step::Drip(pause, bytes) => {
            for byte in bytes {
                stream.write_all(&[byte])?;
                stream.flush()?;
                std::thread::sleep(pause);
            }
        }
    }
    stream.flush()?;
    Ok(true)
}

fn receive(stream: &mut impl BufRead, connection: usize) -> std::io::Result<Option<Came>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    let line = head.lines().next().unwrap_or_default();
    let line = line.trim_end_matches(" HTTP/1.1").to_owned();
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8(body).unwrap();
    Ok(Some(Came { connection, at: Instant::now(), line, head, body }))
}

/// An answer with a right length.
pub(super) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let mut bytes = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len())
        .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// The step that answers so.
pub(super) fn say(status: &str, body: &str) -> Step {
    Step::Say(answer(status, "", body))
}

/// The step that is a good answer.
pub(super) fn good() -> Step {
    say("200 OK", "[1]")
}

/// Someone who keeps what they are told.
#[derive(Default)]
pub(super) struct Told {
    pub details: Mutex<Vec<String>>,
    pub notes: Mutex<Vec<String>>,
}

impl Progress for Told {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64) {}
    fn end(&self) {}
    fn note(&self, message: &str) {
        self.notes.lock().unwrap().push(message.to_owned());
    }
    fn detail(&self, message: &str) {
        self.details.lock().unwrap().push(message.to_owned());
    }
}

/// Who is told, and what is around.
pub(super) fn told() -> (Arc<Told>, Around) {
    let told = Arc::new(Told::default());
    let around = Around {
        progress: Arc::clone(&told) as Arc<dyn Progress>,
        interrupted: Arc::new(AtomicBool::new(false)),
    };
    (told, around)
}
