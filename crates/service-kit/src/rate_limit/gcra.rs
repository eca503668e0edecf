//! The Generic Cell Rate Algorithm, as virtual scheduling (ITU-T I.371, annex A): of a client only
//! the *theoretical arrival time* is kept, when its next request would be due if it had spread
//! them evenly. A request may come early by as much as the burst allows.

use super::Quota;

/// Microseconds: since 1970 where it is a time.
pub(super) type Micros = i64;

/// What a quota means to the algorithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Between two requests that are spread evenly.
    pub interval: Micros,
    /// How far the theoretical arrival may lie ahead.
    pub window: Micros,
}

impl Pace {
    pub(super) fn of(quota: &Quota) -> Self {
        let limit = Micros::from(quota.limit.get());
        let per = Micros::try_from(quota.per.as_micros()).unwrap_or(Micros::MAX / 4);
        let interval = (per / limit).max(1);
        Self {
            interval,
            window: interval.saturating_mul(limit),
        }
    }

    /// `cost` requests at `now` after those that `arrival` stands for, all or none: the new
    /// theoretical arrival, or how long to wait.
    ///
    /// # Errors
    /// The wait, when the quota is used up.
    pub(super) fn admit(
        self,
        arrival: Option<Micros>,
        now: Micros,
        cost: u32,
    ) -> Result<Micros, Micros> {
        // Further ahead only if the clock went back or the quota became smaller.
        let latest = now.saturating_add(self.window);
        let due = arrival.unwrap_or(now).clamp(now, latest);
        let next = due.saturating_add(self.interval.saturating_mul(cost.into()));
        if next <= latest {
            Ok(next)
        } else {
            Err(next - latest)
        }
    }

    /// How many more requests are admitted at once.
    pub(super) fn left(self, arrival: Micros, now: Micros) -> u32 {
        let left = (now.saturating_add(self.window) - arrival) / self.interval;
        u32::try_from(left).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use governor::clock::FakeRelativeClock;
    use proptest::prelude::*;

    use super::*;

    fn quota(limit: u32, per: Duration) -> Quota {
        Quota {
            name: "test",
            limit: NonZeroU32::new(limit).unwrap(),
            per,
        }
    }

    #[test]
    fn a_burst_is_admitted_and_then_one_an_interval() {
        let pace = Pace::of(&quota(3, Duration::from_secs(3)));
        let mut arrival = None;
        let mut at = |seconds: f64| {
            let answer = pace.admit(arrival, (seconds * 1e6) as Micros, 1);
            arrival = answer.ok().or(arrival);
            answer.map(|_| ()).map_err(|wait| wait as f64 / 1e6)
        };
        for _ in 0..3 {
            assert_eq!(at(100.0), Ok(()));
        }
        assert_eq!(at(100.0), Err(1.0));
        assert_eq!(at(100.75), Err(0.25));
        assert_eq!(at(101.0), Ok(()));
        assert_eq!(at(101.0), Err(1.0));
        for _ in 0..3 {
            assert_eq!(at(200.0), Ok(()));
        }
        assert_eq!(at(200.0), Err(1.0));
        // The clock was set back by an hour: nobody waits for an hour.
        assert_eq!(at(-3400.0), Err(1.0));
        assert_eq!(at(-3399.0), Err(1.0));
    }

    proptest! {
        /// Another implementation of the algorithm decides the same.
        #[test]
        fn governor_agrees(
            limit in 1_u32..50,
            interval in 1_u64..100_000,
            requests in prop::collection::vec((0_u64..200_000, 1_u32..4), 1..200),
        ) {
            let per = Duration::from_micros(interval * u64::from(limit));
            let pace = Pace::of(&quota(limit, per));
            let clock = FakeRelativeClock::default();
            let rate = governor::Quota::with_period(Duration::from_micros(interval)).unwrap();
            let rate = rate.allow_burst(NonZeroU32::new(limit).unwrap());
            let governor = governor::RateLimiter::direct_with_clock(rate, clock.clone());
            let (mut now, mut arrival) = (1_000_000, None::<Micros>);
            for (pause, cost) in requests {
                let cost = cost.min(limit);
                clock.advance(Duration::from_micros(pause));
                now += pause as Micros;
                let left = arrival.map_or(limit, |arrival: Micros| pace.left(arrival.max(now), now));
                let ours = pace.admit(arrival, now, cost);
                arrival = ours.ok().or(arrival);
                prop_assert_eq!(ours.is_ok(), left >= cost);
                let theirs = governor.check_n(NonZeroU32::new(cost).unwrap());
                prop_assert_eq!(ours.is_ok(), matches!(theirs, Ok(Ok(()))));
            }
        }
    }
}
