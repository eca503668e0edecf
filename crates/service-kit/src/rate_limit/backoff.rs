use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cache::{BUDGET, CacheError, RedisLink, Script};

use super::{Quota, SubjectHash, Subjects, TooMany, gcra::Micros, memory::Generations};

/// KEYS: the subject. Returns its wait in microseconds, by the server's clock.
const WAIT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
return math.max(tonumber(redis.call('HGET', KEYS[1], 'until') or now) - now, 0)
";

/// KEYS: the subject. ARGV: the failures that are free, the first and the longest wait in
/// microseconds, and after how many milliseconds it is forgotten.
const FAIL: &str = "
local time = redis.call('TIME')
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if failures > tonumber(ARGV[1]) then
    local wait = tonumber(ARGV[2]) * 2 ^ math.min(failures - ARGV[1] - 1, 40)
    local ends = time[1] * 1000000 + time[2] + math.min(wait, tonumber(ARGV[3]))
    redis.call('HSET', KEYS[1], 'until', string.format('%.0f', ends))
end
return redis.status_reply('OK')
";

/// KEYS: the subject.
const FORGET: &str = "redis.call('DEL', KEYS[1]) return redis.status_reply('OK')";

/// How long a subject must wait after failures in a row.
#[derive(Clone, Copy, Debug)]
pub struct BackoffPolicy {
    /// Names it in the answer and the metrics.
    pub name: &'static str,
    /// From this failure on there is a wait.
    pub threshold: NonZeroU32,
    /// After the failure at the threshold; each further failure doubles it.
    pub first: Duration,
    pub longest: Duration,
    /// Failures are forgotten when there was none for so long.
    pub forgotten_after: Duration,
}

impl BackoffPolicy {
    /// Exponential from the fifth failure on, up to a quarter of an hour.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            threshold: NonZeroU32::MIN.saturating_add(4),
            first: Duration::from_secs(5),
            longest: Duration::from_secs(15 * 60),
            forgotten_after: Duration::from_secs(24 * 60 * 60),
        }
    }

    fn wait(&self, failures: u32) -> Option<Duration> {
        let doublings = failures.checked_sub(self.threshold.get())?;
        let factor = 1_u32.checked_shl(doublings).unwrap_or(u32::MAX);
        Some(self.first.saturating_mul(factor).min(self.longest))
    }
}

/// Holds up who fails again and again. Whether the subject exists makes no difference. Clones share
/// the counts, which are in Redis, or in this process while there is none.
#[derive(Clone)]
pub struct Backoff(Arc<Inner>);

struct Inner {
    subjects: Subjects,
    policy: BackoffPolicy,
    scripts: Scripts,
    local: Mutex<Generations<Failures>>,
}

struct Scripts {
    wait: Script,
    fail: Script,
    forget: Script,
}

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    last: Micros,
    until: Micros,
}

impl Backoff {
    #[must_use]
    pub fn new(subjects: Subjects, policy: BackoffPolicy) -> Self {
        Self(Arc::new(Inner {
            subjects,
            policy,
            scripts: Scripts {
                wait: Script::new(WAIT),
                fail: Script::new(FAIL),
                forget: Script::new(FORGET),
            },
            local: Mutex::default(),
        }))
    }

    /// To be asked before the attempt.
    ///
    /// Attempts at the same time are all let through, so have a [`super::Quota`] as well.
    ///
    /// # Errors
    /// [`TooMany`], while the subject must wait.
    pub async fn check(&self, subject: &[u8]) -> Result<(), TooMany> {
        let shared = self.0.run::<Micros>(&self.0.scripts.wait, subject, &[]);
        let wait = match shared.await {
            Some(Ok(wait)) => wait,
            Some(Err(_)) | None => self.0.local_wait(subject),
        };
        if wait <= 0 {
            return Ok(());
        }
        let name = self.0.policy.name;
        metrics::counter!("plumbline_rate_limited_total", "quota" => name).increment(1);
        Err(TooMany {
            quota: Quota {
                name,
                limit: self.0.policy.threshold,
                per: self.0.policy.longest,
            },
            retry_after: Duration::from_micros(wait.unsigned_abs()),
        })
    }

    /// The attempt failed.
    pub async fn failed(&self, subject: &[u8]) {
        let policy = &self.0.policy;
        let arguments = [
            Micros::from(policy.threshold.get() - 1),
            micros(policy.first),
            micros(policy.longest),
            micros(policy.forgotten_after) / 1000,
        ];
        let shared = self.0.run::<()>(&self.0.scripts.fail, subject, &arguments);
        if !matches!(shared.await, Some(Ok(()))) {
            self.0.fail_locally(subject);
        }
    }

    /// The attempt succeeded: all is forgotten.
    pub async fn succeeded(&self, subject: &[u8]) {
        self.0.forget_locally(subject);
        // Without Redis there was nothing but that; a failing one was counted.
        let _ = self.0.run::<()>(&self.0.scripts.forget, subject, &[]).await;
    }
}

impl Inner {
    /// `None` without Redis.
    async fn run<T: cache::FromRedisValue>(
        &self,
        script: &Script,
        subject: &[u8],
        arguments: &[Micros],
    ) -> Option<Result<T, CacheError>> {
        let redis: &RedisLink = self.subjects.redis()?;
        let mut script = script.prepare_invoke();
        script.key(self.subjects.key("backoff", self.policy.name, subject));
        script.arg(arguments);
        Some(redis.run("backoff", &script, BUDGET).await)
    }

    fn local_wait(&self, subject: &[u8]) -> Micros {
        let now = self.subjects.now();
        let failures = self.local_failures(&self.hash(subject), now);
        failures.map_or(0, |failures| failures.until - now)
    }

    fn fail_locally(&self, subject: &[u8]) {
        let (now, hash) = (self.subjects.now(), self.hash(subject));
        let count = self
            .local_failures(&hash, now)
            .map_or(1, |failures| failures.count.saturating_add(1));
        let wait = self.policy.wait(count).map_or(0, micros);
        let failures = Failures {
            count,
            last: now,
            until: now.saturating_add(wait),
        };
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        local.insert(hash, failures);
    }

    fn forget_locally(&self, subject: &[u8]) {
        let hash = self.hash(subject);
        let mut local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        local.remove(&hash);
    }

    fn local_failures(&self, subject: &SubjectHash, now: Micros) -> Option<Failures> {
        let local = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = local.get(subject).copied();
        failures.filter(|one| now - one.last < micros(self.policy.forgotten_after))
    }

    fn hash(&self, subject: &[u8]) -> SubjectHash {
        self.subjects.hash(self.policy.name, subject)
    }
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX / 4)
}
