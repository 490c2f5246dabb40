//! Does the memory of this process stay what it was after the warm-up?

use std::time::{Duration, Instant};

/// How much more than after the warm-up it may be at the end, in KiB: what allocators keep back varies by about as much.
pub(crate) const MOST_GROWTH: u64 = 6 * 1024;
const EVERY: Duration = Duration::from_secs(2);
/// How much of the run is warm-up: a fifth.
const WARM_UP: usize = 5;

/// What was measured, in KiB.
#[derive(Default)]
pub(crate) struct Memory {
    samples: Vec<u64>,
    last: Option<Instant>,
}

impl Memory {
    /// Measures, if the last time is long enough ago.
    pub(crate) fn sample(&mut self) {
        if self.last.is_none_or(|last| last.elapsed() >= EVERY) {
            self.last = Some(Instant::now());
            self.samples.extend(resident());
        }
    }

    /// The median of the first quarter after the warm-up and of the last quarter; `None` when too little was measured.
    pub(crate) fn before_and_after(&self) -> Option<(u64, u64)> {
        let steady = &self.samples[self.samples.len() / WARM_UP..];
        let quarter = steady.len() / 4;
        (quarter > 0).then(|| (median(&steady[..quarter]), median(&steady[steady.len() - quarter..])))
    }
}

fn median(samples: &[u64]) -> u64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// `VmRSS` of proc(5); elsewhere nothing is measured, and the run says so.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}
