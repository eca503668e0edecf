use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

/// A domain event as it travels: CloudEvents 1.0, structured JSON mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<T> {
    pub specversion: SpecVersion,
    pub id: Uuid,
    pub source: String,
    /// Versioned, for example `orders.order.placed.v1`. Also the routing key.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The aggregate the event is about.
    pub subject: String,
    pub time: DateTime<Utc>,
    pub datacontenttype: String,
    /// W3C Trace Context (CloudEvents distributed-tracing extension).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    pub data: T,
}

/// The only version of the CloudEvents specification that we read or write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SpecVersion {
    #[default]
    #[serde(rename = "1.0")]
    V1_0,
}

/// The bytes are not an event of the expected type: retrying can't help.
#[derive(Debug, thiserror::Error)]
#[error("the message is not a well-formed event")]
pub struct DecodeError(#[from] serde_json::Error);

impl<T> Envelope<T> {
    pub fn new(
        id: Uuid,
        source: &str,
        event_type: &str,
        subject: impl ToString,
        time: DateTime<Utc>,
        traceparent: Option<String>,
        data: T,
    ) -> Self {
        Self {
            specversion: SpecVersion::V1_0,
            id,
            source: source.to_owned(),
            event_type: event_type.to_owned(),
            subject: subject.to_string(),
            time,
            datacontenttype: "application/json".to_owned(),
            traceparent,
            data,
        }
    }
}

impl<T: DeserializeOwned> Envelope<T> {
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(serde_json::from_slice(bytes)?)
    }
}

impl<T: Serialize> Envelope<T> {
    pub fn encode(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_round_trips_and_names_its_type_as_cloudevents_does() {
        let event = Envelope::new(
            Uuid::nil(),
            "/orders",
            "a.b.v1",
            "42",
            DateTime::UNIX_EPOCH,
            None,
            7,
        );
        let json = event.encode().unwrap();
        assert!(
            json.contains(r#""specversion":"1.0""#) && json.contains(r#""type":"a.b.v1""#),
            "{json}"
        );
        assert_eq!(Envelope::decode(json.as_bytes()).unwrap(), event);
    }

    #[test]
    fn another_specversion_is_refused() {
        let event = Envelope::new(
            Uuid::nil(),
            "/orders",
            "a.b.v1",
            "42",
            DateTime::UNIX_EPOCH,
            None,
            7,
        );
        let json = event.encode().unwrap().replace("1.0", "9.0");
        assert!(Envelope::<i32>::decode(json.as_bytes()).is_err());
    }
}
