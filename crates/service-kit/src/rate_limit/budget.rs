use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use actix_web::http::header::{HeaderName, HeaderValue};
use cache::{BUDGET, CacheError, Script};

use super::{
    Quota, RATE_LIMIT, RATE_LIMIT_POLICY, SubjectHash, Subjects, TooMany,
    gcra::{Micros, Pace},
    memory::Generations,
    policy_value, remaining_value,
};

/// KEYS: the subject. ARGV: interval and window in microseconds, the cost, and how much more is
/// taken if it is there. Returns what was taken, what is left, how far the theoretical arrival lies
/// ahead, and the wait, if nothing was taken. The time is that of the server.
const TAKE: &str = "
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, latest = tonumber(ARGV[1]), now + tonumber(ARGV[2])
local cost, more = tonumber(ARGV[3]), tonumber(ARGV[4])
local arrival = tonumber(redis.call('GET', KEYS[1]) or now)
arrival = math.min(math.max(arrival, now), latest)
local left = math.floor((latest - arrival) / interval)
if left < cost then
    return {0, left, arrival - now, arrival + cost * interval - latest}
end
local taken = math.min(cost + more, left)
arrival = arrival + taken * interval
redis.call('SET', KEYS[1], string.format('%.0f', arrival), 'PX', math.ceil((arrival - now) / 1000))
return {taken, left - taken, arrival - now, 0}
";

/// What was taken ahead is given up after so long, unspent.
const KEPT: Micros = 10_000_000;
/// Who uses up within this time what was taken ahead is busy: more is taken next time.
const BUSY: Micros = 1_000_000;
/// At most this part of a quota is taken ahead.
const AHEAD: u32 = 100;

/// A quota that requests use up by what they cost. Replicas share it through Redis; while that is
/// away each has the quota for itself.
///
/// Of a busy subject a process takes more from Redis than the request at hand costs, up to a
/// hundredth of the quota, and pays the next requests from that: so most of them cost no round
/// trip. Nobody gets more than the quota that way; a little may be given up unspent. Clones share
/// the counts.
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    quota: Quota,
    pace: Pace,
    policy: HeaderValue,
    subjects: Subjects,
    script: Script,
    accounts: Mutex<Generations<Account>>,
}

/// Who pays, as one budget knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer(SubjectHash);

/// What this process knows of a subject. Times are those of the process.
#[derive(Clone, Copy, Default)]
struct Account {
    /// The theoretical arrival, where this process counts for itself.
    arrival: Option<Micros>,
    /// Taken ahead and not spent yet.
    credit: u32,
    taken_at: Micros,
    /// How much was taken ahead last time.
    ahead: u32,
    /// What was left in Redis, and how far the arrival lay ahead.
    left: u32,
    full_at: Micros,
    /// Until then every request is refused: the client was told so.
    refused_until: Micros,
}

/// A request was paid: what is left, for its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowance {
    policy: HeaderValue,
    name: &'static str,
    /// Units of cost.
    pub remaining: u32,
    /// Until the whole quota is there again.
    pub reset: Duration,
}

impl Allowance {
    /// draft-ietf-httpapi-ratelimit-headers-09, §4 and §3.
    #[must_use]
    pub fn headers(&self) -> [(HeaderName, HeaderValue); 2] {
        let remaining = remaining_value(self.name, self.remaining, self.reset);
        [
            (RATE_LIMIT, remaining),
            (RATE_LIMIT_POLICY, self.policy.clone()),
        ]
    }
}

impl Budget {
    #[must_use]
    pub fn new(quota: Quota, subjects: Subjects) -> Self {
        Self(Arc::new(Inner {
            quota,
            pace: Pace::of(&quota),
            policy: policy_value(&quota),
            subjects,
            script: Script::new(TAKE),
            accounts: Mutex::default(),
        }))
    }

    /// Whom `subject` names: it leaves this process only as a keyed hash.
    #[must_use]
    pub fn payer(&self, subject: &[u8]) -> Payer {
        Payer(self.0.subjects.hash(self.0.quota.name, subject))
    }

    /// Refuses who was told to wait, before any work is done. Asks nobody.
    ///
    /// # Errors
    /// [`TooMany`].
    pub fn check(&self, payer: Payer) -> Result<(), TooMany> {
        let now = self.0.subjects.now();
        let refused_until = self.accounts().get(&payer.0).map(|it| it.refused_until);
        match refused_until {
            Some(until) if until > now => Err(self.too_many(until - now)),
            Some(_) | None => Ok(()),
        }
    }

    /// Pays for a request. A cost above the whole quota counts as the whole quota.
    ///
    /// # Errors
    /// [`TooMany`]: nothing was paid, and until the wait is over nothing will be.
    pub async fn spend(&self, payer: Payer, cost: u32) -> Result<Allowance, TooMany> {
        let limit = self.0.quota.limit.get();
        let cost = cost.clamp(1, limit);
        let now = self.0.subjects.now();
        let Some(redis) = self.0.subjects.redis() else {
            return self.spend_here(payer, cost, now);
        };
        let plan = self.accounts().entry(payer.0).plan(cost, limit, now);
        let more = match plan {
            Plan::Refuse(wait) => return Err(self.too_many(wait)),
            Plan::Paid { left, full_in } => return Ok(self.allowance(left, full_in)),
            Plan::Ask { more } => more,
        };
        let mut script = self.0.script.prepare_invoke();
        let name = self.0.quota.name;
        script.key(self.0.subjects.key_of("limit", name, payer.0));
        script.arg(self.0.pace.interval).arg(self.0.pace.window);
        script.arg(cost).arg(more);
        let taken: Result<(u32, u32, Micros, Micros), CacheError> =
            redis.run("rate_limit", &script, BUDGET).await;
        match taken {
            Ok((0, _, _, wait)) => Err(self.refuse(payer, wait, now)),
            Ok((taken, left, full_in, _)) => {
                let mut accounts = self.accounts();
                let account = accounts.entry(payer.0);
                account.credit = account.credit.saturating_add(taken.saturating_sub(cost));
                (account.left, account.full_at) = (left, now + full_in);
                (account.ahead, account.taken_at) = (more, now);
                Ok(self.allowance(left.saturating_add(account.credit), full_in))
            }
            // It has been counted, and logged when it began.
            Err(_) => self.spend_here(payer, cost, now),
        }
    }

    fn spend_here(&self, payer: Payer, cost: u32, now: Micros) -> Result<Allowance, TooMany> {
        let pace = self.0.pace;
        let admitted = {
            let mut accounts = self.accounts();
            let account = accounts.entry(payer.0);
            if account.refused_until > now {
                Err(account.refused_until - now)
            } else {
                let admitted = pace.admit(account.arrival, now, cost);
                account.arrival = admitted.ok().or(account.arrival);
                admitted
            }
        };
        match admitted {
            Ok(arrival) => Ok(self.allowance(pace.left(arrival, now), arrival - now)),
            Err(wait) => Err(self.refuse(payer, wait, now)),
        }
    }

    fn refuse(&self, payer: Payer, wait: Micros, now: Micros) -> TooMany {
        self.accounts().entry(payer.0).refused_until = now + wait;
        self.too_many(wait)
    }

    fn too_many(&self, wait: Micros) -> TooMany {
        let name = self.0.quota.name;
        metrics::counter!("plumbline_rate_limited_total", "quota" => name).increment(1);
        TooMany {
            quota: self.0.quota,
            retry_after: Duration::from_micros(wait.unsigned_abs()),
        }
    }

    fn allowance(&self, remaining: u32, full_in: Micros) -> Allowance {
        Allowance {
            policy: self.0.policy.clone(),
            name: self.0.quota.name,
            remaining,
            reset: Duration::from_micros(u64::try_from(full_in).unwrap_or_default()),
        }
    }

    /// Nothing panics while the lock is held; if it did, the counts would still be whole.
    fn accounts(&self) -> MutexGuard<'_, Generations<Account>> {
        self.0
            .accounts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a request is to be paid where Redis counts.
enum Plan {
    Refuse(Micros),
    Paid { left: u32, full_in: Micros },
    Ask { more: u32 },
}

impl Account {
    fn plan(&mut self, cost: u32, limit: u32, now: Micros) -> Plan {
        if self.refused_until > now {
            return Plan::Refuse(self.refused_until - now);
        }
        let since = now - self.taken_at;
        if since > KEPT {
            self.credit = 0;
        }
        if let Some(credit) = self.credit.checked_sub(cost) {
            self.credit = credit;
            return Plan::Paid {
                left: self.left.saturating_add(credit),
                full_in: self.full_at - now,
            };
        }
        let more = self.ahead.max(cost).saturating_mul(2).min(limit / AHEAD);
        Plan::Ask {
            more: if since < BUSY { more } else { 0 },
        }
    }
}
