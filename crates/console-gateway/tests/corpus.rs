//! Does every seed of the fuzz targets keep the promises of this crate?

#[path = "../../../fuzz/replay.rs"]
mod replay;

use console_gateway::fuzzing;

#[test]
fn every_seed_of_the_fuzz_targets_keeps_its_promise() {
    replay::seeds(&[
        ("addresses", fuzzing::addresses),
        ("admission", fuzzing::admission),
        ("cookies", fuzzing::cookies),
        ("events", fuzzing::events),
        ("html", fuzzing::html),
        ("next", fuzzing::next),
        ("policy", fuzzing::policy),
        ("request_headers", fuzzing::request_headers),
        ("request_heads", fuzzing::request_heads),
        ("response_headers", fuzzing::response_headers),
        ("ticket", fuzzing::ticket),
        ("writes", fuzzing::writes),
    ]);
}
