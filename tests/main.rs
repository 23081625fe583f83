//! The tests of the program as its users run it: one module a capability, all through the real
//! binary. One test binary holds them all, so that they are linked once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bad_input;
mod config;
mod conformance;
mod dry_run;
mod edifact;
mod engine_properties;
mod fake_woocommerce;
mod faults;
mod feed_samples;
mod feeds_http;
mod feeds_local;
mod feeds_packed;
mod feeds_servers;
mod feeds_unchanged;
mod guards;
mod history;
mod hostile;
mod inventory;
mod linking;
mod live;
mod locks;
mod mapping;
mod mapping_language;
mod medusa;
mod power_loss;
mod presets;
mod pull;
mod push;
mod readme;
mod reports;
mod section_sources;
mod signals;
mod support;
mod surroundings;
mod sync;
mod undo;
mod woocommerce;
mod xlsx;
