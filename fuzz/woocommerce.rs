//! A shop that answers with the bytes of the fuzzer: a page of its products, the echo of a batch, or
//! an error instead of one of them.

use std::path::Path;
use std::sync::LazyLock;

use invsync::around::Around;
use invsync::config::Config;
use invsync::connector::{REGISTRY, Write};
use invsync::model::{Decimal, Section, StorePlaces};
use invsync::settings::Document;

use crate::drain;
use crate::loopback::Loopback;

static SERVER: LazyLock<Loopback> = LazyLock::new(Loopback::start);

/// Statuses that are read each in its own way.
const STATUSES: [u16; 8] = [200, 400, 401, 403, 404, 413, 429, 500];

const PRODUCTS: &str = r#"[{"id":1,"type":"simple","sku":"A","manage_stock":true,"stock_quantity":3,
    "regular_price":"12.30"},{"id":2,"type":"simple","sku":"B","regular_price":"5"}]"#;
const STATUS: &str =
    r#"{"environment":{"version":"10.3.0"},"settings":{"currency":"EUR","number_of_decimals":2}}"#;

/// Reads the shop, sends two values and reads them back. The first byte says which request gets the
/// other bytes, and with which status.
pub fn ask(bytes: &[u8]) {
    let Some((&how, body)) = bytes.split_first() else { return };
    let (is_of_batch, status) = (how & 1 == 1, STATUSES[usize::from(how >> 1) % STATUSES.len()]);
    let body = body.to_vec();
    SERVER.answer(move |method, target| match (method, target.contains("/products")) {
        ("POST", _) if is_of_batch => (status, body.clone()),
        ("GET", true) if !is_of_batch => (status, body.clone()),
        ("GET", true) => (200, PRODUCTS.into()),
        ("GET", _) if target.contains("system_status") => (200, STATUS.into()),
        ("POST", _) => (200, b"{\"update\":[]}".into()),
        _ => (200, b"{\"value\":\"no\"}".into()),
    });
    let port = SERVER.port;
    let text = format!(
        "[inventory]\npath = 'inventory.db'\n[warehouses]\nmain = 'Main'\n[price_groups]\n\
         retail = {{ name = 'Retail', currency = 'EUR' }}\n[integrations.x]\ntype = 'store'\n\
         connector = 'woocommerce'\nurl = 'http://127.0.0.1:{port}'\nconsumer_key = 'ck_1'\n\
         consumer_secret = 'cs_1'\nstock = {{ direction = 'send', warehouse = 'main' }}\n\
         prices = {{ direction = 'send', price_group = 'retail' }}\n[integrations.x.http]\n\
         retries = 0\nretry_budget = '0s'\nmax_requests_per_second = 0\n"
    );
    let document = Document::new(Path::new("fuzz.toml"), text);
    let config = Config::parse(&document, REGISTRY);
    let config = config.unwrap_or_else(|errors| panic!("the config is right: {errors}"));
    let integration = config.integration("x").expect("the integration");
    let settings = &integration.parts[0].settings;
    let connector =
        settings.connect(&Around::nobody(), &StorePlaces::default()).expect("a connector");
    let Some(delivery) = drain(connector.as_ref()) else { return };
    let Ok(Some(writer)) = connector.writer(&delivery) else { return };
    let write = |section, before: &str, after: &str| Write {
        item_id: "1".to_owned(),
        handle: None,
        section,
        before: Decimal::parse(before.as_bytes()).ok(),
        after: Decimal::parse(after.as_bytes()).expect("a number"),
    };
    let batch = [write(Section::Stock, "3", "4"), write(Section::Prices, "12.30", "12.90")];
    assert_eq!(writer.send(&batch).outcomes.len(), batch.len());
    if let Ok(current) = writer.read_back(&batch) {
        assert_eq!(current.len(), batch.len());
    }
}
