#![no_main]
use libfuzzer_sys::fuzz_target;

const OPTIONS: &str = "items = '/s/i'\nfields = { sku = '@id', quantity = 'q', price = { path = 'p', decimal = 'auto' } }";

fuzz_target!(|bytes: &[u8]| invsync_fuzz::read("xml", OPTIONS, bytes));
