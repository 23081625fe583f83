//! The client against servers that do what they can do wrong.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use reqwest::header::{AUTHORIZATION, HeaderMap};
use serde_json::{Value, json};

use super::limits::Limits;
use super::testing::{Server, Step, Told, answer, good, say, told};
use super::{
    Answer, Authentication, Client, HttpError, HttpErrorKind, HttpSettings, Method, Request, Url,
};
use crate::around::Around;
use crate::connector::{ConnectorError, ErrorKind};
use crate::model::Decimal;
use crate::settings::{Secret, Text};

const SECRET: &str = "cs_SECRET/+x";

/// Waits that no test notices.
fn quick() -> Limits {
    Limits {
        first_wait: Duration::from_millis(2),
        longest_wait: Duration::from_millis(8),
        ..Limits::default()
    }
}

fn settings() -> HttpSettings {
    HttpSettings {
        max_requests_per_second: None,
        timeout: Duration::from_secs(20),
        ..HttpSettings::default()
    }
}

fn client_with(settings: &HttpSettings, limits: Limits, around: &Around) -> Client {
    let secrets = vec![Secret::new(SECRET.to_owned())];
    Client::with_limits(settings, ".".as_ref(), around, "store-a", secrets, limits).unwrap()
}

fn client() -> Client {
    client_with(&settings(), quick(), &Around::nobody())
}

fn get(url: Url) -> Request<'static> {
    Request { method: Method::Get, url, body: None, auth: None }
}

fn post(url: Url) -> Request<'static> {
    Request { method: Method::Post, url, body: Some("{\"a\":1}".to_owned()), auth: None }
}

fn read(server: &Server) -> Result<Answer<Value>, HttpError> {
    client().read(&get(server.url("/items?page=2")))
}

fn write(server: &Server) -> Result<Answer<Value>, HttpError> {
    client().write(&post(server.url("/batch")))
}

/// A port where nobody listens.
fn nobody_there() -> Url {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap()
}

/// Signs in the query, as some stores want it.
struct Query;

impl Authentication for Query {
    fn sign(&self, _: &str, url: &mut Url, headers: &mut HeaderMap) {
        url.query_pairs_mut().append_pair("secret", SECRET).append_pair("nonce", "1");
        headers.insert(AUTHORIZATION, "Basic x".parse().unwrap());
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

// What is sent.

#[test]
fn a_request_says_who_asks_and_a_connection_is_kept() {
    let server = Server::new([good()]);
    let client = client();
    for _ in 0..2 {
        let answer: Answer<Value> = client.read(&get(server.url("/items?page=2"))).unwrap();
        assert_eq!((answer.status, answer.value, answer.preamble), (200, json!([1]), None));
        assert_eq!(answer.url.path(), "/items");
    }
    client.write::<Value>(&post(server.url("/batch"))).unwrap();
    let came = server.came();
    assert_eq!(came[0].line, "GET /items?page=2");
    let agent = concat!("user-agent: invsync/", env!("CARGO_PKG_VERSION"), "\r\n");
    assert!(came[0].head.contains(agent), "{}", came[0].head);
    assert!(came[0].head.contains("accept-encoding: gzip\r\n"));
    assert!(!came[0].head.contains("content-type"));
    assert_eq!((came[2].line.as_str(), came[2].body.as_str()), ("POST /batch", "{\"a\":1}"));
    assert!(came[2].head.contains("content-type: application/json\r\n"));
    assert!(came.iter().all(|one| one.connection == 0));
}

#[test]
fn every_attempt_is_signed_anew_and_nobody_is_told_how() {
    let server = Server::new([say("503 Service Unavailable", ""), good()]);
    let (told, around) = told();
    let client = client_with(&settings(), quick(), &around);
    let request = Request { auth: Some(&Query), ..get(server.url("/items?page=2")) };
    let answer: Answer<Value> = client.read(&request).unwrap();
    assert_eq!(answer.url, server.url("/items?page=2"));
    for came in server.came() {
        assert_eq!(came.line, "GET /items?page=2&secret=cs_SECRET%2F%2Bx&nonce=1");
        assert!(came.head.contains("authorization: basic x"));
    }
    let details = told.details.lock().unwrap().join("\n");
    assert!(details.starts_with("store-a: GET /items?page=2 503 "), "{details}");
    assert!(details.contains(" ms, attempt 1\nstore-a: waits 0"), "{details}");
    assert!(details.contains(" s before attempt 2\nstore-a: GET /items?page=2 200 "), "{details}");
    assert!(details.ends_with(" ms, attempt 2"), "{details}");
}

#[test]
fn credentials_and_odd_urls_are_not_sent() {
    let client = client();
    for (url, auth) in [
        ("http://shop.example/", Some(&Query as &dyn Authentication)),
        ("ftp://shop.example/", None),
        ("https://user:hidden@shop.example/", None),
    ] {
        let request = Request { auth, ..get(Url::parse(url).unwrap()) };
        let error = client.read::<Value>(&request).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Usage, "{error}");
        assert!(!error.message.contains("hidden"), "{error}");
    }
}

#[test]
fn a_proxy_gets_the_request() {
    let proxy = Server::new([good()]);
    let settings =
        HttpSettings { proxy: Some(Text::plain(proxy.url("").as_str(), 1)), ..settings() };
    let client = client_with(&settings, quick(), &Around::nobody());
    client.read::<Value>(&get(Url::parse("http://shop.example/items").unwrap())).unwrap();
    assert_eq!(proxy.came()[0].line, "GET http://shop.example/items");
    let refuses = Server::new([say("407 Proxy Authentication Required", "")]);
    let settings = HttpSettings {
        proxy: Some(Text::plain(refuses.url("").as_str(), 1)),
        retries: 0,
        ..settings
    };
    let client = client_with(&settings, quick(), &Around::nobody());
    let url = Url::parse("https://shop.example/items").unwrap();
    let error = client.write::<Value>(&post(url)).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::NotSent, "{error}");
    assert!(
        error.message.contains("no connection to shop.example through `http.proxy`: "),
        "{error}"
    );
    assert!(error.message.contains("proxy authorization required"), "{error}");
    for bad in ["shop", "socks5://x:1", "http://"] {
        let settings = HttpSettings { proxy: Some(Text::plain(bad, 1)), ..settings.clone() };
        let made = Client::new(&settings, ".".as_ref(), &Around::nobody(), "x", Vec::new());
        let Err(error) = made else { panic!("{bad}") };
        assert_eq!(error.message, "`http.proxy`: write it as http://host:port");
        assert_eq!(error.kind, ErrorKind::Usage);
    }
}

// When it is tried again.

#[test]
fn reads_are_tried_again_where_that_may_help() {
    for status in [408, 425, 429, 500, 502, 503, 504, 509, 520, 524] {
        let server = Server::new([say(&status.to_string(), "<html>busy"), good()]);
        // Without an answer to this: another one is there soon.
        let limits = quick();
        let client = client_with(&settings(), limits, &Around::nobody());
        let found: Answer<Value> = client.read(&get(server.url("/"))).unwrap();
        assert_eq!((found.value, server.count()), (json!([1]), 2), "{status}");
    }
}

#[test]
fn reads_that_are_refused_are_not_tried_again() {
    for status in [400, 401, 403, 404, 405, 409, 410, 413, 414, 418, 422, 501, 505, 507] {
        let server = Server::new([say(&status.to_string(), "<html>no"), good()]);
        let error = read(&server).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Status, "{error}");
        assert_eq!((error.status, server.count()), (Some(status), 1));
    }
}

#[test]
fn a_read_is_given_up_after_all_retries_with_the_whole_story() {
    let server = Server::new([say("502 Bad Gateway", "<html><title>nginx</title>")]);
    let error = read(&server).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Temporary);
    assert_eq!(server.count(), 6);
    assert_eq!(
        error.message,
        "GET /items: 502 Bad Gateway, an HTML page titled `nginx` that begins with \
         `<html><title>nginx</title>`, after 6 attempts"
    );
    assert_eq!(ConnectorError::from(error).kind, ErrorKind::Temporary);
}

#[test]
fn a_read_without_an_answer_is_tried_again() {
    let server = Server::new([Step::SayAndClose(Vec::new()), good()]);
    assert_eq!(read(&server).unwrap().value, json!([1]));
    let server = Server::new([Step::SayAndClose(Vec::new())]);
    let error = read(&server).unwrap_err();
    assert_eq!((error.kind, server.count()), (HttpErrorKind::Temporary, 6), "{error}");
    assert!(error.message.contains("cut before an answer came, after 6 attempts"), "{error}");
}

#[test]
fn what_is_no_answer_is_asked_for_twice_more() {
    let whole = answer("200 OK", "", "[1,2,3,4,5,6]");
    let cut = whole[..whole.len() - 5].to_vec();
    let short = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[1,2,3,4,5,6]".to_vec();
    let long = b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n[1,2,3,4,5,6]".to_vec();
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,2,\r\n".to_vec();
    let packed = gzip(b"[1]");
    let broken = packed[..packed.len() - 4].to_vec();
    for (step, named) in [
        (say("200 OK", "<html>Log in"), "200 OK, an HTML page that begins with `<html>Log in`"),
        (say("200 OK", ""), "200 OK, an empty answer"),
        (Step::Say(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()), "204 No Content, an empty answer"),
        (say("200 OK", "[{\"id\":1},"), "200 OK, JSON that ends in the middle"),
        (say("200 OK", "\u{1}\u{2}"), "200 OK, 2 bytes that are no text"),
        (Step::SayAndClose(cut), "200 OK, an answer that was cut after 8 of 13 bytes"),
        (Step::SayAndClose(long), "200 OK, an answer that was cut after 13 of 99 bytes"),
        (Step::SayAndClose(short), "200 OK, JSON that ends in the middle, after 5 bytes"),
        (Step::SayAndClose(chunk), "200 OK, an answer that was cut after 5 bytes"),
        (Step::SayAndClose(b"nonsense\r\n\r\n".to_vec()), "an answer that is no HTTP"),
        (
            Step::Say(answer("200 OK", "Content-Encoding: gzip\r\n", broken)),
            "200 OK, gzip data that ends in the middle",
        ),
    ] {
        let server = Server::new([step.clone()]);
        let error = read(&server).unwrap_err();
        assert_eq!((error.kind, server.count()), (HttpErrorKind::Broken, 3), "{error}");
        assert!(error.message.contains(named), "{error}");
        assert!(error.message.ends_with(", after 3 attempts"), "{error}");
        let server = Server::new([step, good()]);
        assert_eq!(read(&server).unwrap().value, json!([1]), "{named}");
        assert_eq!(server.count(), 2);
    }
}

#[test]
fn a_status_counts_although_its_body_is_cut_or_badly_packed() {
    let whole = answer("404 Not Found", "", "<html>nothing here");
    let packed = answer("404 Not Found", "Content-Encoding: gzip\r\n", "<html>");
    for step in [Step::SayAndClose(whole[..whole.len() - 5].to_vec()), Step::Say(packed)] {
        let server = Server::new([step]);
        let error = write(&server).unwrap_err();
        assert_eq!((error.kind, error.status), (HttpErrorKind::Status, Some(404)), "{error}");
        assert_eq!(server.count(), 1);
    }
}

#[test]
fn what_never_got_through_is_tried_again() {
    for intent in [Client::read::<Value>, Client::write::<Value>] {
        let (told, around) = told();
        let client = client_with(&settings(), quick(), &around);
        let error = intent(&client, &post(nobody_there())).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::NotSent);
        assert!(
            error
                .message
                .ends_with("no connection to 127.0.0.1: connection refused, after 6 attempts"),
            "{error}"
        );
        let details = told.details.lock().unwrap().join("\n");
        assert_eq!(details.matches("no answer").count(), 6, "{details}");
    }
}

#[test]
fn a_name_that_nobody_knows_is_named() {
    let settings = HttpSettings { retries: 0, ..settings() };
    let client = client_with(&settings, quick(), &Around::nobody());
    let url = Url::parse("https://no-such-shop.invalid/").unwrap();
    let error = client.read::<Value>(&get(url)).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::NotSent, "{error}");
    assert!(error.message.contains("the name no-such-shop.invalid cannot be resolved"), "{error}");
}

#[test]
fn writes_are_tried_again_only_where_the_server_did_not_act() {
    for status in [425, 429] {
        let server = Server::new([say(&status.to_string(), ""), good()]);
        assert_eq!(write(&server).unwrap().value, json!([1]), "{status}");
        assert_eq!(server.count(), 2);
    }
    let server = Server::new([say("429", "")]);
    let client =
        client_with(&HttpSettings { retries: 1, ..settings() }, quick(), &Around::nobody());
    let error = client.write::<Value>(&post(server.url("/"))).unwrap_err();
    assert_eq!((error.kind, server.count()), (HttpErrorKind::Temporary, 2), "{error}");
}

#[test]
fn a_write_that_may_have_arrived_is_uncertain_and_sent_once() {
    let whole = answer("200 OK", "", "[1,2,3,4,5,6]");
    let cut = whole[..whole.len() - 5].to_vec();
    let mut steps = vec![
        Step::SayAndClose(Vec::new()),
        Step::SayAndClose(cut),
        say("200 OK", "<html>Log in"),
        say("200 OK", ""),
        Step::Say(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()),
    ];
    for status in [408, 500, 502, 503, 504, 507, 520, 524, 599] {
        steps.push(say(&status.to_string(), "<html>"));
    }
    for step in steps {
        let server = Server::new([step]);
        let error = write(&server).unwrap_err();
        assert_eq!((error.kind, server.count()), (HttpErrorKind::Uncertain, 1), "{error}");
    }
}

#[test]
fn a_write_that_is_refused_is_not_uncertain() {
    for status in [400, 401, 403, 404, 405, 413, 501] {
        let body = r#"{"code":"no_way","message":"Not this one.","data":{"status":400}}"#;
        let server = Server::new([say(&status.to_string(), body)]);
        let error = write(&server).unwrap_err();
        assert_eq!((error.kind, server.count()), (HttpErrorKind::Status, 1), "{error}");
        let code = error.code.clone().unwrap();
        assert_eq!((code.code.as_str(), code.message.as_str()), ("no_way", "Not this one."));
        assert!(error.message.ends_with(": Not this one. (no_way)"), "{error}");
        let kind = ConnectorError::from(error).kind;
        let is_login = matches!(status, 401 | 403);
        assert_eq!(kind == ErrorKind::Credentials, is_login, "{status} {kind:?}");
    }
}

#[test]
fn a_connection_that_the_server_closes_between_two_requests_is_made_anew() {
    let server = Server::new([Step::SayAndClose(answer("200 OK", "", "[1]"))]);
    let client = client();
    for _ in 0..3 {
        client.write::<Value>(&post(server.url("/"))).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    let came = server.came();
    assert_eq!(came.iter().map(|one| one.connection).collect::<Vec<_>>(), [0, 1, 2]);
}

// How long it is waited.

#[test]
fn retry_after_is_waited_for_in_both_forms() {
    let date = "Date: Wed, 21 Oct 2015 07:28:00 GMT\r\n\
        Retry-After: Wed, 21 Oct 2015 07:28:01 GMT\r\n";
    for headers in ["Retry-After: 1\r\n", date] {
        let server = Server::new([Step::Say(answer("503", headers, "")), good()]);
        read(&server).unwrap();
        let came = server.came();
        let waited = came[1].at - came[0].at;
        assert!(waited >= Duration::from_millis(950), "{waited:?}");
        assert!(waited < Duration::from_secs(6), "{waited:?}");
    }
}

#[test]
fn retry_after_beyond_the_budget_gives_up_at_once() {
    for status in ["429", "503"] {
        let headers = "Retry-After: 600\r\n";
        let server = Server::new([Step::Say(answer(status, headers, "<html>"))]);
        let client = client();
        let error = client.read::<Value>(&get(server.url("/"))).unwrap_err();
        assert_eq!((error.kind, server.count()), (HttpErrorKind::Temporary, 1));
        assert!(
            error.message.ends_with(
                "; it asks to wait 600 s, more than what is left of `http.retry_budget` (300 s)"
            ),
            "{error}"
        );
        // Nobody else is held for so long.
        let began = Instant::now();
        let _ = client.read::<Value>(&get(server.url("/")));
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn retries_end_with_their_budget() {
    let server = Server::new([say("500", "")]);
    let budget = Duration::from_millis(300);
    let settings = HttpSettings { retries: 100, retry_budget: budget, ..settings() };
    let limits = Limits {
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_millis(100),
        ..Limits::default()
    };
    let client = client_with(&settings, limits, &Around::nobody());
    let error = client.read::<Value>(&get(server.url("/"))).unwrap_err();
    assert!(error.message.ends_with("attempts; `http.retry_budget` is used up"), "{error}");
    assert!((2..100).contains(&server.count()), "{}", server.count());
    assert!(!client.pause(1));
    let count = server.count();
    client.read::<Value>(&get(server.url("/"))).unwrap_err();
    assert_eq!(server.count(), count + 1, "an attempt needs no budget");
}

#[test]
fn a_pause_waits_as_often_as_there_are_retries() {
    let settings = HttpSettings { retries: 2, ..settings() };
    let client = client_with(&settings, quick(), &Around::nobody());
    assert!(client.pause(1) && client.pause(2));
    assert!(!client.pause(3));
    client.around().interrupted.store(true, Ordering::Relaxed);
    assert!(!client.pause(1));
}

#[test]
fn a_server_that_says_nothing_is_given_up_in_time() {
    let server = Server::new([Step::SayAndHang(Vec::new())]);
    let settings = HttpSettings { timeout: Duration::from_millis(300), retries: 1, ..settings() };
    let client = client_with(&settings, quick(), &Around::nobody());
    let began = Instant::now();
    let error = client.read::<Value>(&get(server.url("/"))).unwrap_err();
    assert_eq!((error.kind, server.count()), (HttpErrorKind::Temporary, 2), "{error}");
    assert!(error.message.contains("no answer within 0.3 s (`http.timeout`)"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    let error = client.write::<Value>(&post(server.url("/"))).unwrap_err();
    assert_eq!((error.kind, server.count()), (HttpErrorKind::Uncertain, 3), "{error}");
}

#[test]
fn a_server_that_stops_in_the_middle_is_given_up_and_a_slow_one_is_not() {
    // Longer on its way than the limit, on a busy machine too.
    let whole = answer("200 OK", "", format!("[1{}]", " ".repeat(60)));
    let limits = Limits { stall: Duration::from_millis(2500), ..quick() };
    let settings = HttpSettings { retries: 0, ..settings() };
    let client = client_with(&settings, limits, &Around::nobody());
    let hangs = Server::new([Step::SayAndHang(whole[..whole.len() - 1].to_vec())]);
    let error = client.read::<Value>(&get(hangs.url("/"))).unwrap_err();
    assert!(error.message.contains("no byte for 2.5 s in the middle of the answer"), "{error}");
    let slow = Server::new([Step::Drip(Duration::from_millis(30), whole)]);
    assert_eq!(client.read::<Value>(&get(slow.url("/"))).unwrap().value, json!([1]));
}

#[test]
fn a_slow_answer_has_to_end_in_time() {
    let long = answer("200 OK", "", format!("[{}1]", " ".repeat(500)));
    let server = Server::new([Step::Drip(Duration::from_millis(5), long)]);
    let settings = HttpSettings { timeout: Duration::from_secs(1), retries: 0, ..settings() };
    let client = client_with(&settings, quick(), &Around::nobody());
    let error = client.read::<Value>(&get(server.url("/"))).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Temporary);
    assert!(error.message.contains("the answer was not whole within 1 s"), "{error}");
}

#[test]
fn a_signal_ends_every_wait() {
    let busy = Step::Say(answer("503", "Retry-After: 100\r\n", ""));
    for (step, is_write, kind) in [
        (Step::SayAndHang(Vec::new()), false, HttpErrorKind::Interrupted),
        (busy, false, HttpErrorKind::Interrupted),
        (Step::SayAndHang(Vec::new()), true, HttpErrorKind::Uncertain),
        (Step::Say(answer("429", "Retry-After: 100\r\n", "")), true, HttpErrorKind::Interrupted),
    ] {
        let server = Server::new([step]);
        let client = client();
        let interrupted = std::sync::Arc::clone(&client.around().interrupted);
        std::thread::scope(|scope| {
            let asked = scope.spawn(|| match is_write {
                true => client.write::<Value>(&post(server.url("/"))).unwrap_err(),
                false => client.read::<Value>(&get(server.url("/"))).unwrap_err(),
            });
            server.until_asked();
            std::thread::sleep(Duration::from_millis(100));
            let began = Instant::now();
            interrupted.store(true, Ordering::Relaxed);
            let error = asked.join().unwrap();
            assert_eq!(error.kind, kind, "{error}");
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
            let began = Instant::now();
            let error = client.write::<Value>(&post(server.url("/"))).unwrap_err();
            assert_eq!(error.kind, HttpErrorKind::Interrupted, "not even sent");
            assert!(began.elapsed() < Duration::from_secs(1));
            assert_eq!(server.count(), 1);
        });
    }
}

#[test]
fn the_answer_to_a_write_is_taken_although_a_signal_came() {
    let server =
        Server::new([Step::After(Duration::from_millis(400), answer("200 OK", "", "[1]"))]);
    let client = client();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| client.write::<Value>(&post(server.url("/"))));
        server.until_asked();
        client.around().interrupted.store(true, Ordering::Relaxed);
        assert_eq!(asked.join().unwrap().unwrap().value, json!([1]));
    });
}

// How fast.

/// Reads so often from so many threads.
fn read_often(client: &Client, server: &Server, threads: usize, times: usize) {
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..times {
                    client.read::<Value>(&get(server.url("/"))).unwrap();
                }
            });
        }
    });
}

#[test]
fn requests_of_all_threads_are_spaced() {
    let server = Server::new([good()]);
    let rate = Decimal::from_micros(20_000_000);
    let settings = HttpSettings { max_requests_per_second: rate, ..settings() };
    let client = client_with(&settings, quick(), &Around::nobody());
    read_often(&client, &server, 4, 3);
    let came = server.came();
    let took = came[11].at - came[0].at;
    assert!(took >= Duration::from_millis(350), "{took:?}");
}

#[test]
fn no_more_requests_are_under_way_than_may_be() {
    let server = Server::new([Step::After(Duration::from_millis(30), answer("200", "", "[1]"))]);
    let settings = HttpSettings { concurrency: 2, ..settings() };
    let client = client_with(&settings, quick(), &Around::nobody());
    assert_eq!(client.concurrency(), 2);
    read_often(&client, &server, 6, 2);
    assert_eq!((server.most_at_once(), server.count()), (2, 12));
}

#[test]
fn after_a_429_all_threads_wait_and_go_slower() {
    let busy = Step::Say(answer("429", "Retry-After: 1\r\n", ""));
    let server = Server::new([busy, good()]);
    let client = client();
    let first = std::thread::scope(|scope| {
        scope.spawn(|| client.read::<Value>(&get(server.url("/"))).unwrap());
        server.until_asked();
        std::thread::sleep(Duration::from_millis(200));
        client.read::<Value>(&get(server.url("/"))).unwrap();
        server.came()[0].at
    });
    let came = server.came();
    for other in &came[1..] {
        assert!(other.at - first >= Duration::from_millis(900), "{:?}", other.at - first);
    }
    let apart = came[2].at - came[1].at;
    assert!(apart >= Duration::from_millis(50), "{apart:?}");
}

#[test]
fn a_run_makes_no_endless_number_of_requests() {
    let server = Server::new([good()]);
    let limits = Limits { requests: 3, ..quick() };
    let client = client_with(&settings(), limits, &Around::nobody());
    read_often(&client, &server, 1, 3);
    let error = client.read::<Value>(&get(server.url("/"))).unwrap_err();
    assert!(error.message.ends_with("not sent: this run made 3 requests already"), "{error}");
    assert_eq!(server.count(), 3);
}

// Redirects.

fn redirect(to: &str) -> Step {
    Step::Say(answer("301 Moved Permanently", &format!("Location: {to}\r\n"), "<html>"))
}

#[test]
fn a_read_follows_to_the_same_host_and_is_signed_anew() {
    let server = Server::new([
        redirect("/b/?page=2&secret=cs_SECRET%2F%2Bx&nonce=1"),
        redirect("../c/?page=2"),
        good(),
    ]);
    let request = Request { auth: Some(&Query), ..get(server.url("/a?page=2")) };
    let answer: Answer<Value> = client().read(&request).unwrap();
    assert_eq!(answer.url, server.url("/c/?page=2"));
    let lines: Vec<String> = server.came().into_iter().map(|came| came.line).collect();
    let signed = "page=2&secret=cs_SECRET%2F%2Bx&nonce=1";
    assert_eq!(lines, ["/a", "/b/", "/c/"].map(|path| format!("GET {path}?{signed}")));
}

#[test]
fn a_read_goes_nowhere_else() {
    for (to, why) in [
        ("http://www.shop.example/x?secret=1", "http://www.shop.example/x: another host"),
        ("ftp://shop.example/x", "no http"),
        ("/items?page=2", "in a loop"),
    ] {
        let server = Server::new([redirect(to)]);
        let error = read(&server).unwrap_err();
        assert_eq!((error.kind, server.count()), (HttpErrorKind::Redirect, 1), "{error}");
        assert_eq!(error.status, Some(301));
        assert!(error.message.contains("301 Moved Permanently to "), "{error}");
        assert!(error.message.contains(why) && !error.message.contains("secret"), "{error}");
        assert_eq!(ConnectorError::from(error).kind, ErrorKind::Source);
    }
    let server = Server::new(["/1", "/2", "/3", "/4"].map(redirect));
    let error = read(&server).unwrap_err();
    assert!(error.message.contains("after 3 others"), "{error}");
    assert_eq!(server.count(), 4);
}

#[test]
fn a_write_follows_nowhere() {
    for status in ["301", "302", "303", "307", "308"] {
        let to = answer(status, "Location: /batch/?x=1\r\n", "");
        let server = Server::new([Step::Say(to), good()]);
        let error = write(&server).unwrap_err();
        assert_eq!((error.kind, server.count()), (HttpErrorKind::Redirect, 1), "{error}");
        assert!(error.message.contains("/batch/: a write is not sent on"), "{error}");
    }
}

#[test]
fn a_redirect_to_nowhere_is_a_final_answer() {
    let server = Server::new([say("302", ""), good()]);
    assert_eq!(read(&server).unwrap_err().kind, HttpErrorKind::Status);
}

// What is in an answer.

#[test]
fn gzip_is_unpacked_and_a_bomb_is_stopped() {
    let packed =
        |text: &[u8]| Step::Say(answer("200 OK", "Content-Encoding: gzip\r\n", gzip(text)));
    let server = Server::new([packed(b"[1,2]")]);
    assert_eq!(read(&server).unwrap().value, json!([1, 2]));
    let server = Server::new([packed(&vec![b' '; 2 << 20])]);
    let limits = Limits { body: 1 << 20, ..quick() };
    let client = client_with(&settings(), limits, &Around::nobody());
    let error = client.read::<Value>(&get(server.url("/"))).unwrap_err();
    assert_eq!((error.kind, server.count()), (HttpErrorKind::Broken, 1), "{error}");
    assert!(error.message.contains("unpack to more than 1048576 bytes"), "{error}");
}

#[test]
fn too_large_bodies_and_headers_are_stopped() {
    let limits = Limits { body: 1 << 20, ..quick() };
    let client = client_with(&settings(), limits, &Around::nobody());
    let server = Server::new([say("200 OK", &" ".repeat((1 << 20) + 1))]);
    let error = client.read::<Value>(&get(server.url("/"))).unwrap_err();
    assert_eq!((error.kind, server.count()), (HttpErrorKind::Broken, 1), "{error}");
    assert!(error.message.contains("an answer of more than 1048576 bytes"), "{error}");
    for length in [70_000, 2_000_000] {
        let header = format!("X-Long: {}\r\n", "x".repeat(length));
        let server = Server::new([Step::Say(answer("200 OK", &header, "[1]"))]);
        let error = read(&server).unwrap_err();
        assert_eq!((error.kind, server.count()), (HttpErrorKind::Broken, 1), "{error}");
        assert!(error.message.contains("headers"), "{error}");
    }
}

#[test]
fn a_notice_before_the_json_is_skipped_and_told_once() {
    let notice = format!("<br />\n<b>Notice</b>: key {SECRET} in x.php<br />\n");
    let server = Server::new([say("200 OK", &format!("{notice}[1]"))]);
    let (told, around) = told();
    let client = client_with(&settings(), quick(), &around);
    for _ in 0..3 {
        let answer: Answer<Value> = client.read(&get(server.url("/"))).unwrap();
        let preamble = "<br /> <b>Notice</b>: key *** in x.php<br />";
        assert_eq!((answer.value, answer.preamble.as_deref()), (json!([1]), Some(preamble)));
    }
    let Told { notes, .. } = &*told;
    let notes = notes.lock().unwrap();
    assert_eq!(notes.len(), 1);
    assert!(notes[0].starts_with("store-a: its answers begin with text that is no JSON: `<br />"));
    let server = Server::new([say("200 OK", "\u{feff}\n[1]")]);
    assert_eq!(read(&server).unwrap().preamble, None);
}

#[test]
fn no_secret_is_ever_shown() {
    let json = format!(r#"{{"code":"x","message":"bad key {SECRET}"}}"#);
    let steps = [
        say("401", &json),
        say("404", &format!("<html>{SECRET}")),
        say("200 OK", &format!("{SECRET} is wrong")),
        say("200 OK", &format!("{{\"a\":\"{SECRET}")),
        redirect("http://shop.example/cs_SECRET%2F%2Bx/?s=cs_SECRET/+x"),
        Step::Say(answer("500", "Link: </?s=cs_SECRET%2F%2Bx>\r\n", "")),
        Step::SayAndClose(Vec::new()),
        Step::SayAndClose(format!("HTTP/1.1 {SECRET}\r\n\r\n").into_bytes()),
    ];
    for step in steps {
        let server = Server::new([step]);
        let (told, around) = told();
        let client = client_with(&HttpSettings { retries: 1, ..settings() }, quick(), &around);
        let url = server.url("/items?s=cs_SECRET/%2Bx&t=cs_SECRET%2F%2Bx");
        let request = Request { auth: Some(&Query), ..get(url) };
        let error = client.read::<Value>(&request).unwrap_err();
        let details = told.details.lock().unwrap().join("\n");
        let whole = format!("{error:?}");
        let code = error.code.map(|code| code.message).unwrap_or_default();
        for text in [error.message, error.body, code, details, whole] {
            assert!(!text.contains("SECRET"), "{text}");
        }
    }
}
