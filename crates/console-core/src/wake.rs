//! Did the computer sleep, was its clock set, is it on another network? Then nothing that was known of time and connections
//! can be relied on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use netwatcher::async_adapter::Tokio;
use tokio::{sync::watch, time};

use crate::clock::{Clock, UnixTime};

/// How often the clocks are compared.
const EVERY: Duration = Duration::from_secs(1);
/// A difference of this many seconds is no matter of rounding.
const JUMP: i64 = 3;
/// Networks change in several steps within a moment: they are one change.
const SETTLES: Duration = Duration::from_millis(500);

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The clock went on without this program, by this many seconds: it slept, or the clock was set. Negative: set back.
    Jumped(i64),
    /// Addresses of this computer came or went.
    Network,
}

/// Waits for the next jump of `clock` against the time that passed for this program.
///
/// While a computer sleeps the one goes on and the other does not (on Windows both do: then the wait itself took too long).
pub async fn jump(clock: &dyn Clock) -> Wake {
    let mut before = Reading::now(clock);
    loop {
        time::sleep(EVERY).await;
        let now = Reading::now(clock);
        if let Some(jumped) = jumped(before, now) {
            return Wake::Jumped(jumped);
        }
        before = now;
    }
}

/// The two clocks at one moment.
#[derive(Clone, Copy)]
struct Reading {
    clock: UnixTime,
    passed: Instant,
}

impl Reading {
    fn now(clock: &dyn Clock) -> Self {
        Self { clock: clock.now(), passed: Instant::now() }
    }
}

fn jumped(before: Reading, now: Reading) -> Option<i64> {
    let passed = now.passed.duration_since(before.passed);
    let by_clock = now.clock.seconds_since(before.clock);
    let seconds = i64::try_from(passed.as_secs()).unwrap_or(i64::MAX);
    let jump = by_clock.saturating_sub(seconds);
    if jump.abs() >= JUMP {
        return Some(jump);
    }
    (passed >= EVERY * 10).then_some(seconds)
}

/// The computer's networks: changes whenever one of its addresses comes or goes. Needs a tokio runtime.
pub fn networks() -> watch::Receiver<()> {
    let (changes, networks) = watch::channel(());
    match netwatcher::watch_interfaces_async::<Tokio>() {
        Ok(mut system) => {
            tokio::spawn(async move {
                loop {
                    tokio::select! {
                        // What there is at the beginning is no change.
                        update = system.changed() => if !update.is_initial { changes.send_replace(()); },
                        () = changes.closed() => return,
                    }
                }
            });
        }
        Err(error) => tracing::warn!(%error, "changes of the network cannot be heard of"),
    }
    networks
}

/// Tells of every change until the receiver is gone. `networks` are [`networks()`], or a test's.
pub async fn watch(clock: Arc<dyn Clock>, mut networks: watch::Receiver<()>, woke: impl Fn(Wake) -> bool) {
    loop {
        let wake = tokio::select! {
            wake = jump(&*clock) => wake,
            wake = next_network(&mut networks) => wake,
        };
        if !woke(wake) {
            return;
        }
    }
}

async fn next_network(networks: &mut watch::Receiver<()>) -> Wake {
    if networks.changed().await.is_err() {
        // Nobody tells of any.
        return std::future::pending().await;
    }
    while let Ok(Ok(())) = time::timeout(SETTLES, networks.changed()).await {}
    Wake::Network
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Reading, jumped};
    use crate::clock::UnixTime;

    #[test]
    fn a_sleep_and_a_clock_that_was_set_are_told_from_time_that_passed() {
        let start = Instant::now();
        let at = |clock, passed| Reading { clock: UnixTime(clock), passed: start + Duration::from_millis(passed) };
        let before = at(1_000, 0);
        assert_eq!(jumped(before, at(1_001, 1_000)), None);
        assert_eq!(jumped(before, at(1_002, 1_050)), None, "rounding");
        assert_eq!(jumped(before, at(1_000 + 8 * 3600, 1_000)), Some(8 * 3600 - 1));
        assert_eq!(jumped(before, at(400, 1_000)), Some(-601));
        assert_eq!(jumped(before, at(1_900, 900_000)), Some(900), "both went on while this program did not run");
    }
}
