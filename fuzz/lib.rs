//! What the fuzz targets share: a feed from bytes through a connector, to its last row.
//!
//! `cargo install cargo-fuzz`, then `cargo +nightly fuzz run csv` (or `json`, `xml`, `xlsx`, `edifact`, `config`).

use std::io::Write;
use std::path::Path;

use invsync::around::Around;
use invsync::connector::{Context, REGISTRY, RowBatch, Want};
use invsync::settings::{Document, Problems, Table};
use toml::de::DeTable;

/// Reads bytes as a feed: any outcome is fine but a panic or a hang.
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
    let settings = (registration.settings)(&mut table, &context).expect("the options are right");
    let want = Want { stock: true, prices: true, names: true };
    let Ok(mut reader) = settings.connect(&Around::nobody()).and_then(|connector| connector.open(want)) else {
        return;
    };
    let mut batch = RowBatch::default();
    while let Ok(true) = reader.next(&mut batch) {}
    let _ = reader.finish();
}
