//! The tests of the program as its users run it: one module a capability, all through the real
//! binary. One test binary holds them all, so that they are linked once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod conformance;
mod dry_run;
mod guards;
mod history;
mod linking;
mod locks;
mod pull;
mod push;
mod support;
mod sync;
