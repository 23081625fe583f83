#![no_main]
use libfuzzer_sys::fuzz_target;

const OPTIONS: &str = "fields = { sku = '@3.1', quantity = 'QTY/@1.2', price = 'PRI/@1.2', currency = '/CUX/@1.2' }";

fuzz_target!(|bytes: &[u8]| invsync_fuzz::read("edifact", OPTIONS, bytes));
