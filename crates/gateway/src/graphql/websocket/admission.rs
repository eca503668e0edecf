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
    user: Option<UserId>,
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
            user: None,
        })
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Nothing panics while the lock is held; if it did, the counts would still be whole.
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Counts the connection as one of `user`'s. Returns whether they may have one more.
    pub(super) fn claim(&mut self, user: UserId) -> bool {
        let mut taken = self.admission.taken();
        let count = taken.by_user.entry(user).or_default();
        if *count >= self.admission.0.limit_per_user {
            return false;
        }
        *count += 1;
        self.user = Some(user);
        true
    }

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
        let Some(user) = self.user else {
            return;
        };
        if let Some(count) = taken.by_user.get_mut(&user) {
            *count -= 1;
            if *count == 0 {
                taken.by_user.remove(&user);
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
        let mut seats: Vec<Seat> = (0..3).map(|_| admission.take_seat().unwrap()).collect();
        assert_eq!(
            seats
                .iter_mut()
                .map(|seat| seat.claim(user))
                .collect::<Vec<_>>(),
            [true, true, false]
        );
        assert!(seats[2].claim(UserId::from(Uuid::from_u128(2))));
        drop(seats.remove(0));
        assert!(admission.take_seat().unwrap().claim(user));
        drop(seats);
        assert!(admission.taken().by_user.is_empty());
        assert_eq!(admission.taken().total, 0);
    }

    #[test]
    fn the_process_has_a_limit_too() {
        let admission = Admission::new(1, 1);
        let seat = admission.take_seat();
        assert!(seat.is_some() && admission.take_seat().is_none());
        drop(seat);
        assert!(admission.take_seat().is_some());
    }
}
