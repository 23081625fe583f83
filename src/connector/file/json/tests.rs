use proptest::prelude::*;

use super::*;
use crate::connector::Outcome;
use crate::connector::file::testing::{self, Feed};
use crate::model::Section;

fn read(config: &str, document: &str) -> Result<Vec<String>, String> {
    testing::read(&REGISTRATION, config, document.as_bytes())
}

const SIMPLE: &str = "fields = { sku = 'sku', name = 'name', quantity = 'qty', price = 'price' }";

const DOCUMENT: &str = "[\n {\"sku\": \"A\", \"name\": \"\\u00c4 \\\"x\\\"\\ud83d\\ude00\", \"qty\": 5, \
    \"more\": {\"qty\": [1, {\"a\": null}]}, \"price\": \"12.30\"},\n {\"price\": 1.5e1, \"sku\": 17, \
    \"qty\": null},\n\n {\"sku\": \"C\", \"sku\": \"D\", \"qty\": 0}\n]\n";

#[test]
fn items_become_rows_with_their_lines_and_keep_their_digits() {
    let rows = read(SIMPLE, DOCUMENT).unwrap();
    assert_eq!(rows, ["2 . A . Ä \"x\"😀 5 12.3 .", "3 . 17 . . . 15 .", "5 . C . . 0 . ."]);
}

#[test]
fn one_object_a_line_needs_nothing() {
    let document = "\u{feff}{\"sku\":\"A\",\"qty\":1}\n{\"sku\":\"B\"}\n\n{\"sku\":\"C\"}";
    let rows = read(SIMPLE, document).unwrap();
    assert_eq!(rows, ["1 . A . . 1 . .", "2 . B . . . . .", "4 . C . . . . ."]);
}

#[test]
fn objects_by_sku_are_read_by_their_keys() {
    let config = "items = '/stock/*'\nfields = { sku = '@key', quantity = 'on hand' }"
        .replace("'on hand'", "\"'on hand'\"");
    let document = "{\"at\": 1, \"stock\": {\"A/1\": {\"on hand\": 3}, \"B\": {}}}";
    assert_eq!(read(&config, document).unwrap(), ["1 . A/1 . . 3 . .", "1 . B . . . . ."]);
}

#[test]
fn arrays_are_passed_through_and_variants_reach_up() {
    let config = "items = '/products'\nvariants = 'variants'
        where = [{ path = '../status', is = ['active'] }]
        fields.sku = 'sku'
        fields.name = '../title'
        fields.quantity = { sum = ['stock/n'] }
        fields.ean = 'eans[2]'
        fields.currency = '/meta/currency'";
    let document = "{\"meta\": {\"currency\": \"EUR\"}, \"products\": [
        {\"title\": \"T\", \"variants\": [{\"sku\": \"1\", \"stock\": [{\"n\": 2}, [{\"n\": 3}]], \
        \"eans\": [\"x\", \"y\"]}, {\"sku\": \"2\"}], \"status\": \"active\"},
        {\"sku\": \"S\", \"status\": \"draft\"}, null, {\"sku\": \"3\", \"status\": \"active\"}]}";
    let rows = read(config, document).unwrap();
    assert_eq!(rows, ["2 . 1 y T 5 . EUR", "2 . 2 . T . . EUR", "3 . 3 . . . . EUR"]);
}

#[test]
fn what_stands_among_items_and_is_none_is_a_lost_row() {
    let rows = |items: &str| {
        let document = format!("{{\"items\": {items}}}");
        read("items = '/items'\nfields.sku = 'sku'", &document).unwrap()
    };
    assert_eq!(rows("null"), Vec::<String>::new());
    for lost in ["[null]", "[1]", "[\"A\"]", "[{}]", "[[null]]"] {
        assert_eq!(rows(lost).len(), 1, "{lost}");
        assert!(rows(lost)[0].starts_with("1! the row has no"), "{lost}");
    }
    let by_key = read("items = '/*'\nfields.sku = '@key'", "{\"A\": null}").unwrap();
    assert_eq!(by_key, ["1 . A . . . . ."]);
}

#[test]
fn values_from_the_root_are_those_around_the_items() {
    let config = "items = '/items'\nfields = { sku = 'sku', currency = '/currency' }";
    let document = "[{\"currency\": \"EUR\", \"items\": [{\"sku\": 1}]},\n\
        {\"currency\": \"PLN\", \"items\": [{\"sku\": 2}], \"x\": {}}, {\"items\": {\"sku\": 3}}]";
    let rows = read(config, document).unwrap();
    assert_eq!(rows, ["1 . 1 . . . . EUR", "2 . 2 . . . . PLN", "2 . 3 . . . . ."]);
}

#[test]
fn what_is_no_json_is_an_error_with_its_place() {
    for (document, message) in [
        ("[{\"sku\": \"A\",}]", "line 1, column 14: `}` where a key in quotes is expected"),
        ("[{\"sku\": 01}]", "a number with a leading 0"),
        ("[{\"sku\": \"a\nb\"}]", "a control character or line end inside a string"),
        ("[{\"sku\": \"\\x\"}]", "an escape that JSON does not know"),
        ("[{\"sku\": \"\\ud800\"}]", "a broken `\\u` escape"),
        ("[{\"sku\": NaN}]", "`N` where a value is expected"),
        ("[]\ngarbage", "line 2, column 1: `g` where a value is expected"),
        ("[{}]]", "`]` where a value is expected"),
        ("<br />\n<b>Warning</b>", "line 1, column 1: `<` where a value is expected"),
        ("  ", "the document is empty"),
    ] {
        let error = read(SIMPLE, document).unwrap_err();
        assert!(error.contains(message), "{document}: {error}");
    }
    let bad = testing::read(&REGISTRATION, SIMPLE, b"[\n{\xff\"sku\": 1}]").unwrap_err();
    assert!(bad.contains("line 2, column 2: a byte here is not valid UTF-8"), "{bad}");
    let long = format!("[\n{{\"x\": \"{}\"}}]", "x".repeat(17 << 20));
    let error = read(SIMPLE, &long).unwrap_err();
    assert!(error.contains("line 2, column 1: the item is longer than 16 MiB"), "{error}");
    let deep = "[".repeat(200);
    assert!(read(SIMPLE, &deep).unwrap_err().contains("nested more than 128 deep"));
    let deep = format!("[{{\"x\": {}", "[".repeat(200));
    assert!(read(SIMPLE, &deep).unwrap_err().contains("nested more than 128 deep"));
}

#[test]
fn no_prefix_of_a_document_reads_as_complete() {
    let end = DOCUMENT.trim_end().len();
    for cut in 1..end {
        assert!(read(SIMPLE, &DOCUMENT[..cut]).is_err(), "{}", &DOCUMENT[..cut]);
    }
    let cut = read(SIMPLE, "{\"sku\": \"A\"}\n{\"sku\": \"B").unwrap_err();
    assert!(cut.contains("cut: it ends on line 2"), "{cut}");
}

fn items_in_windows_of(block_bytes: usize, document: &str) -> Result<Vec<String>, String> {
    testing::found_in_windows_of(block_bytes, document, ("/", "sku"), |window, outline| {
        Box::new(JsonWalk::new(window, outline))
    })
}

#[test]
fn windows_of_any_size_find_the_same_items() {
    let whole = items_in_windows_of(1 << 20, DOCUMENT).unwrap();
    assert_eq!(whole, ["2", "A \"A\"", "3", "17 17", "5", "C \"C\""]);
    for block_bytes in 4..60 {
        assert_eq!(items_in_windows_of(block_bytes, DOCUMENT).unwrap(), whole, "{block_bytes}");
    }
}

#[test]
fn only_the_key_is_an_attribute() {
    let config = "source = 'x'\nfields = { sku = 'a/@id' }";
    let errors = testing::settings(&REGISTRATION, config).unwrap_err();
    assert!(errors.contains("2: `fields.sku`: JSON has no attribute `@id`"), "{errors}");
}

#[test]
fn a_document_without_items_says_which_keys_it_has() {
    let config = "items = '/products'\nfields.sku = 'sku'";
    let feed = Feed::new(&REGISTRATION, config, b"{\"error\": {\"code\": 5}, \"ok\": false}");
    let (rows, delivery) = feed.read().unwrap();
    assert!(rows.is_empty());
    assert_eq!(delivery.header, "/error\n/error/code\n/ok");
}

const AWKWARD: &str = "[ {\"sku\":\"A\", \"qty\" : 5.0 ,\"price\": \"\\u20ac 12.30\"},\r\n\
    {\"sku\":\"B\",\"qty\":1e2,\"price\":-0.50},\t{\"sku\":\"C\",\"qty\":null},\
    {\"sku\":\"D\",\"qty\":true},{\"sku\":\"E\",\"qty\":\"\"}]\n";

#[test]
fn writing_changes_the_values_keeps_their_types_and_every_other_byte() {
    let feed = Feed::new(&REGISTRATION, SIMPLE, AWKWARD.as_bytes());
    let outcomes = feed.write(&[
        ("A", Section::Stock, "5", "7"),
        ("A", Section::Prices, "12.3", "13"),
        ("B", Section::Stock, "100", "90"),
        ("B", Section::Prices, "-0.5", "2.125"),
        ("E", Section::Stock, "", "4"),
    ]);
    assert_eq!(outcomes, vec![Outcome::Applied; 5]);
    let expected = AWKWARD
        .replace("5.0", "7.0")
        .replace("\\u20ac 12.30", "€ 13.00")
        .replace("1e2", "90")
        .replace("-0.50", "2.125")
        .replace("\"qty\":\"\"", "\"qty\":\"4\"");
    assert_eq!(feed.document(), expected);
}

#[test]
fn what_cannot_be_written_says_why_and_leaves_the_file_alone() {
    let feed = Feed::new(&REGISTRATION, SIMPLE, AWKWARD.as_bytes());
    let outcomes = feed.write(&[
        ("C", Section::Stock, "", "1"),
        ("D", Section::Stock, "", "1"),
        ("E", Section::Prices, "", "1"),
    ]);
    for (outcome, words) in outcomes.iter().zip(["is null", "is no number", "no place"]) {
        assert!(matches!(outcome, Outcome::Refused(why) if why.contains(words)), "{outcome:?}");
    }
    assert_eq!(feed.document(), AWKWARD);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_rows_or_an_error_whatever_the_window(
        document in "(\\{|\\}|\\[|\\]|\"sku\":|\"a\"|1|,|:|null|\n|\\\\|\\PC){0,20}",
        block_bytes in 4_usize..40,
    ) {
        let small = items_in_windows_of(block_bytes, &document);
        let large = items_in_windows_of(1 << 20, &document);
        prop_assert_eq!(small.ok(), large.ok());
    }

    #[test]
    fn writing_what_is_there_already_changes_nothing(
        quantities in proptest::collection::vec("[1-9][0-9]{0,3}(\\.[0-9]{1,3})?", 1..6),
        quote in "\"?",
    ) {
        let items: Vec<_> = quantities
            .iter()
            .enumerate()
            .map(|(at, q)| format!("{{\"sku\": {at},\t\"qty\": {quote}{q}{quote} }}"))
            .collect();
        let document = format!("[{}]", items.join("\n,"));
        let feed = Feed::new(&REGISTRATION, SIMPLE, document.as_bytes());
        prop_assert!(feed.stays_when_written_again(&quantities));
    }
}

#[test]
fn a_number_of_json_is_never_misread_by_a_thousand() {
    let document =
        r#"[{"sku":"A","qty":1.234,"price":"1.234"},{"sku":"B","qty":2,"price":"7,50"}]"#;
    let fields = "fields = { sku = 'sku', quantity = 'qty', price = 'price' }";
    let read = |decimal: &str| {
        let config = format!("decimal = '{decimal}'\n{fields}");
        let mut lines = testing::read(&REGISTRATION, &config, document.as_bytes()).unwrap();
        // Behind the rows come the problems.
        lines.truncate(2);
        lines.join("\n")
    };
    // The text has a group sign, the number has a point.
    assert_eq!(read(","), "1 . A . . 1.234 1234 .\n1 . B . . 2 7.5 .");
    assert_eq!(read("auto"), "1 . A . . 1.234 ! .\n1 . B . . 2 7.5 .");
    assert_eq!(read("."), "1 . A . . 1.234 1.234 .\n1 . B . . 2 ! .");
}

#[test]
fn a_number_of_json_has_a_point_whatever_texts_have_and_keeps_it() {
    let config = "decimal = ','\nfields = { sku = 'sku', quantity = { path = 'qty', times = 'per' }, \
                  price = 'price' }";
    let document = r#"[{"sku":"A","price":12.50,"qty":1.5e0,"per":0.5},{"sku":"B","price":"7,5"}]"#;
    let feed = Feed::new(&REGISTRATION, config, document.as_bytes());
    let rows = feed.read().unwrap().0;
    assert_eq!(rows, ["1 . A . . 0.75 12.5 .", "1 . B . . . 7.5 ."]);
    let writes = [("A", Section::Prices, "12.5", "13"), ("B", Section::Prices, "7.5", "8.25")];
    assert_eq!(feed.write(&writes), [Outcome::Applied, Outcome::Applied]);
    let written = document.replace("12.50", "13.00").replace("7,5", "8,25");
    assert_eq!(feed.document(), written);
}
