//! The rules of the config, on texts and with connectors of their own.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::around::Around;
use crate::connector::{Connector, ConnectorError, Context, Registration};
use crate::model::{Currency, StorePlaceKind};
use crate::settings::Document;

/// `csv` can be written, `api` cannot; `early` and `mute` give up.
const REGISTRY: &[Registration] = &[
    Registration {
        name: "csv",
        settings: |table, context| fake(table, context, true),
        is_feed: true,
        places: &[],
    },
    Registration {
        name: "api",
        settings: |table, context| fake(table, context, false),
        is_feed: false,
        places: &[],
    },
    Registration {
        name: "shop",
        settings: |table, context| fake(table, context, true),
        is_feed: false,
        places: &[StorePlaceKind::Location, StorePlaceKind::PriceList],
    },
    Registration { name: "early", settings: early, is_feed: false, places: &[] },
    Registration {
        name: "mute",
        settings: |table, _| table.take("source").and(None),
        is_feed: false,
        places: &[],
    },
];

#[derive(Debug)]
struct Fake {
    fields: Vec<String>,
    writable: bool,
}

fn fake(table: &mut Table<'_>, _: &Context, writable: bool) -> Option<Box<dyn Settings>> {
    let source = table.require("source").and_then(|entry| entry.text("source"));
    table.bool("complete");
    table.text("delimiter");
    let mut fields = table.table("fields")?;
    let fields = fields.entries().into_iter().map(|(key, ..)| key.to_owned()).collect();
    source.map(|_| Box::new(Fake { fields, writable }) as _)
}

/// The first settings of a section.
fn section_of(integration: &Integration, section: Section) -> Option<&SectionSettings> {
    integration.all_sections().find(|(own, _)| *own == section).map(|(_, settings)| settings)
}

fn early(table: &mut Table<'_>, context: &Context) -> Option<Box<dyn Settings>> {
    table.take("source");
    table.error(format!("currency {:?}, store {}", context.currency, context.is_store));
    None
}

impl Settings for Fake {
    fn connect(&self, _: &Around, _: &StorePlaces) -> Result<Box<dyn Connector>, ConnectorError> {
        Err(ConnectorError::usage("a test connects to nobody"))
    }

    fn provides(&self, section: Section) -> Result<(), String> {
        let field = if section == Section::Stock { "quantity" } else { "price" };
        let mapped = self.fields.iter().any(|name| name == field);
        if mapped { Ok(()) } else { Err(format!("map `{field}` under `fields`")) }
    }

    fn can_write(&self, _: Section) -> Result<(), String> {
        if self.writable { Ok(()) } else { Err("nothing can be written there".to_owned()) }
    }
}

pub(super) fn parse(text: &str) -> Result<Config, ConfigErrors> {
    let document = Document::new(Path::new("shop/invsync.toml"), text.to_owned());
    Config::parse(&document, REGISTRY)
}

/// All errors of a text, one a line, without the path.
pub(super) fn errors(text: &str) -> String {
    let shown = parse(text).err().map(|errors| errors.to_string());
    shown.unwrap_or_default().replace("shop/invsync.toml:", "")
}

/// The errors of an integration with these lines, of the store `a` and the places `main`, `retail`.
/// The first of the lines is line 1.
fn errors_of_store(lines: &str) -> String {
    let store = "[integrations.a]\ntype='store'\nconnector='csv'\nsource='a.csv'\n\
                 fields={ quantity='q', price='p' }\n";
    errors(&format!("{lines}\n{PLACES}{store}"))
}

const PLACES: &str = "[warehouses]\nmain='Main'\n[price_groups]\nretail={currency='EUR'}\n";

/// The example of the documentation, in a shop of two.
const FULL: &str = r#"
[inventory]
path = "inventory.db"
seed = "examples/inventory.csv"

[warehouses]
main = "Main warehouse"
outlet = { name = "Outlet", renamed_from = "second" }

[price_groups]
retail = { name = "Retail", currency = "EUR" }

[integrations.store-a]
type = "store"
connector = "csv"
source = "${INVSYNC_NO_SUCH_VARIABLE}"
link_by = ["sku", "ean"]
unlinked = "report"
fields = { sku = "sku", quantity = "q", price = "p" }

[integrations.store-a.stock]
direction = "download"
warehouse = "main"
every = "15m"

[integrations.store-a.prices]
direction = "send"
price_group = "retail"
every = "4h"
on_drift = "hold"

[integrations.store-a.guard]
max_changed = "50%"
max_zeroed = "30%"
max_unknown = "20%"
max_missing = "100%"
max_price_change = "180%"
zero_price = "hold"
missing = "keep"

[integrations.store-a.stock.guard]
max_changed = "12.5%"
zero_price = "allow"
missing = "zero"

[integrations.store-a.http]
timeout = "61s"
download_timeout = "31m"
connect_timeout = "11s"
retries = 6
retry_budget = "0s"
concurrency = 5
max_requests_per_second = "0.5"
allow_http = true
ca_file = "ca.pem"
proxy = { env = "HTTPS_PROXY" }

[integrations.wholesaler-b]
type = "wholesaler"
connector = "csv"
source = "feeds/wholesaler-b.csv"
complete = true
allow_empty = true
link_by = []
unlinked = "create"
[integrations.wholesaler-b.fields]
sku = "sku"
quantity = "qty"
[integrations.wholesaler-b.stock]
direction = "download"
warehouse = "outlet"
"#;

#[test]
fn a_whole_config_is_read() {
    let config = parse(FULL).unwrap();
    assert!(config.warnings.is_empty());
    assert_eq!(config.folder, Path::new("shop"));
    assert_eq!(config.inventory_path().unwrap(), Path::new("shop/inventory.db"));
    assert_eq!(config.seed_path().unwrap(), Some("shop/examples/inventory.csv".into()));
    let outlet = config.warehouse("outlet").unwrap();
    assert_eq!((outlet.name.as_str(), outlet.renamed_from.as_deref()), ("Outlet", Some("second")));
    assert_eq!((outlet.line, outlet.currency), (8, None));
    let retail = config.price_group("retail").unwrap();
    assert_eq!((retail.name.as_str(), retail.currency), ("Retail", Currency::parse("EUR")));
    let names: Vec<_> = config.integrations.iter().map(|i| (i.name.as_str(), i.line)).collect();
    assert_eq!(names, [("store-a", 13), ("wholesaler-b", 58)]);
}

#[test]
fn a_whole_integration_is_read() {
    let config = parse(FULL).unwrap();
    let store = config.integration("store-a").unwrap();
    assert!(store.is_store && !store.allow_empty);
    assert_eq!((store.unlinked, store.link_by.len()), (Unlinked::Report, 2));
    let stock = section_of(store, Section::Stock).unwrap();
    assert_eq!((stock.direction, stock.place.as_str()), (Direction::Download, "main"));
    assert_eq!((stock.every, stock.line), (Some(Duration::from_secs(900)), 21));
    assert_eq!(stock.on_drift, OnDrift::Overwrite);
    let prices = section_of(store, Section::Prices).unwrap();
    assert_eq!((prices.direction, prices.place.as_str()), (Direction::Send, "retail"));
    assert_eq!(prices.on_drift, OnDrift::Hold);
    let wholesaler = config.integration("wholesaler-b").unwrap();
    assert!(!wholesaler.is_store && wholesaler.allow_empty && wholesaler.link_by.is_empty());
    assert_eq!(wholesaler.unlinked, Unlinked::Create);
    assert!(section_of(wholesaler, Section::Prices).is_none());
}

#[test]
fn guards_of_a_section_override_those_of_the_integration_one_by_one() {
    let config = parse(FULL).unwrap();
    let store = config.integration("store-a").unwrap();
    let of_all = GuardSettings {
        max_missing: Percent::whole(100),
        max_price_change: Percent::whole(180),
        ..GuardSettings::default()
    };
    let stock = &section_of(store, Section::Stock).unwrap().guard;
    assert_eq!(stock.max_changed.to_string(), "12.5%");
    let max_changed = stock.max_changed;
    let of_stock =
        GuardSettings { max_changed, hold_zero_price: false, zero_missing: true, ..of_all.clone() };
    assert_eq!(stock, &of_stock);
    assert_eq!(section_of(store, Section::Prices).unwrap().guard, of_all);
    let wholesaler = config.integration("wholesaler-b").unwrap();
    assert_eq!(section_of(wholesaler, Section::Stock).unwrap().guard, GuardSettings::default());
}

#[test]
fn a_section_has_each_guard_of_its_integration_that_it_does_not_set() {
    let of_all = "max_changed='1%', max_zeroed='2%', max_unknown='3%', max_missing='4%', \
                  max_price_change='5%', zero_price='allow', missing='zero'";
    let text = format!(
        "{PLACES}[integrations.a]\ntype='store'\nconnector='csv'\nsource='s'\nfields={{}}\n\
         guard={{ {of_all} }}\nstock={{ direction='off', guard={{}} }}\n\
         [integrations.a.prices]\ndirection='off'\n\
         guard={{ max_changed='0%', zero_price='hold', missing='keep' }}\n"
    );
    let config = parse(&text).unwrap();
    let integration = config.integration("a").unwrap();
    let set = GuardSettings {
        max_changed: Percent::whole(1),
        max_zeroed: Percent::whole(2),
        max_unknown: Percent::whole(3),
        max_missing: Percent::whole(4),
        max_price_change: Percent::whole(5),
        hold_zero_price: false,
        zero_missing: true,
        ..GuardSettings::default()
    };
    assert_eq!(section_of(integration, Section::Stock).unwrap().guard, set);
    let max_changed = Percent::whole(0);
    let overridden =
        GuardSettings { max_changed, hold_zero_price: true, zero_missing: false, ..set };
    assert_eq!(section_of(integration, Section::Prices).unwrap().guard, overridden);
}

#[test]
fn http_has_the_defaults_of_the_documentation_and_can_be_set() {
    let config = parse(FULL).unwrap();
    let http = &config.integration("wholesaler-b").unwrap().http;
    let seconds = |http: &HttpSettings| {
        let all = [http.timeout, http.download_timeout, http.connect_timeout, http.retry_budget];
        all.map(|duration| duration.as_secs())
    };
    assert_eq!(seconds(http), [60, 1_800, 10, 300]);
    assert_eq!((http.retries, http.concurrency, http.allow_http), (5, 4, false));
    assert_eq!(http.max_requests_per_second.map(|n| n.to_string()), Some("10".into()));
    assert!(http.ca_file.is_none() && http.proxy.is_none());
    let http = &config.integration("store-a").unwrap().http;
    assert_eq!(seconds(http), [61, 1_860, 11, 0]);
    assert_eq!((http.retries, http.concurrency, http.allow_http), (6, 5, true));
    assert_eq!(http.max_requests_per_second.map(|n| n.to_string()), Some("0.5".into()));
    assert!(http.ca_file.is_some() && http.proxy.is_some());
}

#[test]
fn wrong_values_of_http_are_errors() {
    let found = errors_of_store(
        "[integrations.a.http]\ntimeout='0s'\nretries=-1\nretry_budget='x'\nconcurrency=0\n\
         max_requests_per_second=1.5\nallow_http='yes'\nproxy=1\ntimeouts='1s'",
    );
    insta::assert_snapshot!(found, @r#"
        2: `integrations.a.http.timeout` must be longer than "0s"
        3: `integrations.a.http.retries` must be a whole number from 0 to 100
        4: `integrations.a.http.retry_budget` must be a duration such as "30s", "15m", "4h", "1d" or "1h30m"
        5: `integrations.a.http.concurrency` must be a whole number from 1 to 64
        6: `integrations.a.http.max_requests_per_second` must be a decimal in quotes such as "12.30", or a whole number
        7: `integrations.a.http.allow_http` must be true or false
        8: `integrations.a.http.proxy` must be a string, or { env = "NAME" }, { file = "path" } or { command = ["program", "argument"] }
        9: unknown key `integrations.a.http.timeouts`; did you mean `timeout`?
        "#);
}

#[test]
fn an_empty_config_is_valid() {
    let config = parse("").unwrap();
    assert_eq!(config.inventory_path().unwrap(), Path::new("shop/inventory.db"));
    assert!(config.warehouses.is_empty() && config.integrations.is_empty());
}

#[test]
fn all_errors_of_a_file_come_at_once_with_their_lines() {
    let found = errors(
        r#"inventroy = 1
[inventory]
path = ""
sed = "x"

[warehouses]
main = "Main"
"a b" = "A B"
old = { nam = "Old" }

[price_groups]
retail = "Retail"
export = { name = "Export" }
list = { currency = "EURO" }

[integrations.w]
type = "wholesaler"
connector = "csv"
source = "w.csv"
unlinked = "maybe"
link_by = ["sku", "sku", "upc"]
sorce = "x"
[integrations.w.fields]
quantity = "q"
[integrations.w.stock]
direction = "send"
warehouse = "mian"
every = "15"
[integrations.w.prices]
direction = "download"

[integrations.x]
type = "shop"
connector = "cvs"
[integrations.x.prices]
price_group = "retail"
warehouse = "main"

[integrations.y.guard]
max_changed = "101%"
max_zeroed = 30
max_price_change = "300%"
"#,
    );
    insta::assert_snapshot!(found, @r#"
        1: unknown key `inventroy`; did you mean `inventory`?
        3: `inventory.path` must name a file
        4: unknown key `inventory.sed`; did you mean `seed`?
        8: `warehouses.a b` is not a valid name: use only letters (a to z, A to Z), digits, `_` and `-`
        9: unknown key `warehouses.old.nam`; did you mean `name`?
        12: `price_groups.retail` must be a table with its currency: { name = "…", currency = "EUR" }
        13: `price_groups.export.currency` is missing
        14: `price_groups.list.currency` must be a currency's code of three letters such as "EUR"
        20: `integrations.w.unlinked` must be "report", "create" or "ignore"
        21: `integrations.w.link_by` must be "sku" or "ean"
        21: `integrations.w.link_by` names a key twice
        22: unknown key `integrations.w.sorce`; did you mean `source`?
        26: `integrations.w.stock.direction` cannot be "send": a wholesaler is only ever read; write "download" or "off", or `type = "store"` where this is a store
        27: undeclared warehouse in `integrations.w.stock.warehouse`: did you mean `main`? declared under [warehouses]: `main`, `a b`, `old`
        28: `integrations.w.stock.every` must be a duration such as "30s", "15m", "4h", "1d" or "1h30m"
        29: `integrations.w.prices.price_group` is missing; declared: `retail`, `export`, `list`
        29: `integrations.w.prices`: map `price` under `fields`
        33: `integrations.x.type` must be "store" or "wholesaler"
        34: unknown connector in `integrations.x.connector`: did you mean "csv"? known are "csv", "api", "shop", "early", "mute"
        35: `integrations.x.prices.direction` is missing
        37: unknown key `integrations.x.prices.warehouse`; known here: `direction`, `every`, `guard`, `jitter`, `on_drift`, `price_group`
        39: `integrations.y.connector` is missing
        39: `integrations.y.type` is missing
        40: `integrations.y.guard.max_changed` must be at most "100%"
        41: `integrations.y.guard.max_zeroed` must be a percentage such as "50%"
        "#);
}

#[test]
fn what_cannot_be_written_cannot_be_sent_to() {
    let found = errors(&format!(
        "{PLACES}[integrations.a]\ntype='store'\nconnector='api'\nsource='a'\n\
         fields={{ quantity='q' }}\n[integrations.a.stock]\nwarehouse='main'\ndirection='send'\n\
         [integrations.a.prices]\nprice_group='retail'\ndirection='send'\n"
    ));
    insta::assert_snapshot!(found, @r#"
        12: `integrations.a.stock.direction` cannot be "send": nothing can be written there
        13: `integrations.a.prices`: map `price` under `fields`
        "#);
}

#[test]
fn a_wholesaler_is_never_sent_to() {
    let found = errors(&format!(
        "{PLACES}[integrations.a]\ntype='wholesaler'\nconnector='api'\nsource='a'\n\
         fields={{ quantity='q' }}\n[integrations.a.stock]\nwarehouse='main'\ndirection='send'\n"
    ));
    insta::assert_snapshot!(found, @r#"12: `integrations.a.stock.direction` cannot be "send": a wholesaler is only ever read; write "download" or "off", or `type = "store"` where this is a store"#);
}

#[test]
fn a_section_needs_its_place_unless_it_is_off() {
    let found = errors_of_store("[integrations.a.stock]\ndirection='download'");
    insta::assert_snapshot!(found, @"1: `integrations.a.stock.warehouse` is missing; declared: `main`");
    assert_eq!(errors_of_store("[integrations.a.stock]\ndirection='off'"), "");
    let found = errors_of_store("[integrations.a.stock]\ndirection='off'\nwarehouse='mein'");
    insta::assert_snapshot!(found, @"3: undeclared warehouse in `integrations.a.stock.warehouse`: did you mean `main`? declared under [warehouses]: `main`");
    let found = errors_of_store("[integrations.a.stock]\nwarehouse='main'");
    insta::assert_snapshot!(found, @"1: `integrations.a.stock.direction` is missing");
    let found = errors("[integrations.a.stock]\ndirection='download'\n");
    insta::assert_snapshot!(found, @"
        1: `integrations.a.connector` is missing
        1: `integrations.a.stock.warehouse` is missing; declare one under [warehouses]
        1: `integrations.a.type` is missing
        ");
}

#[test]
fn on_drift_is_only_for_sending() {
    let section = |direction: &str| {
        errors_of_store(&format!(
            "[integrations.a.stock]\ndirection='{direction}'\nwarehouse='main'\non_drift='hold'"
        ))
    };
    assert_eq!((section("send"), section("off")), (String::new(), String::new()));
    insta::assert_snapshot!(section("download"), @r#"4: `integrations.a.stock.on_drift` is only for `direction = "send"`"#);
}

#[test]
fn jitter_goes_with_every_and_is_not_longer() {
    let found =
        |keys: &str| errors_of_store(&format!("[integrations.a.stock]\ndirection='off'\n{keys}"));
    assert_eq!(found("every='15m'\njitter='15m'"), "");
    insta::assert_snapshot!(found("jitter='2m'"), @"3: `integrations.a.stock.jitter` goes with `every`, which is missing");
    insta::assert_snapshot!(found("every='15m'\njitter='15m1s'"), @"4: `integrations.a.stock.jitter` must not be longer than `every`");
    insta::assert_snapshot!(found("every='15m'\njitter='soon'"), @r#"4: `integrations.a.stock.jitter` must be a duration such as "30s", "15m", "4h", "1d" or "1h30m""#);
}

#[test]
fn every_must_be_a_duration_of_some_length() {
    for (every, good) in [("15m", true), ("1h30m", true), ("0m", false), ("daily", false)] {
        let found =
            errors_of_store(&format!("[integrations.a.stock]\ndirection='off'\nevery='{every}'"));
        assert_eq!(found.is_empty(), good, "{found}");
        assert!(good || found.starts_with("3: `integrations.a.stock.every`"), "{found}");
    }
}

#[test]
fn names_are_letters_digits_underscores_and_hyphens() {
    let keys = ["A-b_9", "", "a.b", "a b", "é", "a\\nb"];
    for (at, key) in keys.into_iter().enumerate() {
        for table in ["warehouses", "price_groups", "integrations"] {
            let value = match table {
                "integrations" => "{ type='store', connector='csv', source='s', fields={} }",
                _ => "{ currency='EUR' }",
            };
            let value = if table == "warehouses" { "'x'" } else { value };
            let found = errors(&format!("[{table}]\n\"{key}\" = {value}"));
            assert_eq!(found.is_empty(), at == 0, "{key}: {found}");
            assert!(at == 0 || found.contains("2: `") && found.lines().count() == 1, "{found}");
        }
    }
}

#[test]
fn a_renamed_key_is_followed_by_one_key_and_gone() {
    let found = errors(
        "[warehouses]\na = { renamed_from='old' }\nb = { renamed_from='old' }\n\
         c = { renamed_from='a' }\nd = { renamed_from='d' }\ne = { renamed_from='' }\n\
         [price_groups]\na = { currency='EUR', renamed_from='old' }\n",
    );
    insta::assert_snapshot!(found, @"
        3: `warehouses.b.renamed_from` names a key that `warehouses.a` is renamed from already
        4: `warehouses.c.renamed_from` names a key that is still declared in line 2: remove one of the two
        5: `warehouses.d.renamed_from` names a key that is still declared in line 5: remove one of the two
        6: `warehouses.e.renamed_from` is not a valid name: use only letters (a to z, A to Z), digits, `_` and `-`
        ");
}

#[test]
fn a_place_without_a_name_shows_its_key() {
    let config = parse("[warehouses]\na={}\nb=' '\nc='${INVSYNC_UNSET:-See}'\n").unwrap();
    let names: Vec<_> = config.warehouses.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "See"]);
}

#[test]
fn places_and_integrations_keep_the_order_of_the_file() {
    let config = parse("[warehouses]\nz='Z'\na='A'\nm='M'\n").unwrap();
    let keys: Vec<_> = config.warehouses.iter().map(|place| place.key.as_str()).collect();
    assert_eq!(keys, ["z", "a", "m"]);
}

#[test]
fn two_integrations_into_one_place_are_a_warning() {
    let one = |name: &str, direction: &str| {
        format!(
            "[integrations.{name}]\ntype='store'\nconnector='csv'\nsource='s'\n\
             fields={{ quantity='q' }}\nstock={{ direction='{direction}', warehouse='main' }}\n"
        )
    };
    let text =
        format!("{PLACES}{}{}{}", one("b", "download"), one("a", "download"), one("c", "send"));
    let config = parse(&text).unwrap();
    let warnings = config.rivals();
    let warnings: Vec<_> = warnings.iter().map(|w| (w.line, w.message.as_str())).collect();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].0, 16);
    insta::assert_snapshot!(warnings[0].1, @"`integrations.a.stock` downloads into the warehouse `main`, as `integrations.b.stock` does: each overwrites the values of the other");
}

#[test]
fn a_connector_that_gave_up_brings_no_errors_but_its_own() {
    let found = errors(&format!(
        "{PLACES}[integrations.a]\ntype='wholesaler'\nconnector='early'\nsource='s'\nlinkby=[]\n\
         [integrations.a.prices]\ndirection='download'\nprice_group='retail'\n\
         [integrations.b]\ntype='store'\nconnector='mute'\nsource='s'\n"
    ));
    insta::assert_snapshot!(found, @r#"
        5: currency Some(Currency(EUR)), store false
        9: unknown key `integrations.a.linkby`; did you mean `link_by`?
        13: `integrations.b`: the connector "mute" cannot be used with these keys
        "#);
}

#[test]
fn a_variable_of_a_structural_value_must_be_set() {
    let found = errors_of_store("[integrations.a.stock]\ndirection='${INVSYNC_UNSET}'");
    insta::assert_snapshot!(found, @"2: `integrations.a.stock.direction`: the environment variable INVSYNC_UNSET is not set");
}

#[test]
fn broken_syntax_is_reported_with_all_else_that_is_sure() {
    let found = errors(
        "[warehouses]\nmain = Main\n[integrations.a]\ntype = \"store\nconnector = \"cvs\"\n\
         [integrations.a.stock]\ndirection = \"up\"\nwarehouse = \"main\"\n[integrations.b\n\
         type = 1\n[integrations.c]\nconnector = 'cvs'\n[integrations.d]\nconnector = 'early'\n[warehouses]\n",
    );
    insta::assert_snapshot!(found, @r#"
        2: not valid TOML: string values must be quoted, expected literal string
        4: not valid TOML: invalid basic string, expected `"`
        7: `integrations.a.stock.direction` must be "download", "send" or "off"
        9: not valid TOML: unclosed table, expected `]`
        12: unknown connector in `integrations.c.connector`: did you mean "csv"? known are "csv", "api", "shop", "early", "mute"
        15: not valid TOML: duplicate key
        "#);
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_no_errors() {
    let text = format!("\u{feff}{}", FULL.replace('\n', "\r\n"));
    assert_eq!(errors(&text), "");
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let shown = |path: &Path| {
        let shown = Config::load(path).err().map(|errors| errors.to_string()).unwrap_or_default();
        shown.replace(&*folder.path().to_string_lossy(), "")
    };
    let path = folder.path().join("invsync.toml");
    assert_eq!(shown(folder.path()), ": is a folder; the config is a file");
    assert!(shown(&path).starts_with("/invsync.toml: cannot be read: No such file"));
    std::fs::write(&path, b"# one\n# caf\xe9\n").unwrap();
    assert_eq!(
        shown(&path),
        "/invsync.toml: is not UTF-8 text (first in line 2): save it as UTF-8"
    );
    std::fs::write(&path, b"a = \"\0\"\n").unwrap();
    assert!(shown(&path).starts_with("/invsync.toml:1: not valid TOML"), "{}", shown(&path));
    std::fs::write(&path, b"[warehouses]\nmain = 'Main'\n").unwrap();
    assert_eq!(Config::load(&path).unwrap().warehouses.len(), 1);
}

#[test]
fn problems_have_the_form_of_check() {
    let found = parse("x = 1\n").unwrap_err().findings();
    assert_eq!(found.len(), 1);
    let problem = &found[0].problem;
    assert_eq!((problem.line, problem.kind.word()), (Some(1), "config"));
    assert_eq!(problem.file.as_deref(), Some("shop/invsync.toml"));
    let found = ConfigErrors::of_file(Path::new("x"), "is missing").findings();
    assert_eq!(found[0].problem.line, None);
}

/// Every string of the full config becomes a marker, in every way that a string can be written.
#[test]
fn no_message_holds_a_value() {
    let strings = [
        "\"MARKER\"",
        "'MARKER'",
        "'${MARKER x}'",
        "'${MARKER'",
        "'${INVSYNC_UNSET:-MARKER}'",
        "'''MARKER'''",
        "{ file = 'MARKER' }",
        "{ command = ['MARKER'] }",
        "{ command = ['sh', '-c', 'echo MARKER; exit 1'] }",
        "{ command = ['echo', 'MARKER'] }",
        "{ env = 'MARKER x' }",
        "{ env = 'A', file = 'MARKER' }",
        "['MARKER']",
        "['MARKER', ['MARKER'], { x = 'MARKER' }]",
        "MARKER",
        "\"MARKER",
        "'MARKER' MARKER",
        "'MARKER' # '",
    ];
    for string in strings {
        let text: String = FULL
            .lines()
            .map(|line| match line.split_once(" = ") {
                Some((key, _)) => format!("{key} = {string}\n"),
                None => format!("{line}\n"),
            })
            .collect();
        let shown = errors(&text);
        assert!(shown.lines().count() > 10, "{shown}");
        assert!(!shown.contains("MARKER"), "{string}: {shown}");
    }
    let debug = format!("{:?}", parse(&FULL.replace("inventory.db", "MARKER")).unwrap());
    assert!(!debug.contains("MARKER"), "{debug}");
}

/// A piece of a config, right or wrong.
fn piece() -> impl Strategy<Value = String> {
    let lines: Vec<&'static str> = FULL.lines().collect();
    prop_oneof![
        4 => proptest::sample::select(lines).prop_map(str::to_owned),
        1 => "[\\[\\]{}\"'=.,#a-z$ \n]{0,12}",
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn any_text_is_read_without_a_panic(pieces in proptest::collection::vec(piece(), 0..24)) {
        let text = pieces.join("\n");
        if let Err(found) = parse(&text) {
            prop_assert!(!found.errors.is_empty());
            let shown = found.errors.len() + found.warnings.len();
            prop_assert_eq!(found.to_string().lines().count(), shown);
            prop_assert!(found.errors.is_sorted_by_key(|error| error.line));
        }
    }
}

#[test]
fn the_guards_on_deliveries_and_single_prices_are_read() {
    let text = "[warehouses]\nmain='M'\n[integrations.a]\ntype='store'\nconnector='csv'\nsource='s'\nfields={quantity='q'}\n\
                [integrations.a.stock]\ndirection='download'\nwarehouse='main'\n\
                [integrations.a.guard]\nmin_items=100\nsentinels=['MUG-01', ' MUG-02 ']\n\
                same_factor='allow'\nmin_price='0.50'\nmax_price=1000\nmissing_after=3\n";
    let config = parse(text).unwrap();
    let guard = &config.integrations[0].stock[0].guard;
    assert_eq!(
        (guard.min_items, guard.missing_after, guard.hold_same_factor),
        (Some(100), 3, false)
    );
    assert_eq!(guard.sentinels, ["MUG-01", "MUG-02"]);
    let show = |price: Option<crate::model::Decimal>| price.map(|price| price.to_string());
    assert_eq!(show(guard.min_price).as_deref(), Some("0.5"));
    assert_eq!(show(guard.max_price).as_deref(), Some("1000"));
}

/// A store `a` of the connector `shop` with these lines below its own.
fn shop(lines: &str) -> String {
    format!(
        "[warehouses]\nmain='Main'\noutlet='Outlet'\n[price_groups]\nretail={{currency='EUR'}}\n\
         [integrations.a]\ntype='store'\nconnector='shop'\nsource='a'\n\
         fields={{ quantity='q', price='p' }}\n{lines}"
    )
}

#[test]
fn sections_name_places_at_the_store() {
    let config = parse(&shop(
        "stock={direction='send',warehouse='main',location=' Gdańsk '}\n\
         prices={direction='send',price_group='retail',price_list='B2B'}\n",
    ))
    .unwrap();
    let [part] = config.integrations[0].parts.as_slice() else { panic!("one source") };
    assert_eq!((part.key.as_str(), part.sections.len()), ("", 2));
    assert_eq!(part.places.location(), Some("Gdańsk"));
    assert_eq!(part.places.get(StorePlaceKind::PriceList), Some("B2B"));
}

#[test]
fn each_of_several_locations_is_a_source_with_a_warehouse_of_its_own() {
    let config = parse(&shop(
        "stock={direction='send',locations={sloc_1='main','Second one'='outlet'}}\n\
         prices={direction='send',price_group='retail'}\n",
    ))
    .unwrap();
    let integration = &config.integrations[0];
    let shown = |part: &Part| {
        let fed = integration.all_sections().filter(|(section, s)| part.feeds(*section, s));
        let fed: Vec<_> = fed.map(|(_, settings)| settings.place.clone()).collect();
        format!("{}: {}", part.key, fed.join(","))
    };
    let parts: Vec<_> = integration.parts.iter().map(shown).collect();
    let expected = [": retail", "stock@sloc_1: main", "stock@Second one: outlet"];
    assert_eq!(parts, expected);
}

#[test]
fn places_that_a_connector_does_not_know_or_that_clash_are_errors() {
    let unknown = "[integrations.a.stock]\ndirection='send'\nwarehouse='main'\nlocation='Main'\n\
                   [integrations.a.prices]\ndirection='send'\nprice_group='retail'\nregion='DE'\n";
    insta::assert_snapshot!(errors_of_store(unknown), @r#"
    4: `integrations.a.stock.location`: the connector "csv" knows no location; leave it out
    8: `integrations.a.prices.region`: the connector "csv" knows no region; leave it out
    "#);
    let region = shop(
        "[integrations.a.prices]\ndirection='send'\nprice_group='retail'\nregion='DE'\n\
         [integrations.a.stock]\ndirection='send'\nwarehouse='main'\nlocation=''\n",
    );
    insta::assert_snapshot!(errors(&region), @r#"
    14: `integrations.a.prices.region`: the connector "shop" knows no region; it knows `price_list`
    18: `integrations.a.stock.location` must be the id or the name of a location
    "#);
    let clash = shop(
        "[integrations.a.stock]\ndirection='send'\nwarehouse='main'\nlocation='Main'\n\
         [integrations.a.stock.locations]\nA='main'\nB='main'\nC='mian'\n",
    );
    insta::assert_snapshot!(errors(&clash), @r#"
    13: `integrations.a.stock.warehouse` cannot stand beside `integrations.a.stock.locations`: it says the same
    14: `integrations.a.stock.location` cannot stand beside `integrations.a.stock.locations`: it says the same
    17: `integrations.a.stock.locations.B`: another location has the warehouse `main` already; each needs one of its own
    18: undeclared warehouse in `integrations.a.stock.locations.C`: did you mean `main`? declared under [warehouses]: `main`, `outlet`
    "#);
    let empty = shop("stock={direction='send',locations={}}\n");
    insta::assert_snapshot!(errors(&empty), @r#"11: `integrations.a.stock.locations` is empty; write { "Main store" = "main" }"#);
}

#[test]
fn which_places_a_section_may_name_its_own_connector_decides() {
    let parted = |connector: &str, location: &str| {
        format!(
            "[warehouses]\nmain='Main'\n[integrations.a]\ntype='store'\n{connector}\n\
             [integrations.a.stock]\ndirection='send'\nwarehouse='main'\nconnector='csv'\n\
             source='a'\nfields={{ quantity='q' }}\n{location}\n"
        )
    };
    for shared in ["connector='shop'\nsource='b'\nfields={ price='p' }", ""] {
        let found = errors(&parted(shared, "location='Main'"));
        assert!(found.contains("the connector \"csv\" knows no location; leave it out"), "{found}");
    }
    let found = errors(&parted("connector='shop'\nsource='b'\nfields={ price='p' }", "typo=1"));
    assert!(!found.contains("`location`"), "{found}");
    let shop = parted("connector='csv'\nsource='b'\nfields={ price='p' }", "location='Main'");
    let config =
        parse(&shop.replacen("connector='csv'\nsource='a'", "connector='shop'\nsource='a'", 1));
    let integration = &config.unwrap().integrations[0];
    assert_eq!(integration.parts.last().unwrap().places.location(), Some("Main"));
}
