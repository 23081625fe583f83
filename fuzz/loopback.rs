//! A web server on the loopback that has one answer for each kind of request, and as much of HTTP as
//! that needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A status and a body.
pub(crate) type Answer = (u16, Vec<u8>);

/// What is answered to a method and a target.
type Route = Arc<Mutex<Box<dyn Fn(&str, &str) -> Answer + Send>>>;

/// A server; it runs as long as the process.
pub(crate) struct Loopback {
    /// Where it listens.
    pub(crate) port: u16,
    route: Route,
}

impl Loopback {
    pub(crate) fn start() -> Loopback {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let route: Route = Arc::new(Mutex::new(Box::new(|_, _| (404, Vec::new()))));
        let shared = Arc::clone(&route);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let route = Arc::clone(&shared);
                std::thread::spawn(move || while serve(&stream, &route).is_some() {});
            }
        });
        Loopback { port, route }
    }

    /// What it answers from now on.
    pub(crate) fn answer(&self, route: impl Fn(&str, &str) -> Answer + Send + 'static) {
        *self.route.lock().expect("no panic") = Box::new(route);
    }
}

/// One request and its answer; `None` where the client is gone.
fn serve(stream: &TcpStream, route: &Route) -> Option<()> {
    let mut from = BufReader::new(stream);
    let mut line = String::new();
    from.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        from.read_line(&mut header).ok()?;
        match header.trim().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.trim().parse().ok()?;
            }
            Some(_) => {}
            None => break,
        }
    }
    from.read_exact(&mut vec![0; length]).ok()?;
    let (status, body) = (route.lock().ok()?)(&method, &target);
    let mut answer = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         X-WP-Total: 2\r\nX-WP-TotalPages: 1\r\n\r\n",
        body.len()
    )
    .into_bytes();
    answer.extend(body);
    // In one piece: of two the second one would wait for the first to be acknowledged.
    let mut to = stream;
    to.write_all(&answer).ok()
}
