//! The broker of the embedded mode: no mock, but the same promises as RabbitMQ's within one
//! process. Only a crash is different: it forgets everything, and
//! [`outbox::requeue_unconsumed`](crate::outbox::requeue_unconsumed) brings it back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use futures_util::{
    future::join_all,
    stream::{self, BoxStream, StreamExt},
};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    Broadcast, DeadLetter, Delivery, Message, PublishError, QueueSpec,
    broadcast::CAPACITY as BROADCAST_CAPACITY,
    delivery,
    topology::{self, DELIVERY_LIMIT_REACHED},
};

/// Messages that one queue holds, those in hand included. When it is full, publishing waits.
const QUEUE_CAPACITY: usize = 10_000;
/// Dead letters kept for each queue; the oldest make room.
const DEAD_LETTER_CAPACITY: usize = 1_000;

#[derive(Clone)]
pub struct InProcess(Arc<Shared>);

struct Shared {
    queues: Vec<Arc<Queue>>,
    broadcast: broadcast::Sender<Message>,
    /// The patterns of the live subscribers, who own them.
    patterns: Mutex<Vec<Weak<str>>>,
    publish_timeout: Duration,
    stop: CancellationToken,
}

impl InProcess {
    pub(crate) fn new(
        specs: &[QueueSpec],
        publish_timeout: Duration,
        stop: CancellationToken,
    ) -> Self {
        let queues = specs.iter().map(|spec| Arc::new(Queue::new(*spec)));
        Self(Arc::new(Shared {
            queues: queues.collect(),
            broadcast: broadcast::Sender::new(BROADCAST_CAPACITY),
            patterns: Mutex::default(),
            publish_timeout,
            stop,
        }))
    }

    pub(crate) async fn publish(&self, batch: &[Message]) -> Vec<Result<(), PublishError>> {
        join_all(batch.iter().map(|message| self.publish_one(message))).await
    }

    pub(crate) fn consume(
        &self,
        name: &str,
        prefetch: u16,
    ) -> Option<BoxStream<'static, Delivery>> {
        let queue = self.queue(name)?;
        let in_hand = Arc::new(Semaphore::new(usize::from(prefetch.max(1))));
        let stop = self.0.stop.clone();
        let deliveries = stream::unfold((queue, in_hand), |(queue, in_hand)| async move {
            let permit = Arc::clone(&in_hand).acquire_owned().await.ok()?;
            let delivery = queue.next(permit).await;
            Some((delivery, (queue, in_hand)))
        });
        Some(deliveries.take_until(stop.cancelled_owned()).boxed())
    }

    pub(crate) fn broadcast(&self, pattern: &str) -> Broadcast {
        let pattern: Arc<str> = pattern.into();
        lock(&self.0.patterns).push(Arc::downgrade(&pattern));
        let receiver = self.0.broadcast.subscribe();
        let epoch = Arc::new(watch::Sender::new(1));
        Broadcast::new(pattern, receiver, epoch, self.0.stop.clone(), None)
    }

    pub(crate) fn is_ready(&self) -> bool {
        !self.0.stop.is_cancelled()
    }

    pub(crate) fn dead_letters(&self, name: &str, limit: usize) -> Option<Vec<DeadLetter>> {
        let queue = self.queue(name)?;
        let state = lock(&queue.state);
        Some(state.dead.iter().take(limit).cloned().collect())
    }

    pub(crate) fn close(&self) {
        self.0.stop.cancel();
    }

    fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        let mut queues = self.0.queues.iter();
        queues.find(|queue| queue.spec.name == name).cloned()
    }

    /// Puts the message into every queue that is bound to its type, or into none.
    async fn publish_one(&self, message: &Message) -> Result<(), PublishError> {
        if self.0.stop.is_cancelled() {
            return Err(PublishError::NotConnected);
        }
        let accepts = |queue: &&Arc<Queue>| queue.spec.accepts(&message.event_type);
        let queues: Vec<_> = self.0.queues.iter().filter(accepts).collect();
        if queues.is_empty() && !self.has_subscriber(&message.event_type) {
            return Err(PublishError::Unroutable);
        }
        let slots = join_all(queues.iter().map(|queue| queue.free_slot()));
        let slots = tokio::time::timeout(self.0.publish_timeout, slots)
            .await
            .map_err(|_| PublishError::TimedOut)?;
        for (queue, slot) in queues.into_iter().zip(slots) {
            queue.push(message.clone(), slot);
        }
        // An error means that there is no subscriber.
        let _ = self.0.broadcast.send(message.clone());
        Ok(())
    }

    fn has_subscriber(&self, event_type: &str) -> bool {
        let mut patterns = lock(&self.0.patterns);
        patterns.retain(|pattern| pattern.strong_count() > 0);
        let mut live = patterns.iter().filter_map(Weak::upgrade);
        live.any(|pattern| topology::matches(&pattern, event_type))
    }
}

struct Queue {
    spec: QueueSpec,
    slots: Arc<Semaphore>,
    state: Mutex<State>,
    /// Woken once for each message that becomes ready.
    arrived: Notify,
}

#[derive(Default)]
struct State {
    ready: VecDeque<Entry>,
    dead: VecDeque<DeadLetter>,
}

struct Entry {
    message: Message,
    failed_deliveries: u32,
    /// The message's place in the queue, given back when it is settled for good.
    slot: Option<OwnedSemaphorePermit>,
}

impl Queue {
    fn new(spec: QueueSpec) -> Self {
        Self {
            spec,
            slots: Arc::new(Semaphore::new(QUEUE_CAPACITY)),
            state: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    async fn free_slot(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so that there is always a permit to come.
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    fn push(&self, message: Message, slot: Option<OwnedSemaphorePermit>) {
        lock(&self.state).ready.push_back(Entry {
            message,
            failed_deliveries: 0,
            slot,
        });
        self.arrived.notify_one();
    }

    async fn next(self: &Arc<Self>, in_hand: OwnedSemaphorePermit) -> Delivery {
        let entry = loop {
            let arrived = self.arrived.notified();
            if let Some(entry) = lock(&self.state).ready.pop_front() {
                break entry;
            }
            arrived.await;
        };
        Delivery::new(
            entry.message.clone(),
            entry.failed_deliveries + 1,
            self.spec.name,
            delivery::Settlement::InProcess(Settlement {
                queue: Arc::clone(self),
                entry,
                _in_hand: in_hand,
            }),
        )
    }

    fn bury(&self, message: Message, reason: &str, attempt: u32) {
        let mut state = lock(&self.state);
        if state.dead.len() == DEAD_LETTER_CAPACITY {
            state.dead.pop_front();
            tracing::warn!(
                queue = self.spec.name,
                "too many dead letters: the oldest is gone"
            );
        }
        state.dead.push_back(DeadLetter {
            message,
            reason: reason.to_owned(),
            attempt,
        });
    }
}

/// What a delivery needs to be settled.
pub(crate) struct Settlement {
    queue: Arc<Queue>,
    entry: Entry,
    _in_hand: OwnedSemaphorePermit,
}

impl Settlement {
    pub(crate) fn ack(self) {
        drop(self.entry.slot);
    }

    pub(crate) fn reject(self) {
        let Self {
            queue, mut entry, ..
        } = self;
        entry.failed_deliveries += 1;
        if entry.failed_deliveries > queue.spec.delivery_limit {
            queue.bury(
                entry.message,
                DELIVERY_LIMIT_REACHED,
                entry.failed_deliveries,
            );
        } else {
            lock(&queue.state).ready.push_front(entry);
            queue.arrived.notify_one();
        }
    }

    pub(crate) fn dead_letter(self, reason: &str) {
        let attempt = self.entry.failed_deliveries + 1;
        self.queue.bury(self.entry.message, reason, attempt);
    }
}

/// A panic while the lock is held leaves the queues whole: no invariant spans two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
