//! Feeds that are fetched by http: whole or not at all, and no secret in any message.

use std::io::Write;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::http::{FileServer, Say, answer, ok, raw};
use crate::support::{Ran, Shop};

const CSV: &str = "sku,qty\nA,3\nB,4\n";

fn shop(source: &str, more: &str) -> Shop {
    Shop::new().inventory("sku\nA\nB\n").config(&format!(
        "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"csv\"\nsource = \"{source}\"\n\
         fields = {{ sku = \"sku\", quantity = \"qty\" }}\n\
         stock = {{ direction = \"download\", warehouse = \"main\" }}\n{more}"
    ))
}

/// A shop whose wholesaler is at this server.
fn at(server: &FileServer, more: &str) -> Shop {
    shop(&server.url("/feeds/stock.csv"), more)
}

const QUICK: &str = "[integrations.w.http]\nretries = 0\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Nothing of it is in what was printed.
fn keeps_secret(ran: &Ran<'_>, secrets: &[&str]) {
    for secret in secrets {
        let shown = ran.stdout.contains(secret) || ran.stderr.contains(secret);
        assert!(!shown, "{secret}\n{}\n{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn a_feed_is_fetched_and_pulled() {
    let server = FileServer::new([ok(CSV)]);
    let shop = at(&server, "");
    shop.run("pull w -v").code(0).stock("main", "A", "3").stock("main", "B", "4");
    let came = server.came();
    assert_eq!(came[0].line, "GET /feeds/stock.csv");
    assert_eq!(came[0].header("accept-encoding"), Some("gzip"));
    assert_eq!(came[0].header("authorization"), None);
    shop.run("list w").code(0).stdout("A");
    assert!(shop.names().iter().all(|name| !name.contains("stock.csv")));
}

#[test]
fn each_attempt_is_one_line_for_who_looks_closely() {
    let server = FileServer::new([answer("503 Service Unavailable", &[], ""), ok(CSV)]);
    let url = server.url("/feeds/stock.csv");
    let place = shop(&format!("{url}?key=${{FEED_KEY}}"), "");
    let ran = place
        .run_with(("FEED_KEY", "s3cret-key"), "pull w -v")
        .code(0)
        .stderr(&format!("w: GET {url} 503 "))
        .stderr("attempt 1")
        .stderr(&format!("w: GET {url} 200 "));
    keeps_secret(&ran, &["s3cret-key", "key="]);
    assert_eq!(server.came()[1].line, "GET /feeds/stock.csv?key=s3cret-key");
}

#[test]
fn packings_for_the_way_and_of_the_file_may_both_apply() {
    let (once, twice) = (gzip(CSV.as_bytes()), gzip(&gzip(CSV.as_bytes())));
    let encoded = &["Content-Encoding: gzip", "Content-Type: text/plain"][..];
    for say in [
        answer("200 OK", &[], &once),
        answer("200 OK", encoded, &once),
        answer("200 OK", encoded, &twice),
        // Said, and not done.
        answer("200 OK", encoded, CSV),
        raw("200 OK", &["Transfer-Encoding: chunked"], format!("10\r\n{CSV}\r\n0\r\n\r\n")),
        // Up to the end of the connection.
        raw("200 OK", &[], CSV),
    ] {
        let server = FileServer::new([say]);
        at(&server, QUICK).run("pull w").code(0).stock("main", "A", "3");
    }
    let server = FileServer::new([answer("200 OK", &["Content-Encoding: br"], "x")]);
    at(&server, QUICK).run("pull w").code(1).stderr("packed in a way that was not asked for");
}

#[test]
fn what_is_cut_on_its_way_is_never_read_as_a_feed() {
    let half = &CSV[..12];
    for say in [
        raw("200 OK", &["Content-Length: 16"], half),
        raw("200 OK", &["Transfer-Encoding: chunked"], format!("10\r\n{half}")),
        raw("200 OK", &["Transfer-Encoding: chunked"], format!("c\r\n{half}\r\n")),
        Say::Bytes(b"HTTP/1.1 200 OK\r\nContent-Le".to_vec()),
        Say::Bytes(Vec::new()),
    ] {
        let server = FileServer::new([say]);
        at(&server, QUICK).run("pull w").code(7).stock("main", "A", "–");
    }
    let server = FileServer::new([raw("200 OK", &["Content-Length: 16"], half), ok(CSV)]);
    at(&server, "").run("pull w").code(0).stock("main", "A", "3");
    let server = FileServer::new([raw("200 OK", &["Content-Length: 16"], half)]);
    at(&server, "")
        .run("pull w")
        .code(7)
        .stderr("an answer that was cut after 12 of 16 bytes, after 3 attempts")
        .stderr("Nothing was changed");
    assert_eq!(server.came().len(), 3);
    // Whole on its way, and cut before.
    let cut = gzip(CSV.as_bytes());
    let server = FileServer::new([ok(&cut[..cut.len() - 4])]);
    at(&server, QUICK).run("pull w").code(1).stderr("is cut: its gzip data ends in the middle");
}

#[test]
fn a_page_instead_of_a_feed_is_asked_for_again_and_then_refused() {
    let page = "<!DOCTYPE html><html><head><title>Please log in</title></head></html>";
    let server = FileServer::new([ok(page)]);
    at(&server, "")
        .run("pull w")
        .code(1)
        .stderr("200 OK, an HTML page titled \"Please log in\", no feed, after 3 attempts")
        .stock("main", "A", "–");
    let packed = answer("200 OK", &["Content-Encoding: gzip"], gzip(page.as_bytes()));
    let server = FileServer::new([packed, ok(page), ok(CSV)]);
    at(&server, "").run("pull w").code(0).stock("main", "A", "3");
    let server = FileServer::new([answer("204 No Content", &[], "")]);
    at(&server, QUICK).run("pull w").code(1).stderr("is empty (0 bytes)");
}

#[test]
fn what_may_get_better_is_asked_again_and_what_may_not_is_not() {
    let bad = |status: &str| answer(status, &[], "no");
    let wait = answer("429 Too Many Requests", &["Retry-After: 1"], "");
    let server = FileServer::new([bad("500 Internal Server Error"), wait, ok(CSV)]);
    let began = Instant::now();
    at(&server, "").run("pull w").code(0).stock("main", "A", "3");
    assert!(began.elapsed() >= Duration::from_secs(1));
    for (status, code) in [
        ("500 Internal Server Error", 7),
        ("429 Too Many Requests", 7),
        ("503 Service Unavailable", 7),
        ("401 Unauthorized", 8),
        ("403 Forbidden", 8),
        ("404 Not Found", 1),
        ("410 Gone", 1),
        ("206 Partial Content", 7),
    ] {
        let server = FileServer::new([bad(status)]);
        at(&server, QUICK).run("pull w").code(code).stderr(status).stock("main", "A", "–");
        assert_eq!(server.came().len(), 1, "{status}");
    }
    let server = FileServer::new([bad("404 Not Found")]);
    at(&server, "").run("pull w").code(1);
    assert_eq!(server.came().len(), 1);
    let long = answer("429 Too Many Requests", &["Retry-After: 9999"], "");
    let server = FileServer::new([long]);
    at(&server, "").run("pull w").code(7).stderr("it asks to wait 9999 s");
}

#[test]
fn nobody_there_is_temporary_and_no_name_too() {
    let port = FileServer::new([ok("")]).port();
    drop(shop(&format!("http://127.0.0.1:{port}/"), QUICK));
    // A port that nobody listens at.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    shop(&format!("http://{free}/f.csv"), QUICK).run("pull w").code(7).stderr("connection refused");
    shop("http://nobody.invalid/f.csv", QUICK).run("pull w").code(7).stderr("cannot be resolved");
}

#[test]
fn credentials_are_sent_as_the_config_says_and_never_shown() {
    for (login, header, value) in [
        (
            "username = \"anna\"\npassword = \"pa:ss w0rd\"",
            "authorization",
            "Basic YW5uYTpwYTpzcyB3MHJk",
        ),
        ("token = \"t0ken-123\"", "authorization", "Bearer t0ken-123"),
        ("headers = { X-Api-Key = \"k3y-123\" }", "x-api-key", "k3y-123"),
    ] {
        let server = FileServer::new([answer("403 Forbidden", &[], format!("no: {value}"))]);
        let place = at(&server, &format!("[integrations.w.login]\n{login}\n"));
        let ran = place.run("pull w -v").code(8).stderr("check [integrations.w.login]");
        assert_eq!(server.came()[0].header(header), Some(value));
        keeps_secret(&ran, &["w0rd", "YW5uYTpw", "t0ken-123", "k3y-123"]);
    }
    let server = FileServer::new([ok(CSV)]);
    let query = "[integrations.w.login]\nquery = { key = \"q&ery 1\", v = \"2\" }\n";
    let place = at(&server, query);
    let ran = place.run("pull w -v").code(0);
    assert_eq!(server.came()[0].line, "GET /feeds/stock.csv?key=q%26ery+1&v=2");
    keeps_secret(&ran, &["q&ery", "q%26ery"]);
    let inventory = String::from_utf8_lossy(&place.bytes("inventory.db")).into_owned();
    assert!(!inventory.contains("q&ery") && !inventory.contains("q%26ery"));
    let server = FileServer::new([answer("401 Unauthorized", &[], "")]);
    at(&server, "").run("pull w").code(8).stderr("give it the credentials that it asks for in");
}

#[test]
fn a_post_sends_its_body() {
    let server = FileServer::new([ok(CSV)]);
    let login = "[integrations.w.login]\nmethod = \"POST\"\nbody = \"key=s3cret\"\n";
    let place = at(&server, login);
    let ran = place.run("pull w -v").code(0).stock("main", "A", "3");
    let came = server.came();
    assert_eq!((&*came[0].line, &*came[0].body), ("POST /feeds/stock.csv", "key=s3cret"));
    assert_eq!(came[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    keeps_secret(&ran, &["s3cret"]);
    let server = FileServer::new([answer("302 Found", &["Location: /made.csv"], ""), ok(CSV)]);
    let login = "[integrations.w.login]\nmethod = \"POST\"\nbody = '{\"key\":1}'\n\
                 headers = { Content-Type = \"application/x-own\" }\n";
    at(&server, login).run("pull w").code(0).stock("main", "A", "3");
    let came = server.came();
    assert_eq!(came[0].header("content-type"), Some("application/x-own"));
    assert_eq!((&*came[1].line, &*came[1].body), ("GET /made.csv", ""));
}

#[test]
fn redirects_are_followed_anywhere_and_credentials_stay_at_home() {
    let cdn = FileServer::new([ok(CSV)]);
    // The same machine by another name is another host.
    let elsewhere = format!("Location: http://localhost:{}/b?signature=1", cdn.port());
    let server = FileServer::new([
        answer("301 Moved Permanently", &["Location: /moved.csv?key=k3y-123"], ""),
        answer("302 Found", &[&elsewhere], ""),
    ]);
    let login = "[integrations.w.login]\nusername = \"anna\"\npassword = \"w0rd\"\n\
                 query = { key = \"k3y-123\" }\nheaders = { X-Key = \"h3ader\" }\n";
    let place = at(&server, login);
    let ran = place.run("pull w -v").code(0).stock("main", "A", "3");
    keeps_secret(&ran, &["k3y-123", "w0rd", "h3ader", "signature"]);
    let came = server.came();
    assert_eq!(came[1].line, "GET /moved.csv?key=k3y-123");
    assert!(came[1].header("authorization").is_some() && came[1].header("x-key").is_some());
    let there = &cdn.came()[0];
    assert_eq!(there.line, "GET /b?signature=1");
    assert_eq!((there.header("authorization"), there.header("x-key")), (None, None));
    let server = FileServer::new([answer("302 Found", &["Location: /feeds/stock.csv"], "")]);
    at(&server, QUICK).run("pull w").code(1).stderr("in a loop");
    let many = (0..20).map(|n| answer("302 Found", &[&format!("Location: /{n}")], ""));
    let server = FileServer::new(many);
    at(&server, QUICK).run("pull w").code(1).stderr("after 10 others");
    assert_eq!(server.came().len(), 11);
    let server = FileServer::new([answer("302 Found", &["Location: file:///etc/passwd"], "")]);
    at(&server, QUICK).run("pull w").code(1).stderr("that is no http");
}

#[test]
fn a_slow_server_is_waited_for_until_the_limit() {
    let Say::Bytes(bytes) = ok(CSV) else { panic!() };
    let server = FileServer::new([Say::Slowly(bytes, 20, Duration::from_millis(150))]);
    at(&server, QUICK).run("pull w").code(0).stock("main", "A", "3");
    let server = FileServer::new([Say::Hang(b"HTTP/1.1 200 OK\r\n\r\nsku".to_vec())]);
    let http = "[integrations.w.http]\nretries = 0\ndownload_timeout = \"1s\"\n";
    at(&server, http)
        .run("pull w")
        .code(7)
        .stderr("the answer was not whole within 1 s (`http.download_timeout`)");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_download_soon() {
    let server = FileServer::new([Say::Hang(b"HTTP/1.1 200 OK\r\n\r\nsku,qty\n".to_vec())]);
    let shop = at(&server, "");
    let mut child = shop.start("pull w");
    server.until_asked();
    let began = Instant::now();
    let kill = std::process::Command::new("kill").arg("-INT").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[cfg(target_os = "linux")]
#[test]
fn a_body_far_larger_than_memory_goes_through_a_file() {
    let blocks = 3000;
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nsku,qty\nA,3\n\"",
        13 + blocks * (64 << 10)
    );
    let server = FileServer::new([Say::Endless(head.into_bytes(), blocks)]);
    let shop = at(&server, QUICK);
    let mut command = shop.command(["pull", "w"]);
    let (status, peak) = peak_of(&mut command);
    // A quote that is never closed; what counts is that all of it came.
    assert_eq!(status, Some(1));
    assert!((1 << 20..100 << 20).contains(&peak), "{peak} bytes");
}

/// The exit code, and the most memory that it used, in bytes, as far as that was seen. What the
/// system counts when a program has ended holds the memory of who started it as well.
fn peak_of(command: &mut std::process::Command) -> (Option<i32>, u64) {
    command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let used = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let used = used.and_then(|used| used.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        peak = used.map_or(peak, |used| used << 10);
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended.code(), peak);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn what_is_wrong_with_a_source_is_said_before_anybody_is_asked() {
    for (source, more, said) in [
        ("https://anna:w0rd@x.example/f", "", "holds a user name or password"),
        ("https://", "", "no URL"),
        ("gopher://x.example/f", "", "begins with gopher://, which is not read"),
        (
            "http://x.example/f",
            "[integrations.w.login]\ntoken = \"t0ken\"\n",
            "plain http would show the credentials",
        ),
        (
            "f.csv",
            "[integrations.w.login]\ntoken = \"t0ken\"\n",
            "`integrations.w.login` is for what is fetched",
        ),
        (
            "https://x.example/f",
            "[integrations.w.login]\ntoken = \"t0ken\"\nusername = \"a\"\n",
            "either `token`, or `username` and `password`",
        ),
        (
            "https://x.example/f",
            "[integrations.w.login]\npasswort = \"w0rd\"\n",
            "did you mean `password`?",
        ),
        (
            "https://x.example/f",
            "[integrations.w.login]\nbody = \"w0rd\"\n",
            "`body` needs `method = \"POST\"`",
        ),
    ] {
        let place = shop(source, more);
        let ran = place.run("pull w").code(2).stderr(said);
        keeps_secret(&ran, &["w0rd", "t0ken"]);
    }
}

#[test]
fn offline_nobody_is_asked_and_no_secret_is_resolved() {
    let server = FileServer::new([ok(CSV)]);
    for source in [server.url("/feed.csv"), server.url("/feed.csv?key=${NO_SUCH_KEY}")] {
        let shop = shop(&source, "[integrations.w.login]\ntoken = \"${NO_SUCH_TOKEN}\"\n");
        shop.run("check w --offline").code(0);
        shop.run("check w").code(2).stderr("NO_SUCH_");
    }
    let table = "source = { exec = [\"sh\", \"-c\", \"touch asked\"] }";
    let other = shop("feed.csv", "");
    let toml = other.read("invsync.toml").replace("source = \"feed.csv\"", table);
    other.write("invsync.toml", toml);
    other.run("check w --offline").code(0);
    assert!(!other.path("asked").exists());
    // What is only a file here is looked at, whoever names it.
    shop("${NO_SUCH_FOLDER:-.}/none.csv", "").run("check w --offline").code(1).stderr("none.csv");
    assert_eq!(server.came().len(), 0);
}
