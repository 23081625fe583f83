use std::path::Path;

use toml::de::DeTable;

use super::*;
use crate::connector::{RowBatch, Value, Want};
use crate::model::{Currency, ProblemKind};
use crate::settings::{Document, Problems};

const ALL: Want = Want { stock: true, prices: true, names: true };

/// Matches by path: `a=1` and again `a=2` are two matches of `a`.
struct Pairs<'a> {
    mapping: &'a Mapping,
    pairs: Vec<(&'a str, &'a str)>,
}

impl Lookup for Pairs<'_> {
    fn matches(&self, path: PathId, each: &mut dyn FnMut(&str) -> bool) {
        let wanted = &self.mapping.paths[path.index()].text;
        for (name, text) in &self.pairs {
            if name == wanted && !each(text) {
                return;
            }
        }
    }
}

fn read(config: &str) -> Result<Mapping, Vec<String>> {
    let document = Document::new(Path::new("invsync.toml"), config.to_owned());
    let problems = Problems::default();
    let values = DeTable::parse(document.text()).unwrap();
    let mut table = Table::root(&document, &problems, values.get_ref());
    let mapping = Mapping::read(&mut table, &|_| Ok(()), false);
    table.finish();
    let errors: Vec<_> = problems
        .into_sorted()
        .0
        .into_iter()
        .map(|e| format!("{}: {}", e.line, e.message))
        .collect();
    match mapping {
        Some(mapping) if errors.is_empty() => Ok(mapping),
        _ => Err(errors),
    }
}

/// The quantity, price and currency of a row, or its problems.
fn values(config: &str, row: &[(&str, &str)]) -> Result<(String, String, String), Vec<String>> {
    let mapping = read(config).unwrap();
    let mut batch = RowBatch::default();
    let pairs = [&[("id", "X")], row].concat();
    mapping.row(&Pairs { mapping: &mapping, pairs }, ALL, 1, &mut batch);
    if !batch.problems().is_empty() {
        return Err(batch.problems().iter().map(|p| p.message.clone()).collect());
    }
    let row = batch.row(0).ok_or_else(Vec::new)?;
    let show = |value: Value| value.cell().get().map_or("?".to_owned(), |v| v.to_string());
    let currency = row.currency().map_or("_".to_owned(), |c| c.to_string());
    Ok((show(row.quantity()), show(row.price()), currency))
}

fn quantity(field: &str, row: &[(&str, &str)]) -> Result<String, Vec<String>> {
    values(&format!("fields = {{ sku = 'id', quantity = {field} }}"), row).map(|(q, _, _)| q)
}

fn price(field: &str, row: &[(&str, &str)]) -> Result<(String, String), Vec<String>> {
    values(&format!("fields = {{ sku = 'id', price = {field} }}"), row).map(|(_, p, c)| (p, c))
}

fn ok(text: &str) -> Result<String, Vec<String>> {
    Ok(text.to_owned())
}

#[test]
fn every_source_finds_its_text() {
    let row = [("a", " "), ("a", "2"), ("b", "3"), ("b", "-"), ("b", "4")];
    assert_eq!(quantity("'a'", &row), ok("2"));
    assert_eq!(quantity("{ value = 7 }", &row), ok("7"));
    assert_eq!(quantity("{ first = ['none', 'b', 'a'] }", &row), ok("3"));
    assert_eq!(quantity("{ sum = ['a', 'b', 'none'] }", &row), ok("9"));
    assert_eq!(quantity("{ sum = ['none'] }", &row), ok("?"));
    assert_eq!(quantity("'none'", &row), ok("?"));
    assert!(quantity("{ sum = ['a', 'c'] }", &[("a", "1"), ("c", "many")]).is_err());
}

#[test]
fn values_come_first_and_ignore_case() {
    let field = "{ path = 'a', values = { 'In Stock' = '1', '-1' = '', '-' = '0', '<5' = '4' } }";
    let read = |text| quantity(field, &[("a", text)]);
    assert_eq!(read(" in stock "), ok("1"));
    assert_eq!(read("-1"), ok("?"));
    assert_eq!(read("-"), ok("0"));
    assert_eq!(read("<5"), ok("4"));
    assert_eq!(read("12"), ok("12"));
    assert!(read("w magazynie").is_err());
    // What becomes unknown lets the next one be found.
    let field = "{ sum = ['a'], values = { '-1' = '' } }";
    assert_eq!(quantity(field, &[("a", "-1"), ("a", "5")]), ok("5"));
    assert_eq!(quantity(field, &[("a", "-1")]), ok("?"));
}

#[test]
fn factors_are_applied_and_rounding_comes_last() {
    let row = [("p", "17,23"), ("f", ",8"), ("q", "100")];
    let read = |field| price(field, &row).map(|(price, _)| price);
    assert_eq!(read("{ path = 'p', decimal = ',', times = 'f' }"), ok("13.784"));
    assert_eq!(read("{ path = 'p', decimal = ',', times = 'f', round = 2 }"), ok("13.78"));
    assert_eq!(read("{ path = 'p', decimal = ',', per = 'q' }"), ok("0.1723"));
    assert_eq!(read("{ path = 'p', decimal = ',', per = 100 }"), ok("0.1723"));
    assert_eq!(read("{ path = 'p', decimal = ',', per = '3' }"), ok("5.743333"));
    assert_eq!(read("{ path = 'p', decimal = ',', times = 'none' }"), ok("17.23"));
    assert!(price("{ path = 'p', per = 'q' }", &[("p", "1"), ("q", "0")]).is_err());
    assert!(price("{ path = 'p', per = 'q' }", &[("p", "1"), ("q", "box")]).is_err());
}

#[test]
fn the_default_decimal_of_the_feed_is_that_of_its_fields() {
    let config = "decimal = ','\nfields = { sku = 'id', quantity = { path = 'q', decimal = '.' }, \
                  price = 'p' }";
    let read = values(config, &[("q", "1.5"), ("p", "2,5")]).unwrap();
    assert_eq!((read.0.as_str(), read.1.as_str()), ("1.5", "2.5"));
}

#[test]
fn a_currency_comes_from_its_field_or_from_beside_the_price() {
    let mapped = "fields = { sku = 'id', price = 'p', currency = 'c' }";
    let read =
        |row: &[(&str, &str)]| values(mapped, row).map(|(_, price, c)| format!("{price} {c}"));
    assert_eq!(read(&[("p", "5"), ("c", "eur")]), ok("5 EUR"));
    assert_eq!(read(&[("p", "5 PLN"), ("c", "")]), ok("5 PLN"));
    assert_eq!(read(&[("p", "5 EUR"), ("c", "€")]), ok("5 EUR"));
    assert!(read(&[("p", "5 USD"), ("c", "EUR")]).unwrap_err()[0].contains("marked USD"));
    assert!(read(&[("p", "5"), ("c", "$")]).unwrap_err()[0].contains("no code such as EUR"));
    assert_eq!(price("'p'", &[("p", "£264.99")]), Ok(("264.99".into(), "GBP".into())));
    let fixed = "fields = { sku = 'id', price = 'p', currency = { value = 'CZK' } }";
    assert_eq!(values(fixed, &[("p", "1")]).unwrap().2, "CZK");
}

#[test]
fn a_mismatch_leaves_the_price_unknown_and_says_so() {
    let mapping =
        read("fields = { sku = 'id', price = 'p', currency = { value = 'EUR' } }").unwrap();
    let mut batch = RowBatch::default();
    let pairs = vec![("id", "X"), ("p", "5 USD")];
    mapping.row(&Pairs { mapping: &mapping, pairs }, ALL, 7, &mut batch);
    let problem = &batch.problems()[0];
    assert_eq!((problem.kind, problem.line), (ProblemKind::CurrencyMismatch, 7));
    let row = batch.row(0).unwrap();
    assert_eq!((row.price(), row.currency()), (Value::Unknown, Currency::parse("EUR")));
}

#[test]
fn where_filters_and_an_empty_text_stands_for_absent() {
    let config = "fields = { sku = 'id' }\n\
                  where = [{ path = 's', is = ['active', 'x'] }, { path = 't', not = ['', 'TEST'] }]";
    let mapping = read(config).unwrap();
    let fate = |pairs: &[(&'static str, &'static str)]| {
        let pairs = [&[("id", "X")], pairs].concat();
        mapping.row(&Pairs { mapping: &mapping, pairs }, ALL, 1, &mut RowBatch::default())
    };
    assert_eq!(fate(&[("s", " active "), ("t", "y")]), RowFate::Item);
    assert_eq!(fate(&[("s", "draft"), ("t", "y")]), RowFate::FilteredByWhere);
    assert_eq!(fate(&[("t", "y")]), RowFate::FilteredByWhere);
    assert_eq!(fate(&[("s", "x"), ("t", "TEST")]), RowFate::FilteredByWhere);
    assert_eq!(fate(&[("s", "x"), ("t", " ")]), RowFate::FilteredByWhere);
    assert_eq!(fate(&[("s", "x")]), RowFate::FilteredByWhere);
}

#[test]
fn an_ean_that_lost_its_digits_is_left_out() {
    let mapping = read("fields = { item_id = 'id', ean = 'e' }").unwrap();
    let ean = |ean| {
        let mut batch = RowBatch::default();
        mapping.row(
            &Pairs { mapping: &mapping, pairs: vec![("id", "1"), ("e", ean)] },
            ALL,
            1,
            &mut batch,
        );
        (batch.row(0).unwrap().ean().map(str::to_owned), batch.problems().len())
    };
    assert_eq!(ean("5,90123E+12"), (None, 1));
    assert_eq!(ean("EANRP1"), (Some("EANRP1".to_owned()), 0));
    assert_eq!(ean("4006381333931"), (Some("4006381333931".to_owned()), 0));
}

#[test]
fn only_what_is_wanted_is_read() {
    let mapping = read("fields = { sku = 'id', name = 'n', quantity = 'q', price = 'p' }").unwrap();
    let pairs = vec![("id", "X"), ("n", "Mug"), ("q", "bad"), ("p", "bad")];
    let mut batch = RowBatch::default();
    let want = Want { stock: false, prices: false, names: false };
    assert_eq!(
        mapping.row(&Pairs { mapping: &mapping, pairs }, want, 1, &mut batch),
        RowFate::Item
    );
    assert!(batch.problems().is_empty() && batch.row(0).unwrap().name().is_none());
}

#[test]
fn errors_name_the_key_and_its_line() {
    let error = |config: &str| read(config).unwrap_err().join("\n");
    assert_eq!(error("x = 1").lines().next(), Some("1: `fields` is missing"));
    assert!(error("fields = { quantity = 'a' }").contains("needs `sku` or `item_id`"));
    assert!(error("\nfields = { sku = 'a', qty = 'b' }").contains("2: unknown key `fields.qty`"));
    for (field, wanted) in [
        ("{ path = 'a', value = 1 }", "exactly one of"),
        ("{ path = 'a', decimals = ',' }", "did you mean `decimal`?"),
        ("{ path = 'a', values = { x = 'abc' } }", "must make numbers"),
        ("{ path = 'a', values = { x = '1', X = '2' } }", "says twice"),
        ("{ path = 'a', per = '0' }", "must not be 0"),
        ("{ path = 'a', times = 1.5 }", "must be a decimal in quotes"),
        ("{ path = 'a', round = 9 }", "`fields.quantity.round` must be a whole number"),
        ("''", "must not be empty"),
    ] {
        let message = error(&format!("fields = {{ sku = 'a', quantity = {field} }}"));
        assert!(message.contains(wanted), "{field}: {message}");
    }
    assert!(error("fields = { sku = { sum = ['a'] } }").contains("exactly one of"));
    assert!(error("fields = { sku = { path = 'a', round = 2 } }").contains("unknown key"));
}

#[test]
fn a_path_is_listed_once() {
    let mapping = read("fields = { sku = 'a', item_id = 'a', quantity = 'b' }").unwrap();
    let texts: Vec<_> =
        mapping.paths.iter().map(|path| (path.text.as_str(), path.key.as_str())).collect();
    assert_eq!(texts, [("a", "fields.item_id"), ("b", "fields.quantity")]);
}
