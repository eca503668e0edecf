//! Working on a dead-letter queue.

use std::{sync::Arc, time::Duration};

use lapin::{
    Channel,
    message::Delivery,
    options::{BasicAckOptions, BasicGetOptions, QueueDeclareOptions},
    types::{FieldTable, ShortString},
};
use uuid::Uuid;

use super::{link::Live, publisher::Publisher, topology::Topology, wire};
use crate::{DeadLetter, DeadLettersError, QueueSpec, topology::DELIVERY_LIMIT_REACHED};

/// How long what was looked at may take to be back.
const RETURN_CHECKS: u32 = 40;
const RETURN_CHECK_INTERVAL: Duration = Duration::from_millis(25);

pub(super) struct DeadLetterQueue<'a> {
    pub(super) live: Arc<Live>,
    pub(super) topology: &'a Topology,
    pub(super) spec: &'a QueueSpec,
}

impl DeadLetterQueue<'_> {
    /// Reads at most `limit` letters, or the one of a message, and puts them back.
    pub(super) async fn peek(
        &self,
        message_id: Option<Uuid>,
        limit: usize,
    ) -> lapin::Result<Vec<DeadLetter>> {
        let channel = self.live.open_channel().await?;
        let mut looked_at = 0;
        let mut letters = Vec::new();
        while letters.len() < limit {
            let Some(raw) = self.get(&channel).await? else {
                break;
            };
            looked_at += 1;
            let letter = self.read(&raw);
            if message_id.is_none_or(|id| letter.message.id == id) {
                letters.push(letter);
            }
        }
        channel.close(200, "OK".into()).await?;
        self.wait_until_back(looked_at).await?;
        Ok(letters)
    }

    /// Closing the channel puts back what it was given, in RabbitMQ's own time. Whoever looks next
    /// must find it, unless somebody else was quicker.
    async fn wait_until_back(&self, looked_at: u32) -> lapin::Result<()> {
        let channel = self.live.open_channel().await?;
        for _ in 0..RETURN_CHECKS {
            if self.count(&channel).await? >= looked_at {
                break;
            }
            tokio::time::sleep(RETURN_CHECK_INTERVAL).await;
        }
        channel.close(200, "OK".into()).await
    }

    /// Publishes letters to their own queue, and takes each away when it is confirmed. Dying in
    /// between leaves a letter behind whose message is also in its queue: the inbox sees to that.
    pub(super) async fn replay(
        &self,
        publisher: &Publisher,
        message_id: Option<Uuid>,
    ) -> Result<Vec<Uuid>, DeadLettersError> {
        let channel = self.live.open_channel().await?;
        let queue = self.topology.queue_name(self.spec);
        let mut replayed = Vec::new();
        let mut passed_over = 0;
        // What comes back while this goes on is not sent a second time.
        for _ in 0..self.count(&channel).await? {
            let Some(raw) = self.get(&channel).await? else {
                break;
            };
            let id = wire::decode_dead_letter(&raw).id;
            if message_id.is_some_and(|asked_for| asked_for != id) {
                passed_over += 1;
                continue;
            }
            let outgoing = wire::replayed(queue.as_str(), &raw);
            for result in publisher.publish(&[outgoing]).await {
                result?;
            }
            raw.acker.ack(BasicAckOptions::default()).await?;
            replayed.push(id);
        }
        channel.close(200, "OK".into()).await?;
        self.wait_until_back(passed_over).await?;
        Ok(replayed)
    }

    async fn get(&self, channel: &Channel) -> lapin::Result<Option<Delivery>> {
        let got = channel
            .basic_get(self.name(), BasicGetOptions::default())
            .await?;
        Ok(got.map(|got| got.delivery))
    }

    async fn count(&self, channel: &Channel) -> lapin::Result<u32> {
        let passive = QueueDeclareOptions::default().passive();
        let queue = channel.queue_declare(self.name(), passive, FieldTable::default());
        Ok(queue.await?.message_count())
    }

    fn name(&self) -> ShortString {
        self.topology.dead_letter_queue_name(self.spec)
    }

    fn read(&self, raw: &Delivery) -> DeadLetter {
        let used_up = wire::failed_attempts(raw)
            .saturating_add(self.spec.delivery_limit)
            .saturating_add(1);
        DeadLetter {
            message: wire::decode_dead_letter(raw),
            // Without a reason of ours, RabbitMQ moved it, after the last delivery allowed.
            reason: wire::header_text(raw, wire::DEAD_LETTER_REASON)
                .unwrap_or_else(|| DELIVERY_LIMIT_REACHED.to_owned()),
            attempt: wire::header_number(raw, wire::DEAD_LETTER_ATTEMPT).unwrap_or(used_up),
        }
    }
}
