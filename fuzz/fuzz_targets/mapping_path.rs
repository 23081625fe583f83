#![no_main]
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| invsync_fuzz::read_by_paths(text));
