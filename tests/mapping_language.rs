//! The mapping language, sentence by sentence, through `list`: formats, paths, and how a text
//! becomes a value.

use crate::support::Shop;
use crate::support::feeds::{feed, listed, refused};

/// A csv with one item whose quantity or price is this text.
fn value(field: &str, text: &str) -> Vec<String> {
    let toml = format!(
        "connector = \"csv\"\ndelimiter = \";\"\nquote = \"\"\nfields = {{ sku = \"sku\", {field} }}"
    );
    listed(&toml, format!("sku;a;b;c\nX;{text}\n"))
}

/// The quantity that a text is; `!` with the problem where it is none.
fn quantity(text: &str) -> String {
    number(&value("quantity = \"a\"", text), 4)
}

/// The price and currency.
fn price(field: &str, text: &str) -> String {
    let lines = value(&format!("price = {field}"), text);
    let currency = lines[0].rsplit(' ').next().unwrap().to_owned();
    match number(&lines, 5) {
        problem if problem.starts_with('!') => problem,
        price => format!("{price} {currency}"),
    }
}

fn number(lines: &[String], at: usize) -> String {
    match lines {
        [item] => item.split(' ').nth(at).unwrap().to_owned(),
        [_, problem] => problem.clone(),
        lines => panic!("{lines:?}"),
    }
}

fn csv(toml: &str, text: impl AsRef<[u8]>) -> Vec<String> {
    listed(&format!("connector = \"csv\"\n{toml}"), text)
}

fn xml(toml: &str, text: &str) -> Vec<String> {
    listed(&format!("connector = \"xml\"\n{toml}"), text)
}

fn json(toml: &str, text: &str) -> Vec<String> {
    listed(&format!("connector = \"json\"\n{toml}"), text)
}

// Sources and modifiers.

#[test]
fn a_field_is_a_path_a_constant_the_first_or_the_sum() {
    let toml = r#"
        items = "/s/i"
        fields = { sku = "@id", name = { first = ["n", "m"] }, quantity = { sum = ["w/@q", "x"] }, price = { value = 5 }, currency = { value = "EUR" } }
    "#;
    let found = xml(
        toml,
        "<s><i id='A'><n> </n><m>M</m><w q='1'/><w q=''/><w q='2.5'/><x>4</x></i>\
         <i id='B'><n>N</n><m>M</m><w q='n/a'/></i></s>",
    );
    assert_eq!(found, ["A A . M 7.5 5 EUR", "B B . N . 5 EUR"]);
    let toml = "fields = { sku = \"s\", price = { first = [\"sale\", \"p\"] }, quantity = { path = \"q\", values = { \"-1\" = \"\" } } }";
    assert_eq!(csv(toml, "s,sale,p,q\nA,,9,-1\nB,8,9,-2\n"), ["A A . . . 9 .", "B B . . -2 8 ."]);
}

#[test]
fn the_first_match_is_the_first_that_says_something_after_values() {
    let toml = r#"
        items = "/s/i"
        fields = { sku = "@id", quantity = { path = "q", values = { "-1" = "" } }, price = { first = ["p", "d"], values = { "0" = "" } } }
    "#;
    let found =
        xml(toml, "<s><i id='A'><q>-1</q><q>3</q><p>0</p><d>7</d></i><i id='B'><q>-1</q></i></s>");
    assert_eq!(found, ["A A . . 3 7 .", "B B . . . . ."]);
}

#[test]
fn variants_are_items_and_an_item_without_any_is_one_itself() {
    let toml = r#"
        items = "/s/i"
        variants = "sizes/size"
        fields = { sku = "@code", name = "../n", price = { first = ["@p", "../@p"] } }
    "#;
    let found = xml(
        toml,
        "<s><i p='9'><n>N</n><sizes><size code='A' p='8'/><size code='B'/></sizes></i>\
         <i code='C' p='7'><n>M</n><sizes/></i></s>",
    );
    assert_eq!(found, ["A A . N . 8 .", "B B . N . 9 .", "C C . M . 7 ."]);
}

#[test]
fn values_are_exact_after_trimming_without_case_and_come_before_units() {
    let words = "{ path = \"a\", values = { \"In Stock\" = \"1\", \"-\" = \"0\", \"5 szt.\" = \"9\", \"gone\" = \"\" }, unit = [\"szt.\", \"pcs\"] }";
    let read = |text: &str| number(&value(&format!("quantity = {words}"), text), 4);
    assert_eq!(read("  IN STOCK\u{a0}"), "1");
    assert_eq!(read("-"), "0");
    assert_eq!(read("5 szt."), "9");
    assert_eq!(read("12 szt."), "12");
    assert_eq!(read("12pcs"), "12");
    assert_eq!(read("Gone"), ".");
    assert!(read("12 kg").starts_with("! 2: quantity \"12 kg\" is not a number"));
    assert!(read("in  stock").starts_with('!'));
}

#[test]
fn times_per_and_round_are_exact() {
    assert_eq!(price("{ path = \"a\", times = \"b\", per = \"c\" }", "17.23;0.8;100"), "0.13784 .");
    assert_eq!(price("{ path = \"a\", per = 100 }", "1999"), "19.99 .");
    assert_eq!(price("{ path = \"a\", times = \"0.01\" }", "1999"), "19.99 .");
    assert_eq!(price("{ path = \"a\", per = \"b\" }", "2;3"), "0.666667 .");
    assert_eq!(price("{ path = \"a\", per = \"b\" }", "0.000005;2"), "0.000002 .");
    assert_eq!(price("{ path = \"a\", times = \"b\", per = \"c\" }", "5;;"), "5 .");
    assert_eq!(price("{ path = \"a\", round = 2 }", "8.1300813008130"), "8.13 .");
    assert_eq!(price("{ path = \"a\", round = 2 }", "1.005"), "1.01 .");
    assert!(price("\"a\"", "8.1300813008130").contains("more than 6 decimals"));
    assert!(price("{ path = \"a\", per = \"b\" }", "5;0").contains("divided by 0"));
}

#[test]
fn where_filters_by_all_its_rules() {
    let toml = r#"
        fields = { sku = "s", quantity = "q" }
        where = [{ path = "k", is = ["a", "b"] }, { path = "s", not = ["", "Razem"] }]
    "#;
    let text = "s,q,k\nA,1,a\nB,2, b \nC,3,c\nRazem,6,a\n,7,a\nD,4,\n";
    assert_eq!(csv(toml, text), ["A A . . 1 . .", "B B . . 2 . ."]);
    let absent = "fields = { sku = \"s\" }\nwhere = [{ path = \"k\", is = [\"\"] }]";
    assert_eq!(csv(absent, "s,q,k\nA,1,a\nD,4,\nE\n"), ["D D . . . . .", "E E . . . . ."]);
}

#[test]
fn rows_of_one_sku_are_added_where_the_config_says_so() {
    let toml = "rows = \"sum\"\nfields = { sku = \"s\", quantity = \"q\" }";
    assert_eq!(csv(toml, "s,q\nA,1\nB,5\nA,2\n"), ["A A . . 3 . .", "B B . . 5 . ."]);
}

#[test]
fn the_decimal_beside_fields_is_that_of_all_of_them() {
    let toml = "decimal = \",\"\nfields = { sku = \"s\", quantity = \"q\", price = { path = \"p\", decimal = \".\" } }";
    assert_eq!(csv(toml, "s;q;p\nA;1,5;2.5\n"), ["A A . . 1.5 2.5 ."]);
}

// Csv.

#[test]
fn the_delimiter_is_found_outside_quotes_and_the_config_wins() {
    let toml = "fields = { sku = \"sku\", quantity = \"qty\" }";
    for delimiter in [";", ",", "\t", "|"] {
        let text =
            format!("sku{delimiter}qty{delimiter}\"a, b; c | d\"\nA{delimiter}1{delimiter}x\n");
        assert_eq!(csv(toml, &text), ["A A . . 1 . ."], "{delimiter:?}");
    }
    let toml = format!("delimiter = \":\"\n{toml}");
    assert_eq!(csv(&toml, "sku:qty:a;b;c\nA:1:x\n"), ["A A . . 1 . ."]);
}

#[test]
fn quotes_escapes_and_comments() {
    let fields = "fields = { sku = \"s\", name = \"n\" }";
    let text = "s,n\nA,\"a \"\"b\"\"\nc, d\"\n";
    assert_eq!(csv(fields, text), ["A A . a \"b\"\nc, d . . ."]);
    let inch = format!("quote = \"\"\n{fields}");
    assert_eq!(
        csv(&inch, "s,n\nA,Monitor 22\"\nB,\"x\n"),
        ["A A . Monitor 22\" . . .", "B B . \"x . . ."]
    );
    let single = format!("quote = \"'\"\n{fields}");
    assert_eq!(csv(&single, "s,n\nA,'a, \"b\"'\n"), ["A A . a, \"b\" . . ."]);
    let backslash = format!("escape = \"\\\\\"\n{fields}");
    let text = "s,n\nA,\"a \\\"b\\\" \\\\ c\"\nB,x\\, y\n";
    assert_eq!(csv(&backslash, text), ["A A . a \"b\" \\ c . . .", "B B . x, y . . ."]);
    let comment = format!("comment = \"#\"\n{fields}");
    assert_eq!(csv(&comment, "# made today\ns,n\n#A,1\nB,#2\n"), ["B B . #2 . . ."]);
    assert_eq!(csv(fields, "s,n\n#A,1\n"), ["#A #A . 1 . . ."]);
    let why = refused(&format!("connector = \"csv\"\n{fields}"), "s,n\nA,\"never closed\nB,1\n", 1);
    assert!(why.contains("quote"), "{why}");
}

#[test]
fn preambles_no_header_and_footers() {
    let toml = "header_row = 4\nfields = { sku = \"Kod\", price = \"#3\" }\nwhere = [{ path = \"Kod\", not = [\"Razem\"] }]";
    let text = "ACME s.r.o.\nStock; of today\n\nKod;Cena;Cena\nA;1;2\nRazem;1;2\n\n";
    assert_eq!(csv(toml, text), ["A A . . . 2 ."]);
    let toml = "header_row = 0\nfields = { sku = \"#1\", quantity = \"#3\" }";
    assert_eq!(csv(toml, "A;x;3\nB;y;4\n"), ["A A . . 3 . .", "B B . . 4 . ."]);
    let named = "connector = \"csv\"\nheader_row = 0\nfields = { sku = \"sku\" }";
    feed(named, "A\n").run("list x").code(2).stderr("there are no names without a header");
}

#[test]
fn columns_are_found_without_case_and_what_is_not_found_is_listed() {
    let toml = "fields = { sku = \" SKU \", quantity = \"bestand\" }";
    assert_eq!(csv(toml, "\u{feff}sku ,BESTAND\nA,1\n"), ["A A . . 1 . ."]);
    let toml = "connector = \"csv\"\nfields = { sku = \"sku\", price = \"Cena\" }";
    let why = refused(toml, "sku,Cena,cena \nA,1,2\n", 1);
    assert!(why.contains("pick one of \"#2\", \"#3\"") && why.contains("config line"), "{why}");
    let why = refused(toml, "sku,price\nA,1\n", 1);
    assert!(why.contains("its columns are \"sku\", \"price\""), "{why}");
    feed(toml, "sku,price\nA,1\n").run("check x").code(5);
}

#[test]
fn encodings_by_mark_by_config_and_by_looking() {
    let toml = "fields = { sku = \"s\", name = \"n\" }";
    let line = |text: &[u8]| [b"s,n\nA,", text, b"\n"].concat();
    assert_eq!(csv(toml, line("łódź".as_bytes())), ["A A . łódź . . ."]);
    assert_eq!(csv(toml, line(b"caf\xe9")), ["A A . café . . ."]);
    let polish = format!("encoding = \"windows-1250\"\n{toml}");
    assert_eq!(csv(&polish, line(b"\xb3\xf3d\x9f")), ["A A . łódź . . ."]);
    let utf16: Vec<u8> =
        "\u{feff}s\tn\r\nA\tłódź\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(csv(toml, utf16), ["A A . łódź . . ."]);
    assert_eq!(csv(&polish, "\u{feff}s,n\nA,łódź\n"), ["A A . łódź . . ."]);
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let toml = "fields = { sku = \"s\", quantity = \"q\" }";
    let found = csv(toml, "s,q\r\n\r\n\"A\nB\",1\r\nC,x\r\n\x1a");
    assert_eq!(found[0], "A\nB A\nB . . 1 . .");
    assert!(found[2].starts_with("! 5: quantity \"x\""), "{found:?}");
}

#[test]
fn short_rows_lack_values_and_long_ones_are_invalid() {
    let toml = "fields = { sku = \"s\", name = \"n\" }";
    let found = csv(toml, "s,n,x\nA\nB,b,c,d\nC,c,d,\n");
    assert_eq!(found[..2], ["A A . . . . .", "C C . c . . ."]);
    assert!(found[2].starts_with("! 3: the row has 4 cells and the header has 3"), "{found:?}");
}

// Paths of XML.

#[test]
fn xml_names_fit_any_namespace_and_prefixed_ones_their_own() {
    let toml =
        "items = \"/rss/item\"\nfields = { sku = \"id\", name = \"g:title\", price = \"price\" }";
    let found = xml(
        toml,
        "<rss xmlns='urn:x' xmlns:g='urn:g'><item><g:id><![CDATA[ A&B ]]></g:id>\
         <title>no</title><g:title>a &amp; &#98;<!-- - -->c</g:title><price>1<?x?>0</price></item></rss>",
    );
    assert_eq!(found, ["A&B A&B . a & bc . 10 ."]);
}

#[test]
fn steps_predicates_quotes_and_the_root() {
    let toml = r#"
        items = "/s/i"
        fields = { sku = "a[@n='SKU'][2]/@v", ean = "*/e", name = "'p/q x'", quantity = "w[k='2']/q[1]", currency = "/s/@cur" }
    "#;
    // A name in quotes may hold signs that no XML name has: nothing fits it here.
    let found = xml(
        toml,
        "<s cur='EUR'><i><a n='SKU' v='no'/><a n='X' v='no'/><a n='SKU' v='A'/><z><e>E1</e></z>\
         <w><k>1</k><q>8</q></w><w><k> 2 </k><q>3</q><q>4</q></w></i></s>",
    );
    assert_eq!(found, ["A A E1 . 3 . EUR"]);
    let header =
        "items = \"/b/c/i\"\nfields = { sku = \"@id\", currency = \"/b/h/cur\", price = \"@p\" }";
    let found = xml(header, "<b><h><cur>CZK</cur></h><c><i id='A' p='1'/></c></b>");
    assert_eq!(found, ["A A . . . 1 CZK"]);
}

#[test]
fn only_the_built_in_entities_are_known_and_a_cut_file_is_refused() {
    let toml = "connector = \"xml\"\nitems = \"/s/i\"\nfields = { sku = \"@id\" }";
    let bomb = "<!DOCTYPE s [<!ENTITY a 'x'>]><s><i id='&a;'/></s>";
    assert!(refused(toml, bomb, 1).contains("a DTD that declares entities is refused"));
    assert!(refused(toml, "<s><i id='A'/>", 1).contains("is cut"));
    assert!(refused(toml, "<s><i id='A & B'/></s>", 1).contains("line 1"));
    assert_eq!(
        xml(&toml[18..], "<!DOCTYPE s SYSTEM 'x.dtd'><s><i id='A'/></s>"),
        ["A A . . . . ."]
    );
}

// JSON.

#[test]
fn json_items_are_top_level_values_and_one_a_line() {
    let fields = "fields = { sku = \"sku\", quantity = \"q\" }";
    let (a, b) = ("A A . . 1 . .", "B B . . 2 . .");
    assert_eq!(json(fields, r#"[{"sku":"A","q":1},{"sku":"B","q":2}]"#), [a, b]);
    assert_eq!(json(fields, "{\"sku\":\"A\",\"q\":1}\n\n{\"sku\":\"B\",\"q\":2}\r\n"), [a, b]);
    assert_eq!(json(fields, "{\"sku\":\"A\",\"q\":1}\n{\"sku\":\"B\",\"q\":2}"), [a, b]);
    assert_eq!(json(fields, "[{\"sku\":\"A\",\"q\":1}]\n[{\"sku\":\"B\",\"q\":2}]"), [a, b]);
    assert_eq!(json(fields, r#"{"sku":"A","q":1}"#), [a]);
}

#[test]
fn a_last_line_that_does_not_parse_is_cut_and_a_bad_one_is_left_out() {
    let toml = "connector = \"json\"\nfields = { sku = \"sku\" }";
    let cut = refused(toml, "{\"sku\":\"A\"}\n{\"sku\":\"B\"}\n{\"sku\":\"C", 1);
    assert!(cut.contains("is cut: it ends on line 3"), "{cut}");
    let bad =
        json("fields = { sku = \"sku\" }", "{\"sku\":\"A\"}\n{\"sku\" \"B\"}\n{\"sku\":\"C\"}\n");
    assert_eq!(bad[..2], ["A A . . . . .", "C C . . . . ."]);
    assert!(bad[2].starts_with("! 2: "), "{bad:?}");
    let halved = refused(toml, "{\"sku\":\"A\"}\n{\"sku\":\"B\"\n{\"sku\":\"C\"}\n", 1);
    assert!(halved.contains("line 3"), "{halved}");
}

#[test]
fn objects_keyed_by_sku_are_read_by_their_keys() {
    let toml =
        "items = \"/stock/*\"\nfields = { sku = \"@key\", quantity = \"q\", price = \"p/*/@key\" }";
    let found = json(toml, r#"{"v":1,"stock":{"A-1":{"q":3,"p":{"9.5":{}}},"B 2":{"q":"4"}}}"#);
    assert_eq!(found, ["A-1 A-1 . . 3 9.5 .", "B 2 B 2 . . 4 . ."]);
    let direct = "items = \"/*\"\nfields = { sku = \"@key\", quantity = \"q\" }";
    assert_eq!(json(direct, r#"{"A":{"q":3},"B":{"q":0}}"#), ["A A . . 3 . .", "B B . . 0 . ."]);
}

#[test]
fn json_numbers_keep_their_digits_and_null_is_absent() {
    let toml = "fields = { sku = \"id\", ean = \"e\", quantity = \"q\", price = \"p\" }";
    let found = json(
        toml,
        r#"[{"id":9007199254740993123,"e":4006381333931,"q":1e2,"p":0.1},
            {"id":"007","e":null,"q":null,"p":12.300},{"id":"C","q":false,"p":""},
            {"id":"D","q":true}]"#,
    );
    assert_eq!(
        found[..4],
        [
            "9007199254740993123 9007199254740993123 4006381333931 . 100 0.1 .",
            "007 007 . . . 12.3 .",
            "C C . . . . .",
            "D D . . . . ."
        ]
    );
    assert!(found[4].contains("quantity \"true\" is not a number"), "{found:?}");
}

#[test]
fn arrays_are_passed_through() {
    let toml = r#"
        items = "/products"
        variants = "variants"
        where = [{ path = "../status", is = ["active"] }]
        fields = { sku = "sku", name = "../title", quantity = { sum = ["levels/available"] }, price = "prices/0" }
    "#;
    let toml = toml.replace("prices/0", "prices[2]");
    let found = json(
        &toml,
        r#"{"products":[{"title":"T","status":"active","variants":[
            {"sku":"A","levels":[{"available":1},{"available":2}],"prices":["x",7]},{"sku":"B","levels":[]}]},
            {"title":"D","status":"draft","variants":[{"sku":"C"}]}]}"#,
    );
    assert_eq!(found, ["A A . T 3 7 .", "B B . T . . ."]);
}

#[test]
fn an_answer_without_items_is_refused() {
    let toml = "connector = \"json\"\nitems = \"/data/items\"\nfields = { sku = \"sku\" }";
    assert!(refused(toml, r#"{"error":"no such key"}"#, 1).contains("no items at all"));
}

// From text to value.

#[test]
fn nothing_and_words_for_it_are_unknown_and_never_zero() {
    for text in ["", " ", "\u{a0}", "\u{202f}", "-", "--", "–", "—", "n/a", "NA", "Null", "none"]
    {
        assert_eq!(quantity(text), ".", "{text:?}");
        assert_eq!(price("\"a\"", text), ". .", "{text:?}");
    }
    assert_eq!(quantity("0"), "0");
    assert!(quantity("nothing").starts_with('!'));
}

#[test]
fn one_currency_mark_is_taken_off_a_price() {
    for (text, expected) in [
        ("14.3 EUR", "14.3 EUR"),
        ("EUR 14.3", "14.3 EUR"),
        ("USD 187", "187 USD"),
        ("£264.99", "264.99 GBP"),
        ("€5", "5 EUR"),
        ("1 234.50 zł", "1234.5 PLN"),
        ("25000 Kč", "25000 CZK"),
        ("7 ₴", "7 UAH"),
        ("7 ₽", "7 RUB"),
        ("99 Ft", "99 HUF"),
        ("$129", "129 ."),
        ("129 kr", "129 ."),
        ("¥129", "129 ."),
    ] {
        assert_eq!(price("\"a\"", text), expected, "{text}");
    }
    assert!(price("\"a\"", "5 EUR USD").starts_with('!'));
    let mapped = "\"a\", currency = { value = \"PLN\" }";
    assert_eq!(price(mapped, "5 zł"), "5 PLN");
    assert_eq!(price(mapped, "5"), "5 PLN");
    assert!(price(mapped, "5 EUR").contains("marked EUR and the currency says PLN"));
}

#[test]
fn bounds_of_quantities() {
    for text in [">10", "> 10", "≥10", "10+", ">10 ", ">=10"] {
        assert_eq!(quantity(text), "10", "{text}");
    }
    assert!(quantity("<5").contains("only an upper bound"));
    assert_eq!(quantity("-3"), "-3");
    let known = "quantity = { path = \"a\", values = { \"<5\" = \"1\" } }";
    assert_eq!(number(&value(known, "<5"), 4), "1");
    assert!(price("\"a\"", ">10").starts_with('!'));
}

#[test]
fn group_signs_stand_at_exact_groups_of_three() {
    let with = |sign: &str, text: &str| {
        price(&format!("{{ path = \"a\", decimal = \"{sign}\" }}"), text).replace(" .", "")
    };
    for text in ["1234.5", "1 234.5", "1\u{a0}234.5", "1'234.5", "1,234.5"] {
        assert_eq!(with(".", text), "1234.5", "{text}");
    }
    for text in ["12,50", "1,23", "1 23", "1,234,56", "12345,678", "1.234,5"] {
        assert!(with(".", text).starts_with("! 2: price"), "{text}");
    }
    assert_eq!(with(",", "1.234,5"), "1234.5");
    assert_eq!(with(",", "12,50"), "12.5");
    assert!(with(",", "12.50").starts_with('!'));
    for (text, expected) in [
        ("1.234,5", "1234.5"),
        ("1,234.5", "1234.5"),
        ("769,99", "769.99"),
        ("769.9", "769.9"),
        ("1.234.567", "1234567"),
        ("5", "5"),
        ("5 000,50", "5000.5"),
    ] {
        assert_eq!(with("auto", text), expected, "{text}");
    }
    assert!(with("auto", "1.234").contains("can be read in two ways"));
}

#[test]
fn what_is_no_number_costs_its_value_alone() {
    for text in ["5,9E+12", "1e3", "12a", "0x10", "1/2", "--5"] {
        assert!(quantity(text).starts_with("! 2: quantity"), "{text}");
    }
    let toml = "fields = { sku = \"s\", quantity = \"q\", price = \"p\", name = \"n\" }";
    let found = csv(toml, "s,q,p,n\nA,x,2,N\nB,1,3,M\n");
    assert_eq!(found[..2], ["A A . N . 2 .", "B B . M 1 3 ."]);
    assert!(found[2].starts_with("! 2: quantity \"x\" is not a number"), "{found:?}");
}

#[test]
fn ids_are_text_and_an_ean_with_an_exponent_has_lost_its_digits() {
    let toml = "fields = { sku = \"s\", ean = \"e\" }";
    let found = csv(toml, "s;e\n0012;5,90123E+12\n1105.1;EANRP1\n1105.10;007\n");
    assert_eq!(
        found[..3],
        ["0012 0012 . . . . .", "1105.1 1105.1 EANRP1 . . . .", "1105.10 1105.10 007 . . . ."]
    );
    assert!(found[3].starts_with("! 2: ean \"5,90123E+12\" has lost"), "{found:?}");
}

#[test]
fn an_error_in_a_mapping_names_its_key_and_line() {
    let toml = "connector = \"csv\"\n[integrations.x.fields]\nsku = \"sku\"\nprice = { path = \"p\", sum = [\"q\"] }";
    let shop = feed(toml, "sku\nA\n");
    let why = shop.run("list x").code(2).stderr("exactly one of");
    assert!(why.stderr.contains("integrations.x.fields.price"), "{}", why.stderr);
    let line = 4 + BASE_LINES;
    assert!(why.stderr.contains(&format!("invsync.toml:{line}")), "{}", why.stderr);
}

/// The lines of the config above the keys of a feed.
const BASE_LINES: usize = 11;

#[test]
fn a_dot_is_the_text_of_the_item_itself() {
    let keyed =
        "connector = \"json\"\nitems = \"/stock/*\"\nfields = { sku = \"@key\", quantity = \".\" }";
    let json = r#"{"at": 1, "stock": {"A-1": 3, "007": "4", "B": null, "D": {"x": 1}}}"#;
    assert_eq!(
        listed(keyed, json),
        ["A-1 A-1 . . 3 . .", "007 007 . . 4 . .", "B B . . . . .", "D D . . . . ."]
    );
    let plain = "connector = \"json\"\nfields = { sku = \".\" }";
    assert_eq!(listed(plain, "[\"A\", \"B\"]"), ["A A . . . . .", "B B . . . . ."]);
    let elements =
        "connector = \"xml\"\nitems = \"/s/i\"\nfields = { sku = \"@sku\", quantity = \".\" }";
    let xml =
        "<s><i sku=\"A\"> 3 </i><i sku=\"B\"><![CDATA[4]]></i><i sku=\"C\"/><i sku=\"D\"></i></s>";
    assert_eq!(
        listed(elements, xml),
        ["A A . . 3 . .", "B B . . 4 . .", "C C . . . . .", "D D . . . . ."]
    );
    let variants = "connector = \"xml\"\nitems = \"/s/p\"\nvariants = \"size\"\n\
                    fields = { sku = \"@code\", name = \"../name\", quantity = \".\" }";
    let xml = "<s><p><name>Shirt</name><size code=\"S\">1</size><size code=\"M\">2</size></p></s>";
    assert_eq!(listed(variants, xml), ["S S . Shirt 1 . .", "M M . Shirt 2 . ."]);
}

#[test]
fn what_a_dot_names_is_written() {
    for (options, file, old, new) in [
        (
            "connector = \"json\"\nitems = \"/stock/*\"",
            "s.json",
            "{\"stock\": {\"A\": 3, \"B\": 4}}",
            "7",
        ),
        (
            "connector = \"xml\"\nitems = \"/s/i\"",
            "s.xml",
            "<s><i key=\"A\"> 3<!-- x --></i><i key=\"A\">3</i><i key=\"B\">4</i></s>",
            "",
        ),
        (
            "connector = \"xml\"\nitems = \"/s/i\"",
            "s.xml",
            "<s><i key=\"A\"> 3 </i><i key=\"B\">4</i></s>",
            "7",
        ),
    ] {
        let store = format!(
            "[integrations.s]\ntype = \"store\"\n{options}\nsource = \"{file}\"\n\
             fields = {{ sku = \"@key\", quantity = \".\" }}\n\
             stock = {{ direction = \"send\", warehouse = \"main\" }}\n"
        );
        let shop = Shop::new().config(&store).file(file, old);
        let shop = shop.inventory("sku,stock.main\nA,7\nB,4\n");
        match new {
            "" => shop.run("push s").code(3).wrote(file, old),
            new => shop.run("push s").code(0).wrote(file, &old.replacen('3', new, 1)),
        };
    }
}

#[test]
fn a_word_that_becomes_no_number_is_named() {
    let toml = "connector = \"csv\"\n\
                fields = { sku = \"sku\", quantity = { path = \"qty\", values = { yes = \"1\", no = \"nil\" } } }";
    let why = refused(toml, "sku,qty\nA,yes\n", 2);
    assert!(why.contains("\"no\" becomes \"nil\""), "{why}");
    let why = refused("connector = \"csv\"\nfields = { sku = \".\" }", "sku\nA\n", 1);
    assert!(why.contains("wants column \".\""), "{why}");
}
