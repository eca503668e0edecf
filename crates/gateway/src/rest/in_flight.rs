//! Which idempotency keys are being worked on at this moment.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use kernel::UserId;
use orders::domain::IdempotencyKey;

type Request = (UserId, IdempotencyKey);

/// The requests of this process that are not answered yet. Of two processes the later one waits in
/// the database for the earlier one's end, and then answers with the same order.
#[derive(Clone, Default)]
pub(crate) struct InFlight(Arc<Mutex<HashSet<Request>>>);

/// A request in flight, until it is dropped.
pub(super) struct Flight {
    all: InFlight,
    request: Request,
}

impl InFlight {
    /// `None` while another request with this key is in flight.
    pub(super) fn begin(&self, user: UserId, key: &IdempotencyKey) -> Option<Flight> {
        let request = (user, key.clone());
        let is_alone = self.requests().insert(request.clone());
        is_alone.then(|| Flight {
            all: self.clone(),
            request,
        })
    }

    /// Nothing panics while the lock is held; if it did, the set would still be whole.
    fn requests(&self) -> MutexGuard<'_, HashSet<Request>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.all.requests().remove(&self.request);
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_key_is_in_flight_once_for_each_user_until_the_request_ends() {
        let all = InFlight::default();
        let (ada, bob) = (Uuid::from_u128(1).into(), Uuid::from_u128(2).into());
        let key: IdempotencyKey = "key".parse().unwrap();
        let first = all.begin(ada, &key);
        assert!(first.is_some() && all.begin(ada, &key).is_none());
        assert!(all.begin(bob, &key).is_some());
        assert!(all.begin(ada, &"other".parse().unwrap()).is_some());
        drop(first);
        assert!(all.begin(ada, &key).is_some());
        assert!(all.requests().is_empty());
    }
}
