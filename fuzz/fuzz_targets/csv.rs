#![no_main]
use libfuzzer_sys::fuzz_target;

const OPTIONS: &str = "fields = { sku = '#1', quantity = '#2', price = { path = '#3', decimal = 'auto' } }";

fuzz_target!(|bytes: &[u8]| invsync_fuzz::read("csv", OPTIONS, bytes));
