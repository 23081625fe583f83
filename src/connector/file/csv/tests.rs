use std::path::{Path, PathBuf};

use proptest::prelude::*;
use toml::de::DeTable;

use super::settings::CsvSettings;
use crate::around::Around;
use crate::connector::{
    Connector, ConnectorError, Context, Delivery, ErrorKind, Outcome, RowBatch, Settings, Value,
    Want, Write,
};
use crate::model::{Decimal, ProblemKind, Section};
use crate::settings::{Document, Problems, Table};

const ALL: Want = Want { stock: true, prices: true, names: true };

/// A folder with a feed and the config that reads it.
struct Feed {
    folder: tempfile::TempDir,
    config: String,
}

/// What a read gave: items as one line each, problems with their lines.
#[derive(Debug, Default)]
struct Read {
    items: Vec<String>,
    problems: Vec<(ProblemKind, u64, String)>,
    delivery: Delivery,
}

fn feed(config: &str, content: impl AsRef<[u8]>) -> Feed {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("feed.csv"), content).unwrap();
    Feed { folder, config: config.to_owned() }
}

/// `sku`, `qty` and `price` in columns of these names.
fn plain(content: impl AsRef<[u8]>) -> Feed {
    feed("fields = { sku = 'sku', quantity = 'qty', price = 'price' }", content)
}

impl Feed {
    fn path(&self) -> PathBuf {
        self.folder.path().join("feed.csv")
    }

    fn settings(&self) -> Result<CsvSettings, Vec<String>> {
        settings(&format!("source = 'feed.csv'\n{}", self.config), self.folder.path())
    }

    fn connector(&self) -> Box<dyn Connector> {
        let places = crate::model::StorePlaces::default();
        self.settings().unwrap().connect(&Around::nobody(), &places).unwrap()
    }

    fn read(&self) -> Result<Read, ConnectorError> {
        read(&*self.connector())
    }

    fn error(&self) -> ConnectorError {
        self.read().unwrap_err()
    }

    fn write(&self, writes: &[Write]) -> Vec<Outcome> {
        let delivery = self.read().unwrap().delivery;
        self.connector().writer(&delivery).unwrap().unwrap().send(writes).outcomes
    }

    fn content(&self) -> String {
        String::from_utf8(std::fs::read(self.path()).unwrap()).unwrap()
    }
}

fn read(connector: &dyn Connector) -> Result<Read, ConnectorError> {
    let mut reader = connector.open(ALL)?;
    let (mut batch, mut read) = (RowBatch::default(), Read::default());
    while reader.next(&mut batch)? {
        for row in batch.rows() {
            let number = |value| match value {
                Value::Known(number) => number.to_string(),
                Value::Unknown => "?".to_owned(),
                Value::Invalid => "!".to_owned(),
            };
            let currency = row.currency().map(|c| c.to_string());
            let parts = [
                row.item_id().unwrap_or("_").to_owned(),
                row.sku().unwrap_or("_").to_owned(),
                number(row.quantity()),
                number(row.price()),
                currency.unwrap_or("_".to_owned()),
            ];
            read.items.push(parts.join(" "));
        }
        let problems = batch.problems().iter();
        read.problems.extend(problems.map(|p| (p.kind, p.line, p.message.clone())));
    }
    read.delivery = reader.finish()?;
    Ok(read)
}

fn settings(config: &str, folder: &Path) -> Result<CsvSettings, Vec<String>> {
    let document = Document::new(&folder.join("invsync.toml"), config.to_owned());
    let problems = Problems::default();
    let values = DeTable::parse(document.text()).unwrap();
    let mut table = Table::root(&document, &problems, values.get_ref());
    let context = Context::new("x", folder, true);
    let settings = CsvSettings::read(&mut table, &context);
    table.finish();
    let (errors, _) = problems.into_sorted();
    let errors: Vec<_> = errors.into_iter().map(|e| format!("{}: {}", e.line, e.message)).collect();
    settings.filter(|_| errors.is_empty()).ok_or(errors)
}

fn decimal(text: &str) -> Decimal {
    Decimal::parse(text.as_bytes()).unwrap()
}

fn write(item_id: &str, section: Section, before: &str, after: &str) -> Write {
    let before = (!before.is_empty()).then(|| decimal(before));
    Write { item_id: item_id.to_owned(), handle: None, section, before, after: decimal(after) }
}

fn stock(item_id: &str, before: &str, after: &str) -> Write {
    write(item_id, Section::Stock, before, after)
}

fn price(item_id: &str, before: &str, after: &str) -> Write {
    write(item_id, Section::Prices, before, after)
}

#[test]
fn items_are_read_with_their_lines_and_unknown_is_not_zero() {
    let read = plain("sku,qty,price\nA,3,12.30\n\n\"B\",,n/a\nC,0,\nD\n").read().unwrap();
    assert_eq!(read.items, ["_ A 3 12.3 _", "_ B ? ? _", "_ C 0 ? _", "_ D ? ? _"]);
    // The last row ends before both of its values.
    let told: Vec<_> = read.problems.iter().map(|(kind, line, _)| (*kind, *line)).collect();
    assert_eq!(told, [(ProblemKind::InvalidValue, 6)]);
    assert!(read.delivery.complete && read.delivery.fingerprint.is_some());
    assert_eq!(read.delivery.header, "sku\tqty\tprice");
}

#[test]
fn one_bad_cell_is_a_problem_of_its_line_and_nothing_else() {
    let read =
        plain("sku;qty;price\nA;many;12,50\n;1;2\nB;\"x\n\";1 234.50\nC;1;2\n").read().unwrap();
    assert_eq!(read.items, ["_ A ! ! _", "_ B ! 1234.5 _", "_ C 1 2 _"]);
    let lines: Vec<_> = read.problems.iter().map(|(_, line, _)| *line).collect();
    assert_eq!(lines, [2, 2, 3, 4]);
    assert!(read.problems[0].2.starts_with("quantity \"many\" is not a number"));
    assert!(read.problems[1].2.contains("set `decimal = \",\"`"));
    assert!(read.problems[2].2.contains("no item_id, SKU or EAN"));
}

#[test]
fn a_row_with_more_cells_than_the_header_is_no_item() {
    let read = plain("sku,qty,price\nA,1,2,,\nB,1,2,3\n").read().unwrap();
    assert_eq!(read.items, ["_ A 1 2 _"]);
    assert_eq!((read.problems.len(), read.problems[0].1), (1, 3));
}

#[test]
fn a_row_that_is_lost_is_one_problem_whatever_is_wrong_with_it() {
    let config = "encoding = 'utf-8'\nwhere = [{ path = 'live', is = ['1'] }]\n\
                  fields = { item_id = 'id', sku = 'sku', quantity = 'qty' }";
    let content =
        b"id,sku,qty,live\n\xff,\xff,\xff,1\nA,A,1,\xff\nB,B,1,1,x\n,,many,1\nC,C,1,0\nD,D,1,1\n";
    let read = feed(config, content).read().unwrap();
    assert_eq!(read.items, ["D D 1 ? _"]);
    let lines: Vec<_> = read.problems.iter().map(|(_, line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5], "{:?}", read.problems);
}

#[test]
fn the_delimiter_is_found_and_the_header_may_stand_lower() {
    for delimiter in [",", ";", "\t", "|"] {
        let content = "sku_qty_\"a;b,c\"_price\nA_1_x_2\n".replace('_', delimiter);
        let content =
            content.replace(&format!("sku{delimiter}qty"), &format!("SKU {delimiter}qty"));
        assert_eq!(plain(&content).read().unwrap().items, ["_ A 1 2 _"], "{content}");
    }
    let lower = feed(
        "header_row = 4\nfields = { sku = '#1', quantity = '#2' }",
        "ACME \"Ltd\nprices, without VAT\n\ncode;Cena;Cena\nA;1;2\n",
    );
    assert_eq!(lower.read().unwrap().items, ["_ A 1 ? _"]);
    let none = feed("header_row = 0\nfields = { sku = '#1', quantity = '#3' }", "A;x;1\nB;y\n");
    assert_eq!(none.read().unwrap().items, ["_ A 1 ? _", "_ B ? ? _"]);
}

#[test]
fn a_column_that_is_missing_or_twice_there_is_a_mapping_error() {
    let missing = plain("sku,quantity,price\n").error();
    assert_eq!(missing.kind, ErrorKind::Mapping);
    assert!(missing.message.contains("`fields.quantity` (config line 2) wants column \"qty\""));
    assert!(missing.message.contains("\"sku\", \"quantity\", \"price\""), "{missing}");
    let twice = plain("sku,qty,QTY,price\n").error();
    assert!(twice.message.contains("more than once; pick one of \"#2\", \"#3\""), "{twice}");
}

#[test]
fn a_header_alone_has_no_items_and_blank_lines_are_no_delivery() {
    assert!(plain("sku,qty,price").read().unwrap().items.is_empty());
    assert_eq!(plain("\n\r\n").error().kind, ErrorKind::Source);
    assert_eq!(plain("sku,qty,price\nA,\"1\n").error().kind, ErrorKind::Source);
}

#[test]
fn encodings_are_decoded_and_bytes_that_are_no_text_cost_one_value() {
    let fields = "fields = { sku = 'sku', quantity = 'qty', name = 'název' }";
    let cp1250 = feed(&format!("encoding = 'cp1250'\n{fields}"), b"sku;qty;n\xe1zev\n\x8a1;2;x\n");
    assert_eq!(cp1250.read().unwrap().items, ["_ Š1 2 ? _"]);
    let utf16: Vec<u8> =
        "\u{feff}sku\tqty\tnázev\nŁ\t2\tx\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(feed(fields, utf16).read().unwrap().items, ["_ Ł 2 ? _"]);
    let marked = feed(fields, "\u{feff}sku;qty;název\nA;\u{a0}2\u{202f};x\n");
    assert_eq!(marked.read().unwrap().items, ["_ A 2 ? _"]);
    let broken = feed(
        &format!("encoding = 'utf-8'\n{fields}"),
        b"sku;qty;n\xc3\xa1zev\nA;2;\xff\n\xff;2;x\nB;\xff;x\nC\0;1;x\n",
    );
    let read = broken.read().unwrap();
    assert_eq!(read.items, ["_ A 2 ? _", "_ B ! ? _"]);
    let lines: Vec<_> = read.problems.iter().map(|(_, line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
    assert!(read.problems[0].2.contains("name is not valid UTF-8; set `encoding`"));
}

#[test]
fn wrong_options_are_all_reported_with_their_lines() {
    let folder = Path::new(".");
    let errors = settings(
        "delimiter = ';;'\nquote = ''\nheader_row = 'x'\nencoding = 'utf-9'\n\
         fields = { quantity = { sum = 'a' }, skuu = 'x' }\nwhere = [{ path = 'a' }]\ncoment = '#'\n",
        folder,
    )
    .unwrap_err();
    let errors = errors.join("\n");
    for wanted in [
        "1: `source` is missing",
        "1: `delimiter` must be one ASCII character",
        "3: `header_row` must be",
        "4: `encoding` is no known encoding",
        "5: `fields.quantity` must be a list",
        "5: unknown key `fields.skuu`; did you mean `sku`?",
        "6: `where` needs exactly one of `is` and `not`",
        "7: unknown key `coment`; did you mean `comment`?",
    ] {
        assert!(errors.contains(wanted), "{wanted} is not in\n{errors}");
    }
}

#[test]
fn what_cannot_be_turned_round_cannot_be_written() {
    let config =
        "source = 'x.csv'\nfields = { sku = 'a', quantity = { sum = ['b'] }, price = 'c' }";
    let settings = settings(config, Path::new(".")).unwrap();
    assert!(settings.can_write(Section::Stock).unwrap_err().contains("computed"));
    assert!(settings.can_write(Section::Prices).is_ok());
}

#[test]
fn only_the_cells_asked_for_change_and_every_other_byte_stays() {
    let old = "\u{feff}# a comment, with \"quotes\r\nsku ,name,\"qty\",price,extra\r\n\
               A,\"x, \"\"y\"\"\",  3,\"12.30\",\r\nB,z,5,14.3 EUR\nC,short\n\nD,w,7,1,more\u{1a}";
    let new = "\u{feff}# a comment, with \"quotes\r\nsku ,name,\"qty\",price,extra\r\n\
               A,\"x, \"\"y\"\"\",  10,\"15.00\",\r\nB,z,0,15.0 EUR\nC,short\n\nD,w,8,1,more\u{1a}";
    let feed =
        feed("comment = '#'\nfields = { sku = 'sku', quantity = 'qty', price = 'price' }", old);
    let outcomes = feed.write(&[
        stock("D", "7", "8"),
        stock("A", "3", "10"),
        price("A", "12.3", "15"),
        stock("B", "5", "0"),
        price("B", "14.3", "15"),
        stock("C", "", "1"),
        stock("E", "", "1"),
    ]);
    assert!(outcomes[..5].iter().all(|o| *o == Outcome::Applied), "{outcomes:?}");
    assert!(matches!(&outcomes[5], Outcome::Refused(why) if why.contains("too short")));
    assert!(matches!(&outcomes[6], Outcome::Refused(why) if why.contains("no longer in")));
    assert_eq!(feed.content(), new);
}

#[test]
fn a_decimal_comma_in_a_comma_file_gets_quotes() {
    let feed = feed(
        "decimal = ','\ndelimiter = ','\nfields = { sku = 'sku', price = 'price' }",
        "sku,price\nA,\"1.234,50\"\nB,5\nC,\n",
    );
    let outcomes =
        feed.write(&[price("A", "1234.5", "2"), price("B", "5", "5.25"), price("C", "", "7")]);
    assert_eq!(outcomes, vec![Outcome::Applied; 3]);
    assert_eq!(feed.content(), "sku,price\nA,\"2,00\"\nB,\"5,25\"\nC,7\n");
}

#[test]
fn repeated_rows_are_all_written_or_none_where_they_differ() {
    let feed = plain("sku,qty,price\nA,1,5\nA,1,6\nB,2,1\n");
    for before in ["5", "6", ""] {
        let outcomes = feed.write(&[price("A", before, "7")]);
        assert!(
            matches!(&outcomes[0], Outcome::Refused(why) if why.contains("with different values"))
        );
    }
    assert_eq!(feed.write(&[stock("A", "1", "4")]), [Outcome::Applied]);
    assert_eq!(feed.content(), "sku,qty,price\nA,4,5\nA,4,6\nB,2,1\n");
}

#[test]
fn an_item_without_sku_is_written_by_its_ean() {
    let feed = feed(
        "fields = { sku = 'sku', ean = 'ean', quantity = 'qty' }",
        "sku,ean,qty\n,4006381333931,1\n",
    );
    assert_eq!(feed.write(&[stock("ean:4006381333931", "1", "2")]), [Outcome::Applied]);
    assert_eq!(feed.content(), "sku,ean,qty\n,4006381333931,2\n");
}

#[test]
fn utf_16_is_read_and_its_writing_refused() {
    let content: Vec<u8> =
        "\u{feff}sku\tqty\tprice\nA\t2\t3\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let feed = plain(content);
    let outcomes = feed.write(&[stock("A", "2", "3")]);
    assert!(matches!(&outcomes[0], Outcome::Refused(why) if why.contains("UTF-16LE")));
}

/// A cell that is written as it is, or in quotes.
fn cell() -> impl Strategy<Value = String> {
    let plain = "[a-zé .'\"]{0,5}"
        .prop_map(|text: String| if text.starts_with('"') { text.replace('"', "") } else { text });
    let quoted = "[a-z,;\n\"é ]{0,6}".prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
    prop_oneof![plain, quoted]
}

fn number_cell() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,4}(\\.[0-9]{1,3})?",
        "\"[0-9]{1,4}\"",
        " [0-9]{1,3} ",
        Just(String::new()),
        Just("n/a".to_owned()),
        Just("junk".to_owned()),
    ]
}

fn document() -> impl Strategy<Value = (String, usize)> {
    let line_end = prop_oneof![Just("\n"), Just("\r\n"), Just("\r")];
    let row = (cell(), number_cell(), cell(), number_cell(), line_end);
    (any::<bool>(), proptest::collection::vec(row, 1..12)).prop_map(|(has_mark, rows)| {
        let mut text = if has_mark { "\u{feff}" } else { "" }.to_owned();
        text += "name,qty,note,price,sku\r\n";
        for (at, (name, quantity, note, price, end)) in rows.iter().enumerate() {
            text += &format!("{name},{quantity},{note},{price},S{at}{end}");
        }
        (text, rows.len())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_write_changes_what_it_was_asked_to_and_no_other_byte(
        (text, count) in document(),
        values in proptest::collection::vec((0_i64..9_999_999, any::<bool>()), 12),
    ) {
        let feed = plain(&text);
        let read = |feed: &Feed| -> Vec<Vec<String>> {
            let items = feed.read().unwrap().items;
            items.iter().map(|i| i.split(' ').map(str::to_owned).collect()).collect()
        };
        let before = read(&feed);
        prop_assert_eq!(before.len(), count);
        let value = |at: usize, column: usize| match before[at][column].as_str() {
            "?" | "!" => None,
            number => Some(decimal(number)),
        };
        // Writing what is there already changes nothing at all.
        let same: Vec<_> = (0..count).filter_map(|at| {
            let after = value(at, 2)?;
            let (item_id, section) = (format!("S{at}"), Section::Stock);
            Some(Write { item_id, handle: None, section, before: Some(after), after })
        }).collect();
        prop_assert!(feed.write(&same).iter().all(|o| *o == Outcome::Applied));
        prop_assert_eq!(&feed.content(), &text);

        let mut writes = Vec::new();
        for (at, (micros, is_price)) in values.into_iter().take(count).enumerate() {
            let (section, column) =
                if is_price { (Section::Prices, 3) } else { (Section::Stock, 2) };
            let after = Decimal::from_micros(micros * 1000).unwrap();
            let (item_id, before) = (format!("S{at}"), value(at, column));
            writes.push(Write { item_id, handle: None, section, before, after });
        }
        let outcomes = feed.write(&writes);
        let after = read(&feed);
        for (at, write) in writes.iter().enumerate() {
            let column = if write.section == Section::Prices { 3 } else { 2 };
            let is_junk = before[at][column] == "!";
            prop_assert_eq!(outcomes[at] == Outcome::Applied, !is_junk, "{:?}", outcomes[at]);
            let mut wanted = before[at].clone();
            if !is_junk {
                wanted[column] = write.after.to_string();
            }
            prop_assert_eq!(&after[at], &wanted);
        }
        // Writing the old values back leaves a file that reads as the first one did.
        prop_assert_eq!(after.len(), count);
    }
}
