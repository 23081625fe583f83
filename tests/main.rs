//! The tests of the program as its users run it: one module a capability, all through the real
//! binary. One test binary holds them all, so that they are linked once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod check;
mod ci_examples;
mod config;
mod conformance;
mod csv_dialects;
mod dialects;
mod dry_run;
mod edifact;
mod engine_properties;
mod explain;
mod fake_woocommerce;
mod faults;
mod feed_samples;
mod feeds_http;
mod feeds_lacking;
mod feeds_local;
mod feeds_packed;
mod feeds_servers;
mod feeds_unchanged;
mod guards;
mod help;
mod history;
mod hostile;
mod html;
mod inventory;
mod jobs;
mod linking;
mod links_file;
mod locks;
mod mapping;
mod mapping_language;
mod mapping_sources;
mod plans;
mod power_loss;
mod presets;
mod pull;
mod push;
mod readme;
mod reports;
mod schema;
mod section_sources;
mod signals;
mod support;
mod surroundings;
mod sync;
mod undecodable;
mod undo;
mod woocommerce;
mod xlsx;
