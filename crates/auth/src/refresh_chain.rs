//! The refresh-token machine of one session, as a pure value (RFC 9700 §4.14.2: rotation with
//! reuse detection).
//!
//! A session has a chain of tokens, generation 0, 1, 2 …, of which only the newest is current.
//! Presenting the current one rotates. Presenting its direct predecessor soon afterwards gets the
//! same successor again: two tabs refreshed at once, or an answer was lost. Anything older, later
//! or more often means that two parties hold the chain, and ends the session.

use chrono::{DateTime, TimeDelta, Utc};

#[derive(Clone, Copy, Debug)]
pub struct RefreshPolicy {
    /// A session that nobody refreshes for this long ends.
    pub idle: TimeDelta,
    /// How long after a rotation the predecessor is still answered.
    pub grace: TimeDelta,
    /// How often, at most.
    pub grace_uses: u8,
    /// No session lives longer, however much it is used.
    pub absolute: TimeDelta,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            idle: TimeDelta::days(7),
            grace: TimeDelta::seconds(10),
            grace_uses: 5,
            absolute: TimeDelta::days(30),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshChain {
    /// Of the current token.
    pub generation: u32,
    /// When the current token replaced its predecessor; at first, when the session began.
    pub rotated_at: DateTime<Utc>,
    /// How often the predecessor was answered since.
    pub grace_uses: u8,
    pub idle_expires_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The successor of the presented token becomes current.
    Rotated,
    /// The successor of the presented token is current already: hand it out again.
    Repeated,
    /// Two parties hold the chain: it is revoked now.
    Reused,
    /// It was revoked before.
    Revoked,
    Expired,
}

impl RefreshChain {
    pub(crate) fn begin(policy: RefreshPolicy, now: DateTime<Utc>) -> Self {
        let expires_at = now + policy.absolute;
        Self {
            generation: 0,
            rotated_at: now,
            grace_uses: 0,
            idle_expires_at: (now + policy.idle).min(expires_at),
            expires_at,
            revoked: false,
        }
    }

    /// Someone presents this session's token of `generation`.
    pub(crate) fn present(
        &mut self,
        generation: u32,
        policy: RefreshPolicy,
        now: DateTime<Utc>,
    ) -> Verdict {
        if self.revoked {
            return Verdict::Revoked;
        }
        if now >= self.idle_expires_at || now >= self.expires_at {
            return Verdict::Expired;
        }
        if generation == self.generation {
            self.rotate(policy, now);
            return Verdict::Rotated;
        }
        let is_predecessor = generation.checked_add(1) == Some(self.generation);
        let in_grace = now <= self.rotated_at + policy.grace && self.grace_uses < policy.grace_uses;
        if is_predecessor && in_grace {
            self.grace_uses += 1;
            return Verdict::Repeated;
        }
        self.revoked = true;
        Verdict::Reused
    }

    fn rotate(&mut self, policy: RefreshPolicy, now: DateTime<Utc>) {
        self.generation += 1;
        self.rotated_at = now;
        self.grace_uses = 0;
        self.idle_expires_at = (now + policy.idle).min(self.expires_at);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn policy() -> RefreshPolicy {
        RefreshPolicy::default()
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        START + TimeDelta::seconds(seconds)
    }

    #[test]
    fn the_predecessor_is_answered_for_ten_seconds() {
        let mut chain = RefreshChain::begin(policy(), START);
        assert_eq!(chain.present(0, policy(), at(60)), Verdict::Rotated);
        assert_eq!(chain.present(0, policy(), at(70)), Verdict::Repeated);
        assert_eq!(chain.generation, 1, "no fan-out");
        assert_eq!(chain.present(0, policy(), at(71)), Verdict::Reused);
        assert_eq!(chain.present(1, policy(), at(71)), Verdict::Revoked);
    }

    #[test]
    fn the_predecessor_is_answered_five_times() {
        let mut chain = RefreshChain::begin(policy(), START);
        assert_eq!(chain.present(0, policy(), at(1)), Verdict::Rotated);
        for _ in 0..5 {
            assert_eq!(chain.present(0, policy(), at(1)), Verdict::Repeated);
        }
        assert_eq!(chain.present(0, policy(), at(1)), Verdict::Reused);
    }

    #[test]
    fn a_grandparent_is_refused_even_at_once() {
        let mut chain = RefreshChain::begin(policy(), START);
        chain.present(0, policy(), at(1));
        chain.present(1, policy(), at(1));
        assert_eq!(chain.present(0, policy(), at(1)), Verdict::Reused);
    }

    #[test]
    fn idle_and_absolute_limits_end_a_session() {
        let day = 86_400;
        let mut idle = RefreshChain::begin(policy(), START);
        assert_eq!(idle.present(0, policy(), at(7 * day)), Verdict::Expired);

        let mut busy = RefreshChain::begin(policy(), START);
        for generation in 0..5 {
            let now = at(i64::from(generation + 1) * 6 * day - 1);
            assert_eq!(busy.present(generation, policy(), now), Verdict::Rotated);
        }
        assert_eq!(busy.present(5, policy(), at(30 * day)), Verdict::Expired);
    }

    /// One of two parties who both hold the chain. Each refreshes with the newest token it has.
    #[derive(Clone, Copy, Debug)]
    struct Holder {
        token: u32,
    }

    proptest! {
        /// A thief copies the victim's token. From then on both refresh whenever they like, never
        /// within the grace window of each other: the second refresh after the theft that meets a
        /// stale token ends the session, and afterwards nobody has a working one.
        #[test]
        fn a_thief_and_a_victim_are_found_out(
            before in 0u32..10,
            turns in prop::collection::vec(any::<bool>(), 1..20),
            pauses in prop::collection::vec(11i64..600, 20),
        ) {
            let mut now = START;
            let mut chain = RefreshChain::begin(policy(), now);
            for generation in 0..before {
                now += TimeDelta::seconds(600);
                prop_assert_eq!(chain.present(generation, policy(), now), Verdict::Rotated);
            }
            let mut holders = [Holder { token: before }; 2];
            let mut caught = false;
            for (turn, pause) in turns.iter().zip(pauses) {
                now += TimeDelta::seconds(pause);
                let holder = &mut holders[usize::from(*turn)];
                let stale = holder.token < chain.generation;
                let verdict = chain.present(holder.token, policy(), now);
                match (caught, stale) {
                    (true, _) => prop_assert_eq!(verdict, Verdict::Revoked),
                    (false, true) => {
                        prop_assert_eq!(verdict, Verdict::Reused);
                        caught = true;
                    }
                    (false, false) => {
                        prop_assert_eq!(verdict, Verdict::Rotated);
                        holder.token += 1;
                    }
                }
            }
            let both_refreshed = turns.contains(&true) && turns.contains(&false);
            prop_assert_eq!(caught, both_refreshed);
        }

        /// Whatever is presented whenever: one successor a generation, a bounded number of
        /// repeats, and no way back from revocation.
        #[test]
        fn there_is_one_successor_and_no_way_back(
            calls in prop::collection::vec((0u32..8, 0i64..15), 1..60),
        ) {
            let mut now = START;
            let mut chain = RefreshChain::begin(policy(), now);
            for (generation, pause) in calls {
                now += TimeDelta::seconds(pause);
                let before = chain;
                match chain.present(generation, policy(), now) {
                    Verdict::Rotated => {
                        prop_assert_eq!(generation, before.generation);
                        prop_assert_eq!(chain.generation, before.generation + 1);
                    }
                    Verdict::Repeated => {
                        prop_assert_eq!(generation + 1, chain.generation);
                        prop_assert!(now - before.rotated_at <= policy().grace);
                        prop_assert!(chain.grace_uses <= policy().grace_uses);
                        prop_assert_eq!(chain.idle_expires_at, before.idle_expires_at);
                    }
                    Verdict::Reused => prop_assert!(chain.revoked && !before.revoked),
                    Verdict::Revoked => prop_assert!(before.revoked && chain == before),
                    Verdict::Expired => prop_assert_eq!(chain, before),
                }
            }
        }
    }
}
