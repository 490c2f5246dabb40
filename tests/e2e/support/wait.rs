//! Waits for the thing, not for the clock.

use std::time::{Duration, Instant};

/// How long anything may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
pub(crate) async fn eventually<T, F: AsyncFnMut() -> Option<T>>(what: &str, mut ask: F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < WITHIN, "within {WITHIN:?} there was not: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Asks until it is so.
pub(crate) async fn holds<F: AsyncFnMut() -> bool>(what: &str, mut ask: F) {
    eventually(what, async || ask().await.then_some(())).await;
}
