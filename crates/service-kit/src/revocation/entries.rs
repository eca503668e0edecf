use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// More than so many at once are not kept: about 60 MB.
const MAX_ENTRIES: usize = 500_000;
/// So many are kept before the first look for what has expired.
const FIRST_PURGE: usize = 1024;

/// What is revoked, each until its tokens have expired.
pub(super) struct Entries {
    until: HashMap<Uuid, DateTime<Utc>>,
    /// The size at which the expired are thrown out next: twice what the last time left, so that
    /// an insertion costs the same on average, however many there are.
    purge_at: usize,
}

impl Default for Entries {
    fn default() -> Self {
        Self {
            until: HashMap::new(),
            purge_at: FIRST_PURGE,
        }
    }
}

impl Entries {
    pub(super) fn insert(&mut self, id: Uuid, until: DateTime<Utc>, now: DateTime<Utc>) {
        if until <= now {
            return;
        }
        if self.until.len() >= self.purge_at {
            self.until.retain(|_, until| *until > now);
            self.purge_at = (2 * self.until.len()).clamp(FIRST_PURGE, MAX_ENTRIES);
        }
        if let Some(known) = self.until.get_mut(&id) {
            *known = until.max(*known);
        } else if !self.is_full() {
            self.until.insert(id, until);
        }
    }

    pub(super) fn contains(&self, id: Uuid, now: DateTime<Utc>) -> bool {
        self.until.get(&id).is_some_and(|until| *until > now)
    }

    /// Whether some may be missing.
    pub(super) fn is_full(&self) -> bool {
        self.until.len() >= MAX_ENTRIES
    }

    pub(super) fn len(&self) -> usize {
        self.until.len()
    }

    pub(super) fn live(&self, now: DateTime<Utc>) -> Vec<(Uuid, DateTime<Utc>)> {
        let live = self.until.iter().filter(|(_, until)| **until > now);
        live.map(|(id, until)| (*id, *until)).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use kernel::{Clock, SystemClock};

    use super::*;

    #[test]
    fn the_expired_leave_so_that_only_as_many_stay_as_live_at_once() {
        let mut entries = Entries::default();
        let mut now = SystemClock.now();
        let lifetime = TimeDelta::seconds(100);
        for number in 0..100_000_u128 {
            entries.insert(Uuid::from_u128(number), now + lifetime, now);
            now += TimeDelta::seconds(1);
        }
        assert!(entries.len() <= FIRST_PURGE, "{}", entries.len());
        assert!(entries.contains(Uuid::from_u128(99_999), now));
        assert!(!entries.contains(Uuid::from_u128(99_900), now));
        assert_eq!(entries.live(now).len(), 99);
    }

    #[test]
    fn a_full_list_says_so_until_there_is_room_again() {
        let mut entries = Entries::default();
        let mut now = SystemClock.now();
        for number in 0..MAX_ENTRIES as u128 + 10 {
            entries.insert(Uuid::from_u128(number), now + TimeDelta::seconds(1), now);
        }
        assert_eq!(entries.len(), MAX_ENTRIES);
        assert!(entries.is_full());
        now += TimeDelta::seconds(1);
        entries.insert(Uuid::from_u128(1), now + TimeDelta::seconds(1), now);
        assert!(!entries.is_full());
    }
}
