//! `invsync check` says how a source is written where the config leaves it open.

use crate::support::Shop;
use crate::support::feeds::{feed, xlsx};

const FIELDS: &str = "fields = { sku = \"sku\", quantity = \"qty\" }\n\
    stock = { direction = \"download\", warehouse = \"main\" }\n";

/// A shop that knows the products, with a feed.
fn shop(toml: &str, bytes: impl AsRef<[u8]>) -> Shop {
    feed(&format!("{toml}\n{FIELDS}"), bytes).inventory("sku\nA\nB\n")
}

#[test]
fn of_a_csv_file_what_was_found_is_said() {
    let found = |toml: &str, bytes: &[u8]| shop(toml, bytes).run("check x").code(0).stdout.clone();
    let text = found("connector = \"csv\"", b"sku;qty\nA;1\nB;2\n");
    assert!(
        text.contains("found csv: delimiter \";\", quote \"\"\", encoding utf-8, header_row 1\n"),
        "{text}"
    );
    let text = found("connector = \"csv\"\nheader_row = 2", b"caf\xe9\nsku\tqty\nA\t1\nB\t2\n");
    assert!(text.contains("delimiter \"\\t\""), "{text}");
    assert!(text.contains("encoding windows-1252, header_row 2"), "{text}");
    let given = "connector = \"csv\"\ndelimiter = \";\"\nencoding = \"utf-8\"\nquote = \"\"";
    let text = found(given, b"sku;qty\nA;1\nB;2\n");
    assert!(text.contains("found csv: header_row 1\n"), "{text}");
}

#[test]
fn scripts_get_it_with_the_keys_of_the_config() {
    let shop = shop("connector = \"csv\"", "sku;qty\nA;1\nB;2\n");
    let sources = &shop.json("check x")["integrations"][0]["sources"];
    assert_eq!(sources.as_array().unwrap().len(), 1);
    assert_eq!(sources[0]["connector"], "csv");
    assert_eq!(sources[0]["section"], serde_json::Value::Null);
    assert_eq!(sources[0]["detected"]["delimiter"], ";");
    assert_eq!(sources[0]["detected"]["encoding"], "utf-8");
    let ran = shop.run("check x --format markdown").code(0);
    assert!(!ran.stdout.contains("delimiter"), "{}", ran.stdout);
    ran.stderr("x: found csv: delimiter \";\"");
    shop.run("check x --quiet --format markdown").code(0);
}

#[test]
fn of_other_formats_their_encoding_and_sheet_are_said() {
    let utf_16 = "\u{feff}<l><i sku=\"A\" qty=\"1\"/><i sku=\"B\" qty=\"1\"/></l>";
    let utf_16: Vec<u8> = utf_16.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let xml = "connector = \"xml\"\nitems = \"/l/i\"\nfields = { sku = \"@sku\", quantity = \"@qty\" }\n\
        stock = { direction = \"download\", warehouse = \"main\" }";
    let shop = feed(xml, utf_16).inventory("sku\nA\nB\n");
    shop.run("check x").code(0).stdout("found xml: encoding utf-16le");
    let cell = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let row = |a: &str, b: &str| format!("<row>{}{}</row>", cell(a), cell(b));
    let rows = row("sku", "qty") + &row("A", "1") + &row("B", "2");
    let shop = self::shop("connector = \"xlsx\"", xlsx(&[("Stand", &rows)]));
    shop.run("check x").code(0).stdout("found xlsx: sheet \"Stand\", header_row 1");
}

#[test]
fn each_source_has_a_line_of_its_own() {
    let shop = Shop::new()
        .config(
            "[integrations.w]\ntype = \"wholesaler\"\nconnector = \"csv\"\n\
             [integrations.w.stock]\ndirection = \"download\"\nwarehouse = \"main\"\n\
             source = \"stock.json\"\nconnector = \"json\"\n\
             fields = { sku = \"sku\", quantity = \"qty\" }\n\
             [integrations.w.prices]\ndirection = \"download\"\nprice_group = \"retail\"\n\
             source = \"prices.csv\"\nconnector = \"csv\"\nfields = { sku = \"sku\", price = \"net\" }\n\
             [[integrations.w.prices.join]]\nsource = \"names.csv\"\nkey = \"id\"\n\
             fields = { name = \"name\" }\n",
        )
        .file("stock.json", "[{\"sku\": \"A\", \"qty\": 4}]")
        .file("prices.csv", "sku|net\nA|1.50\n")
        .file("names.csv", "id,name\nA,Mug\n")
        .inventory("sku\nA\n");
    shop.run("check w")
        .code(0)
        .stdout("found stock: json: encoding utf-8")
        .stdout("found prices: csv: delimiter \"|\"")
        .stdout("found prices: join 1: csv: delimiter \",\"");
    let sources = &shop.json("check w")["integrations"][0]["sources"];
    assert_eq!(sources[1]["section"], "prices");
    assert_eq!(sources[1]["joined"][0]["detected"]["delimiter"], ",");
}

#[test]
fn a_header_that_stands_further_down_is_pointed_out() {
    let list = "Price list\n\nsku;name;qty\nA;Mug;1\nB;Bowl;2\n";
    shop("connector = \"csv\"", list).run("check x").code(0).stdout("header_row 3");
    let shop = shop("connector = \"csv\"\nheader_row = 1", list);
    shop.run("check x").code(5).stdout("seem to stand in line 3: header_row = 3");
    let fields = "fields = { sku = \"sku\", quantity = \"stock\" }\n\
        stock = { direction = \"download\", warehouse = \"main\" }";
    let shop = feed(&format!("connector = \"csv\"\n{fields}"), "sku;name;qty\nA;Mug;1\n");
    shop.run("check x").code(5).stdout_lacks("header_row");
}
