//! The fake WooCommerce behaves as the real one does. The tests of invsync lean on that, so it is
//! asked here by a client that hides nothing.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::woocommerce::{
    Auth, Catalogue, Fake, Fault, Item, KEY, Kind, Logged, PHP_NOTICE, Permissions, SECRET, Signed,
};

/// An answer as it came.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("–", |(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    /// `401 woocommerce_rest_cannot_view: Sorry, …`.
    fn error(&self) -> String {
        let json = self.json();
        assert_eq!(json["data"]["status"], self.status);
        format!("{} {}: {}", self.status, texts(&json["code"]), texts(&json["message"]))
    }
}

fn texts(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Sends a request on a connection of its own; `None` where no answer came.
fn send(fake: &Fake, method: &str, target: &str, headers: &str, body: &str) -> Option<Answer> {
    let mut stream = TcpStream::connect(fake.host()).unwrap();
    let (host, length) = (fake.host(), body.len());
    let request = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: invsync\r\nConnection: close\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    // What came before the connection broke counts.
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Some(Answer { status, head, body: bytes[end + 4..].to_vec() })
}

const JSON: &str = "Content-Type: application/json\r\n";

fn basic(key: &str, secret: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{key}:{secret}")))
}

/// A fake that believes in https, so that the key may be sent as it is.
fn trusting(catalogue: Catalogue) -> Fake {
    let fake = Fake::start(catalogue);
    fake.settings(|shop| shop.sees_tls = true);
    fake
}

fn get(fake: &Fake, path: &str) -> Answer {
    send(fake, "GET", &format!("/wp-json/wc/v3/{path}"), &basic(KEY, SECRET), "").unwrap()
}

fn try_post(fake: &Fake, path: &str, body: &Value) -> Option<Answer> {
    let headers = basic(KEY, SECRET) + JSON;
    send(fake, "POST", &format!("/wp-json/wc/v3/{path}"), &headers, &body.to_string())
}

fn post(fake: &Fake, path: &str, body: &Value) -> Answer {
    try_post(fake, path, body).unwrap()
}

/// The ids of a list.
fn ids(answer: &Answer) -> Vec<u64> {
    assert_eq!(answer.status, 200);
    answer.json().as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

fn merged(mut one: Value, mut other: Value) -> Value {
    one.as_object_mut().unwrap().append(other.as_object_mut().unwrap());
    one
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// `POST products` signed with these parameters, at a distance from the fake's clock.
fn signed(fake: &Fake, secret: &str, query: &[(&str, &str)], method: &str, late_s: i64) -> String {
    static NONCE: AtomicU64 = AtomicU64::new(0);
    let nonce = NONCE.fetch_add(1, Ordering::SeqCst).to_string();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed();
    let time = (now - late_s).to_string();
    let mut parameters = pairs(query);
    parameters.extend(pairs(&[
        ("oauth_consumer_key", KEY),
        ("oauth_timestamp", &time),
        ("oauth_nonce", &nonce),
        ("oauth_signature_method", method),
    ]));
    let url = format!("{}/wp-json/wc/v3/products", fake.url());
    let to_sign = Signed { method: "GET", url: &url, parameters: &parameters };
    let signature = to_sign.signature(method, secret).unwrap_or_default();
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("/wp-json/wc/v3/products?{}&oauth_signature={signature}", pairs.join("&"))
}

/// Each was accepted by WooCommerce itself.
#[test]
fn signatures_are_those_that_woocommerce_accepts() {
    let own = pairs(&[
        ("oauth_consumer_key", "ck_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
        ("oauth_timestamp", "1760000000"),
        ("oauth_nonce", "0123456789abcdef0123456789abcdef"),
    ]);
    let secret = "cs_bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    let with = |query: &[(&str, &str)], hash: &str| {
        let hash = pairs(&[("oauth_signature_method", hash)]);
        [pairs(query), own.clone(), hash].concat()
    };
    let check = |http: &str, url: &str, query: &[(&str, &str)], hash: &str, expected: &str| {
        let parameters = with(query, hash);
        let signed = Signed { method: http, url, parameters: &parameters };
        assert_eq!(signed.signature(hash, secret).as_deref(), Some(expected), "{query:?}");
    };
    let products = "http://shop.example/wp-json/wc/v3/products";
    let page = [
        ("per_page", "100"),
        ("page", "2"),
        ("orderby", "id"),
        ("order", "asc"),
        ("_fields", "id,sku"),
    ];
    check("GET", products, &page, "HMAC-SHA1", "YUVPNI0nTTWYRNjhYW8tFujKq6Y=");
    let long = "SZjnjRiv4mWi4O3JzbJN0g7c8fmOVdNZA9Y0uxJ6W+4=";
    check("GET", products, &page, "HMAC-SHA256", long);
    let get = |url: &str, query: (&str, &str), expected: &str| {
        check("GET", url, &[query], "HMAC-SHA1", expected);
    };
    get(products, ("sku", "ŻÓŁ/5 ą+b~c*'\""), "1ZFnd1UCx5MVAdZIGfGGjw7ryZI=");
    get(products, ("search", "100%25 & 50%"), "qHajaA5KW5uIlIbh9jhQIe0SKdU=");
    let batch = "http://shop.example/wp-json/wc/v3/products/batch";
    check("POST", batch, &[], "HMAC-SHA1", "mWkhic7EwvY3YdPaEkc42VkyqwU=");
    let folder = "http://shop.example/sklep/wp-json/wc/v3/products";
    get(folder, ("page", "1"), "UhEnS1EkYX9NdkGuI3c8oOGravk=");
    let port = "http://shop.example:8081/wp-json/wc/v3/products";
    get(port, ("page", "1"), "LdAcSgkFEGpuNUPApZRU5Fkzwgw=");
    let after = ("modified_after", "2026-11-24T02:00:00+01:00");
    get(products, after, "zKZHG0lsuruSBll4kHLXw1PbenI=");

    let parameters = with(&page, "HMAC-SHA1");
    let signed = Signed { method: "GET", url: products, parameters: &parameters };
    let expected = "GET&http%3A%2F%2Fshop.example%2Fwp-json%2Fwc%2Fv3%2Fproducts\
        &_fields%3Did%252Csku\
        %26oauth_consumer_key%3Dck_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
        %26oauth_nonce%3D0123456789abcdef0123456789abcdef\
        %26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D1760000000\
        %26order%3Dasc%26orderby%3Did%26page%3D2%26per_page%3D100";
    assert_eq!(signed.base_string(), expected);
}

#[test]
fn over_plain_http_only_a_signature_opens_the_door() {
    let fake = Fake::start(Catalogue::new());
    let ask = |target: &str, headers: &str| send(&fake, "GET", target, headers, "").unwrap();
    let products = "/wp-json/wc/v3/products";
    let nobody = "401 woocommerce_rest_cannot_view: Sorry, you cannot list resources.";
    assert_eq!(ask(products, "").error(), nobody);
    assert_eq!(ask(products, &basic(KEY, SECRET)).error(), nobody);
    let in_query = format!("{products}?consumer_key={KEY}&consumer_secret={SECRET}");
    assert_eq!(ask(&in_query, "").error(), nobody);

    let wrong = |target: &str| {
        let error = ask(target, "").error();
        error.strip_prefix("401 woocommerce_rest_authentication_error: ").unwrap().to_owned()
    };
    let right = signed(&fake, SECRET, &[("include[0]", "1")], "HMAC-SHA256", 0);
    assert_eq!(ask(&right, "").status, 200);
    assert_eq!(wrong(&right), "Invalid nonce - nonce has already been used.");
    assert_eq!(wrong(&signed(&fake, SECRET, &[], "HMAC-SHA1", 16 * 60)), "Invalid timestamp.");
    assert_eq!(ask(&signed(&fake, SECRET, &[], "HMAC-SHA1", -14 * 60), "").status, 200);
    let mismatch = "Invalid signature - provided signature does not match.";
    assert_eq!(wrong(&signed(&fake, "cs_other", &[], "HMAC-SHA1", 0)), mismatch);
    assert_eq!(wrong(&signed(&fake, SECRET, &[("include[]", "1")], "HMAC-SHA1", 0)), mismatch);
    let unknown = "Invalid signature - signature method is invalid.";
    assert_eq!(wrong(&(signed(&fake, SECRET, &[], "MD5", 0) + "x")), unknown);
    let half = format!("{products}?oauth_consumer_key={KEY}&oauth_nonce=1");
    let missing = "Missing OAuth parameters oauth_timestamp, oauth_signature, \
                   oauth_signature_method";
    assert_eq!(wrong(&half), missing);
    let query = signed(&fake, SECRET, &[], "HMAC-SHA1", 0);
    let list = query.split_once('?').unwrap().1.replace('&', "\",").replace('=', "=\"");
    let header = format!("Authorization: OAuth {list}\"\r\n");
    assert_eq!(ask(products, &header).status, 200);
    fake.settings(|shop| shop.clock_ahead_s = -16 * 60);
    assert_eq!(wrong(&signed(&fake, SECRET, &[], "HMAC-SHA1", 0)), "Invalid timestamp.");

    let log = fake.log();
    let presented: Vec<_> = log.iter().map(|request| request.auth).collect();
    let first = [Auth::Nothing, Auth::Basic, Auth::Query, Auth::Signature];
    assert_eq!(presented[..4], first);
    assert!(presented.contains(&Auth::SignedHeader));
    assert!(!format!("{log:?}").contains(SECRET), "the log has the secret");
}

#[test]
fn keys_and_users_may_do_what_they_may() {
    let fake = trusting(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3")));
    let list = || get(&fake, "products").error();
    let write = |path: &str| post(&fake, path, &json!({"update": []})).error();
    let wrong = "401 woocommerce_rest_authentication_error";
    fake.key(|key| key.permissions = Permissions::Read);
    assert_eq!(get(&fake, "products").status, 200);
    let no_write = format!("{wrong}: The API key provided does not have write permissions.");
    assert_eq!(write("products/batch"), no_write);
    fake.key(|key| key.permissions = Permissions::Write);
    assert_eq!(list(), format!("{wrong}: The API key provided does not have read permissions."));
    fake.key(|key| (key.permissions, key.manager) = (Permissions::ReadWrite, false));
    assert_eq!(list(), "403 woocommerce_rest_cannot_view: Sorry, you cannot list resources.");
    assert!(get(&fake, "products/45").error().starts_with("403 woocommerce_rest_cannot_view: "));
    assert!(write("products/45").starts_with("403 woocommerce_rest_cannot_edit: "));
    assert!(write("products/batch").starts_with("403 woocommerce_rest_cannot_batch: "));
    fake.key(|key| (key.manager, key.valid_requests) = (true, Some(1)));
    assert_eq!(get(&fake, "products").status, 200);
    assert!(list().starts_with("401 woocommerce_rest_cannot_view: "));
    fake.key(|key| (key.valid_requests, key.consumer_secret) = (None, "cs_other".to_owned()));
    assert_eq!(list(), format!("{wrong}: Consumer secret is invalid."));
    fake.key(|key| key.consumer_key = "ck_other".to_owned());
    assert!(list().starts_with("401 woocommerce_rest_cannot_view: "));
    fake.key(|key| *key = Default::default()).settings(|shop| shop.strip_authorization = true);
    assert!(list().starts_with("401 woocommerce_rest_cannot_view: "));
    let in_query = format!("products?consumer_key={KEY}&consumer_secret={SECRET}");
    assert_eq!(get(&fake, &in_query).status, 200);
}

#[test]
fn lists_come_in_pages_with_totals() {
    let fake = trusting(Catalogue::new().simples(1..=25, |p| p.price("1.00")));
    let page =
        get(&fake, "products?per_page=10&page=2&orderby=id&order=asc&_fields=id,sku&x=a%20b");
    assert_eq!(ids(&page), (11..=20).collect::<Vec<_>>());
    assert_eq!(page.json()[0], json!({"id": 11, "sku": "SKU-00011"}));
    assert_eq!((page.header("x-wp-total"), page.header("x-wp-totalpages")), ("25", "3"));
    let (api, rest) = (
        format!("https://{}/wp-json/wc/v3/products", fake.host()),
        "per_page=10&orderby=id&order=asc&_fields=id%2Csku&x=a%20b",
    );
    let links = format!("<{api}?{rest}&page=1>; rel=\"prev\", <{api}?{rest}&page=3>; rel=\"next\"");
    assert_eq!(page.header("Link"), links);
    let past = get(&fake, "products?page=9");
    assert_eq!((ids(&past), past.header("X-WP-Total")), (vec![], "25"));
    assert_eq!(ids(&get(&fake, "products?per_page=3")), [25, 24, 23], "the newest first");
    assert_eq!(ids(&get(&fake, "products?per_page=2&offset=3&order=asc")), [4, 5]);
    assert_eq!(ids(&get(&fake, "products?per_page=9&per_page=1")), [25], "the last one counts");
    for bad in ["per_page=101", "per_page=0", "per_page=x", "page=0", "status=no", "type=variation"]
    {
        let answer = get(&fake, &format!("products?{bad}"));
        let name = bad.split('=').next().unwrap();
        let expected = format!("400 rest_invalid_param: Invalid parameter(s): {name}");
        assert_eq!(answer.error(), expected);
    }
    let secret = format!("products?consumer_key={KEY}&consumer_secret={SECRET}");
    assert!(get(&fake, &secret).header("Link").contains(SECRET), "as the real one does");
    let head = send(&fake, "HEAD", "/wp-json/wc/v3/products", &basic(KEY, SECRET), "").unwrap();
    assert_eq!((head.header("X-WP-Total"), head.body.len()), ("25", 0));
}

#[test]
fn lists_take_what_they_are_asked_for() {
    let tee =
        |p: Item| p.variation(51, "TEE-S", |v| v.gtin("4006381333931")).variation(52, "", |v| v);
    let catalogue = Catalogue::new()
        .simple(45, "MUG-01", |p| p.name("Mug").gtin("5900000000114"))
        .variable(50, "TEE", tee)
        .grouped(60, "SET")
        .external(61, "ELSEWHERE", |p| p.status("draft"))
        .simple(62, "A,B", |p| p.status("trash"))
        .variable(70, "HAT", |p| p.status("trash").variation(71, "HAT-L", |v| v));
    let fake = trusting(catalogue);
    let found = |query: &str| ids(&get(&fake, &format!("{query}&orderby=id&order=asc")));
    assert_eq!(found("products?"), [45, 50, 60, 61], "all but trash and variations");
    assert_eq!(found("products?include=45,51,60"), [45, 60]);
    assert_eq!(found("products?include[]=45&exclude=60,61"), [45]);
    assert_eq!(found("products?status=draft"), [61]);
    assert_eq!(found("products?status=trash"), [62, 70]);
    assert_eq!(found("products?exclude_status=draft&exclude_types=grouped"), [45, 50]);
    assert_eq!(found("products?type=external"), [61]);
    assert_eq!(found("products?sku=%20tee-s,MUG-01,A,HAT-L"), [45, 51], "with variations");
    assert_eq!(found("products?global_unique_id=4006381333931"), [51]);
    assert_eq!(found("products?search=mug&search_sku=g-0"), [45]);
    assert!(found("products?stock_status=outofstock").is_empty());
    assert_eq!(found("variations?"), [51, 52]);
    assert_eq!(found("variations?parent=50&include=52"), [52]);
    assert_eq!(found("products/50/variations?"), [51, 52]);
    assert!(found("products/999/variations?").is_empty());
    assert_eq!(ids(&get(&fake, "products?include=60,45&orderby=include")), [60, 45]);
    fake.settings(|shop| shop.version = "9.3.3");
    assert_eq!(found("products?global_unique_id=4006381333931").len(), 4, "ignored");
    assert_eq!(found("products?exclude_status=draft").len(), 4, "ignored");
    let none = "404 rest_no_route: No route was found matching the URL and request method.";
    assert_eq!(get(&fake, "variations").error(), none);
}

#[test]
fn old_shops_lose_rows_unless_ordered_by_id() {
    let fake = trusting(Catalogue::new().simples(1..=40, |p| p));
    let all = |order: &str| {
        let page = |page| ids(&get(&fake, &format!("products?page={page}{order}")));
        let mut all: Vec<_> = (1..=4).flat_map(page).collect();
        all.sort_unstable();
        let rows = all.len();
        all.dedup();
        (rows, all.len())
    };
    assert_eq!(all(""), (40, 40));
    fake.settings(|shop| shop.version = "9.3.3");
    assert_eq!(all(""), (40, 38));
    assert_eq!(all("&orderby=modified&order=asc"), (40, 38));
    assert_eq!(all("&orderby=id&order=asc"), (40, 40));
}

#[test]
fn rows_show_what_counts_for_them() {
    let tee = |p: Item| {
        let own = p.stock("52.75").variation(51, "TEE-S", |v| v.price("20.00").stock("7"));
        own.variation(52, "", |v| v.price("19.5").sale("9"))
    };
    let catalogue = Catalogue::new()
        .simple(45, "MUG-01", |p| p.price("12.3456").sale("0").stock("-3"))
        .simple(46, "POT", |p| p.price("10").sale("8").with(|pot| pot.sale_runs = false))
        .variable(50, "TEE", tee);
    let fake = trusting(catalogue);
    let row = |id: u64, fields: &str| {
        let mut row = get(&fake, &format!("products/{id}?_fields={fields}")).json();
        assert!(row.as_object_mut().unwrap().remove("_links").is_some(), "links stay");
        row
    };
    let stock = "manage_stock,stock_quantity,stock_status";
    let stock_of = |id| row(id, stock);
    let is = |manage: Value, count: Value, status: &str| {
        let stock = json!({"manage_stock": manage, "stock_quantity": count});
        let status = json!({"stock_status": status});
        merged(stock, status)
    };
    let prices = "price,regular_price,sale_price";
    let mug = json!({"price": "0", "regular_price": "12.3456", "sale_price": ""});
    assert_eq!(row(45, prices), mug);
    let pot = json!({"price": "10", "regular_price": "10", "sale_price": "8"});
    assert_eq!(row(46, prices), pot, "the sale is not running");
    let tee = json!({"price": "9", "regular_price": "", "variations": [51, 52]});
    assert_eq!(row(50, "price,regular_price,variations"), tee);
    let blank = json!({"sku": "TEE", "type": "variation", "parent_id": 50});
    assert_eq!(row(52, "sku,type,parent_id"), blank);
    assert_eq!(stock_of(45), is(json!(true), json!(-3), "outofstock"));
    assert_eq!(stock_of(46), is(json!(false), Value::Null, "instock"));
    assert_eq!(stock_of(51), is(json!(true), json!(7), "instock"));
    assert_eq!(stock_of(52), is(json!("parent"), json!(52), "instock"));
    fake.catalogue(|all| all.change(45, |mug| mug.backorders = "notify"));
    assert_eq!(stock_of(45)["stock_status"], "onbackorder");
    fake.settings(|shop| (shop.decimal_stock, shop.no_stock_amount) = (true, 7));
    assert_eq!(stock_of(52)["stock_quantity"], 52.75);
    assert_eq!(stock_of(51)["stock_status"], "outofstock");
    fake.settings(|shop| shop.manage_stock = false);
    assert_eq!(stock_of(51), is(json!(false), json!(7), "instock"));
    let full = get(&fake, "products/45");
    assert!(full.body.len() > 1500, "a full row is large: {}", full.body.len());
}

#[test]
fn a_batch_answers_200_and_casts_whatever_it_gets() {
    let catalogue = Catalogue::new()
        .simples(1..=6, |p| p.stock("5").price("10.00"))
        .simple(7, "UNMANAGED", |p| p)
        .simple(8, "GUARDED", |p| p.with(|item| item.refusal = Some(("plugin_says_no", "No."))))
        .simple(9, "SALE", |p| p.price("20").sale("12"))
        .external(10, "ELSEWHERE", |p| p)
        .variable(50, "TEE", |p| p.variation(51, "TEE-S", |v| v));
    let fake = trusting(catalogue);
    let update = json!([
        {"id": 1, "stock_quantity": "abc", "_fields": "id,stock_quantity"},
        {"id": "2", "stock_quantity": 2.5, "regular_price": 12.5},
        {"id": 3, "stock_quantity": null, "regular_price": "zł 12,00"},
        {"id": 4, "stock_quantity": true, "regular_price": "abc"},
        {"id": 5, "inventory_delta": -2, "manage_stock": true, "sale_price": "10.00"},
        {"id": 6, "manage_stock": "parent"},
        {"id": 7, "stock_quantity": 3, "_fields": "stock_quantity"},
        {"id": 8, "stock_quantity": 3},
        {"id": 9, "regular_price": "12"},
        {"id": 10, "manage_stock": true},
        {"id": 50, "regular_price": "9", "_fields": "regular_price"},
        {"id": 51, "stock_quantity": 3},
        {"id": 999, "stock_quantity": 3},
        {"stock_quantity": 3},
    ]);
    let answer = post(&fake, "products/batch", &json!({"update": update})).json();
    let rows = answer["update"].as_array().unwrap();
    let keys: Vec<_> = rows[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["_links", "brands", "id", "stock_quantity"]);
    assert_eq!((&rows[1]["id"], &rows[1]["stock_quantity"]), (&json!(2), &json!(2)));
    assert!(rows[1]["description"].is_string(), "whole rows come back");
    assert_eq!(
        (&rows[6]["stock_quantity"], &rows[10]["regular_price"]),
        (&Value::Null, &json!(""))
    );
    let error = |row: usize| {
        let (id, error) = (&rows[row]["id"], &rows[row]["error"]);
        format!("{id} {} {}", texts(&error["code"]), error["data"]["status"])
    };
    assert_eq!(error(7), "8 plugin_says_no 400");
    assert_eq!(error(9), "10 product_external_invalid_manage_stock 400");
    assert_eq!(error(11), "51 woocommerce_rest_invalid_product_id 404");
    assert_eq!(error(12), "999 woocommerce_rest_product_invalid_id 400");
    assert_eq!(error(13), "null woocommerce_rest_product_invalid_id 400");
    let has = |id| format!("{} at {}", fake.stock(id), fake.price(id));
    assert_eq!([1, 2, 3].map(has), ["0 at 10.00", "2 at 12.5", "5 at 1200"]);
    assert_eq!([4, 5, 6].map(has), ["1 at ", "3 at 10.00", "– at 10.00"]);
    let sales = [fake.item(5).sale_price, fake.item(9).sale_price];
    assert_eq!(sales, ["", ""], "a sale price at or above the regular one is dropped");
    let saved = fake.log().remove(0).saved;
    assert_eq!(saved, [1, 2, 3, 4, 5, 6, 7, 9, 50]);
}

#[test]
fn a_batch_is_taken_as_a_whole_or_not_at_all() {
    let fake = trusting(Catalogue::new().simples(1..=101, |p| p.stock("5")));
    let items = |count: u64| (1..=count).map(|id| json!({"id": id, "stock_quantity": 1}));
    let update = |count| json!({"update": items(count).collect::<Vec<_>>()});
    let too_many = "413 woocommerce_rest_request_entity_too_large: Unable to accept more than 100 \
                    items for this request.";
    assert_eq!(post(&fake, "products/batch", &update(101)).error(), too_many);
    assert_eq!(fake.stock(1), "5");
    fake.settings(|shop| shop.batch_limit = 2);
    assert_eq!(post(&fake, "products/batch", &update(3)).status, 413);
    let cut = post(&fake, "products/batch?_fields=id", &update(2)).json();
    assert_eq!((cut, fake.stock(2)), (json!({"update": []}), "1".to_owned()));
    assert_eq!(post(&fake, "products/batch", &update(0)).json(), json!([]));
    assert_eq!(post(&fake, "products/batch", &json!({"update": "x"})).json(), json!([]));
    let (path, key) = ("/wp-json/wc/v3/products/batch", basic(KEY, SECRET));
    let text = send(&fake, "POST", path, &key, &update(1).to_string()).unwrap();
    assert_eq!((text.json(), fake.stock(1)), (json!([]), "1".to_owned()));
    let broken = send(&fake, "PUT", path, &(key + JSON), "{\"update\": [NaN]}").unwrap();
    assert_eq!(broken.error(), "400 rest_invalid_json: Invalid JSON body passed.");
    let create = post(&fake, "products/batch", &json!({"create": [{"sku": "X"}]})).json();
    assert_eq!(create["create"][0]["error"]["code"], "fake_only_updates");
    fake.settings(|shop| shop.body_limit_bytes = 10);
    let page = post(&fake, "products/batch", &update(2));
    assert_eq!((page.status, page.text().contains("nginx")), (413, true));
}

#[test]
fn variations_of_many_parents_go_in_one_batch() {
    let catalogue = Catalogue::new()
        .variable(50, "TEE", |p| p.variation(51, "TEE-S", |v| v.stock("1")))
        .variable(60, "HAT", |p| p.stock("9").variation(61, "HAT-S", |v| v));
    let fake = trusting(catalogue);
    let update = json!({"update": [
        {"id": 51, "stock_quantity": 3, "_fields": "id"},
        {"id": 61, "product_id": 60, "regular_price": "41.00", "stock_quantity": 4},
        {"id": 61, "stock_quantity": 5},
        {"id": 999},
    ]});
    let batch = || post(&fake, "products/50/variations/batch", &update).json()["update"].take();
    let rows = batch();
    assert!(rows[0]["description"].is_string(), "the fields of items are ignored");
    assert_eq!((&rows[1]["parent_id"], &rows[1]["stock_quantity"]), (&json!(60), &json!(9)));
    let code = "woocommerce_rest_product_variation_invalid_id";
    let error =
        |row: &Value| (row["error"]["code"] == code, row["error"]["data"]["status"].clone());
    assert_eq!((error(&rows[2]), error(&rows[3])), ((true, json!(404)), (true, json!(404))));
    assert_eq!((fake.stock(51), fake.price(61)), ("3".to_owned(), "41.00".to_owned()));
    let one = post(&fake, "products/50/variations/51", &json!({"stock_quantity": 8})).json();
    assert_eq!(
        (&one["stock_quantity"], fake.item(51).modified),
        (&json!(8), fake.item(50).modified)
    );

    fake.settings(|shop| shop.version = "9.3.3");
    let rows = batch();
    assert_eq!((&rows[2]["parent_id"], fake.item(61).parent), (&json!(50), 50), "it has moved");
    assert_eq!(error(&rows[3]), (true, json!(400)));
    assert_eq!(get(&fake, "products/60/variations/61").status, 404);
}

#[test]
fn a_single_update_is_checked_and_null_clears() {
    let fake = trusting(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3").price("12.30")));
    let update = |body: Value| post(&fake, "products/45", &body);
    for bad in [json!(2.5), json!("abc"), json!(""), json!(true)] {
        let expected = "400 rest_invalid_param: Invalid parameter(s): stock_quantity";
        assert_eq!(update(json!({"stock_quantity": bad})).error(), expected);
    }
    let params = update(json!({"regular_price": 5, "manage_stock": "parent"})).json();
    let params = params["data"]["params"].clone();
    assert_eq!(params["regular_price"], "regular_price is not of type string.");
    assert_eq!(params["manage_stock"], "manage_stock is not of type boolean.");
    assert_eq!(fake.stock(45), "3");
    assert_eq!(update(json!({"stock_quantity": 2.0, "regular_price": "1e3"})).status, 200);
    assert_eq!((fake.stock(45), fake.price(45)), ("2".to_owned(), "13".to_owned()));
    assert_eq!(update(json!({"stock_quantity": null, "regular_price": null})).status, 200);
    assert_eq!((fake.stock(45), fake.price(45)), ("0".to_owned(), String::new()));
    fake.settings(|shop| (shop.decimal_separator, shop.decimal_stock) = (",", true));
    assert_eq!(update(json!({"stock_quantity": 2.5, "regular_price": "12,50"})).status, 200);
    assert_eq!((fake.stock(45), fake.price(45)), ("2.5".to_owned(), "12.50".to_owned()));
    let missing = "woocommerce_rest_product_invalid_id: Invalid ID.";
    assert_eq!(post(&fake, "products/999", &json!({})).error(), format!("400 {missing}"));
    assert_eq!(get(&fake, "products/999").error(), format!("404 {missing}"));
}

#[test]
fn the_shop_tells_about_itself() {
    let fake = trusting(Catalogue::new());
    fake.settings(|shop| {
        (shop.currency, shop.number_of_decimals, shop.timezone) = ("PLN", 0, "UTC");
        (shop.prices_include_tax, shop.calc_taxes) = (false, true);
    });
    let fields = "environment.version,settings.currency,settings.number_of_decimals,nothing.here";
    let status = get(&fake, &format!("system_status?_fields={fields}")).json();
    let expected = json!({"environment": {"version": "10.9.1"},
        "settings": {"currency": "PLN", "number_of_decimals": 0}});
    assert_eq!(status, expected);
    assert_eq!(get(&fake, "data/currencies/current").json()["code"], "PLN");
    let setting = |path: &str| get(&fake, &format!("settings/{path}")).json()["value"].take();
    assert_eq!(setting("products/woocommerce_manage_stock"), "yes");
    assert_eq!(setting("tax/woocommerce_prices_include_tax"), "no");
    assert_eq!(setting("general/woocommerce_calc_taxes"), "yes");
    let invalid = "404 rest_setting_setting_invalid: Invalid setting.";
    assert_eq!(get(&fake, "settings/tax/nothing").error(), invalid);
    let open = |path: &str| send(&fake, "GET", path, "", "").unwrap();
    let index = open("/wp-json/?_fields=namespaces,timezone_string").json();
    assert_eq!(index["timezone_string"], "UTC");
    assert!(index["namespaces"].as_array().unwrap().contains(&json!("wc/v3")));
    let root = format!("<https://{}/wp-json/>; rel=\"https://api.w.org/\"", fake.host());
    assert_eq!(open("/").header("Link"), root);
    assert_eq!((open("/nothing").status, open("/wp-json/wc/v3").status), (404, 200));
    let long = format!("/wp-json/wc/v3/products?sku={}", "x".repeat(9000));
    assert_eq!(open(&long).status, 414);
    assert_eq!(fake.requests()[0], format!("GET system_status?_fields={fields}"));
}

#[test]
fn the_shop_may_be_somewhere_else() {
    let fake = trusting(Catalogue::new());
    let open = |path: &str| send(&fake, "GET", path, &basic(KEY, SECRET), "").unwrap();
    fake.settings(|shop| shop.folder = "/sklep");
    assert_eq!(open("/sklep/wp-json/wc/v3/products/").status, 200);
    assert_eq!(open("/wp-json/wc/v3/products").status, 404);
    assert!(fake.config("").contains(&format!("url = \"http://{}/sklep\"", fake.host())));
    fake.settings(|shop| (shop.folder, shop.plain_permalinks) = ("", true));
    assert!(open("/wp-json/").text().contains("Welcome"));
    let moved = open("/wp-json/wc/v3/products?page=1");
    let target = format!("https://{}/wp-json/wc/v3/products/?page=1", fake.host());
    assert_eq!((moved.status, moved.header("Location")), (301, target.as_str()));
    assert_eq!(open("/?rest_route=/wc/v3/products").status, 401);
    assert_eq!(open("/wp-json/wc/?rest_route=/wc/v3/products").status, 200);
    fake.settings(|shop| (shop.plain_permalinks, shop.woocommerce_active) = (false, false));
    assert!(open("/wp-json/wc/v3/products").error().starts_with("404 rest_no_route: "));
    assert!(!open("/wp-json/").text().contains("wc/v3"));
}

#[test]
fn what_answers_instead_of_the_shop_is_scripted() {
    let fake = trusting(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3")));
    let once = |fault: Fault| {
        fake.heal();
        fake.fail(fault.times(1));
        let broken = get(&fake, "products");
        assert_eq!(ids(&get(&fake, "products")), [45], "only once");
        broken
    };
    assert!(once(Fault::status(500)).text().contains("WordPress › Error"));
    assert!(once(Fault::status(502)).text().contains("<h1>502 Bad Gateway</h1>"));
    let limit = once(Fault::status(429).retry_after("2"));
    assert_eq!((limit.status, limit.header("Retry-After")), (429, "2"));
    let date = once(Fault::status(503).retry_at(Duration::from_secs(60)));
    assert!(date.header("Retry-After").ends_with(" GMT"), "{}", date.head);
    assert_eq!(once(Fault::json(400, "code", "Words.")).error(), "400 code: Words.");
    assert!(once(Fault::login_page()).text().contains("loginform"));
    assert_eq!(once(Fault::no_content()).status, 204);
    let moved = once(Fault::redirect("https://www.example.com"));
    assert_eq!(moved.header("Location"), "https://www.example.com/wp-json/wc/v3/products");
    let slash = once(Fault::redirect_to_slash());
    assert_eq!(slash.header("Location"), "/wp-json/wc/v3/products/");
    fake.fail(Fault::redirect_to_slash());
    assert_eq!(get(&fake, "products/").status, 200);
    assert_eq!(once(Fault::status(403).unless_agent("Mozilla")).status, 403);
    fake.fail(Fault::status(403).unless_agent("invsync"));
    assert_eq!(get(&fake, "products").status, 200);
}

#[test]
fn changed_answers_are_scripted() {
    let fake = trusting(Catalogue::new().simples(1..=3, |p| p.stock("3")));
    let list = |fault: Fault| {
        fake.heal();
        fake.fail(fault);
        get(&fake, "products?order=asc")
    };
    assert!(list(Fault::before_json(PHP_NOTICE)).text().starts_with("<br />\n<b>Warning"));
    assert_eq!(list(Fault::header("X-WP-Total", "7")).header("x-wp-total"), "7");
    assert_eq!(list(Fault::without_header("X-WP-Total")).header("x-wp-total"), "–");
    assert_eq!(list(Fault::fewer_items(2)).json().as_array().unwrap().len(), 1);
    let echo = list(Fault::echo(2, "stock_quantity", json!(9))).json();
    assert_eq!((&echo[1]["stock_quantity"], &echo[2]["stock_quantity"]), (&json!(9), &json!(3)));
    assert_eq!(list(Fault::answer(|answer| answer[0] = json!(1))).json()[0], 1);
    let unpacked = |answer: &Answer| {
        assert_eq!(answer.header("Content-Encoding"), "gzip");
        let mut text = String::new();
        flate2::read::GzDecoder::new(&answer.body[..]).read_to_string(&mut text).map(|_| text)
    };
    assert!(unpacked(&list(Fault::broken_gzip())).is_err());
    let bomb = list(Fault::gzip_bomb(1 << 20));
    assert!(bomb.body.len() < 20_000 && unpacked(&bomb).unwrap().len() > 1 << 20);
    let huge = list(Fault::huge(100_000));
    assert_eq!(huge.header("Content-Length"), huge.body.len().to_string());
    assert_eq!((huge.body.len() > 100_000, ids(&huge)), (true, vec![1, 2, 3]));
    fake.heal();
    fake.settings(|shop| (shop.gzip, shop.chunked) = (true, true));
    let path = "/wp-json/wc/v3/products?_fields=id";
    let headers = basic(KEY, SECRET) + "Accept-Encoding: gzip\r\n";
    let both = send(&fake, "GET", path, &headers, "").unwrap();
    assert_eq!(both.header("Content-Encoding"), "gzip");
    assert_eq!(both.header("Transfer-Encoding"), "chunked");
    let plain = get(&fake, "products?_fields=id&include=1");
    assert_eq!(plain.text(), "a\r\n[{\"id\":1}]\r\n0\r\n\r\n");
}

#[test]
fn connections_break_before_and_after_a_batch_is_applied() {
    let fake = trusting(Catalogue::new().simple(45, "MUG-01", |p| p.stock("3")));
    let mut stock = 10;
    let mut batch = |fault: Fault| {
        stock += 1;
        fake.heal();
        fake.fail(fault.on("POST products/batch"));
        let update = json!({"update": [{"id": 45, "stock_quantity": stock, "_fields": "id"}]});
        let answer = try_post(&fake, "products/batch", &update);
        (answer, fake.stock(45) == stock.to_string())
    };
    let (answer, is_applied) = batch(Fault::close());
    assert!(answer.is_none() && !is_applied);
    let (answer, is_applied) = batch(Fault::close().after_applying());
    assert!(answer.is_none() && is_applied);
    let (answer, is_applied) = batch(Fault::status(504).after_applying());
    assert!(answer.unwrap().status == 504 && is_applied);
    let (answer, is_applied) = batch(Fault::status(504));
    assert!(answer.unwrap().status == 504 && !is_applied);
    let whole = |answer: &Answer| answer.header("Content-Length").parse::<usize>().unwrap();
    let (answer, _) = batch(Fault::cut_after_headers());
    assert!(answer.is_some_and(|answer| answer.body.is_empty() && whole(&answer) > 0));
    let (answer, is_applied) = batch(Fault::cut_in_body());
    assert!(answer.is_some_and(|answer| answer.body.len() == whole(&answer) / 2) && is_applied);
    let (answer, _) = batch(Fault::short_length());
    assert!(answer.is_some_and(|answer| answer.body.len() / 2 == whole(&answer)));
    let started = Instant::now();
    let (answer, _) = batch(Fault::late(Duration::from_millis(60)));
    assert!(answer.is_some() && started.elapsed() >= Duration::from_millis(60));
    let (answer, _) = batch(Fault::trickle(Duration::from_micros(10)));
    assert_eq!(answer.unwrap().json()["update"][0]["id"], 45);
    let outcomes: Vec<_> = fake.log().iter().map(Logged::to_string).collect();
    assert_eq!(outcomes[0], "POST products/batch (1) → no answer");
    assert_eq!(outcomes[3], "POST products/batch (1) → 504");
    assert_eq!(outcomes[4], "POST products/batch (1)");
}

#[test]
fn a_connection_is_kept_until_it_is_hung_up_or_the_fake_ends() {
    let fake = Fake::start(Catalogue::new());
    let mut stream = TcpStream::connect(fake.host()).unwrap();
    let mut ask = || {
        stream.write_all(b"GET /wp-json/?_fields=name HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut bytes = [0; 4096];
        stream.read(&mut bytes).map_or(0, |length| length)
    };
    assert!(ask() > 0 && ask() > 0);
    assert_eq!((fake.connections(), fake.log().len()), (1, 2));
    fake.fail(Fault::hang_up().times(1));
    assert!(ask() > 0, "the answer itself is whole");
    assert_eq!(ask(), 0);
    fake.fail(Fault::never());
    let waiting = TcpStream::connect(fake.host()).unwrap();
    (&waiting).write_all(b"GET /wp-json/ HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    fake.wait_for(4, "GET /wp-json/");
    assert_eq!(fake.log()[3].status, None);
    drop(fake);
    assert_eq!((&waiting).read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn faults_and_sales_come_at_the_request_that_is_named() {
    let fake = trusting(Catalogue::new().simples(1..=30, |p| p.stock("3")));
    fake.fail(Fault::status(500).on("GET products?page=2").skip(1).times(1));
    fake.before("POST", |shop| shop.set_stock(1, "2"));
    fake.before_nth(2, "GET products*", |shop| shop.remove(30));
    let statuses: Vec<_> = [1, 2, 2, 2]
        .map(|page| get(&fake, &format!("products?page={page}")))
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(statuses, [200, 200, 500, 200]);
    assert_eq!(get(&fake, "products").header("X-WP-Total"), "29");
    assert_eq!(fake.stock(1), "3");
    post(&fake, "products/2", &json!({}));
    assert_eq!(fake.stock(1), "2");
    fake.set_stock(1, "9");
    fake.set_price(1, "4.50");
    fake.remove(2);
    fake.add(Item::variable(90, "NEW").variation(91, "NEW-S", |v| v.price("1")));
    assert_eq!(
        (fake.stock(1), fake.price(1), fake.item(91).kind),
        ("9".to_owned(), "4.50".to_owned(), Kind::Variation)
    );
    assert_eq!(get(&fake, "products/2").status, 404);
    get(&fake, "products/90/variations?page=1&_fields=id");
    assert_eq!(
        fake.kinds(),
        [
            "5 × GET products",
            "1 × GET products/*",
            "1 × GET products/*/variations",
            "1 × POST products/*"
        ]
    );
    let last = fake.log().pop().unwrap();
    assert_eq!(last.to_string(), "GET products/90/variations?_fields=id&page=1");
    assert_eq!((last.agent.as_deref(), last.body), (Some("invsync"), None));
    fake.forget();
    assert_eq!(fake.count("GET"), 0);
}

#[test]
fn it_tells_how_many_requests_were_under_way_at_once() {
    let fake = trusting(Catalogue::new());
    get(&fake, "products");
    get(&fake, "products");
    assert_eq!(fake.most_at_once(), 1);
    // Long enough for three threads to start on a busy machine.
    fake.settings(|shop| shop.latency = Duration::from_millis(400));
    thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(|| get(&fake, "products"))));
    });
    assert_eq!(fake.most_at_once(), 3);
}
