#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| console_gateway::fuzzing::events(bytes));
