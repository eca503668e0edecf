//! Limits how often something may be tried: [`RateLimiter`] by quota, [`Budget`] by quota and what
//! each request costs, [`Backoff`] by failures in a row. All replicas share the counts through Redis; while it is away, each counts for itself.
//!
//! Redis counts by its own clock, so that replicas whose clocks differ agree; a process alone by
//! the injected one.

mod backoff;
mod budget;
mod gcra;
mod limiter;
mod memory;
#[cfg(test)]
mod tests;

use std::{num::NonZeroU32, time::Duration};

use actix_web::http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use aws_lc_rs::hmac;
use cache::RedisLink;
use contracts::ErrorCode;
use kernel::SharedClock;

use crate::problem::Problem;

pub use backoff::{Backoff, BackoffPolicy};
pub use budget::{Allowance, Budget, Payer};
pub use limiter::{Charge, RateLimiter};

/// draft-ietf-httpapi-ratelimit-headers-09, §4 and §3.
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// So many requests in so much time: at once, or spread over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Names it in the answer, the metrics and Redis: lower-case letters, digits and hyphens.
    pub name: &'static str,
    pub limit: NonZeroU32,
    pub per: Duration,
}

impl Quota {
    /// One request of `subject` against this quota.
    #[must_use]
    pub fn charge<'a>(&'a self, subject: &'a [u8]) -> Charge<'a> {
        Charge {
            quota: self,
            subject,
        }
    }
}

/// Tried too often: wait, then try again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more than {} requests in {:?} ({}): try again in {retry_after:?}", .quota.limit, .quota.per, .quota.name)]
pub struct TooMany {
    pub quota: Quota,
    pub retry_after: Duration,
}

impl From<TooMany> for Problem {
    fn from(too_many: TooMany) -> Self {
        let headers = too_many.headers().into_iter();
        let problem = Self::new(ErrorCode::TooManyRequests);
        headers.fold(problem, |problem, (name, value)| {
            problem.header(name, value)
        })
    }
}

impl TooMany {
    /// Whole seconds, rounded up, as RFC 9110 §10.2.3 has them.
    #[must_use]
    pub fn retry_after_seconds(&self) -> u64 {
        u64::try_from(self.retry_after.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
    }

    /// What the answer carries: `Retry-After`, `RateLimit` and `RateLimit-Policy`.
    #[must_use]
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 3] {
        let remaining = remaining_value(self.quota.name, 0, self.retry_after);
        [
            (RETRY_AFTER, HeaderValue::from(self.retry_after_seconds())),
            (RATE_LIMIT, remaining),
            (RATE_LIMIT_POLICY, policy_value(&self.quota)),
        ]
    }
}

fn remaining_value(name: &str, remaining: u32, wait: Duration) -> HeaderValue {
    let seconds = wait.as_millis().div_ceil(1000);
    value(format!("\"{name}\";r={remaining};t={seconds}"))
}

fn policy_value(quota: &Quota) -> HeaderValue {
    let Quota { name, limit, per } = quota;
    value(format!("\"{name}\";q={limit};w={}", per.as_secs().max(1)))
}

/// Digits and a name of ours are always a header's value.
fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

type SubjectHash = [u8; 16];

/// Who is counted, and where. People's addresses are hashed with a secret first: neither Redis nor
/// a dump of this process shows whose they are.
#[derive(Clone)]
pub struct Subjects {
    secret: hmac::Key,
    clock: SharedClock,
    redis: Option<(RedisLink, String)>,
}

impl Subjects {
    /// Counted in this process. `secret` is at least 32 bytes.
    #[must_use]
    pub fn in_memory(secret: &[u8], clock: SharedClock) -> Self {
        Self {
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret),
            clock,
            redis: None,
        }
    }

    /// Counted in Redis, in keys that begin with `namespace`, by all replicas with this secret.
    #[must_use]
    pub fn over(redis: RedisLink, namespace: &str, secret: &[u8], clock: SharedClock) -> Self {
        Self {
            redis: Some((redis, namespace.to_owned())),
            ..Self::in_memory(secret, clock)
        }
    }

    fn redis(&self) -> Option<&RedisLink> {
        self.redis.as_ref().map(|(redis, _)| redis)
    }

    fn key(&self, kind: &str, name: &str, subject: &[u8]) -> String {
        self.key_of(kind, name, self.hash(name, subject))
    }

    fn key_of(&self, kind: &str, name: &str, subject: SubjectHash) -> String {
        let namespace = self.redis.as_ref().map_or("", |(_, namespace)| namespace);
        let hash = u128::from_be_bytes(subject);
        format!("{namespace}:{kind}:{name}:{hash:032x}")
    }

    /// Half of HMAC-SHA-256 over the name and the subject.
    fn hash(&self, name: &str, subject: &[u8]) -> SubjectHash {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(name.as_bytes());
        // A name has no such byte: different pairs are different texts.
        context.update(&[0]);
        context.update(subject);
        let mut hash = SubjectHash::default();
        let length = hash.len();
        hash.copy_from_slice(&context.sign().as_ref()[..length]);
        hash
    }

    fn now(&self) -> gcra::Micros {
        self.clock.now().timestamp_micros()
    }
}
