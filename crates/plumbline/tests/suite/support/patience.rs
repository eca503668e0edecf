use std::time::Duration;

use testkit::http::Response;
use tokio::time::{Instant, interval};

/// Nothing in these tests takes this long unless it is broken.
pub const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks until there is something to see, or until the test has failed.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut every = interval(LOOK_EVERY);
    loop {
        every.tick().await;
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(Instant::now() < deadline, "not in {PATIENCE:?}: {what}");
    }
}

/// Asks until the answer is not 503: privileged routes refuse while a process has not heard for a
/// moment which sessions have ended, and on a busy machine that moment comes.
pub async fn available(mut ask: impl AsyncFnMut() -> Response) -> Response {
    eventually("the service is available", async || {
        let answer = ask().await;
        (answer.status != 503).then_some(answer)
    })
    .await
}
