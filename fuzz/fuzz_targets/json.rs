#![no_main]
use libfuzzer_sys::fuzz_target;

const OPTIONS: &str = "items = '/*'\nfields = { sku = 'sku', quantity = 'qty', price = { path = 'price', decimal = 'auto' } }";

fuzz_target!(|bytes: &[u8]| invsync_fuzz::read("json", OPTIONS, bytes));
