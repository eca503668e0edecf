use chrono::{DateTime, Utc};
use serde::{Deserialize, de};

use crate::{
    Intent, Refund,
    model::{InvalidObject, time},
};

/// A webhook's body, to be read only after [`signature::verify`](crate::signature::verify).
///
/// Events arrive in any order, late, twice or never, and show the object as it was when they were
/// made: take one as a hint to fetch the present state, and `id` as its deduplication key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "EventFields")]
pub struct WebhookEvent {
    pub id: String,
    /// Stripe's type, such as `payment_intent.succeeded`.
    pub event_type: String,
    pub created: DateTime<Utc>,
    pub object: EventObject,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventObject {
    Intent(Intent),
    Refund(Refund),
    /// An object that Plumbline takes no interest in; the name of its type.
    Other(String),
}

impl WebhookEvent {
    /// Reads the raw request body.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }

    /// The intent that the event is about.
    #[must_use]
    pub fn intent_id(&self) -> Option<&str> {
        match &self.object {
            EventObject::Intent(intent) => Some(&intent.id),
            EventObject::Refund(refund) => refund.intent_id.as_deref(),
            EventObject::Other(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct EventFields {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    created: i64,
    data: EventData,
}

#[derive(Deserialize)]
struct EventData {
    object: EventObject,
}

impl TryFrom<EventFields> for WebhookEvent {
    type Error = InvalidObject;

    fn try_from(fields: EventFields) -> Result<Self, InvalidObject> {
        Ok(Self {
            id: fields.id,
            event_type: fields.event_type,
            created: time(fields.created)?,
            object: fields.data.object,
        })
    }
}

impl<'de> Deserialize<'de> for EventObject {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = serde_json::Value::deserialize(deserializer)?;
        match object.get("object").and_then(serde_json::Value::as_str) {
            Some("payment_intent") => serde_json::from_value(object).map(Self::Intent),
            Some("refund") => serde_json::from_value(object).map(Self::Refund),
            Some(other) => Ok(Self::Other(other.to_owned())),
            None => return Err(de::Error::missing_field("object")),
        }
        .map_err(de::Error::custom)
    }
}
