//! Does every input that was ever of interest still keep its promise? A target's seeds, and each beginning of each of them,
//! without a sanitizer: an ordinary test of the crate that the target is about.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

/// Its name, and what it promises.
type Target = (&'static str, fn(&[u8]));

/// Runs every target over its seeds in `fuzz/seeds`; the inputs that break a promise are named.
pub(super) fn seeds(targets: &[Target]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let mut broken = Vec::new();
    for (name, target) in targets {
        let seeds = fs::read_dir(folder.join(name)).unwrap_or_else(|error| panic!("no seeds of `{name}`: {error}"));
        let mut tried = 0;
        for seed in seeds {
            let path = seed.expect("an entry").path();
            let bytes = fs::read(&path).expect("a seed");
            let breaks = |length: &usize| catch_unwind(AssertUnwindSafe(|| target(&bytes[..*length]))).is_err();
            if let Some(length) = (0..=bytes.len()).rev().find(breaks) {
                broken.push(format!("{}, its first {length} bytes", path.display()));
            }
            tried += 1;
        }
        assert!(tried > 0, "`{name}` has no seeds");
    }
    assert!(broken.is_empty(), "broken by:\n{}", broken.join("\n"));
}
