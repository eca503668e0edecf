//! How a [`Message`] is laid out in AMQP properties and headers.

use bytes::Bytes;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use uuid::Uuid;

use super::topology::{Topology, text};
use crate::{Message, Publication};

const TRACEPARENT: &str = "traceparent";
/// How often the handling of the message had failed when it was published.
const FAILED_ATTEMPTS: &str = "failed-attempts";
pub(super) const DEAD_LETTER_REASON: &str = "dead-letter-reason";
pub(super) const DEAD_LETTER_ATTEMPT: &str = "dead-letter-attempt";
/// Written by quorum queues: the failed deliveries so far.
const DELIVERY_COUNT: &str = "x-delivery-count";
const PERSISTENT: u8 = 2;

/// A message ready to be published.
pub(super) struct Outgoing {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    /// Identifies the message when the broker returns it; unique within a batch.
    pub(super) message_id: String,
    /// Whether the broker is to return it when no queue takes it.
    pub(super) is_mandatory: bool,
    pub(super) properties: BasicProperties,
    pub(super) body: Bytes,
}

/// The properties are not those of a message that Plumbline wrote.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("message_id is not a UUID")]
    MessageId,
    #[error("correlation_id is not the UUID of an aggregate")]
    AggregateId,
}

/// To the queue that it is for alone, through the exchange that reaches every queue by its name, or
/// to all that are bound to its type.
pub(super) fn publication(topology: &Topology, publication: &Publication) -> Outgoing {
    let mut outgoing = event(topology.events_exchange(), &publication.message);
    if publication.failed_attempts > 0 {
        let failed_attempts = i64::from(publication.failed_attempts).into();
        let headers = with_headers(&outgoing.properties, [(FAILED_ATTEMPTS, failed_attempts)]);
        outgoing.properties = headers;
    }
    match &publication.queue {
        Some(queue) => {
            outgoing.exchange = String::new();
            outgoing.routing_key = topology.name_of(queue);
        }
        None => outgoing.is_mandatory = topology.is_mandatory(&publication.message.event_type),
    }
    outgoing
}

/// To every queue that is bound to its type.
pub(super) fn event(exchange: &str, message: &Message) -> Outgoing {
    let mut headers = FieldTable::default();
    if let Some(traceparent) = &message.traceparent {
        headers.insert(TRACEPARENT.into(), text(traceparent));
    }
    let message_id = message.id.to_string();
    let properties = BasicProperties::default()
        .with_content_type("application/cloudevents+json".into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message_id.as_str().into())
        .with_correlation_id(message.aggregate_id.to_string().into())
        .with_type(message.event_type.as_str().into())
        .with_headers(headers);
    Outgoing {
        exchange: exchange.to_owned(),
        routing_key: message.event_type.clone(),
        message_id,
        is_mandatory: true,
        properties,
        body: message.body.clone(),
    }
}

/// The same message, with why it was set aside and after how many deliveries.
pub(super) fn dead_letter(
    exchange: &str,
    queue: &str,
    message: &Message,
    reason: &str,
    attempt: u32,
) -> Outgoing {
    let event = event(exchange, message);
    let properties = with_reason(&event.properties, reason, attempt);
    Outgoing {
        routing_key: queue.to_owned(),
        properties,
        ..event
    }
}

/// A message that is not one of ours, set aside as it came.
pub(super) fn malformed(
    exchange: &str,
    queue: &str,
    delivery: &Delivery,
    reason: &str,
) -> Outgoing {
    // What the sender wrote there need not be unique.
    let message_id = Uuid::new_v4().to_string();
    let properties = delivery
        .properties
        .clone()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message_id.as_str().into());
    Outgoing {
        exchange: exchange.to_owned(),
        routing_key: queue.to_owned(),
        properties: with_reason(&properties, reason, attempt(delivery)),
        message_id,
        is_mandatory: true,
        body: Bytes::copy_from_slice(&delivery.data),
    }
}

/// A dead letter as it came to its queue the first time, but for what was counted meanwhile.
pub(super) fn replayed(queue: &str, letter: &Delivery) -> Outgoing {
    let mut headers = FieldTable::default();
    for (name, value) in letter.properties.headers().iter().flatten() {
        let is_ours =
            [DEAD_LETTER_REASON, DEAD_LETTER_ATTEMPT, FAILED_ATTEMPTS].contains(&name.as_str());
        // RabbitMQ's own begin so: `x-death`, `x-delivery-count`.
        if !is_ours && !name.as_str().starts_with("x-") {
            headers.insert(name.clone(), value.clone());
        }
    }
    let message_id = match letter.properties.message_id() {
        Some(id) => id.to_string(),
        None => Uuid::new_v4().to_string(),
    };
    let properties = letter
        .properties
        .clone()
        .with_delivery_mode(PERSISTENT)
        .with_message_id(message_id.as_str().into())
        .with_headers(headers);
    Outgoing {
        exchange: String::new(),
        routing_key: queue.to_owned(),
        message_id,
        is_mandatory: true,
        properties,
        body: Bytes::copy_from_slice(&letter.data),
    }
}

fn with_reason(properties: &BasicProperties, reason: &str, attempt: u32) -> BasicProperties {
    let added = [
        (DEAD_LETTER_REASON, text(reason)),
        (DEAD_LETTER_ATTEMPT, i64::from(attempt).into()),
    ];
    with_headers(properties, added)
}

fn with_headers<const N: usize>(
    properties: &BasicProperties,
    added: [(&str, AMQPValue); N],
) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    for (name, value) in added {
        headers.insert(name.into(), value);
    }
    properties.clone().with_headers(headers)
}

pub(super) fn decode(delivery: &Delivery) -> Result<Message, Malformed> {
    let id = message_id(delivery).ok_or(Malformed::MessageId)?;
    let aggregate_id = aggregate_id(delivery).ok_or(Malformed::AggregateId)?;
    Ok(message(delivery, id, aggregate_id))
}

/// A dead letter need not be one of ours: what it does not say is the nil UUID.
pub(super) fn decode_dead_letter(delivery: &Delivery) -> Message {
    let id = message_id(delivery).unwrap_or_default();
    let aggregate_id = aggregate_id(delivery).unwrap_or_default();
    message(delivery, id, aggregate_id)
}

fn message(delivery: &Delivery, id: Uuid, aggregate_id: Uuid) -> Message {
    // A dead letter's routing key is its queue; the type stays what it was.
    let event_type = delivery.properties.kind().as_ref();
    Message {
        id,
        event_type: event_type.unwrap_or(&delivery.routing_key).to_string(),
        aggregate_id,
        body: Bytes::copy_from_slice(&delivery.data),
        traceparent: header_text(delivery, TRACEPARENT),
    }
}

fn message_id(delivery: &Delivery) -> Option<Uuid> {
    let id = delivery.properties.message_id().as_ref()?;
    Uuid::parse_str(id.as_str()).ok()
}

fn aggregate_id(delivery: &Delivery) -> Option<Uuid> {
    let id = delivery.properties.correlation_id().as_ref()?;
    Uuid::parse_str(id.as_str()).ok()
}

/// Which attempt to handle the message this is, from 1.
pub(super) fn attempt(delivery: &Delivery) -> u32 {
    header_number(delivery, DELIVERY_COUNT)
        .unwrap_or(0)
        .saturating_add(failed_attempts(delivery))
        .saturating_add(1)
}

/// How many attempts had failed when the message was published.
pub(super) fn failed_attempts(delivery: &Delivery) -> u32 {
    header_number(delivery, FAILED_ATTEMPTS).unwrap_or(0)
}

pub(super) fn header_text(delivery: &Delivery, name: &str) -> Option<String> {
    match header(delivery, name)? {
        AMQPValue::LongString(text) => Some(text.to_string()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

pub(super) fn header_number(delivery: &Delivery, name: &str) -> Option<u32> {
    match *header(delivery, name)? {
        AMQPValue::LongLongInt(number) => u32::try_from(number).ok(),
        AMQPValue::LongInt(number) => u32::try_from(number).ok(),
        AMQPValue::LongUInt(number) => Some(number),
        AMQPValue::ShortInt(number) => u32::try_from(number).ok(),
        AMQPValue::ShortUInt(number) => Some(u32::from(number)),
        AMQPValue::ShortShortInt(number) => u32::try_from(number).ok(),
        AMQPValue::ShortShortUInt(number) => Some(u32::from(number)),
        _ => None,
    }
}

fn header<'a>(delivery: &'a Delivery, name: &str) -> Option<&'a AMQPValue> {
    delivery.properties.headers().as_ref()?.inner().get(name)
}
