use proptest::prelude::*;

use super::*;
use crate::connector::Outcome;
use crate::connector::file::testing::{self, Feed};
use crate::model::Section;

fn read(config: &str, document: &str) -> Result<Vec<String>, String> {
    testing::read(&REGISTRATION, config, document.as_bytes())
}

const SIMPLE: &str = "items = '/shop/item'
fields = { sku = '@id', name = 'name', quantity = 'qty', price = 'price' }";

const DOCUMENT: &str = "<?xml version='1.0'?>\n<!-- shop --><shop>\n<head>x</head>\n\
    <item id='A'><name>Ä &amp; <![CDATA[<b>]]>&#33;</name><qty>5</qty><price> 12.30 </price>\
    <skip><qty>9</qty></skip></item>\n<item id='B'>\n<qty/><price></price><name>b</name></item>\n\
    <other/><item id='C'><qty>0</qty></item></shop>\n";

#[test]
fn items_become_rows_with_their_lines() {
    let rows = read(SIMPLE, DOCUMENT).unwrap();
    assert_eq!(rows, ["4 . A . Ä & <b>! 5 12.3 .", "5 . B . b . . .", "7 . C . . 0 . ."]);
}

#[test]
fn variants_are_items_and_reach_up_to_what_holds_them() {
    let config = "items = '/offer/products/product'
        variants = 'sizes/size'
        fields.sku = '@code'
        fields.name = \"../description/name[@xml:lang='pol']\"
        fields.quantity = { sum = ['stock/@quantity'], values = { '-1' = '' } }
        fields.price = { first = ['price/@net', '../price/@net'] }
        fields.currency = '/offer/products/@currency'";
    let document = "<offer xmlns:iaiext='x'><products currency='PLN'>
        <product code='P'><price net='3.5'/><description><name xml:lang='eng'>E</name>\
        <name xml:lang='pol'>N</name></description><sizes><size iaiext:code='P-1'><stock \
        quantity='2'/><stock quantity='3'/><stock quantity='-1'/></size><size code='P-2'><price \
        net='4'/></size></sizes></product>
        <product code='S'><price net='1'/></product></products></offer>";
    let rows = read(config, document).unwrap();
    assert_eq!(rows, ["2 . P-1 . N 5 3.5 PLN", "2 . P-2 . N . 4 PLN", "3 . S . . . 1 PLN"]);
}

#[test]
fn names_without_a_prefix_fit_any_namespace_and_others_only_their_own() {
    let config = "items = '/rss/item'
        fields = { sku = 'g:id', name = 'title' }";
    let document = "<rss xmlns='d' xmlns:g='g'><x:item><id>no</id><g:id>1</g:id>\
        <g:title>t</g:title></x:item></rss>";
    assert_eq!(read(config, document).unwrap(), ["1 . 1 . t . . ."]);
}

#[test]
fn values_from_the_root_come_before_the_items_or_from_around_them() {
    let config = "items = '/c/group/item'
        fields = { sku = '@id', name = '/c/head/name', currency = '/c/group/@currency' }";
    let document = "<c><head><name>N</name><other/></head><group currency='EUR'><item id='1'/>\
        </group><group currency='PLN'><item id='2'/><item id='3'/></group>\
        <group><item id='4'/></group></c>";
    let rows = read(config, document).unwrap();
    let expected =
        ["1 . 1 . N . . EUR", "1 . 2 . N . . PLN", "1 . 3 . N . . PLN", "1 . 4 . N . . ."];
    assert_eq!(rows, expected);
}

#[test]
fn digits_of_two_elements_never_read_as_one_number() {
    let document = "<shop><item id='A'><qty>5<x>3</x></qty></item>\
        <item id='B'><qty>1<!-- 7 -->2</qty></item></shop>";
    let rows = read(SIMPLE, document).unwrap();
    assert!(rows[0].starts_with("1 . A . . ! "), "{rows:?}");
    assert!(rows[1].starts_with("1 . B . . 12 "), "{rows:?}");
}

#[test]
fn what_is_not_well_formed_is_an_error_with_its_place() {
    for (document, message) in [
        ("<shop>\n<item id='A'>a & b</item></shop>", "line 2, column 16: a bare `&`"),
        ("<shop><item id='A'>&nbsp;</item></shop>", "the entity `&nbsp;` is unknown"),
        ("<shop><x y='&nbsp;'/></shop>", "the entity `&nbsp;` is unknown"),
        ("<shop><item id='A'>\u{1}</item></shop>", "line 1, column 20: a control character"),
        ("<shop><item></shop>", "</shop> where </item> is expected"),
        ("<shop><item id='A'/></shop><shop/>", "after the end of the root element"),
        ("<shop/>x", "text outside of the document's root element"),
        ("<shop>< a></shop>", "a bare `<`"),
        ("<shop><item id=A/></shop>", "is not in quotes"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><shop/>", "a DTD that declares entities is refused"),
        ("Parse error on line 1", "text outside of the document's root element"),
    ] {
        let error = read(SIMPLE, document).unwrap_err();
        assert!(error.contains(message), "{document}: {error}");
    }
}

#[test]
fn a_dtd_is_never_loaded_and_declarations_for_itself_do_nothing() {
    let document = "<!DOCTYPE shop SYSTEM 'http://x.invalid/x.dtd' [<!ENTITY % a 'b'>]>\
        <shop><item id='A'/></shop>";
    assert_eq!(read(SIMPLE, document).unwrap(), ["1 . A . . . . ."]);
}

#[test]
fn no_prefix_of_a_document_reads_as_complete() {
    let end = DOCUMENT.trim_end().len();
    for cut in (1..end).filter(|cut| DOCUMENT.is_char_boundary(*cut)) {
        let error = read(SIMPLE, &DOCUMENT[..cut]);
        assert!(error.is_err(), "{}", &DOCUMENT[..cut]);
    }
    let cut = read(SIMPLE, "<shop>\n<item id='A'/>\n").unwrap_err();
    assert!(cut.contains("cut: it ends on line 3, and <shop> is not closed"), "{cut}");
}

#[test]
fn depth_and_size_have_limits() {
    let deep = format!("<shop>{}", "<a>".repeat(300));
    assert!(read(SIMPLE, &deep).unwrap_err().contains("nested more than 256 deep"));
    let text = "x".repeat((1 << 20) + 1);
    let long = format!("<shop>\n<item id='A'><name>{text}</name></item></shop>");
    assert!(read(SIMPLE, &long).unwrap_err().contains("the text of <name> is longer than 1 MiB"));
    let long = format!("<shop>\n<item id='A'><x>{}</x></item></shop>", text.repeat(17));
    assert!(read(SIMPLE, &long).unwrap_err().contains("line 2, column 1: the item is longer"));
}

fn ids_in_windows_of(block_bytes: usize, document: &str) -> Result<Vec<String>, String> {
    testing::found_in_windows_of(block_bytes, document, ("/shop/item", "@id"), |window, outline| {
        Box::new(XmlWalk::new(window, outline))
    })
}

#[test]
fn windows_of_any_size_find_the_same_items() {
    let whole = ids_in_windows_of(1 << 20, DOCUMENT).unwrap();
    assert_eq!(whole, ["4", "A A", "5", "B B", "7", "C C"]);
    for block_bytes in 4..60 {
        assert_eq!(ids_in_windows_of(block_bytes, DOCUMENT).unwrap(), whole, "{block_bytes}");
    }
}

#[test]
fn the_encoding_is_the_marks_the_configs_or_the_declarations() {
    let body = "<shop><item id='A'><name>Žluťák</name></item></shop>";
    let declared = |label: &str| format!("<?xml version='1.0' encoding='{label}'?>{body}");
    let (latin2, ..) = encoding_rs::ISO_8859_2.encode(body);
    let text = declared("iso-8859-2");
    let (declared_latin2, ..) = encoding_rs::ISO_8859_2.encode(&text);
    let utf16: Vec<u8> = declared("utf-16").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let with_config = format!("encoding = 'iso-8859-2'\n{SIMPLE}");
    let expected = Ok(vec!["1 . A . Žluťák . . .".to_owned()]);
    assert_eq!(testing::read(&REGISTRATION, SIMPLE, &declared_latin2), expected);
    assert_eq!(testing::read(&REGISTRATION, &with_config, &latin2), expected);
    assert_eq!(testing::read(&REGISTRATION, SIMPLE, &utf16), expected);
    assert_eq!(read(SIMPLE, &declared("utf-16")), expected);
    assert_eq!(read(SIMPLE, &format!("\u{feff}{body}")), expected);
    let rows = testing::read(&REGISTRATION, SIMPLE, &latin2).unwrap();
    assert_eq!(rows[0], "1 . A . . . . .");
    assert!(rows[1].contains("name is not valid UTF-8"), "{rows:?}");
}

#[test]
fn a_document_without_items_says_which_elements_it_has() {
    let (rows, delivery) =
        Feed::new(&REGISTRATION, SIMPLE, b"<error><code>5</code></error>").read().unwrap();
    assert!(rows.is_empty());
    assert_eq!(delivery.header, "/error\n/error/code");
}

#[test]
fn settings_say_what_is_wrong_and_where() {
    let errors = |config: &str| testing::settings(&REGISTRATION, config).unwrap_err();
    let config = "source = 'x'\nfields = { sku = 'a b', quantity = '/a/@b/c' }\nvariants = '@x'";
    let all = errors(config);
    assert!(all.contains("1: `items` is missing"), "{all}");
    assert!(all.contains("2: `fields.sku`: ` ` at character 2"), "{all}");
    assert!(all.contains("2: `fields.quantity`: nothing can follow"), "{all}");
    assert!(all.contains("3: `variants`: it cannot end in the attribute"), "{all}");
    let can_write = |config: &str, section| {
        testing::settings(&REGISTRATION, &format!("source = 'x'\nitems = '/a'\n{config}"))
            .unwrap()
            .can_write(section)
    };
    let config = "variants = 'v'\nfields = { sku = 's', quantity = 'q', price = '../p' }";
    assert!(can_write(config, Section::Stock).is_ok());
    assert!(can_write(config, Section::Prices).unwrap_err().contains("all variants"));
    let config = "fields = { sku = 's', quantity = '/q/@x' }";
    assert!(can_write(config, Section::Stock).unwrap_err().contains("all items"));
}

const AWKWARD: &str = "<?xml version=\"1.0\"?>\r\n<!-- <qty>5</qty> --><shop>\r\n\
    <item  id = 'A'><qty>\n 5 </qty><price><![CDATA[ 12,30 zł ]]></price></item >\n\
    <item id=\"B\"><price\t>1&#160;234,5</price><qty></qty></item>\n\
    <item id='C'><qty/><price>7</price></item>\
    <item id='D'><qty>1</qty></item><item id='D'><qty>1</qty></item>\
    <item id='E'><qty>1</qty></item><item id='E'><qty>2</qty></item>\
    <item id='F'><qty>1<!-- x --></qty></item></shop>\n\n";

const COMMA: &str = "items = '/shop/item'\ndecimal = ','
fields = { sku = '@id', quantity = 'qty', price = 'price' }";

#[test]
fn writing_changes_the_values_and_not_one_other_byte() {
    let feed = Feed::new(&REGISTRATION, COMMA, AWKWARD.as_bytes());
    let outcomes = feed.write(&[
        ("A", Section::Stock, "5", "12"),
        ("A", Section::Prices, "12.3", "9"),
        ("B", Section::Prices, "1234.5", "1000"),
        ("B", Section::Stock, "", "3"),
        ("D", Section::Stock, "1", "4"),
    ]);
    assert_eq!(outcomes, vec![Outcome::Applied; 5]);
    let expected = AWKWARD
        .replace("\n 5 </qty>", "\n 12 </qty>")
        .replace("12,30", "9,00")
        .replace("1&#160;234,5", "1000,0")
        .replace("<qty></qty>", "<qty>3</qty>")
        .replace("'D'><qty>1<", "'D'><qty>4<");
    assert_eq!(feed.document(), expected);
}

#[test]
fn what_cannot_be_written_says_why_and_leaves_the_file_alone() {
    let feed = Feed::new(&REGISTRATION, COMMA, AWKWARD.as_bytes());
    let outcomes = feed.write(&[
        ("C", Section::Stock, "", "1"),
        ("D", Section::Prices, "", "1"),
        ("E", Section::Stock, "1", "3"),
        ("F", Section::Stock, "1", "3"),
        ("Z", Section::Stock, "1", "3"),
        ("A", Section::Stock, "4", "3"),
    ]);
    let words: Vec<_> = outcomes.iter().map(|outcome| format!("{outcome:?}")).collect();
    for (words, expected) in words.iter().zip([
        "Refused(\"line 6: the element has no end tag of its own",
        "Refused(\"line 6: the item has no place",
        "Refused(\"lines 6 and 6 hold this item with different values",
        "Refused(\"line 6: the element holds more than a text",
        "Refused(\"the item is no longer in the file",
        "Skipped(\"line 3 has 5 now, and had 4",
    ]) {
        assert!(words.starts_with(expected), "{words}");
    }
    assert_eq!(feed.document(), AWKWARD);
}

#[test]
fn attributes_keep_their_quotes_and_one_byte_encodings_their_bytes() {
    let config = "items = '/s/i'\nencoding = 'windows-1250'
        fields = { sku = '@n', quantity = '@q', price = '@p' }";
    let text = "<s>žž<i n='ž1' q = '5' p=\"1.5 Kč\"/>ž<i n='ž2' q='6'/></s>";
    let (bytes, ..) = encoding_rs::WINDOWS_1250.encode(text);
    let feed = Feed::new(&REGISTRATION, config, &bytes);
    let outcomes = feed.write(&[
        ("ž2", Section::Stock, "6", "7"),
        ("ž1", Section::Prices, "1.5", "2"),
        ("ž1", Section::Stock, "5", "10"),
    ]);
    assert_eq!(outcomes, vec![Outcome::Applied; 3]);
    let new = text.replace("'5'", "'10'").replace("1.5", "2.0").replace("'6'", "'7'");
    let (expected, ..) = encoding_rs::WINDOWS_1250.encode(&new);
    assert_eq!(std::fs::read(&feed.path).unwrap(), expected.as_ref());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_rows_or_an_error(
        document in "(<shop>|</shop>|<item id='A'>|</item>|<qty>|5|<!\\[CDATA\\[|\\]\\]>|&|;|amp|<!--|-->|<\\?|\\PC){0,20}",
        block_bytes in 4_usize..40,
    ) {
        let small = ids_in_windows_of(block_bytes, &document);
        let large = ids_in_windows_of(1 << 20, &document);
        prop_assert_eq!(small.ok(), large.ok());
    }

    #[test]
    fn writing_what_is_there_already_changes_nothing(
        quantities in proptest::collection::vec(0_u32..1000, 1..6),
        space in "[ \n\t]{0,3}",
    ) {
        let items: String = quantities
            .iter()
            .enumerate()
            .map(|(at, q)| format!("<item id='{at}'>{space}<qty>{space}{q}{space}</qty></item>{space}"))
            .collect();
        let document = format!("<shop>{items}</shop>");
        let feed = Feed::new(&REGISTRATION, SIMPLE, document.as_bytes());
        prop_assert!(feed.stays_when_written_again(&quantities));
    }
}
