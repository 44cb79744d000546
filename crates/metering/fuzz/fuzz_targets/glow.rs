#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    gridrig_metering::exercise_format("glow", bytes);
});
