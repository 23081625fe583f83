//! Spreadsheets, xlsx and ods: what a cell is, and what is refused.

use crate::support::feeds::{feed, listed, mutated, ods, read_in_process, refused, xlsx};
use crate::support::zipped;

const MAPPED: &str = r#"
connector = "xlsx"
fields = { sku = "sku", ean = "ean", name = "name", quantity = "qty", price = "price" }
"#;

/// A header with the mapped columns, and rows.
fn sheet(rows: &str) -> Vec<u8> {
    let cells = ["sku", "ean", "name", "qty", "price"];
    let header: String =
        cells.map(|name| format!("<c t=\"inlineStr\"><is><t>{name}</t></is></c>")).concat();
    xlsx(&[("Stock", &format!("<row r=\"1\">{header}</row>{rows}"))])
}

fn of(rows: &str) -> Vec<String> {
    listed(MAPPED, sheet(rows))
}

/// A text cell of an ods sheet.
fn text(text: &str) -> String {
    format!(
        "<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>"
    )
}

/// A number cell of an ods sheet, that shows something else.
fn number(number: &str) -> String {
    format!(
        "<table:table-cell office:value-type=\"float\" office:value=\"{number}\">\
         <text:p>###</text:p></table:table-cell>"
    )
}

fn row(cells: &[String]) -> String {
    format!("<table:table-row>{}</table:table-row>", cells.concat())
}

fn ods_sheet(rows: &str) -> Vec<u8> {
    let header = row(&["sku", "ean", "name", "qty", "price"].map(text));
    ods(&[("Stock", &format!("{header}{rows}"))])
}

fn of_ods(rows: &str) -> Vec<String> {
    listed(MAPPED, ods_sheet(rows))
}

#[test]
fn texts_stay_texts_and_numbers_are_their_shortest_exact_decimals() {
    let found =
        of("<row r=\"2\"><c r=\"A2\" t=\"s\"><v>2</v></c><c r=\"B2\"><v>4006381333931</v></c>\
         <c r=\"C2\" t=\"str\"><v>a &amp; b</v></c><c r=\"D2\"><v>1.0E2</v></c>\
         <c r=\"E2\" s=\"2\"><v>10.5</v></c></row>\
         <row r=\"3\"><c r=\"A3\"><v>12346</v></c><c r=\"E3\"><v>0.10000000000000001</v></c></row>\
         <row r=\"4\"><c r=\"A4\" t=\"s\"><v>1</v></c><c r=\"D4\" t=\"s\"><v>2</v></c></row>");
    assert_eq!(
        found,
        [
            "007 007 4006381333931 a & b 100 10.5 EUR",
            "12346 12346 . . . 0.1 EUR",
            "TEA-01 TEA-01 . . 7 . EUR"
        ]
        .map(|line| line.replace(" EUR", " ."))
    );
}

#[test]
fn a_number_cell_has_a_point_whatever_the_texts_have() {
    let toml = format!("{MAPPED}decimal = \",\"");
    let found = listed(
        &toml,
        sheet(
            "<row><c t=\"s\"><v>0</v></c><c/><c/><c><v>1.234</v></c><c><v>12.5</v></c></row>\
             <row><c t=\"s\"><v>1</v></c><c/><c/><c t=\"str\"><v>1.234</v></c>\
             <c t=\"str\"><v>12,5</v></c></row>",
        ),
    );
    assert_eq!(found, ["MUG-01 MUG-01 . . 1.234 12.5 .", "TEA-01 TEA-01 . . 1234 12.5 ."]);
}

#[test]
fn digits_that_a_number_cannot_keep_are_refused_and_so_are_exponents_in_texts() {
    let found = of("<row><c t=\"s\"><v>0</v></c><c><v>12345678901234567890</v></c></row>\
         <row><c t=\"s\"><v>1</v></c><c t=\"str\"><v>5,90123E+12</v></c></row>\
         <row><c><v>12345678901234567890</v></c></row>");
    assert_eq!(found[..2], ["MUG-01 MUG-01 . . . . .", "TEA-01 TEA-01 . . . . ."]);
    assert!(
        found[2].starts_with("! 2: ean is the number \"12345678901234567890\", and"),
        "{found:?}"
    );
    assert!(found[3].starts_with("! 3: ean \"5,90123E+12\" has lost its last digits"), "{found:?}");
    assert!(found[4].ends_with("store it as text; the row is no item"), "{found:?}");
    assert_eq!(found.len(), 5);
}

#[test]
fn a_formula_without_a_result_never_decides_what_a_row_is() {
    let toml = "connector = \"xlsx\"\nwhere = [{ path = \"state\", not = [\"x\"] }]\nfields = { \
                sku = \"sku\", quantity = { path = \"qty\", times = \"per\" }, price = \"price\", \
                currency = \"cur\" }";
    let text = |text: &str| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>");
    let row = |cells: &[&str]| {
        let cell = |cell: &&str| match *cell {
            "=" => "<c><f>A1</f></c>".to_owned(),
            other => text(other),
        };
        format!("<row>{}</row>", cells.iter().map(cell).collect::<String>())
    };
    let rows = [
        row(&["sku", "qty", "per", "price", "cur", "state"]),
        row(&["=", "1", "1", "5", "EUR", ""]),
        row(&["B", "2", "1", "5", "=", ""]),
        row(&["C", "3", "=", "5", "EUR", ""]),
        row(&["D", "4", "1", "5", "EUR", "="]),
        row(&["E", "5", "1", "5", "EUR", ""]),
    ];
    let found = listed(toml, xlsx(&[("S", &rows.concat())]));
    assert_eq!(found[..3], ["B B . . 2 . .", "C C . . . 5 EUR", "E E . . 5 5 EUR"], "{found:?}");
    let why = "is a formula without a stored result";
    for (at, start) in [
        (3, "! 2: sku"),
        (4, "! 3: currency"),
        (5, "! 4: quantity cannot be computed: its `times`"),
        (6, "! 5: a text that `where` looks at"),
    ] {
        assert!(found[at].starts_with(&format!("{start} {why}")), "{found:?}");
    }
    assert_eq!(found.len(), 7);
}

#[test]
fn a_formula_is_its_stored_result_and_one_without_is_told_once_a_column() {
    let found = of("<row><c t=\"s\"><v>0</v></c><c/><c/><c><f>1+1</f><v>2</v></c>\
         <c><f>A1</f></c></row>\
         <row><c t=\"s\"><v>1</v></c><c/><c/><c><f>1+1</f><v></v></c><c><f>A1</f></c></row>");
    assert_eq!(found[..2], ["MUG-01 MUG-01 . . 2 . .", "TEA-01 TEA-01 . . . . ."]);
    assert!(found[2].starts_with("! 2: column \"price\" has formulas without a stored result"));
    assert!(found[3].starts_with("! 3: column \"qty\" has formulas without a stored result"));
    assert_eq!(found.len(), 4);
}

#[test]
fn error_cells_are_invalid_and_dates_are_texts() {
    let found =
        of("<row r=\"7\"><c r=\"A7\" t=\"s\"><v>0</v></c><c r=\"C7\" s=\"1\"><v>46053</v></c>\
         <c r=\"D7\" t=\"e\"><v>#N/A</v></c><c r=\"E7\" s=\"1\"><v>46053</v></c></row>");
    assert_eq!(found[0], "MUG-01 MUG-01 . 2026-01-31 . . .");
    assert!(found[1].starts_with("! 7: quantity is the error \"#N/A\""), "{found:?}");
    assert!(found[2].starts_with("! 7: price \"2026-01-31\" is not a number"), "{found:?}");
}

#[test]
fn a_row_that_is_hidden_is_data_and_one_with_nothing_in_it_is_none() {
    let found = of("<row r=\"2\" hidden=\"1\"><c r=\"A2\" t=\"s\"><v>0</v></c></row>\
         <row r=\"3\"><c r=\"A3\" s=\"2\"/><c r=\"B3\" t=\"str\"><v></v></c></row><row r=\"4\"/>");
    assert_eq!(found, ["MUG-01 MUG-01 . . . . ."]);
}

#[test]
fn merged_titles_stand_above_the_header() {
    let cells = |names: &[&str]| -> String {
        names.iter().map(|name| format!("<c t=\"str\"><v>{name}</v></c>")).collect()
    };
    let workbook = xlsx(&[
        ("Empty", ""),
        (
            "Price &amp; stock",
            &format!(
                "<row r=\"1\">{}</row><row r=\"4\">{}</row><row r=\"5\">{}</row>",
                cells(&["Price list 2026"]),
                cells(&["Code", " SKU ", "Cena", "Cena"]),
                cells(&["x", "A", "1.5", "2.5"])
            ),
        ),
    ]);
    let toml = |more: &str| {
        format!("connector = \"xlsx\"\nfields = {{ sku = \"sku\", price = \"#4\" }}\n{more}")
    };
    let right = toml("sheet = \"price & STOCK\"\nheader_row = 4");
    assert_eq!(listed(&right, &workbook), ["A A . . . 2.5 ."]);
    let no_header = r##"
        connector = "xlsx"
        sheet = "Price & stock"
        header_row = 0
        where = [{ path = "#3", is = ["1.5"] }]
        fields = { sku = "#2", price = "#4" }
    "##;
    assert_eq!(listed(no_header, &workbook), ["A A . . . 2.5 ."]);
    let why = refused(&toml("sheet = \"Stock\""), &workbook, 1);
    assert!(why.contains("its sheets are \"Empty\", \"Price & stock\""), "{why}");
    assert!(refused(&toml(""), &workbook, 1).contains("nothing in it"));
    let why = refused(&toml("sheet = \"Price & stock\"\nheader_row = 3"), &workbook, 1);
    assert!(why.contains("row 3 is empty") && why.contains("is 1"), "{why}");
    let twice = right.replace("#4", "cena");
    assert!(refused(&twice, &workbook, 1).contains("pick one of \"#3\", \"#4\""));
    feed(&twice, &workbook).run("check x").code(5).stdout("pick one of");
}

#[test]
fn ods_cells_are_their_values_not_what_they_show() {
    let found = of_ods(&[
        row(&[text("007"), number("4006381333931"), text("a<text:s text:c=\"2\"/>b"), number("3"), number("0.19")]),
        row(&[
            number("12346"),
            "<table:table-cell table:number-columns-repeated=\"2\"/>".into(),
            "<table:table-cell table:formula=\"of:=1\"/>".into(),
            "<table:covered-table-cell table:formula=\"of:=1/0\" office:value-type=\"string\" \
             calcext:value-type=\"error\"><text:p>#DIV/0!</text:p></table:covered-table-cell>".into(),
        ]),
        row(&[
            "<table:table-cell office:value-type=\"string\"><office:annotation><text:p>no</text:p>\
             </office:annotation><text:p>B</text:p><text:p>2</text:p></table:table-cell>".into(),
            "<table:table-cell/>".into(),
            "<table:table-cell office:value-type=\"date\" office:date-value=\"2026-01-31\"/>".into(),
        ]),
    ].concat());
    assert_eq!(
        found[..3],
        [
            "007 007 4006381333931 a  b 3 0.19 .",
            "12346 12346 . . . . .",
            "B\n2 B\n2 . 2026-01-31 . . ."
        ]
    );
    assert!(found[3].starts_with("! 3: price is the error \"#DIV/0!\""), "{found:?}");
    assert!(found[4].starts_with("! 3: column \"qty\" has formulas without"), "{found:?}");
}

#[test]
fn repeated_rows_and_columns_of_ods_are_capped() {
    let far = "<table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell \
               table:number-columns-repeated=\"4000000000\"/></table:table-row>";
    let filled = "<table:table-row table:number-rows-repeated=\"3\"><table:table-cell \
                  office:value-type=\"float\" office:value=\"7\" \
                  table:number-columns-repeated=\"4000000000\"/></table:table-row>";
    let found = of_ods(&format!("{filled}{far}{}", row(&[text("LAST")])));
    let seven = "7 7 7 7 7 7 .";
    assert_eq!(found, [seven, seven, seven, "LAST LAST . . . . ."]);
    let toml = format!("{MAPPED}where = [{{ path = \"qty\", not = [\"7\"] }}]");
    let many = filled.replace("\"3\"", "\"18446744073709551615\"");
    assert_eq!(listed(&toml, ods_sheet(&(many + &row(&[text("LAST")])))), ["LAST LAST . . . . ."]);
}

#[test]
fn what_is_no_such_workbook_is_named_for_what_it_is() {
    let refused = |bytes: &[u8]| refused(MAPPED, bytes, 1);
    let old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and more".to_vec();
    assert!(refused(&old).contains("an old Excel file (.xls)"));
    let mut encrypted = old;
    encrypted.resize(512, 0);
    encrypted[30] = 9;
    encrypted[48..52].copy_from_slice(&[0, 0, 0, 0]);
    encrypted.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    assert!(refused(&encrypted).contains("encrypted with a password"));
    assert!(refused(b"sku;qty\nA;1\n").contains("no spreadsheet: neither xlsx nor ods"));
    assert!(refused(&zipped(&[("stock.csv", b"sku")])).contains("no spreadsheet"));
    let manifest = b"<m><file-entry><encryption-data/></file-entry></m>";
    let ods = zipped(&[("META-INF/manifest.xml", manifest), ("content.xml", b"\x00\x01")]);
    assert!(refused(&ods).contains("encrypted with a password"));
    let whole = sheet("<row><c t=\"s\"><v>0</v></c></row>");
    assert!(refused(&whole[..whole.len() - 30]).contains("cut or damaged"));
    let cut = zipped(&[
        ("mimetype", b""),
        ("content.xml", b"<c><spreadsheet><table name='x'><table-row>"),
    ]);
    assert!(refused(&cut).contains("cut or damaged"));
}

#[test]
fn what_unpacks_to_far_more_than_it_is_is_refused() {
    let zeros = "0".repeat(101 << 20);
    let bomb = sheet(&format!("<row><c t=\"str\"><v>{zeros}</v></c></row>"));
    assert!(refused(MAPPED, bomb, 1).contains("one piece of it is longer than 16 MiB"));
    let zeros = &zeros[..100_000];
    let rows = format!("<row><c t=\"str\"><v>{zeros}</v></c></row>").repeat(1_100);
    let bomb = sheet(&rows);
    assert!(bomb.len() < 1 << 20);
    assert!(refused(MAPPED, bomb, 1).contains("unpacks to more than 100 MiB"));
    let long = "x".repeat(1 << 20);
    let cell = format!("<c t=\"str\"><v>{long}</v></c>");
    let sku = "<c t=\"s\"><v>0</v></c><c/>";
    let found = of(&format!(
        "<row>{sku}<c t=\"str\"><v>{long}x</v></c></row><row>{sku}{}</row>",
        cell.repeat(3)
    ));
    assert_eq!(found[0], "MUG-01 MUG-01 . . . . .");
    assert!(found[2].starts_with("! 2: name is longer than 1 MiB"), "{}", found[2]);
}

#[test]
fn a_sheet_is_never_written() {
    let shop = feed(
        &format!("{MAPPED}[integrations.x.stock]\ndirection = \"send\"\nwarehouse = \"main\""),
        sheet(""),
    );
    let config = shop.read("invsync.toml").replace("wholesaler", "store");
    shop.write("invsync.toml", config);
    shop.run("push x").code(2).stderr("a spreadsheet is only read");
}

#[test]
fn a_pull_of_a_sheet_names_rows_as_the_spreadsheet_does() {
    let shop = feed(
        &format!("{MAPPED}[integrations.x.stock]\ndirection = \"download\"\nwarehouse = \"main\""),
        sheet(
            "<row r=\"9\"><c r=\"A9\" t=\"s\"><v>0</v></c><c r=\"D9\"><v>4</v></c></row>\
             <row r=\"12\"><c r=\"A12\" t=\"s\"><v>1</v></c><c r=\"D12\" t=\"str\"><v>x</v></c></row>",
        ),
    )
    .inventory("sku\nMUG-01\nTEA-01\n");
    let run = shop.run("pull x --format json").code(3).stock("main", "MUG-01", "4").one_run();
    assert_eq!(run.problems(), ["invalid_value TEA-01 12"]);
}

#[test]
fn damaged_workbooks_are_read_or_refused_without_a_panic() {
    let rows = "<row r=\"2\"><c r=\"A2\" t=\"s\"><v>1</v></c><c r=\"D2\" s=\"1\"><v>46053.5</v></c>\
                <c r=\"E2\"><f>1</f><v>2.5</v></c></row><row><c t=\"e\"><v>#N/A</v></c></row>";
    let cells = row(&[text("A"), number("1"), text("b"), number("2"), number("3.5")]);
    for (whole, inside) in [(sheet(rows), rows), (ods_sheet(&cells), &cells)] {
        assert!(read_in_process(MAPPED, &whole).is_ok());
        for seed in 0..300 {
            let _ = read_in_process(MAPPED, &mutated(&whole, seed));
            let inside = mutated(inside.as_bytes(), seed);
            let inside = String::from_utf8_lossy(&inside);
            let workbook = if inside.contains("table:") { ods_sheet } else { sheet };
            let _ = read_in_process(MAPPED, &workbook(&inside));
        }
    }
}
