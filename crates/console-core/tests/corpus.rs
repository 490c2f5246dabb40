//! Does every seed of the fuzz targets keep the promises of this crate?

#[path = "../../../fuzz/replay.rs"]
mod replay;

use console_core::fuzzing;

#[test]
fn every_seed_of_the_fuzz_targets_keeps_its_promise() {
    replay::seeds(&[
        ("base_url", fuzzing::base_url),
        ("claims", fuzzing::claims),
        ("environments", fuzzing::environments),
        ("token", fuzzing::token),
    ]);
}
