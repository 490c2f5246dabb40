//! Waits for the thing, not for the clock.

use std::time::{Duration, Instant};

/// How long anything may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Asks until there is an answer.
pub(crate) async fn eventually<T, F: AsyncFnMut() -> Option<T>>(what: &str, ask: F) -> T {
    eventually_or(what, ask, async || String::new()).await
}

/// Asks until there is an answer; a failure tells what is there `instead`.
pub(crate) async fn eventually_or<T, F: AsyncFnMut() -> Option<T>, G: AsyncFnOnce() -> String>(
    what: &str,
    mut ask: F,
    instead: G,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < WITHIN, "within {WITHIN:?} there was not: {what}\n{}", instead().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Asks until it is so.
pub(crate) async fn holds<F: AsyncFnMut() -> bool>(what: &str, mut ask: F) {
    eventually(what, async || ask().await.then_some(())).await;
}
