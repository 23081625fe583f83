//! Delimited text whose dialect nobody has named: what is found by looking, and what stays as usual.

use crate::support::Shop;
use crate::support::feeds::{feed, listed, refused};

const NAMED: &str =
    "connector = \"csv\"\nfields = { sku = \"sku\", quantity = \"qty\", price = \"price\" }";
const PLACED: &str =
    "connector = \"csv\"\nfields = { sku = \"#1\", quantity = \"#3\", price = \"#4\" }";

fn items(toml: &str, csv: &str) -> Vec<String> {
    listed(toml, csv)
}

#[test]
fn a_header_below_title_lines_is_found_where_all_its_columns_are() {
    let titled = "Hurtownia Sp. z o.o.;;\nCennik; sku 2026\n\nsku;qty;price\nA;1;12.50\n";
    assert_eq!(items(NAMED, titled), ["A A . . 1 12.5 ."]);
    // The delimiter is the header's, not that of a title.
    let other = "Prices, net, without tax, in EUR\nsku;qty;price\nA;1;12.50\n";
    assert_eq!(items(NAMED, other), ["A A . . 1 12.5 ."]);
    // What the config says is not looked for.
    let why = refused(&format!("header_row = 1\n{NAMED}"), titled, 1);
    assert!(why.contains("its columns are \"Hurtownia Sp. z o.o.\""), "{why}");
    assert!(why.contains("header_row = 4"), "{why}");
}

#[test]
fn columns_that_are_nowhere_are_told_with_the_line_that_has_the_others() {
    let why = refused(NAMED, "Hurtownia\n\nsku;quantity;price\nA;1;12.50\n", 1);
    assert!(why.contains("wants column \"qty\", which is not there"), "{why}");
    assert!(why.contains("its columns are \"sku\", \"quantity\", \"price\""), "{why}");
    // The line is the right one, and a name in it another.
    assert!(!why.contains("header_row"), "{why}");
    let far = format!("{}sku;qty;price\nA;1;2\n", "title\n".repeat(40));
    assert!(refused(NAMED, &far, 1).contains("`header_row`"));
    assert_eq!(items(&format!("header_row = 41\n{NAMED}"), &far), ["A A . . 1 2 ."]);
}

#[test]
fn without_a_header_the_first_row_is_one_where_its_values_can_be_read() {
    assert_eq!(items(PLACED, "A,x,1,2.50\nB,y,,3\n"), ["A A . . 1 2.5 .", "B B . . . 3 ."]);
    assert_eq!(items(PLACED, "code,name,qty,net\nB,y,4,3\n"), ["B B . . 4 3 ."]);
    // Nothing that can be read is no sign of a row.
    assert_eq!(items(PLACED, "code,name,,\nB,y,4,3\n"), ["B B . . 4 3 ."]);
    let constant = "connector = \"csv\"\nfields = { sku = \"#1\", quantity = { value = \"1\" } }";
    assert_eq!(items(constant, "code,name\nB,y\n"), ["B B . . 1 . ."]);
}

#[test]
fn comments_above_the_header_are_comments_below_it_too() {
    let csv =
        "# export, of 2026\n# by a tool\nsku,qty,price\nA,1,12.50\n# page 2, 3, 4, 5\nB,2,3\n";
    assert_eq!(items(NAMED, csv), ["A A . . 1 12.5 .", "B B . . 2 3 ."]);
    // A SKU that begins with the sign is none.
    let skus = "# export\nsku,qty,price\n#A,1,12.50\n";
    assert_eq!(items(NAMED, skus), ["#A #A . . 1 12.5 ."]);
    assert_eq!(items(NAMED, "sku,qty,price\n#A,1,12.50\n"), ["#A #A . . 1 12.5 ."]);
    let off = format!("comment = \"\"\n{NAMED}");
    assert_eq!(items(&off, "# export\nsku,qty,price\n# x,1,2\n"), ["# x # x . . 1 2 ."]);
}

#[test]
fn apostrophes_are_quotes_where_nothing_else_fits() {
    let named = format!("{NAMED}\n").replace("qty\"", "qty\", name = \"name\"");
    let rows = "'A','x, y',1,12.50\n'B','z, y',1,2\n";
    for header in ["sku,name,qty,price\n", "'sku','name','qty','price'\n"] {
        assert_eq!(
            items(&named, &format!("{header}{rows}")),
            ["A A . x, y 1 12.5 .", "B B . z, y 1 2 ."]
        );
    }
    let short = "sku,qty,price\n'A',1,2\n'B',3,4\n";
    assert_eq!(items(NAMED, short), ["A A . . 1 2 .", "B B . . 3 4 ."]);
}

#[test]
fn apostrophes_in_texts_are_text() {
    let named = format!("{NAMED}\n").replace("qty\"", "qty\", name = \"name\"");
    let csv = "sku,name,qty,price\nA,'n Beetje,1,2\nB,\"Rock 'n' Roll, 2\",3,4\n'C,O'Neill',5,6\n";
    assert_eq!(
        items(&named, csv),
        ["A A . 'n Beetje 1 2 .", "B B . Rock 'n' Roll, 2 3 4 .", "'C 'C . O'Neill' 5 6 ."]
    );
    // One row with a stray quote does not make another sign the quote.
    let stray = "sku,name,qty,price\nA,\"x\",1,2\nB,\"22\" LG\",3,4\nC,'d',5,6\n";
    assert_eq!(items(&named, stray)[0], "A A . x 1 2 .");
}

#[test]
fn a_backslash_escapes_where_rows_are_even_only_then() {
    let named = format!("{NAMED}\n").replace("qty\"", "qty\", name = \"name\"");
    let csv = "sku,name,qty,price\nA,\"Monitor 22\\\", LG\",1,12.50\nB,\"x\",1,12.50\n";
    assert_eq!(items(&named, csv), ["A A . Monitor 22\", LG 1 12.5 .", "B B . x 1 12.5 ."]);
    // Rows that a quote swallowed can be even as well.
    let swallowed = "sku,name,qty,price\nA,\"22\\\"\",1,12.50\nB,\"x\",1,12.50\n";
    assert_eq!(items(&named, swallowed), ["A A . 22\" 1 12.5 .", "B B . x 1 12.5 ."]);
    let path = "sku,name,qty,price\nA,\"C:\\dir\\\",1,2\nB,\"x\",1,2\n";
    assert_eq!(items(&named, path)[0], "A A . C:\\dir\\ 1 2 .");
}

#[test]
fn the_separator_that_excel_names_is_no_header() {
    let named = NAMED.replace("price = \"price\"", "price = { path = \"price\", decimal = \",\" }");
    assert_eq!(items(&named, "sep=;\r\nsku;qty;price\r\nA;1;2,5\r\n"), ["A A . . 1 2.5 ."]);
    assert_eq!(items(NAMED, "\"sep=|\"\nsku|qty|price\nA|1|2\n"), ["A A . . 1 2 ."]);
    assert_eq!(items(PLACED, "SEP=;\nA;x;1;2.50\n"), ["A A . . 1 2.5 ."]);
    let none = format!("header_row = 0\n{PLACED}");
    assert_eq!(items(&none, "sep=;\nA;x;1;2.50\n"), ["A A . . 1 2.5 ."]);
}

#[test]
fn a_push_finds_the_same_and_changes_only_its_cells() {
    let rows = "'A','x, y',1,12.50\n'B','z, y',2,2\n";
    for above in ["Stock of today\n\n", "# a comment\n", "sep=,\r\n", ""] {
        let csv = format!("{above}sku,name,qty,price\n{rows}");
        let store = "[integrations.s]\ntype = \"store\"\nconnector = \"csv\"\nsource = \"s.csv\"\n\
             fields = { sku = \"sku\", name = \"name\", quantity = \"qty\" }\n\
             stock = { direction = \"send\", warehouse = \"main\" }\n";
        let shop = Shop::new().config(store).file("s.csv", &csv);
        let shop = shop.inventory("sku,stock.main\nA,7\nB,2\n");
        shop.run("push s").code(0).wrote("s.csv", &csv.replace("y',1", "y',7"));
        shop.run("push s").code(0).stdout("nothing to change");
    }
}

#[test]
fn only_the_beginning_decides() {
    let mut csv = "sku,qty,price\n".to_owned();
    for n in 0..20_000 {
        csv += &format!("S-{n},{n},1\n");
    }
    csv += "'Z',1,2,3,4\n";
    let shop = feed(NAMED, &csv);
    let ran = shop.run("list x --limit 1").code(3);
    assert!(ran.stderr.contains("the row has 5 cells"), "{}", ran.stderr);
}

#[test]
fn check_says_what_was_found() {
    let toml = format!("{NAMED}\nstock = {{ direction = \"download\", warehouse = \"main\" }}");
    let found = |csv: &str| feed(&toml, csv).inventory("sku\nA\n").run("check x").code(0).stdout;
    let text = found("# of today\nsku,name,qty,price\n'A','x, y',1,12.50\n");
    assert!(text.contains("quote \"'\", comment \"#\", encoding utf-8, header_row 2"), "{text}");
    let text = found("sep=|\nsku|name|qty|price\nA|\"x\\\"y\"|1|12.50\n");
    assert!(text.contains("delimiter \"|\", quote \"\"\", escape \"\\\""), "{text}");
    assert!(text.contains("header_row 2"), "{text}");
}
