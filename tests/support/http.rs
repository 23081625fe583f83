//! A web server for files, with faults: every request is answered as a script says.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Say {
    /// Sends this and closes the connection.
    Bytes(Vec<u8>),
    /// Sends this and then nothing more, but stays there.
    Hang(Vec<u8>),
    /// Sends this a piece at a time, so long apart.
    Slowly(Vec<u8>, usize, Duration),
    /// Sends the head, then so many blocks of 64 KiB.
    Endless(Vec<u8>, usize),
}

/// An answer with a right length.
pub(crate) fn answer(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Say {
    let length = format!("Content-Length: {}", body.as_ref().len());
    let mut all = headers.to_vec();
    all.push(&length);
    raw(status, &all, body)
}

/// An answer with exactly these headers.
pub(crate) fn raw(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Say {
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"Connection: close\r\n\r\n");
    bytes.extend_from_slice(body.as_ref());
    Say::Bytes(bytes)
}

/// `200 OK` with this body.
pub(crate) fn ok(body: impl AsRef<[u8]>) -> Say {
    answer("200 OK", &[], body)
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    /// `GET /path?query`.
    pub(crate) line: String,
    /// The headers, a line each.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Came {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// A server on a port of its own, which ends with the process.
pub(crate) struct FileServer {
    address: SocketAddr,
    script: Arc<Mutex<VecDeque<Say>>>,
    came: Arc<Mutex<Vec<Came>>>,
}

impl FileServer {
    /// The n-th request gets the n-th answer, and the last one is repeated.
    pub(crate) fn new(script: impl IntoIterator<Item = Say>) -> FileServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = FileServer {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(script.into_iter().collect())),
            came: Arc::default(),
        };
        let (script, came) = (Arc::clone(&server.script), Arc::clone(&server.came));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, came) = (Arc::clone(&script), Arc::clone(&came));
                // The client may go away at any time.
                std::thread::spawn(move || serve(stream, &script, &came));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The port, for other names of this machine.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// Waits for the first request.
    pub(crate) fn until_asked(&self) {
        while self.came.lock().unwrap().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn serve(
    stream: TcpStream,
    script: &Mutex<VecDeque<Say>>,
    came: &Mutex<Vec<Came>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && head != "\r\n" {
        if stream.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut request = Came { line, head, body: String::new() };
    let length: usize = request.header("content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    request.body = String::from_utf8(body).unwrap();
    came.lock().unwrap().push(request);
    let say = {
        let mut script = script.lock().unwrap();
        if script.len() > 1 { script.pop_front().unwrap() } else { script[0].clone() }
    };
    let stream = stream.get_mut();
    match say {
        Say::Bytes(bytes) => stream.write_all(&bytes)?,
        Say::Hang(bytes) => {
            stream.write_all(&bytes)?;
            std::thread::sleep(Duration::from_secs(60));
        }
        Say::Slowly(bytes, size, pause) => {
            for piece in bytes.chunks(size) {
                stream.write_all(piece)?;
                std::thread::sleep(pause);
            }
        }
        Say::Endless(head, blocks) => {
            stream.write_all(&head)?;
            for _ in 0..blocks {
                stream.write_all(&[b'x'; 64 << 10])?;
            }
        }
    }
    stream.flush()
}
