//! Which events there are, where they go and who takes them, as an AsyncAPI document
//! (<https://www.asyncapi.com/docs/reference/specification/v3.0.0>). The payloads are the JSON
//! Schemas beside it.

use contracts::DeclaredEvent;
use messaging::QueueSpec;
use serde_json::{Map, Value, json};

/// What stands before every name at the broker, unless `messaging.namespace` says otherwise.
const NAMESPACE: &str = "plumbline";

const DESCRIPTION: &str = "Events are CloudEvents 1.0 in structured JSON mode. AMQP `message_id` \
    is the event's id and `type` its type, which is the routing key, too; the header `traceparent` \
    is W3C Trace Context. Delivery is at least once: take `id` for what it is, the key by which a \
    repetition is known. The events of one aggregate (AMQP `correlation_id`) arrive in their \
    order, unless one was delayed.";

/// The document. Event types are channels on the topic exchange, to which queues are bound.
pub(crate) fn document(events: &[DeclaredEvent], queues: &[QueueSpec]) -> Value {
    let mut channels = Map::new();
    let mut operations = Map::new();
    let mut messages = Map::new();
    for event in events {
        let name = event.event_type;
        messages.insert(name.to_owned(), message(event));
        channels.insert(name.to_owned(), event_channel(event));
        let is_written = event.superseded_by.is_none();
        if is_written {
            operations.insert(format!("send {name}"), operation("send", name, &[name]));
        }
    }
    for queue in queues {
        let accepted: Vec<_> = events
            .iter()
            .map(|event| event.event_type)
            .filter(|event_type| queue.accepts(event_type))
            .collect();
        channels.insert(queue.name.to_owned(), queue_channel(queue, &accepted));
        let name = format!("receive from {}", queue.name);
        operations.insert(name, operation("receive", queue.name, &accepted));
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Plumbline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": env!("CARGO_PKG_LICENSE")},
        },
        "defaultContentType": "application/cloudevents+json",
        "servers": {
            "rabbitmq": {
                "host": "localhost:5672",
                "protocol": "amqp",
                "protocolVersion": "0-9-1",
                "description": "`messaging.url`. Embedded, a broker inside the process stands for it.",
            },
        },
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    })
}

fn message(event: &DeclaredEvent) -> Value {
    let mut message = json!({
        "name": event.event_type,
        "title": event.summary,
        "headers": {
            "type": "object",
            "properties": {
                "traceparent": {"type": "string", "description": "W3C Trace Context."},
            },
        },
        "payload": {"$ref": format!("./events/{}.schema.json", event.event_type)},
    });
    if let Some(newer) = event.superseded_by {
        let description = format!("Read and no longer written: {newer} is.");
        message["description"] = json!(description);
    }
    message
}

fn event_channel(event: &DeclaredEvent) -> Value {
    let name = event.event_type;
    let mut channel = channel(name, &[name]);
    channel["bindings"] = json!({"amqp": {
        "is": "routingKey",
        "exchange": {
            "name": format!("{NAMESPACE}.events"),
            "type": "topic",
            "durable": true,
            "autoDelete": false,
        },
    }});
    channel
}

fn queue_channel(queue: &QueueSpec, accepted: &[&str]) -> Value {
    let mut channel = channel(&format!("{NAMESPACE}.{}", queue.name), accepted);
    let bindings = queue.bindings.join("`, `");
    let limit = queue.delivery_limit;
    channel["description"] = json!(format!(
        "A quorum queue, bound with `{bindings}`. After {limit} failed deliveries a message goes \
         to `{NAMESPACE}.{}.dead`.",
        queue.name
    ));
    channel["bindings"] = json!({"amqp": {
        "is": "queue",
        "queue": {
            "name": format!("{NAMESPACE}.{}", queue.name),
            "durable": true,
            "exclusive": false,
            "autoDelete": false,
        },
    }});
    channel
}

fn channel(address: &str, messages: &[&str]) -> Value {
    let messages: Map<_, _> = messages
        .iter()
        .map(|name| ((*name).to_owned(), reference("components/messages", name)))
        .collect();
    json!({"address": address, "messages": messages})
}

fn operation(action: &str, channel: &str, messages: &[&str]) -> Value {
    let folder = format!("channels/{channel}/messages");
    let messages: Vec<_> = messages
        .iter()
        .map(|name| reference(&folder, name))
        .collect();
    json!({
        "action": action,
        "channel": reference("channels", channel),
        "messages": messages,
    })
}

fn reference(folder: &str, name: &str) -> Value {
    json!({"$ref": format!("#/{folder}/{name}")})
}
