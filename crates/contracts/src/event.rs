//! Every event that crosses a process boundary, with the JSON Schema (draft 7) of its envelope.

use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    order_event::{
        self, OrderEventType, OrderTransitioned, PAYMENT_NOTICE_RECEIVED, PaymentNoticeReceived,
    },
    product_event::{self, ProductChanged},
    saga_event::{STEP_OVERDUE, STEP_OVERDUE_V1, StepOverdue, StepOverdueV1},
};

/// An event, as documents and tests want to know it.
#[derive(Clone, Debug)]
pub struct DeclaredEvent {
    /// Versioned; also the routing key.
    pub event_type: &'static str,
    /// One sentence for people.
    pub summary: String,
    /// The version that is written instead. This one is still read.
    pub superseded_by: Option<&'static str>,
    schema: Value,
}

impl DeclaredEvent {
    /// An event with data of type `T`, told by `source`.
    #[must_use]
    pub fn new<T: ToSchema>(event_type: &'static str, source: &str, summary: &str) -> Self {
        let text = |description: &str| json!({"type": "string", "description": description});
        // A schema that can't be written would be a defect of utoipa's; tests see that each asks
        // for some data.
        let mut data = serde_json::to_value(T::schema()).unwrap_or_default();
        if let Some(data) = data.as_object_mut() {
            // For readers of the code; the event's summary is for all.
            data.remove("description");
        }
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$id": format!("urn:plumbline:event:{event_type}"),
            "title": event_type,
            "description": summary,
            "type": "object",
            "required": [
                "specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data",
            ],
            "properties": {
                "specversion": {"const": "1.0"},
                "id": {"type": "string", "format": "uuid"},
                "source": {"const": source},
                "type": {"const": event_type},
                "subject": text("What the event is about."),
                "time": {"type": "string", "format": "date-time"},
                "datacontenttype": {"const": "application/json"},
                "traceparent": text("W3C Trace Context."),
                "data": data,
            },
        });
        Self {
            event_type,
            summary: summary.to_owned(),
            superseded_by: None,
            schema,
        }
    }

    /// The JSON Schema of the event as it travels, envelope included.
    #[must_use]
    pub fn schema(&self) -> &Value {
        &self.schema
    }

    /// With the one value that a member of the data may have.
    fn with_constant(mut self, member: &str, value: &str) -> Self {
        self.schema["properties"]["data"]["properties"][member]["const"] = json!(value);
        self
    }

    fn superseded_by(mut self, event_type: &'static str) -> Self {
        self.superseded_by = Some(event_type);
        self
    }
}

/// The events of the ordering context. The identity context declares its own.
#[must_use]
pub fn declared_events() -> Vec<DeclaredEvent> {
    let source = order_event::SOURCE;
    let transitions = OrderEventType::ALL.iter().map(|event_type| {
        let status = event_type.status();
        let summary = format!("An order is {status} now.");
        DeclaredEvent::new::<OrderTransitioned>(event_type.as_str(), source, &summary)
            .with_constant("status", &status)
    });
    let others = [
        DeclaredEvent::new::<PaymentNoticeReceived>(
            PAYMENT_NOTICE_RECEIVED,
            source,
            "A payment provider's webhook was stored.",
        ),
        DeclaredEvent::new::<ProductChanged>(
            product_event::CHANGED,
            source,
            "A product was created or changed by hand.",
        ),
        DeclaredEvent::new::<StepOverdueV1>(
            STEP_OVERDUE_V1,
            source,
            "The worker is to look at an order again.",
        )
        .superseded_by(STEP_OVERDUE),
        DeclaredEvent::new::<StepOverdue>(
            STEP_OVERDUE,
            source,
            "The worker is to look at an order again.",
        ),
    ];
    transitions.chain(others).collect()
}

/// Why nobody here knows what an event says: retrying can't help, another release can.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownEvent {
    #[error("there is no event type `{0}`")]
    Type(String),
    #[error("`{event_type}` is of a version that is not read here: {read} is")]
    Version {
        event_type: String,
        /// The versions that are read, with their names.
        read: String,
    },
}

impl UnknownEvent {
    /// Tells a version that is not known from a type that never was.
    #[must_use]
    pub fn new(event_type: &str) -> Self {
        let unversioned = |name: &str| name.rsplit_once(".v").map(|(name, _)| name.to_owned());
        let name = unversioned(event_type);
        let events = declared_events();
        let read: Vec<_> = events
            .iter()
            .map(|event| event.event_type)
            .filter(|known| name.is_some() && unversioned(known) == name)
            .collect();
        if read.is_empty() {
            Self::Type(event_type.to_owned())
        } else {
            Self::Version {
                event_type: event_type.to_owned(),
                read: read.join(", "),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_event_is_declared_once_with_its_type_in_its_schema() {
        let mut seen = HashSet::new();
        for event in declared_events() {
            let name = event.event_type;
            assert!(seen.insert(name), "{name} twice");
            assert_eq!(event.schema()["properties"]["type"]["const"], name);
            assert!(event.schema()["properties"]["data"].is_object(), "{name}");
        }
        for event_type in OrderEventType::ALL {
            assert!(seen.contains(event_type.as_str()));
        }
    }

    #[test]
    fn a_schema_asks_for_what_is_always_sent_and_for_no_more() {
        let event = DeclaredEvent::new::<StepOverdue>("a.b.v1", "/here", "It happened.");
        let required = &event.schema()["required"];
        let asked: HashSet<_> = required.as_array().unwrap().iter().collect();
        assert!(asked.contains(&json!("data")));
        assert!(!asked.contains(&json!("traceparent")), "{required}");
        let data = &event.schema()["properties"]["data"];
        assert_eq!(data["required"], json!(["order_id", "reason"]));
        assert_eq!(data["properties"]["order_id"]["format"], "uuid");
    }

    #[test]
    fn an_unknown_version_is_told_from_an_unknown_type() {
        let version = UnknownEvent::new("orders.saga.step_overdue.v9").to_string();
        assert_eq!(
            version,
            "`orders.saga.step_overdue.v9` is of a version that is not read here: \
             orders.saga.step_overdue.v1, orders.saga.step_overdue.v2 is"
        );
        for name in ["a.b.v1", "orders.order.placed", "", ".v", "v1"] {
            assert_eq!(UnknownEvent::new(name), UnknownEvent::Type(name.to_owned()));
        }
    }
}
