//! What the fuzz targets share: a feed from bytes through a connector, to its last row; a shop on the
//! loopback that answers with whatever bytes it is given.
//!
//! `cargo install cargo-fuzz`, then `cargo +nightly fuzz run csv` (or `json`, `xml`, `xlsx`, `edifact`,
//! `config`, `mapping_path`, `woocommerce`).

mod loopback;
mod woocommerce;

pub use woocommerce::ask;

use std::io::Write;
use std::path::Path;

use invsync::around::Around;
use invsync::connector::{Connector, Context, Delivery, REGISTRY, RowBatch, Want};
use invsync::model::StorePlaces;
use invsync::settings::{Document, Problems, Table};
use toml::de::DeTable;

/// Everything that can be wanted of an item.
const EVERYTHING: Want = Want { stock: true, prices: true, names: true };

/// Reads bytes as a feed: any outcome is fine but a panic or a hang. Options that are wrong are
/// refused, which is an outcome too.
pub fn read(connector: &str, options: &str, bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(bytes).expect("room for it");
    let path = file.path().display();
    let text = format!("source = '{path}'\n{options}");
    let document = Document::new(Path::new("fuzz.toml"), text);
    let values = DeTable::parse(document.text()).expect("the options are TOML");
    let problems = Problems::default();
    let mut table = Table::root(&document, &problems, values.get_ref());
    let context = Context::new("x", "/", true);
    let registration = REGISTRY.iter().find(|one| one.name == connector).expect("a connector");
    let Some(settings) = (registration.settings)(&mut table, &context) else { return };
    let places = StorePlaces::default();
    let Ok(connector) = settings.connect(&Around::nobody(), &places) else { return };
    drain(connector.as_ref());
}

/// Reads everything; what the delivery was, where it came to its end.
fn drain(connector: &dyn Connector) -> Option<Delivery> {
    let mut reader = connector.open(EVERYTHING).ok()?;
    let mut batch = RowBatch::default();
    while reader.next(&mut batch).ok()? {}
    reader.finish().ok()
}

/// Reads a feed of two items in each format, with paths as they stand in a config: one a line, for
/// `sku`, `quantity`, `where`, `items` and `variants`.
pub fn read_by_paths(text: &str) {
    let mut paths = text.lines().map(quoted);
    let mut next = |usual: &str| paths.next().unwrap_or_else(|| quoted(usual));
    let (sku, quantity, which) = (next("sku"), next("qty"), next("sku"));
    let (items, variants) = (next("/*"), next("v"));
    let fields = format!(
        "fields = {{ sku = {sku}, quantity = {quantity} }}\nwhere = [{{ path = {which}, not = [''] }}]"
    );
    read("csv", &fields, b"sku,qty\nA,1\nB,2\n");
    let json = br#"{"items":[{"sku":"A","qty":1,"v":[{"sku":"AA"}]},{"sku":"B","qty":{"@a":2}}]}"#;
    let xml = b"<s c='1'><i id='1'><sku>A</sku><qty>1</qty><v><sku>AA</sku></v></i><i/></s>";
    for tree in [format!("items = {items}"), format!("items = {items}\nvariants = {variants}")] {
        let options = format!("{tree}\n{fields}");
        read("json", &options, json);
        read("xml", &options, xml);
    }
}

/// A text in TOML.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seeds of a target, each with all its beginnings.
    fn seeds(target: &str) -> Vec<Vec<u8>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
        let files = std::fs::read_dir(folder).unwrap();
        let seeds = files.map(|file| std::fs::read(file.unwrap().path()).unwrap());
        seeds.flat_map(|seed| (0..=seed.len()).map(move |end| seed[..end].to_vec())).collect()
    }

    #[test]
    fn every_beginning_of_a_seed_is_an_input() {
        for seed in seeds("mapping_path") {
            read_by_paths(&String::from_utf8_lossy(&seed));
        }
        let seeds = seeds("woocommerce");
        assert!(seeds.len() > 500);
        seeds.iter().for_each(|seed| ask(seed));
    }
}
