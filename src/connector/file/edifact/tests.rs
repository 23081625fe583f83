use super::*;
use crate::connector::file::testing::{found_in_windows_of, read, settings as read_settings};
use crate::model::Section;

const CONFIG: &str = r#"
fields = { sku = "@3.1", name = "IMD/@3.4", quantity = "QTY[@1.1='145']/@1.2", price = "PRI[@1.1='AAA']/@1.2", currency = "/CUX/@1.2" }
"#;

/// An interchange of one message with these segments between UNH and UNT.
fn interchange(segments: &[&str]) -> String {
    let count = segments.len() + 2;
    format!(
        "UNB+UNOC:3+A+B+260101:1200+1'UNH+7+PRICAT:D:96A:UN'{}'UNT+{count}+7'UNZ+1+1'",
        segments.join("'")
    )
}

fn items(segments: &[&str]) -> Result<Vec<String>, String> {
    read(&REGISTRATION, CONFIG, interchange(segments).as_bytes())
}

#[test]
fn an_item_runs_to_the_next_one_or_to_the_summary() {
    let found = items(&[
        "CUX+2:GBP:8",
        "LIN+1++A:EN",
        "IMD+F++:::Mug ?+ lid?'s",
        "QTY+52:12",
        "QTY+145:3",
        "PRI+AAA:5.4:CT",
        "LIN+2++B:EN",
        "PRI+AAB:9",
        "QTY+145:-1.500",
        "UNS+S",
        "PRI+AAA:99",
    ]);
    assert_eq!(found.unwrap(), ["1 . A . Mug + lid's 3 5.4 GBP", "1 . B . . -1.5 . GBP"]);
}

#[test]
fn a_header_is_of_its_own_message() {
    let text = "UNB+UNOA:1'UNH+1'CUX+2:GBP'LIN+++A'UNT+4+1'UNH+2'LIN+++B'UNT+3+2'\
                UNH+3'CUX+2:EUR'LIN+++C'PRI+AAA:1'UNT+5+3'UNZ+3+'";
    let found = read(&REGISTRATION, CONFIG, text.as_bytes()).unwrap();
    assert_eq!(found, ["1 . A . . . . GBP", "1 . B . . . . .", "1 . C . . . 1 EUR"]);
}

#[test]
fn una_and_line_ends_between_and_within_segments() {
    let lines = interchange(&["LIN+1++A", "QTY+145:1\n2"]).replace('\'', "'\r\n");
    assert_eq!(read(&REGISTRATION, CONFIG, lines.as_bytes()).unwrap(), ["3 . A . . 12 . ."]);
    let una = "UNA:+.? \nUNB+UNOA:1\nUNH+1\nLIN+++A\nIMD+F++:::it's\nUNT+4+1\nUNZ+1+\n\x1a";
    assert_eq!(read(&REGISTRATION, CONFIG, una.as_bytes()).unwrap(), ["4 . A . it's . . ."]);
    let other =
        "UNA>|,!*~UNB|UNOA>1~UNH|1~LIN|1||A*B~IMD|F||>>>1!|2*3~QTY|145>1,250~UNT|5|1~UNZ|1|~";
    let found = read(&REGISTRATION, CONFIG, other.as_bytes()).unwrap();
    assert_eq!(found, ["1 . A . 1|2 1.25 . ."]);
}

#[test]
fn the_decimal_sign_is_the_configs_or_that_of_una_and_nothing_groups_digits() {
    let read = |una: &str, config: &str, quantity: &str| {
        let text = interchange(&["LIN+1++A", &format!("QTY+145:{quantity}")]);
        let config = format!("{config}\nfields = {{ sku = \"@3\", quantity = \"QTY/@1.2\" }}");
        let found = read(&REGISTRATION, &config, format!("{una}{text}").as_bytes()).unwrap();
        found[0].split(' ').nth(5).unwrap().to_owned()
    };
    let (point, comma) = ("UNA:+.? '", "UNA:+,? '");
    for (una, config, quantity, expected) in [
        ("", "", "1.5", "1.5"),
        ("", "", "1.500", "1.5"),
        ("", "", "1,5", "!"),
        (point, "", "1,500", "!"),
        (comma, "", "1,500", "1.5"),
        (comma, "", "1.5", "1.5"),
        (comma, "decimal = \",\"", "1,5", "1.5"),
        (point, "decimal = \",\"", "1,5", "1.5"),
        ("", "decimal = \",\"", "1.500", "!"),
    ] {
        assert_eq!(read(una, config, quantity), expected, "{una} {config} {quantity}");
    }
}

#[test]
fn the_encoding_is_that_of_the_syntax() {
    let name = |syntax: &str, name: &[u8]| {
        let text = interchange(&["LIN+1++A", "IMD+F++:::@"]).replace("UNOC", syntax);
        let (front, back) = text.split_once('@').unwrap();
        let bytes = [front.as_bytes(), name, back.as_bytes()].concat();
        read(&REGISTRATION, CONFIG, &bytes).map(|items| items[0].clone())
    };
    let is = |syntax, bytes: &[u8], text: &str| {
        assert_eq!(name(syntax, bytes).unwrap(), format!("1 . A . {text} . . ."), "{syntax}");
    };
    is("UNOA", b"ASCII", "ASCII");
    is("UNOC", b"caf\xe9", "café");
    is("UNOD", b"\xb3y\xbfka", "łyżka");
    is("UNOE", b"\xb4\xd0", "Да");
    is("UNOF", b"\xe1", "α");
    is("UNOY", "łyżka".as_bytes(), "łyżka");
    is("UNOW", "Да".as_bytes(), "Да");
    is("UNOY", b"\xb3", ".");
    let config = format!("encoding = \"iso-8859-5\"\n{CONFIG}");
    let text = interchange(&["LIN+1++A", "IMD+F++:::@"]).into_bytes();
    let text: Vec<u8> = text.into_iter().map(|b| if b == b'@' { 0xb4 } else { b }).collect();
    assert_eq!(read(&REGISTRATION, &config, &text).unwrap(), ["1 . A . Д . . ."]);
}

#[test]
fn what_is_cut_or_no_interchange_is_refused() {
    let whole = interchange(&["LIN+1++A", "PRI+AAA:1"]);
    for end in 1..whole.len() {
        let error = read(&REGISTRATION, CONFIG, &whole.as_bytes()[..end]).unwrap_err();
        let is_start = !whole[..end].starts_with("UNB");
        assert!(is_start || error.contains("has no UNZ"), "{end}: {error}");
    }
    let refused = |text: &str| read(&REGISTRATION, CONFIG, text.as_bytes()).unwrap_err();
    assert!(refused("sku;qty\nA;1\n").contains("does not start with UNB"));
    assert!(refused("ISA*00*'").contains("\"ISA*00*\" where UNB is expected"));
    assert!(refused("UNB+UNOA:1'UNH+1'LIN+++A'UNZ+1'").contains("\"UNZ\" does not belong here"));
    assert!(refused("UNA::.? 'UNB+UNOA:1'").contains("two meanings"));
    assert!(refused(&format!("{whole}LIN+++B'")).contains("does not belong here"));
}

#[test]
fn several_interchanges_are_one_delivery() {
    let text = format!("{}\n{}\n", interchange(&["LIN+1++A"]), interchange(&["LIN+1++B"]));
    let found = read(&REGISTRATION, CONFIG, text.as_bytes()).unwrap();
    assert_eq!(found, ["1 . A . . . . .", "2 . B . . . . ."]);
}

#[test]
fn items_are_the_same_however_the_file_is_read() {
    let segments: Vec<_> = (0..40).map(|n| format!("LIN+{n}++A?+{n}'QTY+145:{n}")).collect();
    let document = interchange(&segments.iter().map(String::as_str).collect::<Vec<_>>());
    let found = |block| {
        found_in_windows_of(block, &document, ("/LIN", "QTY/@1.2"), |window, outline| {
            Box::new(EdifactWalk::new(window, outline))
        })
    };
    let whole = found(1 << 20).unwrap();
    assert_eq!(whole.len(), 80);
    for block in [16, 17, 23, 64] {
        assert_eq!(found(block).unwrap(), whole, "{block}");
    }
}

#[test]
fn a_path_names_one_component() {
    let error = |path: &str| {
        let config = format!("source = 'x'\nfields = {{ sku = \"{path}\" }}");
        read_settings(&REGISTRATION, &config).map(|_| ()).unwrap_err()
    };
    assert!(error("IMD").contains("name a component"));
    assert!(error("IMD/C273/@1").contains("one of them at most"));
    assert!(error("IMD/@text").contains("`@text` is no place in a segment"));
    assert!(error("IMD/@0.1").contains("no place"));
    assert!(error("PRI[AAA='x']/@1.2").contains("a segment holds no `AAA`"));
    let items = "source = 'x'\nitems = \"LIN/PIA\"\nfields = { sku = \"@3\" }";
    assert!(read_settings(&REGISTRATION, items).map(|_| ()).unwrap_err().contains("one segment"));
    let fine = "source = 'x'\nitems = \"/LIN\"\nfields = { sku = \"@3\", quantity = \"QTY/@1.2\" }";
    let settings = read_settings(&REGISTRATION, fine).unwrap();
    assert!(settings.can_write(Section::Stock).unwrap_err().contains("only read"));
}
