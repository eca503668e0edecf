//! The broker of the embedded mode: no mock, but the same promises as RabbitMQ's within one
//! process. Only a crash is different: it forgets everything but its dead letters, and
//! [`outbox::requeue_unconsumed`](crate::outbox::requeue_unconsumed) brings it back.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use chrono::{DateTime, Utc};
use database::Database;
use futures_util::{
    future::join_all,
    stream::{self, BoxStream, StreamExt},
};
use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Broadcast, DeadLetter, DeadLettersError, Delivery, Message, Publication, PublishError,
    QueueSpec,
    broadcast::CAPACITY as BROADCAST_CAPACITY,
    dead_letters, delivery,
    topology::{self, DELIVERY_LIMIT_REACHED},
};

/// Messages that one queue holds, those in hand included. When it is full, publishing waits.
const QUEUE_CAPACITY: usize = 10_000;
/// Dead letters kept in memory for each queue, where no database takes them; the oldest make room.
const DEAD_LETTER_CAPACITY: usize = 1_000;

#[derive(Clone)]
pub struct InProcess(Arc<Shared>);

struct Shared {
    queues: Vec<Arc<Queue>>,
    broadcast: broadcast::Sender<Message>,
    /// The patterns of the live subscribers, who own them.
    patterns: Mutex<Vec<Weak<str>>>,
    news: Vec<String>,
    publish_timeout: Duration,
    stop: CancellationToken,
}

impl InProcess {
    pub(crate) fn new(
        specs: &[QueueSpec],
        news: Vec<String>,
        publish_timeout: Duration,
        stop: CancellationToken,
    ) -> Self {
        let queues = specs.iter().map(|spec| Arc::new(Queue::new(*spec)));
        Self(Arc::new(Shared {
            queues: queues.collect(),
            broadcast: broadcast::Sender::new(BROADCAST_CAPACITY),
            patterns: Mutex::default(),
            news,
            publish_timeout,
            stop,
        }))
    }

    pub(crate) async fn publish(&self, batch: &[Publication]) -> Vec<Result<(), PublishError>> {
        join_all(
            batch
                .iter()
                .map(|publication| self.publish_one(publication)),
        )
        .await
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

    pub(crate) fn keep_dead_letters(&self, name: &str, database: &Database) -> Option<()> {
        let queue = self.queue(name)?;
        *lock(&queue.store) = Some(database.clone());
        Some(())
    }

    /// Those in the database, then those that it did not take.
    pub(crate) async fn dead_letters(
        &self,
        name: &str,
        message_id: Option<Uuid>,
        limit: usize,
    ) -> Result<Option<Vec<DeadLetter>>, DeadLettersError> {
        let Some(queue) = self.queue(name) else {
            return Ok(None);
        };
        let mut letters = match queue.store() {
            Some(database) => dead_letters::read(&database, name, message_id, limit as u64).await?,
            None => Vec::new(),
        };
        let is_asked_for =
            |letter: &&DeadLetter| message_id.is_none_or(|id| letter.message.id == id);
        let state = lock(&queue.state);
        letters.extend(state.dead.iter().filter(is_asked_for).cloned());
        letters.truncate(limit);
        Ok(Some(letters))
    }

    pub(crate) async fn replay_dead_letters(
        &self,
        name: &str,
        message_id: Option<Uuid>,
        now: DateTime<Utc>,
    ) -> Result<Option<Vec<Uuid>>, DeadLettersError> {
        let Some(queue) = self.queue(name) else {
            return Ok(None);
        };
        let database = queue
            .store()
            .ok_or_else(|| DeadLettersError::NoDatabase(name.to_owned()))?;
        Ok(Some(
            dead_letters::replay(&database, name, message_id, now).await?,
        ))
    }

    pub(crate) fn close(&self) {
        self.0.stop.cancel();
    }

    fn queue(&self, name: &str) -> Option<Arc<Queue>> {
        let mut queues = self.0.queues.iter();
        queues.find(|queue| queue.spec.name == name).cloned()
    }

    /// Puts the message into every queue that it is for, or into none.
    async fn publish_one(&self, publication: &Publication) -> Result<(), PublishError> {
        if self.0.stop.is_cancelled() {
            return Err(PublishError::NotConnected);
        }
        let message = &publication.message;
        if let Some(name) = &publication.queue {
            let queue = self.queue(name).ok_or(PublishError::Unroutable)?;
            let slot = tokio::time::timeout(self.0.publish_timeout, queue.free_slot())
                .await
                .map_err(|_| PublishError::TimedOut)?;
            queue.push(message.clone(), publication.failed_attempts, slot);
            return Ok(());
        }
        let accepts = |queue: &&Arc<Queue>| queue.spec.accepts(&message.event_type);
        let queues: Vec<_> = self.0.queues.iter().filter(accepts).collect();
        if queues.is_empty()
            && !topology::is_news(&self.0.news, &message.event_type)
            && !self.has_subscriber(&message.event_type)
        {
            return Err(PublishError::Unroutable);
        }
        let slots = join_all(queues.iter().map(|queue| queue.free_slot()));
        let slots = tokio::time::timeout(self.0.publish_timeout, slots)
            .await
            .map_err(|_| PublishError::TimedOut)?;
        for (queue, slot) in queues.into_iter().zip(slots) {
            queue.push(message.clone(), publication.failed_attempts, slot);
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
    /// Where its dead letters are kept.
    store: Mutex<Option<Database>>,
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
    /// Before it was put off.
    failed_attempts: u32,
    failed_deliveries: u32,
    /// The message's place in the queue, given back when it is settled for good.
    slot: Option<OwnedSemaphorePermit>,
}

impl Queue {
    fn new(spec: QueueSpec) -> Self {
        Self {
            spec,
            store: Mutex::default(),
            slots: Arc::new(Semaphore::new(QUEUE_CAPACITY)),
            state: Mutex::default(),
            arrived: Notify::new(),
        }
    }

    fn store(&self) -> Option<Database> {
        lock(&self.store).clone()
    }

    async fn free_slot(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed, so that there is always a permit to come.
        Arc::clone(&self.slots).acquire_owned().await.ok()
    }

    fn push(&self, message: Message, failed_attempts: u32, slot: Option<OwnedSemaphorePermit>) {
        lock(&self.state).ready.push_back(Entry {
            message,
            failed_attempts,
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
            entry.attempt(),
            self.spec.name,
            delivery::Settlement::InProcess(Settlement {
                queue: Arc::clone(self),
                entry,
                _in_hand: in_hand,
            }),
        )
    }

    fn give_back(&self, entry: Entry) {
        lock(&self.state).ready.push_front(entry);
        self.arrived.notify_one();
    }

    /// Keeps the letter in the database. One that it does not take is kept in memory, and at the
    /// next start its message comes again.
    async fn bury(&self, letter: DeadLetter) {
        if let Some(database) = self.store() {
            match dead_letters::keep(&database, self.spec.name, &letter).await {
                Ok(()) => return,
                Err(error) => tracing::error!(
                    queue = self.spec.name,
                    message_id = %letter.message.id,
                    cause = kernel::error_chain(&error),
                    "the dead letter is kept in memory only"
                ),
            }
        }
        let mut state = lock(&self.state);
        if state.dead.len() == DEAD_LETTER_CAPACITY {
            state.dead.pop_front();
            tracing::warn!(
                queue = self.spec.name,
                "too many dead letters: the oldest is gone"
            );
        }
        state.dead.push_back(letter);
    }
}

impl Entry {
    /// Which attempt its next or present delivery is.
    fn attempt(&self) -> u32 {
        self.failed_attempts
            .saturating_add(self.failed_deliveries)
            .saturating_add(1)
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

    pub(crate) fn give_back(self) {
        self.queue.give_back(self.entry);
    }

    pub(crate) async fn reject(self) {
        if let Some((queue, letter)) = self.count_failure() {
            queue.bury(letter).await;
        }
    }

    /// For a delivery that is dropped. Without a runtime the process is ending, and its message
    /// comes again at the next start.
    pub(crate) fn reject_in_background(self) {
        if let (Some((queue, letter)), Ok(runtime)) = (self.count_failure(), Handle::try_current())
        {
            runtime.spawn(async move { queue.bury(letter).await });
        }
    }

    /// Gives the message back, or makes a letter of it when its deliveries are used up.
    fn count_failure(self) -> Option<(Arc<Queue>, DeadLetter)> {
        let Self {
            queue, mut entry, ..
        } = self;
        let attempt = entry.attempt();
        entry.failed_deliveries += 1;
        if entry.failed_deliveries <= queue.spec.delivery_limit {
            queue.give_back(entry);
            return None;
        }
        let letter = DeadLetter {
            message: entry.message,
            reason: DELIVERY_LIMIT_REACHED.to_owned(),
            attempt,
        };
        Some((queue, letter))
    }

    pub(crate) async fn dead_letter(self, reason: &str, attempt: u32) {
        let letter = DeadLetter {
            message: self.entry.message,
            reason: reason.to_owned(),
            attempt,
        };
        self.queue.bury(letter).await;
    }
}

/// A panic while the lock is held leaves the queues whole: no invariant spans two statements.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
