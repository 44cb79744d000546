//! Any bytes as commands to the continuous book, with every law asked after each.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| gridrig_market::book::exercise::exercise(bytes));
