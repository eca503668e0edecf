//! Publishing with confirms.
//!
//! lapin hands a returned (unroutable) message to whichever confirm comes next on the channel,
//! not to its own. So a batch has a channel to itself, and what was returned is matched by
//! message id once all confirms of the batch are in.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{sync::Semaphore, time::timeout};

use super::{
    COMMAND_TIMEOUT,
    channel::OwnedChannel,
    link::{Link, Live},
    topology::Topology,
    wire::Outgoing,
};
use crate::PublishError;

/// Batches on their way at a time.
const CHANNELS: usize = 8;
/// Messages of one batch that wait for their confirms at a time. lapin queues outgoing frames
/// without a bound of its own, so that `CHANNELS * WINDOW` is the bound.
const WINDOW: usize = 128;
/// How long the consumers of a deleted queue have to declare it again.
const DECLARE_DELAY: Duration = Duration::from_secs(2);

pub(super) struct Publisher {
    link: Arc<Link>,
    topology: Arc<Topology>,
    timeout: Duration,
    batches: Semaphore,
    idle: Mutex<Vec<Lease>>,
    /// One permit, for declaring the queues again.
    declaring: Arc<Semaphore>,
}

/// A channel in confirm mode and the connection it belongs to.
struct Lease {
    live: Arc<Live>,
    channel: OwnedChannel,
}

impl Publisher {
    pub(super) fn new(link: Arc<Link>, topology: Arc<Topology>, timeout: Duration) -> Self {
        Self {
            link,
            topology,
            timeout,
            batches: Semaphore::new(CHANNELS),
            idle: Mutex::default(),
            declaring: Arc::new(Semaphore::new(1)),
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.link.current().is_some()
    }

    pub(super) async fn wait_until_connected(&self) {
        self.link.ready().await;
    }

    /// Publishes persistent messages. The results are in the order of `batch`.
    pub(super) async fn publish(&self, batch: &[Outgoing]) -> Vec<Result<(), PublishError>> {
        let fail = |error: PublishError| batch.iter().map(|_| Err(error.clone())).collect();
        let Ok(Ok(_place)) = timeout(self.timeout, self.batches.acquire()).await else {
            return fail(PublishError::TimedOut);
        };
        let lease = match self.lease().await {
            Ok(lease) => lease,
            Err(error) => return fail(error),
        };
        let publishing = batch
            .iter()
            .map(|outgoing| self.publish_one(&lease.channel, outgoing));
        // Collected first: a closure that borrows inside the stream would not be `Send` enough.
        let publishing: Vec<_> = publishing.collect();
        let confirmations = stream::iter(publishing).buffered(WINDOW).collect().await;
        let results = match_returns(batch, confirmations);
        self.give_back(lease, &results);
        results
    }

    async fn lease(&self) -> Result<Lease, PublishError> {
        let live = self.link.current().ok_or(PublishError::NotConnected)?;
        if live.is_blocked() {
            return Err(PublishError::Blocked);
        }
        while let Some(lease) = self.take_idle() {
            if Arc::ptr_eq(&lease.live, &live) && lease.channel.status().connected() {
                return Ok(lease);
            }
        }
        let open = async {
            let channel = live.open_channel().await?;
            channel
                .confirm_select(ConfirmSelectOptions::default())
                .await?;
            Ok::<_, lapin::Error>(channel)
        };
        match timeout(self.timeout, open).await {
            Ok(Ok(channel)) => Ok(Lease { live, channel }),
            Ok(Err(error)) => {
                live.condemn();
                Err(PublishError::Connection(error))
            }
            Err(_) => {
                live.condemn();
                Err(PublishError::TimedOut)
            }
        }
    }

    async fn publish_one(
        &self,
        channel: &Channel,
        outgoing: &Outgoing,
    ) -> Result<Confirmation, PublishError> {
        let confirmed = async {
            let options = BasicPublishOptions {
                mandatory: outgoing.is_mandatory,
                ..BasicPublishOptions::default()
            };
            channel
                .basic_publish(
                    outgoing.exchange.as_str().into(),
                    outgoing.routing_key.as_str().into(),
                    options,
                    &outgoing.body,
                    outgoing.properties.clone(),
                )
                .await?
                .await
        };
        timeout(self.timeout, confirmed)
            .await
            .map_err(|_| PublishError::TimedOut)?
            .map_err(PublishError::Connection)
    }

    /// Keeps a sound channel for the next batch and gives up a connection that does not answer.
    fn give_back(&self, lease: Lease, results: &[Result<(), PublishError>]) {
        let errors = || results.iter().filter_map(|result| result.as_ref().err());
        if errors().any(|error| matches!(error, PublishError::Unroutable)) {
            self.declare_queues_soon(&lease.live);
        }
        if errors().next().is_none() {
            self.lock_idle().push(lease);
        } else if errors().any(PublishError::is_outage) && !lease.live.is_blocked() {
            // Frames that were never confirmed may still wait in the connection's buffers:
            // dropping it is what frees them. A blocked connection takes no more of them.
            lease.live.condemn();
        }
    }

    /// A deleted queue is declared again by those who consume it. A queue that nobody consumes is
    /// declared here, and not at once: when the new queue is there before RabbitMQ (seen with
    /// 3.10) has told a consumer of the deletion, it never tells it. Such a consumer is counted
    /// as one of the new queue and is given nothing.
    fn declare_queues_soon(&self, live: &Arc<Live>) {
        let Ok(only_one) = Arc::clone(&self.declaring).try_acquire_owned() else {
            return;
        };
        let (live, topology) = (Arc::clone(live), Arc::clone(&self.topology));
        tokio::spawn(async move {
            let _only_one = only_one;
            tokio::time::sleep(DECLARE_DELAY).await;
            let declare = async { topology.declare(&*live.open_channel().await?).await };
            if !matches!(timeout(COMMAND_TIMEOUT, declare).await, Ok(Ok(()))) {
                live.condemn();
            }
        });
    }

    fn take_idle(&self) -> Option<Lease> {
        self.lock_idle().pop()
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Lease>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn match_returns(
    batch: &[Outgoing],
    confirmations: Vec<Result<Confirmation, PublishError>>,
) -> Vec<Result<(), PublishError>> {
    let mut returned = HashSet::new();
    let mut results = Vec::with_capacity(confirmations.len());
    for confirmation in confirmations {
        results.push(match &confirmation {
            Ok(Confirmation::Ack(_)) => Ok(()),
            Ok(Confirmation::Nack(_) | Confirmation::NotRequested) => Err(PublishError::Refused),
            Err(error) => Err(error.clone()),
        });
        let message = confirmation.ok().and_then(Confirmation::take_message);
        let id = message.and_then(|message| message.delivery.properties.message_id().clone());
        returned.extend(id.map(String::from));
    }
    for (outgoing, result) in batch.iter().zip(&mut results) {
        if returned.contains(&outgoing.message_id) {
            *result = Err(PublishError::Unroutable);
        }
    }
    results
}
