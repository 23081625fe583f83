#![no_main]
use std::path::Path;

use invsync::config::Config;
use invsync::connector::REGISTRY;
use invsync::settings::Document;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let document = Document::new(Path::new("fuzz.toml"), text.to_owned());
    let _ = Config::parse(&document, REGISTRY);
});
