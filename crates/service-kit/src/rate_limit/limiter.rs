use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use cache::{BUDGET, CacheError, Script};

use super::{
    Quota, Subjects, TooMany,
    gcra::{Micros, Pace},
    memory::Generations,
};

/// KEYS: one a charge. ARGV: for each, the interval and the window, in microseconds. Returns the
/// wait of each, and charges them only if none has to wait. The time is that of the server, the
/// only clock that all replicas share.
const ADMIT: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local arrivals, waits, admitted = {}, {}, true
for i, key in ipairs(KEYS) do
    local interval, latest = tonumber(ARGV[2 * i - 1]), now + tonumber(ARGV[2 * i])
    local arrival = tonumber(redis.call('GET', key) or now)
    arrivals[i] = math.min(math.max(arrival, now), latest) + interval
    waits[i] = math.max(arrivals[i] - latest, 0)
    admitted = admitted and waits[i] == 0
end
if admitted then
    for i, key in ipairs(KEYS) do
        local lifetime = math.ceil((arrivals[i] - now) / 1000)
        redis.call('SET', key, string.format('%.0f', arrivals[i]), 'PX', lifetime)
    end
end
return waits
";

/// One request against one quota.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    pub quota: &'a Quota,
    /// Who is counted. Leaves this process only as a keyed hash.
    pub subject: &'a [u8],
}

/// Counts requests by subject, in Redis, or in this process while there is none. Clones share the
/// counts.
#[derive(Clone)]
pub struct RateLimiter(Arc<Inner>);

struct Inner {
    subjects: Subjects,
    script: Script,
    local: Mutex<Generations<Micros>>,
}

impl RateLimiter {
    #[must_use]
    pub fn new(subjects: Subjects) -> Self {
        Self(Arc::new(Inner {
            subjects,
            script: Script::new(ADMIT),
            local: Mutex::default(),
        }))
    }

    /// Admits a request if all its charges can be paid, and takes them; else takes none. That way
    /// a client that is refused for itself does not use up what it shares with others.
    ///
    /// While Redis is away every process admits the quota for itself.
    ///
    /// # Errors
    /// [`TooMany`], of the charge with the longest wait.
    pub async fn check(&self, charges: &[Charge<'_>]) -> Result<(), TooMany> {
        let waits = match self.check_shared(charges).await {
            Some(Ok(waits)) => waits,
            // It has been counted, and logged when it began.
            Some(Err(_)) | None => self.check_local(charges),
        };
        let longest = charges.iter().zip(waits).max_by_key(|(_, wait)| *wait);
        match longest {
            Some((charge, wait)) if wait > 0 => {
                let name = charge.quota.name;
                metrics::counter!("plumbline_rate_limited_total", "quota" => name).increment(1);
                Err(TooMany {
                    quota: *charge.quota,
                    retry_after: Duration::from_micros(wait.unsigned_abs()),
                })
            }
            _ => Ok(()),
        }
    }

    /// `None` without Redis.
    async fn check_shared(
        &self,
        charges: &[Charge<'_>],
    ) -> Option<Result<Vec<Micros>, CacheError>> {
        let redis = self.0.subjects.redis()?;
        let mut script = self.0.script.prepare_invoke();
        for charge in charges {
            let pace = Pace::of(charge.quota);
            let key = self
                .0
                .subjects
                .key("limit", charge.quota.name, charge.subject);
            script.key(key).arg(pace.interval).arg(pace.window);
        }
        Some(redis.run("rate_limit", &script, BUDGET).await)
    }

    fn check_local(&self, charges: &[Charge<'_>]) -> Vec<Micros> {
        let now = self.0.subjects.now();
        let mut local = self.0.local.lock().unwrap_or_else(PoisonError::into_inner);
        let answers = charges.iter().map(|charge| {
            let subject = self.0.subjects.hash(charge.quota.name, charge.subject);
            let arrival = local.get(&subject).copied();
            (subject, Pace::of(charge.quota).admit(arrival, now, 1))
        });
        let answers: Vec<_> = answers.collect();
        if answers.iter().all(|(_, answer)| answer.is_ok()) {
            for (subject, answer) in &answers {
                if let Ok(arrival) = answer {
                    local.insert(*subject, *arrival);
                }
            }
        }
        let waits = answers.iter().map(|(_, answer)| answer.err().unwrap_or(0));
        waits.collect()
    }
}
