//! No key is ever shown or kept, whatever goes wrong and whatever the shop repeats.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::woocommerce::{Fake, Fault, KEY, Permissions, SECRET};
use crate::support::{SEND, Shop};

use super::{INVENTORY, at_once, catalogue, set_http, shop};

/// What stands in every form of the keys: as they are, in a URL, in base64 at any place of a text.
fn needles() -> Vec<String> {
    let mut needles = vec!["c0ffee5eed".to_owned(), "5ec4e75ec4".to_owned()];
    for text in [KEY, SECRET, &format!("{KEY}:{SECRET}"), &format!("{SECRET}&")] {
        for blanks in ["", " ", "  "] {
            let encoded = STANDARD.encode(format!("{blanks}{text}"));
            needles.push(encoded[8..32].to_owned());
        }
    }
    needles
}

/// The lines of a text that have any of them.
fn leaks(what: &str, bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let needles = needles();
    let has_any = |line: &&str| needles.iter().any(|needle| line.contains(needle));
    text.lines().filter(has_any).map(|line| format!("{what}: {line:.500}")).collect()
}

/// Both keys in every form in which a shop may repeat them.
fn repeated() -> String {
    let pair = format!("{KEY}:{SECRET}");
    format!(
        "{KEY} {SECRET} {} {} {} consumer_key={}&consumer_secret={} {}%26 {}",
        STANDARD.encode(KEY),
        STANDARD.encode(SECRET),
        STANDARD.encode(&pair),
        KEY.replace('_', "%5F"),
        SECRET.replace('_', "%5f"),
        SECRET,
        SECRET.replace('_', "%255F"),
    )
}

/// Something that goes wrong.
type Trouble = Box<dyn Fn(&Fake) + Send>;

fn troubles() -> Vec<Trouble> {
    let text: &'static str = repeated().leak();
    let fault = |fault: fn(&'static str) -> Fault| -> Trouble {
        Box::new(move |fake: &Fake| {
            fake.fail(fault(text));
        })
    };
    vec![
        Box::new(|_: &Fake| {}),
        fault(|text| Fault::json(400, "rest_invalid_param", text)),
        fault(|text| Fault::json(401, "woocommerce_rest_authentication_error", text)),
        fault(|text| Fault::json(401, "woocommerce_rest_cannot_view", text)),
        fault(|text| Fault::json(403, text, text)),
        fault(|text| Fault::json(404, "rest_no_route", text)),
        fault(|text| Fault::json(429, "too_many", text)),
        fault(|text| Fault::json(500, "internal_server_error", text)),
        fault(|text| Fault::json(400, "rest_invalid_param", text).on("POST")),
        fault(|text| Fault::json(401, text, text).on("POST")),
        fault(|text| Fault::json(500, text, text).on("POST")),
        fault(Fault::before_json),
        fault(|text| Fault::before_json(text).on("POST")),
        fault(|text| Fault::header("Link", text)),
        fault(|text| Fault::header("Retry-After", text)),
        fault(|text| Fault::header("X-WP-Total", text)),
        fault(|text| Fault::header("Content-Encoding", text)),
        fault(|text| Fault::header("Content-Type", text)),
        fault(|text| Fault::answer(move |answer| *answer = text.into())),
        fault(|text| Fault::answer(move |answer| *answer = text.into()).on("POST")),
        fault(|text| Fault::echo(45, "regular_price", text.into()).on("GET products")),
        fault(|text| Fault::echo(45, "stock_quantity", text.into()).on("GET products")),
        fault(|text| Fault::echo(45, "stock_quantity", text.into()).on("POST")),
        fault(|_| Fault::redirect("http://elsewhere.example")),
        fault(|_| Fault::redirect("https://elsewhere.example").on("POST")),
        fault(|_| Fault::redirect("")),
        fault(|text| Fault::redirect(format!("http://elsewhere.example/{text}?").leak())),
        fault(|_| Fault::redirect_to_slash()),
        fault(|_| Fault::status(500)),
        fault(|_| Fault::status(502).on("POST").after_applying()),
        fault(|_| Fault::login_page()),
        fault(|_| Fault::close()),
        fault(|_| Fault::never()),
        fault(|_| Fault::cut_in_body()),
        fault(|_| Fault::cut_after_headers()),
        fault(|_| Fault::short_length()),
        fault(|_| Fault::broken_gzip()),
        fault(|_| Fault::no_content()),
        Box::new(move |fake| {
            fake.catalogue(|shop| shop.change(45, |item| item.refusal = Some((text, text))));
        }),
        Box::new(|fake| {
            fake.key(|key| key.consumer_secret = "cs_other".to_owned());
        }),
        Box::new(|fake| {
            fake.key(|key| key.consumer_key = "ck_other".to_owned());
        }),
        Box::new(|fake| {
            fake.key(|key| key.permissions = Permissions::Read);
        }),
        Box::new(|fake| {
            fake.settings(|shop| shop.plain_permalinks = true);
        }),
        Box::new(|fake| {
            fake.settings(|shop| shop.clock_ahead_s = 10_000);
        }),
        Box::new(|fake| {
            fake.settings(|shop| shop.latency = Duration::from_millis(1));
        }),
    ]
}

/// Leaks in everything that invsync writes; the config is the test's own.
fn kept(shop: &Shop) -> Vec<String> {
    let is_ours = |path: &Path| path.file_name() != Some("invsync.toml".as_ref());
    let files = shop.all_files().into_iter().filter(|(path, _)| is_ours(path));
    let leaky = files.filter(|(_, bytes)| !leaks("", bytes).is_empty());
    leaky.map(|(path, _)| path.display().to_string()).collect()
}

/// Leaks of a command's output.
fn shown(shop: &Shop, command: &str) -> Vec<String> {
    let ran = shop.run(command);
    assert_ne!(ran.code, Some(2), "{}", ran.stderr);
    [leaks(command, ran.stdout.as_bytes()), leaks(command, ran.stderr.as_bytes())].concat()
}

/// Leaks of everything that is done with a shop in trouble.
fn leaks_of(trouble: &Trouble, format: &str) -> Vec<String> {
    let fake = Fake::start(catalogue());
    let shop = shop(&fake, SEND, INVENTORY);
    set_http(&shop, "retry_budget", "\"0s\"");
    trouble(&fake);
    let run = |commands: &[&str]| -> Vec<String> {
        commands.iter().flat_map(|command| shown(&shop, &format!("{command} {format}"))).collect()
    };
    let mut found = run(&["check store-a -v", "list store-a -v", "push store-a -v"]);
    let config = shop.read("invsync.toml").replace("\"send\"", "\"download\"");
    shop.write("invsync.toml", config);
    found.extend(run(&["pull store-a -v", "runs 2"]));
    found.extend(kept(&shop));
    found
}

#[test]
fn no_secret_appears_anywhere_whatever_fails() {
    let found = Mutex::new(Vec::new());
    // Tables and JSON by turns: what they say is the same.
    let formats = ["", "--format json"].into_iter().cycle();
    let mut cases: Vec<_> = troubles().into_iter().zip(formats).collect();
    while !cases.is_empty() {
        let some = cases.split_off(cases.len().saturating_sub(8));
        at_once(some, |(trouble, format)| {
            let leaks = leaks_of(&trouble, format);
            found.lock().unwrap().extend(leaks);
        });
    }
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_secret_is_in_what_a_killed_push_leaves() {
    let fake = Fake::start(catalogue());
    fake.fail(Fault::never().on("POST"));
    let shop = shop(&fake, SEND, INVENTORY);
    let mut push = shop.start("push store-a -v");
    fake.wait_for(1, "POST");
    push.kill().unwrap();
    let output = push.wait_with_output().unwrap();
    let shown = [leaks("stdout", &output.stdout), leaks("stderr", &output.stderr)];
    assert_eq!([shown.concat(), kept(&shop)].concat(), [""; 0]);
}
