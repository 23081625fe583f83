#![no_main]
use libfuzzer_sys::fuzz_target;

const OPTIONS: &str = "header_row = 0\nfields = { sku = '#1', quantity = '#2', price = '#3' }";

fuzz_target!(|bytes: &[u8]| invsync_fuzz::read("xlsx", OPTIONS, bytes));
