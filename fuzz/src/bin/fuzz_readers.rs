//! The target of libFuzzer: the case that the bytes are, read by the target that the environment names.

#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use vitalcast_fuzz::{Bench, Target};

/// Names the target.
const VARIABLE: &str = "VITALCAST_FUZZ";

static READING: OnceLock<(Bench, Target)> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let (bench, target) = READING.get_or_init(|| {
        let name = std::env::var(VARIABLE).unwrap_or_default();
        let target = name
            .parse()
            .unwrap_or_else(|why| panic!("{VARIABLE}: {why}"));
        (Bench::new().expect("a folder for the files"), target)
    });
    bench.read(*target, bytes);
});
