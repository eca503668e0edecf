use std::time::Duration;

use messaging::consumer::RetryPolicy;
use serde::Deserialize;

/// How often a message is tried that could not be handled.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Retries {
    pub at_once: u32,
    pub first_delay_ms: u64,
    pub longest_delay_seconds: u64,
    pub attempts: u32,
}

impl Retries {
    #[must_use]
    pub const fn policy(&self) -> RetryPolicy {
        RetryPolicy {
            at_once: self.at_once,
            first_delay: Duration::from_millis(self.first_delay_ms),
            longest_delay: Duration::from_secs(self.longest_delay_seconds),
            attempts: self.attempts,
        }
    }
}
