//! Who may hold how many connections.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kernel::UserId;

/// Counts the connections of this process, and those of each user.
#[derive(Clone)]
pub(super) struct Admission(Arc<Inner>);

struct Inner {
    limit: usize,
    limit_per_user: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    total: usize,
    /// How many seats were ever taken.
    count: u32,
    by_user: HashMap<UserId, usize>,
}

/// A connection's place; given back when dropped.
pub(super) struct Seat {
    admission: Admission,
    number: u32,
}

/// A connection's share of what its user may have; given back when dropped.
pub(super) struct Claim {
    admission: Admission,
    user: UserId,
}

impl Admission {
    pub(super) fn new(limit: usize, limit_per_user: usize) -> Self {
        Self(Arc::new(Inner {
            limit,
            limit_per_user,
            taken: Mutex::default(),
        }))
    }

    /// A place for a connection, unless there are too many.
    pub(super) fn take_seat(&self) -> Option<Seat> {
        let mut taken = self.taken();
        if taken.total >= self.0.limit {
            return None;
        }
        taken.total += 1;
        taken.count = taken.count.wrapping_add(1);
        metrics::gauge!("plumbline_websocket_connections").increment(1);
        Some(Seat {
            admission: self.clone(),
            number: taken.count,
        })
    }

    /// Counts a connection as one of `user`'s, unless they have too many.
    pub(super) fn claim(&self, user: UserId) -> Option<Claim> {
        let mut taken = self.taken();
        let count = taken.by_user.entry(user).or_default();
        if *count >= self.0.limit_per_user {
            return None;
        }
        *count += 1;
        Some(Claim {
            admission: self.clone(),
            user,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while the lock is held; if it did, the counts would still be whole.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// A number from 0 to 1; those of any set of seats are spread evenly (multiples of the golden
    /// ratio, Knuth, The Art of Computer Programming, volume 3, §6.4).
    pub(super) fn fraction(&self) -> f64 {
        (f64::from(self.number) * 0.618_033_988_749_895).fract()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.admission.taken();
        taken.total = taken.total.saturating_sub(1);
        metrics::gauge!("plumbline_websocket_connections").decrement(1);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut taken = self.admission.taken();
        if let Some(count) = taken.by_user.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                taken.by_user.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_user_gets_their_share_and_gives_it_back() {
        let admission = Admission::new(10, 2);
        let user = UserId::from(Uuid::from_u128(1));
        let claims = [(); 3].map(|()| admission.claim(user));
        let claimed = claims.each_ref().map(Option::is_some);
        assert_eq!(claimed, [true, true, false]);
        assert!(admission.claim(UserId::from(Uuid::from_u128(2))).is_some());
        let [first, second, _] = claims;
        drop(first);
        assert!(admission.claim(user).is_some());
        drop(second);
        assert!(admission.taken().by_user.is_empty());
    }

    #[test]
    fn the_process_has_a_limit_too() {
        let admission = Admission::new(1, 1);
        let seat = admission.take_seat();
        assert!(seat.is_some() && admission.take_seat().is_none());
        drop(seat);
        assert!(admission.take_seat().is_some());
        assert_eq!(admission.taken().total, 0);
    }

    #[test]
    fn any_seats_that_follow_each_other_are_spread_evenly() {
        let admission = Admission::new(1_000, 1);
        let seats: Vec<Seat> = (0..1_000).filter_map(|_| admission.take_seat()).collect();
        for some in seats.chunks(100) {
            let mut tenths = [0; 10];
            for seat in some {
                tenths[(seat.fraction() * 10.0) as usize] += 1;
            }
            assert!(
                tenths.iter().all(|count| (8..=12).contains(count)),
                "{tenths:?}"
            );
        }
    }
}
