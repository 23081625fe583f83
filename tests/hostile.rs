//! Input that means harm, or that is nonsense: a limit, a clear error, nothing lost, never a panic.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use invsync::config::Config;
use invsync::connector::{RowBatch, Want};

use crate::support::feeds::{listed, refused};
use crate::support::woocommerce::{Catalogue, Fake, Fault};
use crate::support::{BASE, DOWNLOAD, SEND, STORE_A, Shop};

const HEAD: &str = "id,sku,ean,name,qty,price\n";
const INVENTORY: &str = "sku,stock.main,price.retail\nMUG-01,4,10\nTEA-01,5,20\n";

const XML: &str = r#"
[integrations.x]
type = "store"
connector = "xml"
source = "store.xml"
items = "/items/item"
[integrations.x.fields]
sku = "sku"
name = "name"
quantity = "qty"
price = "price"
"#;

const JSON: &str = r#"
[integrations.j]
type = "store"
connector = "json"
source = "store.json"
items = "/items"
[integrations.j.fields]
sku = "sku"
name = "name"
quantity = "stock/qty"
price = "price"
"#;

fn sections(name: &str, direction: &str) -> String {
    direction.replace("store-a", name)
}

fn xml(body: &str) -> Shop {
    Shop::new()
        .config(XML)
        .config(&sections("x", DOWNLOAD))
        .file("store.xml", body)
        .inventory(INVENTORY)
}

fn json(body: &str) -> Shop {
    Shop::new()
        .config(JSON)
        .config(&sections("j", DOWNLOAD))
        .file("store.json", body)
        .inventory(INVENTORY)
}

fn csv(body: &str) -> Shop {
    Shop::downloading(body).inventory(INVENTORY)
}

const UNTOUCHED: [&str; 4] = [
    "MUG-01 price.retail 10.00",
    "MUG-01 stock.main 4",
    "TEA-01 price.retail 20.00",
    "TEA-01 stock.main 5",
];

/// The pull fails, says this in not too many words, and changes nothing.
fn fails(shop: &Shop, name: &str, why: &str) {
    let ran = shop.run(&format!("pull {name}")).code(1).stderr(why);
    assert!(ran.stderr.len() < 4_000, "the message has {} bytes", ran.stderr.len());
    assert_eq!(shop.values(), UNTOUCHED);
}

#[test]
fn entities_of_a_document_are_refused_before_they_grow() {
    let mut bomb = "<!DOCTYPE items [<!ENTITY a \"ha\">".to_owned();
    for (entity, of) in "bcdefghij".chars().zip("abcdefghi".chars()) {
        let ten = format!("&{of};").repeat(10);
        bomb += &format!("<!ENTITY {entity} \"{ten}\">");
    }
    bomb += "]><items><item><sku>MUG-01</sku><name>&j;</name><qty>1</qty></item></items>";
    let since = std::time::Instant::now();
    fails(&xml(&bomb), "x", "DTD");
    assert!(since.elapsed().as_secs() < 5);
}

#[test]
fn an_external_entity_reads_no_file() {
    let shop = xml("");
    shop.write("secret.txt", "s3cret");
    let url = format!("file://{}", shop.path("secret.txt").display());
    let body = format!(
        "<!DOCTYPE items [<!ENTITY x SYSTEM \"{url}\">]>\
         <items><item><sku>MUG-01</sku><name>&x;</name><qty>1</qty></item></items>"
    );
    shop.write("store.xml", body);
    fails(&shop, "x", "DTD");
    let listed = shop.run("list x");
    assert!(!(listed.stdout.contains("s3cret") || listed.stderr.contains("s3cret")));
}

#[test]
fn an_unknown_entity_is_no_text() {
    let shop = xml("<items><item><sku>MUG-01</sku><qty>&ten;</qty></item></items>");
    let ran = shop.run("pull x");
    assert!(matches!(ran.code, Some(1 | 3)), "{:?} {}", ran.code, ran.stderr);
    assert_eq!(shop.values(), UNTOUCHED);
}

#[test]
fn nesting_has_a_limit() {
    let deep = 100_000;
    let elements = format!("<items>{}{}</items>", "<a>".repeat(deep), "</a>".repeat(deep));
    fails(&xml(&elements), "x", "deep");
    let arrays = format!("{{\"items\":[{{\"sku\":{}{}}}]}}", "[".repeat(deep), "]".repeat(deep));
    fails(&json(&arrays), "j", "deep");
}

#[test]
fn a_cell_of_two_mebibytes_is_refused_and_stops_no_other_row_unnamed() {
    let huge = "x".repeat(2 << 20);
    let shop = csv(&format!("{HEAD}1,MUG-01,,{huge},3,11\n2,TEA-01,,Tea,6,21\n"));
    let ran = shop.run("pull store-a");
    assert!(matches!(ran.code, Some(1 | 3)), "{:?}", ran.code);
    assert!(ran.stderr.len() + ran.stdout.len() < 10_000);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("line 2") || said.contains(" 2 "), "{said}");
}

#[test]
fn a_zero_byte_makes_no_text_and_stops_nothing_else() {
    let shop = csv(&format!("{HEAD}1,MUG-01,,M\0ug,3,11\n2,TEA\0-01,,Tea,6,21\n"));
    let listed = shop.run("list store-a --format json");
    assert!(!listed.stdout.contains('\0') && !listed.stdout.contains("TEA-01"));
    let pulled = shop.run("pull store-a").stock("main", "MUG-01", "3").stock("main", "TEA-01", "5");
    assert!(!pulled.stdout.contains('\0'));
}

#[test]
fn escapes_and_bidi_controls_are_shown_and_never_sent_to_the_terminal() {
    let evil = "Mug\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}gum\u{2066}|<b>\u{9b}31m";
    let shop = Shop::new()
        .config(STORE_A)
        .config(DOWNLOAD)
        .file("store.csv", format!("{HEAD}1,MUG-01,,{evil},3,11\n9,X\u{1b}[31m,,{evil},3,11\n"))
        .inventory("sku,name,stock.main\nMUG-01,x,4\n");
    shop.sql().execute("UPDATE products SET name = ?1", [evil]).unwrap();
    for format in ["table", "markdown"] {
        for command in [
            "pull store-a --dry-run",
            "list store-a",
            "inventory list",
            "check store-a",
            "link list store-a",
        ] {
            let ran = shop.run(&format!("{command} --format {format} --color never"));
            for text in [&ran.stdout, &ran.stderr] {
                let bad = ['\u{1b}', '\u{7}', '\u{202e}', '\u{2066}', '\u{9b}'];
                assert!(!text.contains(bad), "{command} {format}: {text:?}");
            }
        }
    }
    shop.run("list store-a").stdout("\\u{1b}[2J");
    assert_eq!(shop.json("list store-a")["items"][0]["name"], evil);
    let run = shop.run("pull store-a --format json").one_run();
    assert_eq!(run.0["changes"][0]["name"], evil);
    shop.run("runs 2 --format markdown").code(0).stdout_lacks("\u{1b}");
}

#[test]
fn formulas_are_marked_in_every_csv_for_eyes_and_in_no_other() {
    for formula in ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)"] {
        let shop = Shop::new()
            .config(STORE_A)
            .config(DOWNLOAD)
            .file("store.csv", format!("{HEAD}1,MUG-01,,\"{formula}\",3,11\n"))
            .inventory(&format!("sku,name,stock.main\nMUG-01,\"{formula}\",4\n"));
        for command in ["list store-a", "inventory list", "pull store-a --dry-run"] {
            let marked = format!("'{formula}");
            shop.run(&format!("{command} --format csv --spreadsheet-safe")).code(0).stdout(&marked);
            shop.run(&format!("{command} --format csv")).code(0).stdout_lacks(&marked);
        }
    }
}

/// A shop that has pulled 30 items, and its file with each price and quantity told.
fn pulled(price: fn(u32) -> String, quantity: fn(u32) -> String) -> (Shop, String) {
    let skus: String = (0..30).map(|n| format!("S{n}\n")).collect();
    let before = rows(|n| format!("{}.00", 10 + n), |_| "5".to_owned());
    let shop = Shop::downloading(&before).inventory(&format!("sku\n{skus}"));
    shop.run("pull store-a").code(0);
    (shop, rows(price, quantity))
}

fn rows(price: fn(u32) -> String, quantity: fn(u32) -> String) -> String {
    let rows = (0..30).map(|n| format!("{n},S{n},,,{},\"{}\"\n", quantity(n), price(n)));
    HEAD.to_owned() + &rows.collect::<String>()
}

/// The next delivery is stopped by these guards, and the inventory stays what it was.
fn is_stopped(shop: &Shop, delivery: impl AsRef<[u8]>, guards: &[&str]) {
    let before = shop.values();
    shop.write("store.csv", delivery);
    let run = shop.run("pull store-a --format json").code(4).one_run();
    for guard in guards {
        assert!(run.guards().iter().any(|g| g.starts_with(guard)), "{:?}", run.guards());
    }
    assert_eq!(shop.values(), before);
}

#[test]
fn all_quantities_zero() {
    let (shop, zero) = pulled(|n| format!("{}.00", 10 + n), |_| "0".to_owned());
    is_stopped(&shop, zero, &["max_zeroed stock 100%>30%", "max_changed stock 100%>50%"]);
}

#[test]
fn all_prices_times_a_hundred_or_with_tax() {
    let (shop, times) = pulled(|n| format!("{}.00", (10 + n) * 100), |_| "5".to_owned());
    is_stopped(&shop, times, &["same_factor prices × 100", "max_changed prices"]);
    let (shop, taxed) = pulled(
        |n| format!("{}.{:02}", (10 + n) * 123 / 100, (10 + n) * 123 % 100),
        |_| "5".to_owned(),
    );
    is_stopped(&shop, taxed, &["same_factor prices × 1.23"]);
}

#[test]
fn decimal_point_and_comma_swapped() {
    let (shop, _) = pulled(|_| String::new(), |_| String::new());
    // 10.00 read as thousands: 1000
    let swapped = rows(|n| format!("{}.000,00", 10 + n), |_| "5".to_owned());
    shop.write("store.csv", swapped);
    let before = shop.values();
    let ran = shop.run("pull store-a");
    assert!(matches!(ran.code, Some(3 | 4)), "{:?}\n{}", ran.code, ran.stdout);
    assert_eq!(shop.values(), before);
}

#[test]
fn half_a_file_with_and_without_its_last_line_whole() {
    let whole = rows(|n| format!("{}.00", 10 + n), |_| "4".to_owned());
    for cut in [whole.len() / 2, whole.len() / 3] {
        let (shop, _) = pulled(|_| String::new(), |_| String::new());
        let at = whole[..cut].rfind('\n').unwrap() + 1;
        is_stopped(&shop, &whole[..at], &["max_missing –"]);
        // In the middle of a quoted price: that is cut for sure.
        let middle = whole[..cut].rfind('"').unwrap() + 1;
        let text = if whole[..middle].matches('"').count().is_multiple_of(2) {
            middle - 1
        } else {
            middle
        };
        shop.write("store.csv", &whole[..text]);
        let before = shop.values();
        shop.run("pull store-a").code(1).stderr("quote");
        assert_eq!(shop.values(), before);
    }
}

#[test]
fn another_suppliers_file_and_a_renamed_column() {
    let (shop, _) = pulled(|_| String::new(), |_| String::new());
    let other: String = (0..30).map(|n| format!("{n},OTHER-{n},,,1,1.00\n")).collect();
    let before = shop.values();
    shop.write("store.csv", format!("{HEAD}{other}"));
    let ran = shop.run("pull store-a --format json");
    // Their ids are those of our items, their SKUs are nobody's: whatever it is called, it is not
    // applied unseen.
    assert!(matches!(ran.code, Some(3 | 4)), "{:?}", ran.code);
    assert_eq!(shop.values(), before);
    let strangers: String = (100..130).map(|n| format!("{n},OTHER-{n},,,1,1.00\n")).collect();
    is_stopped(&shop, format!("{HEAD}{strangers}"), &["max_missing – 100%>20%"]);
    shop.write("store.csv", "id,sku,ean,name,bestand,preis\n1,S1,,,1,1\n");
    shop.run("pull store-a").code(1).stderr("qty").stderr("bestand").stderr("preis");
    assert_eq!(shop.values(), before);
    shop.write("store.csv", HEAD);
    shop.run("pull store-a").code(1).stderr("no items at all");
    assert_eq!(shop.values(), before);
    for page in ["<!DOCTYPE html><title>Please log in</title>", "\u{feff}<html><body>502"] {
        shop.write("store.csv", page);
        shop.run("pull store-a").code(1).stderr("HTML");
        assert_eq!(shop.values(), before);
    }
}

/// A small generator whose numbers are the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next()).unwrap() % end.max(1)
    }
}

/// What breaks readers.
const TOKENS: [&[u8]; 36] = [
    b"\0",
    b"\"",
    b"'",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\xff",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"<",
    b">",
    b"</",
    b"<!--",
    b"<![CDATA[",
    b"]]>",
    b"<!DOCTYPE",
    b"&",
    b"&#x0;",
    b"&#1114112;",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\\u",
    b"\\ud800",
    b"null",
    b"1e999",
    b"-",
    b"9999999999999999999",
    b"0.0000001",
    b"${",
    b"=",
];

/// Up to four small or large changes.
fn mutated(corpus: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = corpus.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + 1 + random.below(24)).min(bytes.len());
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at.min(end)..end)),
            2 => bytes.truncate(at),
            3 => {
                let copy = bytes[at.min(end)..end].to_vec();
                let times = 1 + random.below(40);
                bytes.splice(at..at, copy.repeat(times));
            }
            4 if at < bytes.len() => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
            _ => {
                let token = TOKENS[random.below(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
        }
    }
    bytes
}

const CSV_CORPUS: &str = "\u{feff}id,sku,ean,name,qty,price\r\n\
    1,MUG-01,4006381333931,\"Mug, \"\"big\"\"\",3,12.30\r\n2,TEA-01,,Teapot,\"1.000,5\",-4 EUR\n3,\"a\nb\",,,,\n";
const XML_CORPUS: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<items a='1'><!-- c -->\
    <item id=\"1\"><sku>MUG-01</sku><name><![CDATA[Mug & <b>]]></name><qty>3</qty><price>12.30</price></item>\
    <item><sku>T&amp;E&#65;</sku><qty/><price>1,5</price></item><other/></items>";
const JSON_CORPUS: &str = "{\"items\":[{\"sku\":\"MUG-01\",\"name\":\"M\\u00fcg \\ud83d\\ude00\",\
    \"stock\":{\"qty\":3},\"price\":\"12.30\"},{\"sku\":7,\"stock\":{\"qty\":1.5e2},\"price\":null}],\"n\":[[],{}]}";

fn config_corpus() -> String {
    format!(
        "{BASE}{STORE_A}{DOWNLOAD}{XML}{JSON}{}{}",
        sections("x", SEND),
        sections("j", DOWNLOAD)
    )
}

const EVERYTHING: Want = Want { stock: true, prices: true, names: true };

/// Reads a feed to its end as the engine does; a refusal is as good as rows.
fn read(config: &Config, name: &str) -> bool {
    let integration = config.integration(name).unwrap();
    let connector = {
        let part = &integration.parts[0];
        part.settings.connect(&invsync::around::Around::nobody(), &part.places).unwrap()
    };
    let Ok(mut reader) = connector.open(EVERYTHING) else { return false };
    let mut batch = RowBatch::default();
    loop {
        batch.clear();
        match reader.next(&mut batch) {
            Ok(false) => return reader.finish().is_ok(),
            Ok(true) => {
                for row in batch.rows() {
                    assert!(row.sku().is_none_or(|sku| sku.trim() == sku));
                }
            }
            Err(error) => {
                assert!(!error.message.is_empty());
                return false;
            }
        }
    }
}

fn corpora() -> [(&'static str, &'static str, &'static str); 3] {
    [
        ("store-a", "store.csv", CSV_CORPUS),
        ("x", "store.xml", XML_CORPUS),
        ("j", "store.json", JSON_CORPUS),
    ]
}

/// How many times more inputs than usual: for a hunt, set `INVSYNC_MUTATIONS`.
fn thoroughness() -> u64 {
    let times = std::env::var("INVSYNC_MUTATIONS").ok();
    times.map_or(1, |times| times.parse().unwrap())
}

/// Says which input it was, where something panics.
fn told<T>(input: &[u8], round: u64, run: impl FnOnce() -> T) -> T {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().map_or("", String::as_str);
        panic!("round {round}: {:?}: {why}", String::from_utf8_lossy(input))
    })
}

#[test]
fn ten_thousand_mutated_feeds_are_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("invsync.toml"), config_corpus()).unwrap();
    let config = Config::load(&path("invsync.toml")).unwrap_or_else(|errors| panic!("{errors}"));
    let mut random = Random(0x1234_5678_9abc_def1);
    let (mut good, mut bad) = (0, 0);
    for round in 0..3_400 * thoroughness() {
        for (name, file, corpus) in corpora() {
            let input = mutated(corpus.as_bytes(), &mut random);
            std::fs::write(path(file), &input).unwrap();
            match told(&input, round, || read(&config, name)) {
                true => good += 1,
                false => bad += 1,
            }
        }
    }
    // Some of each, or the changes are too small or too large to find anything.
    assert!(good > 1_000 && bad > 1_000, "{good} read, {bad} refused");
}

#[test]
fn two_thousand_mutated_configs_are_read_or_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("invsync.toml");
    let mut random = Random(0x0fed_cba9_8765_4321);
    let (mut good, mut bad) = (0, 0);
    for round in 0..2_000 * thoroughness() {
        let input = mutated(config_corpus().as_bytes(), &mut random);
        std::fs::write(&path, &input).unwrap();
        match told(&input, round, || load(&path)) {
            Ok(()) => good += 1,
            Err(errors) => {
                bad += 1;
                assert!(errors.contains("invsync.toml"), "{errors}");
            }
        }
    }
    assert!(good > 50 && bad > 500, "{good} read, {bad} refused");
}

fn load(path: &Path) -> Result<(), String> {
    Config::load(path).map(drop).map_err(|errors| errors.to_string())
}

#[test]
fn hundreds_of_mutated_inputs_end_with_an_exit_code_of_the_contract() {
    let shop = Shop::new()
        .file("invsync.toml", config_corpus().replace("\"send\"", "\"download\""))
        .inventory(INVENTORY);
    let config = shop.read("invsync.toml");
    let mut random = Random(0x5151_5151_1515_1515);
    let mut codes = std::collections::BTreeMap::new();
    for round in 0..100_u64 {
        for (name, file, corpus) in corpora() {
            let input = mutated(corpus.as_bytes(), &mut random);
            shop.write(file, &input);
            let command = ["pull", "list", "check", "pull --allow all"][random.below(4)];
            let ran = told(&input, round, || shop.run(&format!("{command} {name} --format json")));
            let input = || String::from_utf8_lossy(&input).into_owned();
            let is_known = matches!(ran.code, Some(0 | 1 | 3 | 4 | 5));
            assert!(is_known && !ran.stderr.contains("panicked"), "{}: {}", input(), ran.stderr);
            assert!(ran.code != Some(1) || !ran.stderr.is_empty(), "{}: no message", input());
            *codes.entry(ran.code.unwrap()).or_insert(0) += 1;
        }
        shop.write("invsync.toml", mutated(config.as_bytes(), &mut random));
        let ran = shop.run("pull --all --dry-run");
        assert!(
            matches!(ran.code, Some(0..=4)) && !ran.stderr.contains("panicked"),
            "{:?} {}",
            ran.code,
            ran.stderr
        );
        shop.write("invsync.toml", &config);
    }
    assert!(codes.len() >= 3, "{codes:?}");
    let check: String =
        shop.sql().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
}

/// What paths are made of, in every format.
const PATH_TOKENS: [&str; 30] = [
    "/",
    "//",
    "../",
    "..",
    ".",
    "@",
    "[",
    "]",
    "='",
    "'",
    "''",
    "*",
    ":",
    "#",
    "#1",
    "#0",
    "[1]",
    "[0]",
    "[99999999999]",
    "[@a='b']",
    "[sku='MUG-01']",
    "']",
    "sku",
    "qty",
    "item",
    "ü",
    "\u{0}",
    " ",
    "\u{202e}",
    "\"",
];

/// A path of up to six pieces, half of them right.
fn path(random: &mut Random) -> String {
    let usual = ["sku", "stock/qty", "@id", "../sku", "/items/@a", "'a b'/*", "#2", "*[2]/x:y"];
    let mut path = usual[random.below(usual.len())].to_owned();
    for _ in 0..random.below(6) {
        let places: Vec<usize> =
            path.char_indices().map(|(at, _)| at).chain([path.len()]).collect();
        let at = places[random.below(places.len())];
        match random.below(4) {
            0 => path.truncate(at),
            _ => path.insert_str(at, PATH_TOKENS[random.below(PATH_TOKENS.len())]),
        }
    }
    path
}

#[test]
fn ten_thousand_mutated_mapping_paths_are_followed_or_refused_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    for (_, file, corpus) in corpora() {
        std::fs::write(folder.path().join(file), corpus).unwrap();
    }
    let config = folder.path().join("invsync.toml");
    let mut random = Random(0x0bad_cafe_0bad_cafe);
    let (mut good, mut bad) = (0, 0);
    for round in 0..10_000 * thoroughness() {
        let paths: Vec<String> = (0..4).map(|_| path(&mut random)).collect();
        let quoted = paths.iter().map(|path| toml::Value::String(path.clone()).to_string());
        let quoted: Vec<String> = quoted.collect();
        let [sku, quantity, which, items] = &quoted[..] else { panic!("{quoted:?}") };
        // Of the four paths one is always as it is mutated; the others take turns with right ones.
        let (quantity, which, items) = match random.below(4) {
            0 => (quantity.as_str(), "'sku'", "'/items/*'"),
            1 => ("'qty'", which.as_str(), "'/items/*'"),
            2 => ("'qty'", "'sku'", items.as_str()),
            _ => (quantity.as_str(), which.as_str(), items.as_str()),
        };
        let (connector, file, _) = corpora()[random.below(3)];
        let format = file.trim_start_matches("store.");
        let tree = match format {
            "csv" => String::new(),
            _ => format!("items = {items}\nvariants = {which}\n"),
        };
        let text = format!(
            "{BASE}[integrations.{connector}]\ntype = 'store'\nconnector = '{format}'\n\
             source = '{file}'\n{tree}where = [{{ path = {which}, not = [''] }}]\n\
             stock = {{ direction = 'download', warehouse = 'main' }}\n\
             fields = {{ sku = {sku}, quantity = {quantity} }}\n"
        );
        std::fs::write(&config, &text).unwrap();
        let followed = told(text.as_bytes(), round, || match Config::load(&config) {
            Ok(config) => Some(read(&config, connector)),
            Err(errors) => {
                let errors = errors.to_string();
                assert!(errors.contains("invsync.toml"), "{errors}");
                None
            }
        });
        match followed {
            Some(_) => good += 1,
            None => bad += 1,
        }
    }
    assert!(good > 1_000 && bad > 1_000, "{good} followed, {bad} refused");
}

/// A shop with a product of each kind.
fn web_shop() -> Fake {
    Fake::start(
        Catalogue::new()
            .simple(45, "MUG-01", |p| p.stock("3").price("12.30").name("Mug"))
            .simple(46, "TEA-01", |p| p.stock("7").price("39").gtin("4006381333931"))
            .variable(50, "TEE", |p| p.variation(51, "TEE-S", |v| v.stock("5").price("20.00"))),
    )
}

/// Answers of a shop that are changed on their way, one in `every`; whether one of them was no JSON
/// any more.
fn mangled(fake: &Fake, random: &mut Random, on: &str, every: usize) -> Arc<AtomicBool> {
    let is_broken = Arc::new(AtomicBool::new(false));
    let (broken, asked) = (Arc::clone(&is_broken), AtomicUsize::new(random.below(every)));
    let random = Mutex::new(Random(random.next() | 1));
    fake.heal();
    fake.fail(
        Fault::bytes(move |body| {
            if asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(every) {
                // Of an error, the status decides, whatever its body is.
                let is_error = body.starts_with(b"{\"code\"");
                *body = mutated(body, &mut random.lock().unwrap());
                // What stands before the JSON is skipped, as a notice of PHP is.
                let starts = (0..body.len()).filter(|at| b"[{".contains(&body[*at]));
                let is_json = starts.take(64).any(|start| {
                    serde_json::from_slice::<serde::de::IgnoredAny>(&body[start..]).is_ok()
                });
                broken.fetch_or(!is_json && !is_error, Ordering::Relaxed);
            }
        })
        .on(on),
    );
    is_broken
}

const NO_RETRIES: &str = "retries = 0\nretry_budget = \"0s\"";

#[test]
fn hundreds_of_mangled_answers_of_a_shop_end_with_an_exit_code_of_the_contract() {
    let fake = web_shop();
    let inventory = "sku,stock.main,price.retail\nMUG-01,4,12.30\nTEA-01,7,41\nTEE-S,6,21\n";
    let shop = Shop::new().config(&fake.config(DOWNLOAD)).config(NO_RETRIES).inventory(inventory);
    let before = shop.bytes("inventory.db");
    let values = shop.values();
    let mut random = Random(0x1357_9bdf_0246_8ace);
    let mut codes = std::collections::BTreeMap::new();
    for round in 0..200 * thoroughness() {
        let on = ["GET products", "GET products", "GET"][random.below(3)];
        let is_broken = mangled(&fake, &mut random, on, 1 + round as usize % 2);
        let command = ["pull", "pull", "list", "check"][random.below(4)];
        let ran = shop.run(&format!("{command} store-a --format json"));
        let told = || format!("{command}, round {round}: {:?} {}", ran.code, ran.stderr);
        let is_known = matches!(ran.code, Some(0 | 1 | 3 | 4 | 5 | 7 | 8));
        assert!(is_known && !ran.stderr.contains("panicked"), "{}", told());
        if command != "pull" || !matches!(ran.code, Some(0 | 3 | 4)) {
            assert_eq!(shop.values(), values, "{}", told());
        }
        if is_broken.load(Ordering::Relaxed) && command == "pull" {
            assert_eq!(shop.values(), values, "{}", told());
            assert!(matches!(ran.code, Some(1 | 7 | 8)), "{}", told());
        }
        *codes.entry((command, ran.code)).or_insert(0) += 1;
        for name in shop.names().iter().filter(|name| name.starts_with("inventory.db")) {
            std::fs::remove_file(shop.path(name)).unwrap();
        }
        shop.write("inventory.db", &before);
    }
    // Some were taken, some refused, or the changes are too small or too large to find anything.
    assert!(codes.len() > 4, "{codes:?}");
}

#[test]
fn whatever_a_shop_echoes_nothing_is_called_applied_that_is_not_and_the_next_push_finishes() {
    let inventory = "sku,stock.main,price.retail\nMUG-01,4,12.30\nTEA-01,7,41\nTEE-S,6,21\n";
    let made = Shop::new().inventory(inventory);
    let mut random = Random(0x2468_ace0_1357_9bdf);
    let mut codes = std::collections::BTreeMap::new();
    let wanted = [("4", "12.30"), ("7", "41.00"), ("6", "21.00")];
    let wanted = wanted.map(|(stock, price)| (stock.to_owned(), price.to_owned()));
    for round in 0..60 * thoroughness() {
        let fake = web_shop();
        let now = || [45, 46, 51].map(|id| (fake.stock(id), fake.price(id)));
        let shop = made.copy().config(&fake.config(SEND)).config(NO_RETRIES);
        let values = shop.values();
        mangled(&fake, &mut random, "POST", 1);
        let ran = shop.run("push store-a --format json");
        let told = || format!("round {round}: {:?} {}", ran.code, ran.stderr);
        let is_known = matches!(ran.code, Some(0 | 1 | 3 | 4 | 7 | 8));
        assert!(is_known && !ran.stderr.contains("panicked"), "{}", told());
        assert_eq!(shop.values(), values, "{}", told());
        assert!(ran.code != Some(0) || now() == wanted, "{}", told());
        *codes.entry(ran.code).or_insert(0) += 1;
        fake.heal();
        let again = shop.run("push store-a");
        assert_eq!(again.code, Some(0), "{}\n{}{}", told(), again.stdout, again.stderr);
        assert_eq!(now(), wanted, "{}", told());
        let open = "SELECT count(*) FROM changes WHERE status IN (5, 6)";
        let open: i64 = shop.sql().query_row(open, [], |row| row.get(0)).unwrap();
        assert_eq!(open, 0, "{}", told());
    }
    assert!(codes.contains_key(&Some(0)), "{codes:?}");
}

#[test]
fn a_cell_that_is_too_long_is_a_problem_of_its_row() {
    let toml = "connector = \"csv\"\nfields = { sku = \"s\", quantity = \"q\" }";
    let long = "x".repeat((1 << 20) + 1);
    for cell in [long.clone(), format!("\"{long}\""), format!("\"{long}\n\"\"x\"\"\"")] {
        let found = listed(toml, format!("s,note,q\nA,,1\nB,{cell},2\nC,,3\n"));
        assert_eq!(found[..2], ["A A . . 1 . .", "C C . . 3 . ."]);
        assert_eq!(
            found[2..],
            ["! 3: the row has a cell of more than 1 MiB; the row was left out"]
        );
    }
}

#[test]
fn a_quote_that_is_never_closed_does_not_pass_for_a_long_cell() {
    let toml = "connector = \"csv\"\nfields = { sku = \"s\", quantity = \"q\" }";
    let rows: String = (0..100_000).map(|n| format!("{n},a name,{n}\n")).collect();
    let error = refused(toml, format!("s,note,q\nA,\"open,1\n{rows}"), 1);
    assert!(error.contains("a quote that opens in the row of line 2 is still open"), "{error}");
    let error = refused(toml, format!("s,note,q\nA,\"open,1\n{rows}Z,\"x\",1\n"), 1);
    assert!(error.contains("line 2: a field is over 1 MiB; is a quote never closed"), "{error}");
}
