//! Bytes that are no characters are a problem of the value that holds them, in every text format:
//! never a guess, and no reason to leave the other rows.

use crate::support::Shop;
use crate::support::feeds::{feed, listed, refused};

const FIELDS: &str = "fields = { sku = \"sku\", name = \"name\", quantity = \"qty\" }";

/// Four rows of each format, with bad bytes in a quantity, in a SKU, and where nobody looks.
fn formats() -> [(String, Vec<u8>); 5] {
    let bad = |text: &str| {
        let mut bytes = text.as_bytes().to_vec();
        bytes.iter_mut().filter(|byte| **byte == b'~').for_each(|byte| *byte = 0xff);
        bytes
    };
    let row = |start: &str, end: &str, between: &str, quote: &str| {
        let row = |sku: &str, name: &str, qty: &str, note: &str| {
            let values = [("sku", sku), ("name", name), ("qty", qty), ("note", note)];
            let values =
                values.map(|(key, value)| quote.replace("KEY", key).replace("VALUE", value));
            format!("{start}{}{end}\n", values.join(between))
        };
        [
            row("A", "Café", "1~", ""),
            row("B~", "Tea", "2", ""),
            row("C", "T~a", "3", ""),
            row("D", "Thé", "4", "~~"),
        ]
    };
    let csv = format!("sku,name,qty,note\n{}", row("", "", ",", "VALUE").concat());
    let json = row("{", "}", ",", "\"KEY\":\"VALUE\"");
    let xml = row("<i>", "</i>", "", "<KEY>VALUE</KEY>").concat();
    let edi = |sku: &str, name: &str, qty: &str| {
        format!("LIN+1++{sku}'\nIMD+F++:::{name}'\nQTY+145:{qty}'\n")
    };
    let lines = [edi("A", "Café", "1~"), edi("B~", "Tea", "2"), edi("C", "T~a", "3")].concat();
    let edi = format!(
        "UNB+UNOW:4+1+2+260101:1200+1'\nUNH+1+INVRPT'\n{lines}{}FTX+~'\nUNT+15+1'\nUNZ+1+1'\n",
        edi("D", "Thé", "4")
    );
    let segments =
        "fields = { sku = \"@3.1\", name = \"IMD/@3.4\", quantity = \"QTY[@1.1='145']/@1.2\" }";
    [
        (format!("connector = \"csv\"\n{FIELDS}"), bad(&csv)),
        (format!("connector = \"json\"\n{FIELDS}"), bad(&format!("[\n{}]", json.join(",")))),
        (format!("connector = \"json\"\n{FIELDS}"), bad(&json.concat())),
        (
            format!("connector = \"xml\"\nitems = \"/s/i\"\n{FIELDS}"),
            bad(&format!("<s>\n{xml}</s>")),
        ),
        (format!("connector = \"edifact\"\n{segments}"), bad(&edi)),
    ]
}

#[test]
fn bad_bytes_are_a_problem_of_their_own_value_in_every_format() {
    for (toml, document) in formats() {
        let found = listed(&toml, &document);
        assert_eq!(found[..3], ["A A . Café . . .", "C C . . 3 . .", "D D . Thé 4 . ."], "{toml}");
        assert_eq!(found.len(), 6, "{found:?}");
        let problems = [
            "quantity is not valid UTF-8; set `encoding`; this value was left unchanged",
            "sku is not valid UTF-8; set `encoding`; the row is no item",
            "name is not valid UTF-8; set `encoding`; it was left out",
        ];
        for problem in problems {
            assert!(found[3..].iter().any(|line| line.contains(problem)), "{problem}: {found:?}");
        }
        // With its line.
        assert!(found[3..].iter().all(|line| line[2..3].parse::<u8>().is_ok()), "{found:?}");
    }
}

#[test]
fn a_row_whose_filter_cannot_be_read_is_left_out() {
    for (toml, document) in formats().iter().take(4) {
        let toml = format!("{toml}\nwhere = [{{ path = \"note\", not = [\"x\"] }}]");
        let found = listed(&toml, document);
        assert_eq!(found[..2], ["A A . Café . . .", "C C . . 3 . ."], "{toml}");
        assert!(found[2..].iter().any(|l| l.contains("a text that `where` looks at is not valid")));
    }
}

#[test]
fn the_next_of_several_paths_does_not_stand_in_for_what_cannot_be_read() {
    let toml = "connector = \"xml\"\nitems = \"/s/i\"\nfields = { sku = \"@id\", \
                quantity = { first = [\"a\", \"b\"] }, price = { sum = [\"a\", \"b\"] } }";
    let found = listed(toml, b"<s><i id='A'><a>\xe9</a><b>5</b></i></s>");
    assert_eq!(found[0], "A A . . . . .");
    assert!(found[1].contains("quantity is not valid UTF-8"), "{found:?}");
    assert!(found[2].contains("price is not valid UTF-8"), "{found:?}");
}

#[test]
fn encodings_other_than_utf_8_have_bad_bytes_too() {
    // 0xa5 is no character of ISO-8859-3, and half a surrogate none of UTF-16.
    let toml =
        "connector = \"xml\"\nitems = \"/s/i\"\nfields = { sku = \"@id\", quantity = \"q\" }";
    let body = "<s><i id='A'><q>1~</q></i><i id='B'><q>2</q></i></s>";
    let mut latin3 = b"<?xml version='1.0' encoding='iso-8859-3'?>".to_vec();
    latin3.extend(body.bytes().map(|byte| if byte == b'~' { 0xa5 } else { byte }));
    let units = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().map(|unit| if unit == 0x7e { 0xd800 } else { unit });
        [0xfeff].into_iter().chain(units).flat_map(u16::to_le_bytes).collect()
    };
    let csv = "connector = \"csv\"\nfields = { sku = \"s\", quantity = \"q\" }";
    for (toml, document, encoding) in [
        (toml, latin3, "ISO-8859-3"),
        (toml, units(body), "UTF-16LE"),
        (csv, units("s,q\nA,1~\nB,2\n"), "UTF-16LE"),
    ] {
        let found = listed(toml, document);
        assert_eq!(found[..2], ["A A . . . . .", "B B . . 2 . ."]);
        assert!(found[2].contains(&format!("quantity is not valid {encoding}")), "{found:?}");
    }
}

#[test]
fn a_damaged_row_does_not_make_a_file_of_utf_8_one_of_windows_1252() {
    let toml = "connector = \"csv\"\nfields = { sku = \"s\", name = \"n\" }";
    let found = listed(toml, b"s,n\n\xc5\x81-1,\xc5\x82\xc3\xb3d\xc5\xba\nB,\xff\n");
    assert_eq!(found[..2], ["Ł-1 Ł-1 . łódź . . .", "B B . . . . ."]);
    assert!(found[2].contains("3: name is not valid UTF-8"), "{found:?}");
}

#[test]
fn a_file_in_another_encoding_is_told_row_by_row_and_one_without_text_at_all_at_once() {
    let toml = format!("connector = \"json\"\nencoding = \"utf-8\"\n{FIELDS}");
    let rows: Vec<u8> = (0..40)
        .flat_map(|n| [format!("{{\"sku\":\"{n}").as_bytes(), b"\xb3\"}\n"].concat())
        .collect();
    let error = refused(&toml, rows, 1);
    assert!(error.contains("sku is not valid UTF-8"), "{error}");
    let rubbish = [b"[\"".as_slice(), &[0xff; 3 << 20], b"\"]"].concat();
    let error = refused(&toml, rubbish, 1);
    assert!(error.contains("full of bytes that are no characters of UTF-8"), "{error}");
}

#[test]
fn a_control_character_is_no_less_an_error_beside_bad_bytes() {
    let xml = format!("connector = \"xml\"\nitems = \"/s/i\"\n{FIELDS}");
    let error = refused(&xml, b"<s><i><sku>\xff</sku>\n<name>\0</name></i></s>", 1);
    assert!(error.contains("line 2, column 7: a control character"), "{error}");
    let json = format!("connector = \"json\"\n{FIELDS}");
    let error = refused(&json, b"[{\"sku\":\"\xff\",\n\"name\":\"\0\"}]", 1);
    assert!(error.contains("line 2, column 9: a control character"), "{error}");
}

#[test]
fn what_cannot_be_read_is_not_written_and_stays_byte_for_byte() {
    let documents: [(&str, &[u8], &[u8]); 3] = [
        (
            "connector = \"csv\"",
            b"sku,name,qty\nB,caf\xe9\xc3\xa9,2\nA,x,1\xff\nC,\xc3\xa9\xff,3\n",
            b"sku,name,qty\nB,caf\xe9\xc3\xa9,7\nA,x,1\xff\nC,\xc3\xa9\xff,8\n",
        ),
        (
            "connector = \"json\"",
            b"[{\"sku\":\"B\",\"name\":\"\xff\xf0\x9f\",\"qty\":2},{\"sku\":\"A\",\"qty\":\"1\xff\"},\
              {\"sku\":\"C\",\"qty\":3}]",
            b"[{\"sku\":\"B\",\"name\":\"\xff\xf0\x9f\",\"qty\":7},{\"sku\":\"A\",\"qty\":\"1\xff\"},\
              {\"sku\":\"C\",\"qty\":8}]",
        ),
        (
            "connector = \"xml\"\nitems = \"/s/i\"",
            b"<s><i><sku>B</sku><name>\xff\xf0\x9f</name><qty>2</qty></i><i><sku>A</sku>\
              <qty>1\xff</qty></i><i><sku>C</sku><qty>3</qty></i></s>",
            b"<s><i><sku>B</sku><name>\xff\xf0\x9f</name><qty>7</qty></i><i><sku>A</sku>\
              <qty>1\xff</qty></i><i><sku>C</sku><qty>8</qty></i></s>",
        ),
    ];
    for (toml, before, after) in documents {
        let config = format!(
            "[integrations.x]\ntype = \"store\"\nsource = \"feed\"\n{toml}\n{FIELDS}\n\
             stock = {{ direction = \"send\", warehouse = \"main\" }}\n"
        );
        let shop = Shop::new().config(&config).file("feed", before);
        let shop = shop.inventory("sku,stock.main\nA,9\nB,7\nC,8\n");
        shop.run("push x").code(3).stdout("quantity is not valid UTF-8");
        assert_eq!(shop.bytes("feed"), after, "{toml}");
    }
}

#[test]
fn what_an_unread_byte_hides_does_not_move_the_line_of_others() {
    let toml =
        "connector = \"xml\"\nitems = \"/s/i\"\nfields = { sku = \"@id\", quantity = \"q\" }";
    let many: Vec<u8> = (0..40_000)
        .flat_map(|n| {
            [format!("<i id='{n}'>").as_bytes(), b"<q>\xff</q><z>\xe9\xe9</z></i>\n"].concat()
        })
        .collect();
    let document = [b"<s>\n".as_slice(), &many, b"<i id='x'><q>x</q></i></s>"].concat();
    let ran = feed(toml, document);
    let ran = ran.run("list x --limit 0 --format csv");
    assert!(ran.stderr.contains("40002: quantity \"x\" is not a number"));
}
