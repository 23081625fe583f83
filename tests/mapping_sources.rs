//! `invsync map` and `invsync init --from`, wherever a feed comes from: each source is asked once, and
//! who stops it leaves nothing behind.

use std::io::Write as _;
use std::process::Stdio;

use crate::support::http::{FileServer, Say, answer, ok, raw};
use crate::support::{Shop, zipped};

const CSV: &str = "Artikelnummer;Bestand;Preis\nA-1;4;1,50\nA-2;7;0,99\n";

/// An integration with this in its table, and nothing else.
fn new(table: &str) -> Shop {
    Shop::new().config(&format!("[integrations.new]\ntype = \"wholesaler\"\n{table}"))
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes.as_ref()).unwrap();
    packed.finish().unwrap()
}

#[test]
fn a_server_is_asked_once() {
    let packed = zipped(&[("readme.txt", b"hello".as_slice()), ("stock.csv", CSV.as_bytes())]);
    for (body, member) in [(CSV.into(), ""), (gzip(CSV), ""), (packed, "member = \"*.csv\"")] {
        let server = FileServer::new([ok(body)]);
        let shop = new(&format!("source = \"{}\"\n{member}", server.url("/stock")));
        let before = shop.all_files();
        shop.run("map new").code(0).stdout("path = \"Bestand\"").stdout("A-1");
        assert_eq!(server.came().len(), 1);
        shop.is_untouched_since(&before);
    }
}

#[test]
fn a_workbook_on_a_server_is_asked_for_once() {
    let cells = ["Symbol", "Stan", "Cena"]
        .map(|name| format!("<c t=\"inlineStr\"><is><t>{name}</t></is></c>"))
        .concat();
    let rows = format!(
        "<row r=\"1\">{cells}</row><row r=\"2\"><c t=\"s\"><v>0</v></c><c><v>3</v></c><c><v>2.5</v></c></row>"
    );
    let book = crate::support::feeds::xlsx(&[("A", &rows)]);
    let server = FileServer::new([ok(book)]);
    let shop = new(&format!("source = \"{}\"", server.url("/download?id=7")));
    shop.run("map new").code(0).stdout("connector = \"xlsx\"").stdout("MUG-01");
    assert_eq!(server.came().len(), 1);
}

#[test]
fn credentials_go_along_and_are_never_shown() {
    let server = FileServer::new([ok(CSV)]);
    let source = format!("source = \"{}?key=hunter2\"", server.url("/stock"));
    let shop = new(&format!(
        "{source}\nlogin = {{ username = \"me\", password = \"${{SECRET}}\", query = {{ t = \"tok3n\" }} }}"
    ));
    let ran = shop.run_with(("SECRET", "swordfish"), "map new -v").code(0);
    for secret in ["swordfish", "hunter2", "tok3n"] {
        assert!(!ran.stdout.contains(secret) && !ran.stderr.contains(secret), "{}", ran.stderr);
    }
    let came = server.came();
    assert!(came[0].header("authorization").unwrap().starts_with("Basic "));
    assert!(came.len() == 1 && came[0].line.contains("t=tok3n"), "{came:?}");
    let refused = FileServer::new([answer("401 Unauthorized", &[], "")]);
    let shop = new(&format!("source = \"{}\"", refused.url("/stock")));
    shop.run("map new").code(8).stderr("[integrations.new.login]");
}

#[test]
fn a_feed_that_is_piped_in_is_looked_at() {
    let shop = new("source = \"-\"");
    let ran = piped(&shop, &["map", "new"], CSV);
    assert!(ran.contains("price = { path = \"Preis\", decimal = \",\" }"), "{ran}");
    std::fs::remove_file(shop.path("invsync.toml")).unwrap();
    piped(&shop, &["init", "--from", "-"], CSV);
    let config = shop.read("invsync.toml");
    assert!(config.contains("source = \"-\"") && config.contains("path = \"Bestand\""));
    piped(&shop, &["pull", "wholesaler-a"], CSV);
    assert_eq!(shop.stock("main", "A-2").unwrap(), "7");
}

fn piped(shop: &Shop, args: &[&str], feed: &str) -> String {
    let mut command = shop.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(feed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    String::from_utf8(output.stdout).unwrap()
}

#[cfg(unix)]
#[test]
fn a_program_is_run_once() {
    let shop = new("source = { exec = [\"sh\", \"-c\", \"echo x >> times; cat feed.csv\"] }");
    let shop = shop.file("feed.csv", CSV);
    shop.run("map new").code(0).stdout("sku = \"Artikelnummer\"");
    assert_eq!(shop.read("times"), "x\n");
    let shop = new("source = { exec = [\"sh\", \"-c\", \"echo broken >&2; exit 3\"] }");
    shop.run("map new").code(1).stderr("it said: broken");
}

#[test]
fn of_several_files_the_newest_is_looked_at() {
    let shop = new("source = \"stock-*.csv\"").file("stock-1.csv", CSV);
    let shop = shop.file("stock-2.csv", CSV.replace("A-1", "B-1"));
    shop.run("map new").code(0).stdout("B-1");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_and_nothing_is_left_behind() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nArtikelnummer;".to_vec();
    let server = FileServer::new([Say::Hang(head)]);
    let url = server.url("/stock.csv");
    let shop = new(&format!("source = \"{url}\""));
    let before = shop.all_files();
    for args in ["map new".to_owned(), format!("init --from {url} --config other.toml")] {
        let asked = server.came().len();
        let child = shop.start(&args);
        while server.came().len() == asked {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let pid = child.id().to_string();
        assert!(
            std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success()
        );
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{args}");
        assert!(output.stdout.is_empty(), "{args}");
        shop.is_untouched_since(&before);
    }
}

#[test]
fn what_cannot_be_fetched_is_said_as_ever() {
    let server = FileServer::new([raw("200 OK", &["Content-Length: 500"], CSV)]);
    let shop = new(&format!("source = \"{}\"\nhttp = {{ retries = 0 }}", server.url("/stock.csv")));
    shop.run("map new").code(7);
    new("source = \"nowhere.csv\"").run("map new").code(1).stderr("nowhere.csv does not exist");
    new("").run("map new").code(2).stderr("`source` is missing");
}

/// Stock in one file, prices in another, names in a third; none of it is described.
const PARTED: &str = r#"
[integrations.new]
type = "wholesaler"
connector = "csv"
unlinked = "create"
[integrations.new.stock]
direction = "download"
warehouse = "main"
source = "stock.json"
#stock
[integrations.new.prices]
direction = "download"
price_group = "retail"
source = "prices.csv"
#prices
[[integrations.new.prices.join]]
source = "names.xml"
#names
"#;

fn parted() -> Shop {
    Shop::new()
        .config(PARTED)
        .file("stock.json", "[{\"sku\": \"P-1\", \"qty\": 4, \"price\": 99}, {\"sku\": \"P-2\", \"qty\": 0, \"price\": 98}]")
        .file("prices.csv", "Symbol;Cena netto;Stan\nP-1;12,50;1\nP-2;1 200,00;1\n")
        .file("names.xml", "<list><item><code>P-1</code><name>Mug</name></item><item><code>P-2</code><name>Plate</name></item></list>")
}

#[test]
fn each_source_of_an_integration_gets_a_proposal_of_its_own() {
    let shop = parted();
    let ran = shop.run("map new").code(0);
    let parts: Vec<&str> = ran.stdout.split("# [").skip(1).collect();
    let [stock, prices, names] = parts.as_slice() else { panic!("{}", ran.stdout) };
    assert!(stock.starts_with("integrations.new.stock]"), "{stock}");
    assert!(stock.contains("[integrations.new.stock.fields]"), "{stock}");
    assert!(stock.contains("quantity = \"qty\"") && !stock.contains("price ="), "{stock}");
    assert!(prices.starts_with("integrations.new.prices]"), "{prices}");
    assert!(prices.contains("price = {") && !prices.contains("quantity ="), "{prices}");
    assert!(names.starts_with("[integrations.new.prices.join]] number 1"), "{names}");
    assert!(names.contains("key = \"code\""), "{names}");
    assert!(names.contains("fields = { name = \"name\" }"), "{names}");
}

#[test]
fn what_is_proposed_for_several_sources_is_merged_and_pulled() {
    let shop = parted();
    let json = shop.json("map new");
    assert_eq!(json["usable"], true);
    let mut config = shop.read("invsync.toml");
    for (source, place) in
        json["sources"].as_array().unwrap().iter().zip(["#stock", "#prices", "#names"])
    {
        config = config.replace(place, source["toml"].as_str().unwrap());
    }
    shop.write("invsync.toml", config);
    let config = shop.read("invsync.toml");
    let without = shop.copy();
    without.write("invsync.toml", config.replacen("connector = \"csv\"\n", "", 1));
    without.run("map new").stdout("# [integrations.new] itself needs a connector too:");
    shop.run("pull new")
        .code(0)
        .stock("main", "P-1", "4")
        .stock("main", "P-2", "0")
        .price("retail", "P-2", "1200.00");
    shop.run("map new").code(0).stdout("# [integrations.new.stock]");
}

#[test]
fn only_sources_without_fields_are_looked_at() {
    let shop = parted();
    let config = shop.read("invsync.toml");
    let config = config.replace("#stock", "connector = \"json\"\nfields = { sku = \"sku\" }");
    let config = config.replace("#prices", "connector = \"csv\"\nfields = { sku = \"Symbol\" }");
    shop.write("invsync.toml", config);
    std::fs::remove_file(shop.path("stock.json")).unwrap();
    shop.run("map new").code(0).stdout("key = \"code\"").stdout_lacks("Cena");
}

#[test]
fn a_source_that_says_nothing_of_use_is_named() {
    let shop = parted().file("prices.csv", "a;b\nx;y\n");
    shop.run("map new").code(1).stderr("[integrations.new.prices]: no usable mapping was found");
}
