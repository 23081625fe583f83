use proptest::prelude::*;

use super::*;

fn sample(header: &[&str], rows: &[&[&str]]) -> Sample {
    let texts = |row: &[&str]| row.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
    sample_of_rows(
        Some(&texts(header)),
        rows.iter().map(|row| texts(row).into_iter().map(Cell::from).collect()).collect(),
    )
}

fn value(proposal: &Proposal, field: &str) -> Option<String> {
    let found = proposal.fields.iter().find(|found| found.line.key == field);
    found.map(|found| found.line.value.clone())
}

#[test]
fn names_in_many_languages_are_understood() {
    for (header, sku, quantity, price) in [
        (["Artikelnummer", "Bezeichnung", "Bestand", "Preis"], "Artikelnummer", "Bestand", "Preis"),
        (["Indeks", "Nazwa", "Ilość", "Cena netto"], "Indeks", "Ilość", "Cena netto"),
        (["Kód zboží", "Název", "Skladem", "Cena"], "Kód zboží", "Skladem", "Cena"),
        (["Référence", "Désignation", "Quantité", "Prix"], "Référence", "Quantité", "Prix"),
        (["Código", "Nombre", "Existencias", "Precio"], "Código", "Existencias", "Precio"),
        (["Codice", "Descrizione", "Giacenza", "Prezzo"], "Codice", "Giacenza", "Prezzo"),
        (["Artikelcode", "Naam", "Voorraad", "Prijs"], "Artikelcode", "Voorraad", "Prijs"),
        (["Артикул", "Наименование", "Остаток", "Цена"], "Артикул", "Остаток", "Цена"),
    ] {
        let rows: [&[&str]; 3] = [
            &["A-1", "Blue mug", "3", "12.50"],
            &["A-2", "Red mug", "12", "9.90"],
            &["A-3", "Green mug", "0", "1.00"],
        ];
        let found = propose(&sample(&header, &rows));
        let path = |field| value(&found, field).unwrap_or_default();
        assert_eq!(path("sku"), quoted(sku));
        assert_eq!(path("quantity"), quoted(quantity));
        assert_eq!(path("price"), quoted(price));
        assert_eq!(path("name"), quoted(header[1]));
    }
}

#[test]
fn an_ean_is_known_by_its_check_digit_whatever_it_is_called() {
    let rows: [&[&str]; 3] =
        [&["1", "5900000000114"], &["2", "5900000000121"], &["3", "5900000000138"]];
    let found = propose(&sample(&["SKU", "col7"], &rows));
    assert_eq!(value(&found, "ean"), Some("\"col7\"".to_owned()));
    assert!(found.fields[1].line.evidence.contains("100% have a right check digit"));
}

#[test]
fn what_a_text_says_of_stock_is_a_word_a_lower_bound_or_both() {
    for (text, value) in [
        ("auf lager", Some("1")),
        ("nincs raktáron", Some("0")),
        ("na dotaz", Some("")),
        ("mehr als 10", Some("10")),
        ("mehr als 10 stück", Some("10")),
        ("ponad 100 szt.", Some("100")),
        ("plus de 50", Some("50")),
        ("több mint 5 db", Some("5")),
        ("10 und mehr", Some("10")),
        ("skladem > 5 ks", Some("5")),
        ("skladem (3 ks)", Some("3")),
        ("auf lager: 12", Some("12")),
        ("weniger als 5", None),
        ("abverkauf 5", None),
        ("nicht auf lager 5", None),
        ("12.5.2026", None),
        ("skladem od 12.5.2026", None),
        ("rot", None),
    ] {
        assert_eq!(words::stock_value(text).as_deref(), value, "{text}");
    }
    for (text, is_bound) in
        [("< 5", true), ("weniger als 5", true), ("do 3 ks", true), ("do", false)]
    {
        assert_eq!(words::is_upper_bound(text), is_bound, "{text}");
    }
}

#[test]
fn a_header_is_found_by_its_names_whatever_stands_above_it() {
    let row =
        |cells: &[&str]| cells.iter().map(|c| Cell::from((*c).to_owned())).collect::<Vec<_>>();
    let rows = |top: &[&[&str]]| -> Vec<(u64, Vec<Cell>)> {
        let data: [&[&str]; 2] = [&["A-1", "Mug", "3", "1.5"], &["A-2", "Bowl", "4", "2.5"]];
        (1..).zip(top.iter().chain(&data).map(|cells| row(cells))).collect()
    };
    let header: &[&str] = &["Symbol", "Nazwa", "Stan", "Cena"];
    assert_eq!(header_row(&rows(&[header])), 1);
    assert_eq!(header_row(&rows(&[&["Cennik", "", "", ""], &["", "", "", ""], header])), 3);
    assert_eq!(header_row(&rows(&[&["Cennik", "ważny od", "dnia", "x"], header])), 2);
    assert_eq!(header_row(&rows(&[&["Kolumna A", "Kolumna B", "C", "D"]])), 1);
    assert_eq!(header_row(&rows(&[])), 0);
}

#[test]
fn an_inch_sign_in_a_cell_is_no_quote() {
    let text = "sku;name;qty\n1;Monitor 22\";3\n2;\"a;b\nc\";4\n";
    let found = cut(text, Some('"'), None);
    assert_eq!((found.alike, found.rows, found.header_row), (3, 3, 1));
}

#[test]
fn rows_are_cut_below_a_preamble() {
    let text =
        "Grosshandel Muster\nPreisliste, Stand 1.3.\n\nNr;Name;Preis\n1;\"a;b\";2,5\n2;c;3\n";
    let found = cut(text, Some('"'), None);
    assert_eq!((found.delimiter, found.header_row, found.width), (';', 4, 3));
    assert_eq!(cut("A-1,5\nA-2,7\n", Some('"'), None).header_row, 0);
    assert_eq!(cut("sku\nA\n", Some('"'), None).header_row, 1);
}

#[test]
fn a_text_that_would_end_a_comment_or_string_does_not() {
    assert_eq!(quoted("a\"b\\c\nd"), "\"a\\\"b\\\\c\\u000ad\"");
    let line = Line::new("where", "[]".to_owned(), "x\nfields = 1");
    let proposal = Proposal { options: vec![line], ..Proposal::default() };
    assert_eq!(lines(&proposal).lines().count(), 1);
}

#[test]
fn what_a_config_would_look_up_elsewhere_is_named_by_its_place() {
    let rows: [&[&str]; 2] = [&["A", "1"], &["B", "2"]];
    let found = propose(&sample(&["sku ${HOME}", "qty"], &rows));
    assert_eq!(value(&found, "sku"), Some("\"#1\"".to_owned()));
}

/// A text such as feeds have, and some that they should not have.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~\n\"'\\\\$\\{\\}ł€]{0,9}",
        "[0-9]{0,4}[.,]?[0-9]{1,3}( szt| EUR)?",
        Just("sku".to_owned()),
        Just("price".to_owned()),
        Just("in stock".to_owned()),
        Just("Total".to_owned()),
        Just("qty".to_owned()),
    ]
}

fn node() -> impl Strategy<Value = Node> {
    let attributes = || {
        prop::collection::vec((prop_oneof!["[a-z]{1,3}", Just("type".to_owned())], text()), 0..3)
    };
    let leaf = (text(), attributes(), text()).prop_map(|(name, attributes, text)| Node {
        name,
        attributes,
        text,
        children: Vec::new(),
    });
    leaf.prop_recursive(4, 60, 5, move |inner| {
        (text(), attributes(), prop::collection::vec(inner, 0..5)).prop_map(
            |(name, attributes, children)| Node { name, attributes, children, ..Node::default() },
        )
    })
}

fn is_toml(proposal: &Proposal) -> bool {
    let text = format!("{}{}", lines(proposal), table(proposal, "integrations.x"));
    let in_one = all_keys(proposal).parse::<toml::Table>().is_ok();
    in_one && inline(proposal).parse::<toml::Table>().is_ok() && text.parse::<toml::Table>().is_ok()
}

proptest! {
    #[test]
    fn whatever_rows_hold_the_proposal_is_toml(
        header in prop::collection::vec(text(), 1..6),
        rows in prop::collection::vec(prop::collection::vec(text(), 0..7), 0..8),
    ) {
        let rows: Vec<Vec<Cell>> =
            rows.into_iter().map(|row| row.into_iter().map(Cell::from).collect()).collect();
        prop_assert!(is_toml(&propose(&sample_of_rows(Some(&header), rows.clone()))));
        prop_assert!(is_toml(&propose(&sample_of_rows(None, rows))));
    }

    #[test]
    fn whatever_a_document_holds_the_proposal_is_toml(root in node(), is_json in any::<bool>()) {
        let sample = sample_of_tree(&root, true, (None, None), is_json);
        prop_assert!(is_toml(&propose(&sample)));
    }

    #[test]
    fn any_text_can_be_cut(text in "[a1;,\t|\"\n .5é]{0,60}") {
        let found = cut(&text, Some('"'), None);
        prop_assert!(found.alike <= found.rows);
    }
}
