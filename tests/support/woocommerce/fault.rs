//! What goes wrong, and when. A fault is scripted by a test:
//! `fake.fail(Fault::status(500).on("POST products/batch").times(1).after_applying())`.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::http::Response;
use super::log::{Logged, Pattern};
use super::pages;

/// A notice of PHP, as it stands before the JSON of shops that show errors.
pub(crate) const PHP_NOTICE: &str = "<br />\n<b>Warning</b>:  Undefined array key \"x\" in \
    <b>/var/www/html/wp-content/plugins/example/example.php</b> on line <b>12</b><br />\n";

/// What goes wrong. Without more said: always, for every request.
pub(crate) struct Fault {
    what: What,
    on: Pattern,
    /// Only requests hit whose `User-Agent` lacks this.
    unless_agent: Option<&'static str>,
    skip: usize,
    left: Option<usize>,
    after_applying: bool,
    headers: Vec<(&'static str, String)>,
    retry_in: Option<Duration>,
}

enum What {
    /// This instead of the shop's answer.
    Instead(Response),
    /// A redirect to this site, with the request's own target behind it.
    Redirect(String),
    /// A redirect to the same address with a slash behind its path, where it has none.
    Slash,
    /// The shop's answer, changed.
    Changed(Box<dyn Fn(&mut Response) + Send>),
    Delivered(Delivery),
}

/// How an answer gets to the client.
#[derive(Clone, Copy)]
pub(crate) enum Delivery {
    Whole,
    /// After this long.
    Late(Duration),
    /// A byte, a wait, a byte …
    Trickle(Duration),
    /// The connection is closed without a word.
    Close,
    /// Nothing comes, and the connection stays open.
    Never,
    /// The connection is closed after the headers.
    HeadOnly,
    /// The connection is closed in the middle of the body.
    HalfBody,
    /// The length that is announced is half of what comes.
    ShortLength,
    /// The answer is whole; then the connection is closed, which nothing announced.
    HangUp,
    /// So many blanks before the body.
    Padded(usize),
}

impl Fault {
    fn new(what: What) -> Fault {
        Fault {
            what,
            on: Pattern::new(""),
            unless_agent: None,
            skip: 0,
            left: None,
            after_applying: false,
            headers: Vec::new(),
            retry_in: None,
        }
    }

    fn changed(change: impl Fn(&mut Response) + Send + 'static) -> Fault {
        Fault::new(What::Changed(Box::new(change)))
    }

    /// This status with the HTML that comes with it: of WordPress for 500, else of a web server.
    pub(crate) fn status(status: u16) -> Fault {
        Fault::new(What::Instead(pages::of_status(status)))
    }

    /// An error of the API.
    pub(crate) fn json(status: u16, code: &str, message: &str) -> Fault {
        let body = json!({"code": code, "message": message, "data": {"status": status}});
        Fault::new(What::Instead(Response::json(status, &body)))
    }

    /// 200 with the page on which users log in.
    pub(crate) fn login_page() -> Fault {
        Fault::new(What::Instead(pages::login()))
    }

    /// 200 with this text, which is said to be a page.
    pub(crate) fn text(text: &str) -> Fault {
        Fault::new(What::Instead(Response::html(200, text)))
    }

    /// 204 without a body.
    pub(crate) fn no_content() -> Fault {
        Fault::new(What::Instead(Response::html(204, "")))
    }

    /// A redirect of everything to another site: `https://www.example.com`.
    pub(crate) fn redirect(site: &str) -> Fault {
        Fault::new(What::Redirect(site.to_owned()))
    }

    /// A redirect of everything that has no slash at its end to the same with one.
    pub(crate) fn redirect_to_slash() -> Fault {
        Fault::new(What::Slash)
    }

    /// The connection is closed without an answer.
    pub(crate) fn close() -> Fault {
        Fault::new(What::Delivered(Delivery::Close))
    }

    /// There is never an answer, though the connection stays open.
    pub(crate) fn never() -> Fault {
        Fault::new(What::Delivered(Delivery::Never))
    }

    /// The answer comes after this long; it is applied at once.
    pub(crate) fn late(delay: Duration) -> Fault {
        Fault::new(What::Delivered(Delivery::Late(delay)))
    }

    /// The answer comes a byte at a time, with this long between them.
    pub(crate) fn trickle(pause: Duration) -> Fault {
        Fault::new(What::Delivered(Delivery::Trickle(pause)))
    }

    /// The answer ends after its headers.
    pub(crate) fn cut_after_headers() -> Fault {
        Fault::new(What::Delivered(Delivery::HeadOnly))
    }

    /// The answer ends in the middle of its body.
    pub(crate) fn cut_in_body() -> Fault {
        Fault::new(What::Delivered(Delivery::HalfBody))
    }

    /// The announced length is half of what comes.
    pub(crate) fn short_length() -> Fault {
        Fault::new(What::Delivered(Delivery::ShortLength))
    }

    /// The answer is right; then the connection is closed, which nothing announced.
    pub(crate) fn hang_up() -> Fault {
        Fault::new(What::Delivered(Delivery::HangUp))
    }

    /// The answer is right, behind so many blanks.
    pub(crate) fn huge(bytes: usize) -> Fault {
        Fault::new(What::Delivered(Delivery::Padded(bytes)))
    }

    /// A text before the JSON: [`PHP_NOTICE`], a BOM.
    pub(crate) fn before_json(text: &'static str) -> Fault {
        Fault::changed(move |response| {
            response.body.splice(0..0, text.bytes());
        })
    }

    /// A header that is wrong.
    pub(crate) fn header(name: &'static str, value: &str) -> Fault {
        let value = value.to_owned();
        Fault::changed(move |response| response.set(name, &value))
    }

    /// A header that a proxy drops.
    pub(crate) fn without_header(name: &'static str) -> Fault {
        Fault::changed(move |response| response.remove(name))
    }

    /// Bytes that are changed on their way.
    pub(crate) fn bytes(change: impl Fn(&mut Vec<u8>) + Send + 'static) -> Fault {
        Fault::changed(move |response| change(&mut response.body))
    }

    /// JSON that is changed on its way.
    pub(crate) fn answer(change: impl Fn(&mut Value) + Send + 'static) -> Fault {
        Fault::changed(move |response| {
            if let Ok(mut value) = serde_json::from_slice(&response.body) {
                change(&mut value);
                response.body = value.to_string().into_bytes();
            }
        })
    }

    /// An item is shown with another value than it has.
    pub(crate) fn echo(id: u64, field: &'static str, value: Value) -> Fault {
        Fault::answer(move |answer| {
            for row in rows(answer).into_iter().flatten().filter(|row| row["id"] == id) {
                row[field] = value.clone();
            }
        })
    }

    /// So many of the last items are left out.
    pub(crate) fn fewer_items(count: usize) -> Fault {
        Fault::answer(move |answer| {
            if let Some(rows) = rows(answer) {
                rows.truncate(rows.len().saturating_sub(count));
            }
        })
    }

    /// Compressed, with damage in the middle.
    pub(crate) fn broken_gzip() -> Fault {
        Fault::changed(|response| {
            compress(response);
            let middle = response.body.len() / 2;
            response.body[middle..].iter_mut().for_each(|byte| *byte ^= 0x55);
        })
    }

    /// A small answer that gets so large when it is unpacked.
    pub(crate) fn gzip_bomb(bytes: usize) -> Fault {
        Fault::changed(move |response| {
            response.body.splice(0..0, std::iter::repeat_n(b' ', bytes));
            compress(response);
        })
    }

    /// Only for these requests: `"POST products/batch"`, `"GET products?page=2"`, `"GET"`.
    pub(crate) fn on(mut self, pattern: &str) -> Fault {
        self.on = Pattern::new(pattern);
        self
    }

    /// Only for the first so many of them.
    pub(crate) fn times(mut self, times: usize) -> Fault {
        self.left = Some(times);
        self
    }

    /// Only after so many of them.
    pub(crate) fn skip(mut self, skip: usize) -> Fault {
        self.skip = skip;
        self
    }

    /// The shop does what it was asked before it goes wrong. What only changes or delays the
    /// shop's answer does so anyway.
    pub(crate) fn after_applying(mut self) -> Fault {
        self.after_applying = true;
        self
    }

    /// Only for clients whose `User-Agent` lacks this, or is missing.
    pub(crate) fn unless_agent(mut self, part: &'static str) -> Fault {
        self.unless_agent = Some(part);
        self
    }

    /// With `Retry-After` as it stands.
    pub(crate) fn retry_after(mut self, value: &str) -> Fault {
        self.headers.push(("Retry-After", value.to_owned()));
        self
    }

    /// With `Retry-After` as a date, so far from the answer.
    pub(crate) fn retry_at(mut self, wait: Duration) -> Fault {
        self.retry_in = Some(wait);
        self
    }

    /// Whether it hits this request, which counts then.
    pub(crate) fn hits(&mut self, request: &Logged) -> bool {
        let lets_through = |part| request.agent.as_ref().is_some_and(|agent| agent.contains(part));
        if self.left == Some(0)
            || !self.on.matches(request)
            || self.unless_agent.is_some_and(lets_through)
            || (matches!(self.what, What::Slash) && request.path.ends_with('/'))
        {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.left = self.left.map(|left| left - 1);
        true
    }

    /// Whether the shop does what it was asked.
    pub(crate) fn applies(&self) -> bool {
        let replaces = match self.what {
            What::Instead(_) | What::Redirect(_) | What::Slash => true,
            What::Delivered(delivery) => matches!(delivery, Delivery::Close | Delivery::Never),
            What::Changed(_) => false,
        };
        self.after_applying || !replaces
    }

    /// What becomes of an answer.
    pub(crate) fn strike(&self, response: &mut Response, target: &str) -> Delivery {
        let mut delivery = Delivery::Whole;
        match &self.what {
            What::Instead(other) => *response = other.clone(),
            What::Redirect(site) => {
                *response = Response::html(301, "").with("Location", format!("{site}{target}"));
            }
            What::Slash => {
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                let mark = if query.is_empty() { "" } else { "?" };
                let location = format!("{path}/{mark}{query}");
                *response = Response::html(301, "").with("Location", location);
            }
            What::Changed(change) => change(response),
            What::Delivered(how) => delivery = *how,
        }
        for (name, value) in &self.headers {
            response.set(name, value.as_str());
        }
        if let Some(wait) = self.retry_in {
            let date = (Timestamp::now() + wait).strftime("%a, %d %b %Y %H:%M:%S GMT");
            response.set("Retry-After", date.to_string());
        }
        delivery
    }
}

/// The rows of a list, or of a batch's answer.
fn rows(answer: &mut Value) -> Option<&mut Vec<Value>> {
    if answer.is_array() { answer.as_array_mut() } else { answer.get_mut("update")?.as_array_mut() }
}

/// Compresses an answer's body.
pub(crate) fn compress(response: &mut Response) {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    if encoder.write_all(&response.body).is_ok()
        && let Ok(body) = encoder.finish()
    {
        response.body = body;
        response.set("Content-Encoding", "gzip");
    }
}
