use fail_points::FailPoint;
use metrics::counter;

use crate::{Message, in_process, rabbitmq};

/// A message in hand. Settle it with [`Self::ack`], [`Self::retry`] or [`Self::dead_letter`];
/// dropping it, in a panic for example, counts as a failed delivery.
///
/// None of the three returns an error, for nothing is left to do about one: a message whose
/// settlement did not reach the broker is delivered again, and the inbox absorbs it.
pub struct Delivery {
    pub message: Message,
    /// Which attempt to handle this message it is, from 1: every delivery is one, and those before
    /// it was put off count.
    pub attempt: u32,
    queue: &'static str,
    /// `None` once settled.
    settlement: Option<Settlement>,
}

pub(crate) enum Settlement {
    RabbitMq(rabbitmq::Settlement),
    InProcess(in_process::Settlement),
}

impl Delivery {
    pub(crate) fn new(
        message: Message,
        attempt: u32,
        queue: &'static str,
        settlement: Settlement,
    ) -> Self {
        if attempt > 1 {
            counter!("plumbline_messages_redelivered_total", "queue" => queue).increment(1);
        }
        Self {
            message,
            attempt,
            queue,
            settlement: Some(settlement),
        }
    }

    /// The queue the message came from.
    #[must_use]
    pub fn queue(&self) -> &'static str {
        self.queue
    }

    /// The message has taken effect: forget it.
    pub async fn ack(mut self) {
        fail_points::reached(FailPoint::AfterCommitBeforeAck);
        match self.settle("acknowledged") {
            Some(Settlement::RabbitMq(settlement)) => settlement.ack().await,
            Some(Settlement::InProcess(settlement)) => settlement.ack(),
            None => {}
        }
    }

    /// Deliver the message again, soon. This counts towards the queue's delivery limit.
    pub async fn retry(mut self) {
        match self.settle("retried") {
            Some(Settlement::RabbitMq(settlement)) => settlement.reject().await,
            Some(Settlement::InProcess(settlement)) => settlement.reject().await,
            None => {}
        }
    }

    /// Nobody has tried to handle it, because this process ends: give it to another. RabbitMQ
    /// before 4 counts this towards the delivery limit all the same.
    pub async fn give_back(mut self) {
        match self.settle("given_back") {
            Some(Settlement::RabbitMq(settlement)) => settlement.give_back().await,
            Some(Settlement::InProcess(settlement)) => settlement.give_back(),
            None => {}
        }
    }

    /// Retrying can't help: set the message aside in the dead-letter queue. It leaves its own
    /// queue only once the dead-letter queue has it.
    pub async fn dead_letter(mut self, reason: &str) {
        tracing::warn!(
            queue = self.queue,
            message_id = %self.message.id,
            event_type = self.message.event_type,
            attempt = self.attempt,
            reason,
            "the message goes to the dead-letter queue"
        );
        match self.settle("dead_lettered") {
            Some(Settlement::RabbitMq(settlement)) => {
                settlement
                    .dead_letter(&self.message, reason, self.attempt)
                    .await;
            }
            Some(Settlement::InProcess(settlement)) => {
                settlement.dead_letter(reason, self.attempt).await;
            }
            None => {}
        }
    }

    fn settle(&mut self, outcome: &'static str) -> Option<Settlement> {
        let queue = self.queue;
        counter!("plumbline_messages_consumed_total", "queue" => queue, "outcome" => outcome)
            .increment(1);
        self.settlement.take()
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.settlement.is_none() {
            return;
        }
        match self.settle("dropped") {
            Some(Settlement::RabbitMq(settlement)) => settlement.reject_in_background(),
            Some(Settlement::InProcess(settlement)) => settlement.reject_in_background(),
            None => {}
        }
    }
}
