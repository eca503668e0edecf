use std::{net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::Behaviour;

#[derive(Clone, Debug)]
pub struct DoubleConfig {
    /// Port 0 takes a free one; [`Running::addr`](crate::Running::addr) tells which.
    pub bind: SocketAddr,
    /// What a caller has to know.
    pub secret_key: SecretString,
    /// Where webhooks go. `None` sends none.
    pub webhook_url: Option<Url>,
    pub webhook_secret: SecretString,
    /// The file that keeps the ledger over a restart. `None` keeps it in memory only.
    pub journal: Option<PathBuf>,
    /// How many intents are remembered, at some 1.5 KB each. Beyond it the oldest is forgotten,
    /// with its refund and their idempotency keys.
    pub max_intents: usize,
    /// How long a bank debit stays `processing`.
    pub settle_after: Duration,
    pub webhook_retry: RetryPolicy,
    /// The switches' first positions. They are not kept over a restart.
    pub behaviour: Behaviour,
}

/// How often an unanswered webhook is sent again: the pause doubles from `first` to `longest`.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub first: Duration,
    pub longest: Duration,
    /// Attempts in all, after which the event is given up: only the API tells then.
    pub attempts: u32,
}

impl DoubleConfig {
    /// Sends no webhooks, keeps no journal, behaves well.
    #[must_use]
    pub fn new(bind: SocketAddr, secret_key: SecretString, webhook_secret: SecretString) -> Self {
        Self {
            bind,
            secret_key,
            webhook_url: None,
            webhook_secret,
            journal: None,
            max_intents: 250_000,
            settle_after: Duration::from_millis(250),
            webhook_retry: RetryPolicy::default(),
            behaviour: Behaviour::default(),
        }
    }
}

impl Default for RetryPolicy {
    /// From 100 ms to 30 s, for about an hour.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(30),
            attempts: 128,
        }
    }
}

impl RetryPolicy {
    /// The pause after the attempt with this number, counted from 0.
    pub(crate) fn pause(&self, attempt: u32) -> Duration {
        self.first
            .saturating_mul(2u32.saturating_pow(attempt))
            .min(self.longest)
    }
}
