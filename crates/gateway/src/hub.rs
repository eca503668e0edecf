//! Order events, fanned out from one broadcast subscription of the process to whoever watches an
//! order, a customer's orders, or all of them.
//!
//! A watcher's mailbox keeps the newest event of each order, so a slow watcher misses states in
//! between and never the newest one, and its memory is bounded.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use contracts::{Envelope, order_event, order_event::OrderTransitioned};
use futures_util::StreamExt;
use kernel::{OrderId, UserId};
use messaging::Broker;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Orders whose news a mailbox holds. With more, its owner is told to look for itself.
const MAX_PENDING: usize = 256;

/// What can be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// One order.
    Order(OrderId),
    /// All orders of a customer.
    Customer(UserId),
    /// Everybody's orders.
    Everything,
}

/// What a watcher learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// An order went on to another state.
    Moved(OrderTransitioned),
    /// Events may have been missed: read the present state.
    Missed,
}

/// Clones share everything.
#[derive(Clone, Default)]
pub struct Hub(Arc<Mutex<HashMap<Topic, Vec<Arc<Mailbox>>>>>);

#[derive(Default)]
struct Mailbox {
    pending: Mutex<Pending>,
    arrived: Notify,
}

#[derive(Default)]
struct Pending {
    moved: BTreeMap<OrderId, OrderTransitioned>,
    missed: bool,
}

/// A watcher's end; dropping it ends the watching.
pub struct Watch {
    hub: Hub,
    topic: Topic,
    mailbox: Arc<Mailbox>,
}

impl Hub {
    /// Watches `topic` from now on.
    #[must_use]
    pub fn watch(&self, topic: Topic) -> Watch {
        let mailbox = Arc::<Mailbox>::default();
        lock(&self.0)
            .entry(topic)
            .or_default()
            .push(Arc::clone(&mailbox));
        metrics::gauge!("plumbline_order_watchers").increment(1);
        Watch {
            hub: self.clone(),
            topic,
            mailbox,
        }
    }

    /// Hands out the events of `broker` until `stop`.
    pub async fn run(self, broker: Broker, stop: CancellationToken) {
        let mut messages = broker.broadcast(order_event::ALL);
        let mut epochs = messages.epochs();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                changed = epochs.changed() => match changed {
                    Ok(()) => self.tell_missed(),
                    Err(_) => return,
                },
                message = messages.next() => match message {
                    Some(message) => self.receive(&message.body),
                    None => return,
                },
            }
        }
    }

    fn receive(&self, body: &[u8]) {
        match Envelope::<OrderTransitioned>::decode(body) {
            Ok(event) => self.publish(&event.data),
            Err(error) => tracing::warn!(%error, "an order event could not be read"),
        }
    }

    fn publish(&self, event: &OrderTransitioned) {
        let topics = lock(&self.0);
        for topic in [
            Topic::Order(event.order_id),
            Topic::Customer(event.customer_id),
            Topic::Everything,
        ] {
            for mailbox in topics.get(&topic).into_iter().flatten() {
                mailbox.put(event);
            }
        }
    }

    fn tell_missed(&self) {
        for mailbox in lock(&self.0).values().flatten() {
            lock(&mailbox.pending).missed = true;
            mailbox.arrived.notify_one();
        }
    }
}

impl Mailbox {
    fn put(&self, event: &OrderTransitioned) {
        let mut pending = lock(&self.pending);
        if pending.moved.len() >= MAX_PENDING && !pending.moved.contains_key(&event.order_id) {
            pending.moved.clear();
            pending.missed = true;
        } else {
            let newest = pending
                .moved
                .entry(event.order_id)
                .or_insert_with(|| event.clone());
            if newest.version < event.version {
                *newest = event.clone();
            }
        }
        self.arrived.notify_one();
    }

    fn take(&self) -> Option<News> {
        let mut pending = lock(&self.pending);
        if std::mem::take(&mut pending.missed) {
            return Some(News::Missed);
        }
        pending
            .moved
            .pop_first()
            .map(|(_, event)| News::Moved(event))
    }
}

impl Watch {
    /// Waits for the next news.
    pub async fn next(&mut self) -> News {
        loop {
            if let Some(news) = self.mailbox.take() {
                return news;
            }
            self.mailbox.arrived.notified().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        metrics::gauge!("plumbline_order_watchers").decrement(1);
        if let Entry::Occupied(mut watchers) = lock(&self.hub.0).entry(self.topic) {
            watchers
                .get_mut()
                .retain(|mailbox| !Arc::ptr_eq(mailbox, &self.mailbox));
            if watchers.get().is_empty() {
                watchers.remove();
            }
        }
    }
}

/// Nothing panics while one of these locks is held; if it did, the data would still be whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use futures_util::FutureExt;
    use uuid::Uuid;

    use super::*;

    fn event(order: u128, customer: u128, version: i32) -> OrderTransitioned {
        OrderTransitioned {
            order_id: Uuid::from_u128(order).into(),
            customer_id: Uuid::from_u128(customer).into(),
            status: "PAID".to_owned(),
            version,
            at: DateTime::UNIX_EPOCH,
        }
    }

    fn order(id: u128) -> Topic {
        Topic::Order(Uuid::from_u128(id).into())
    }

    fn customer(id: u128) -> Topic {
        Topic::Customer(Uuid::from_u128(id).into())
    }

    /// What has arrived and not been read yet.
    fn drain(watch: &mut Watch) -> Vec<News> {
        std::iter::from_fn(|| watch.next().now_or_never()).collect()
    }

    #[tokio::test]
    async fn events_reach_those_who_watch_the_order_or_its_customer() {
        let hub = Hub::default();
        let (mut one, mut other) = (hub.watch(order(1)), hub.watch(order(2)));
        let mut all = hub.watch(customer(9));
        hub.publish(&event(1, 9, 2));
        assert_eq!(drain(&mut one), [News::Moved(event(1, 9, 2))]);
        assert_eq!(drain(&mut other), []);
        assert_eq!(drain(&mut all), [News::Moved(event(1, 9, 2))]);
    }

    #[tokio::test]
    async fn who_watches_everything_learns_of_everybodys_orders() {
        let hub = Hub::default();
        let mut watch = hub.watch(Topic::Everything);
        hub.publish(&event(1, 9, 1));
        hub.publish(&event(2, 8, 1));
        let news = [News::Moved(event(1, 9, 1)), News::Moved(event(2, 8, 1))];
        assert_eq!(drain(&mut watch), news);
    }

    #[tokio::test]
    async fn a_burst_leaves_the_newest_state_of_each_order() {
        let hub = Hub::default();
        let mut watch = hub.watch(customer(9));
        for version in [1, 3, 2] {
            hub.publish(&event(1, 9, version));
            hub.publish(&event(2, 9, version + 10));
        }
        let newest = [News::Moved(event(1, 9, 3)), News::Moved(event(2, 9, 13))];
        assert_eq!(drain(&mut watch), newest);
    }

    #[tokio::test]
    async fn too_much_news_becomes_a_word_to_look_again() {
        let hub = Hub::default();
        let mut watch = hub.watch(customer(9));
        for id in 0..=MAX_PENDING as u128 {
            hub.publish(&event(id, 9, 1));
        }
        assert_eq!(drain(&mut watch), [News::Missed]);
        hub.tell_missed();
        assert_eq!(drain(&mut watch), [News::Missed]);
    }

    #[tokio::test]
    async fn who_stops_watching_leaves_nothing_behind() {
        let hub = Hub::default();
        let (first, second) = (hub.watch(order(1)), hub.watch(order(1)));
        drop(first);
        assert_eq!(lock(&hub.0).len(), 1);
        drop(second);
        assert!(lock(&hub.0).is_empty());
    }

    #[tokio::test]
    async fn what_is_no_event_is_passed_over() {
        let hub = Hub::default();
        let mut watch = hub.watch(order(1));
        hub.receive(b"not json");
        hub.receive(b"{}");
        assert_eq!(drain(&mut watch), []);
    }
}
