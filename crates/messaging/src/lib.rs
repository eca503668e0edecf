//! Messages between processes, at least once: written to an outbox in the transaction of the
//! change they tell of, relayed to a broker with confirms, and consumed through an inbox that
//! turns "at least once" into "applied once".
//!
//! ```text
//! transaction { change + outbox::append } -> Relay -> Broker -> Delivery -> transaction { inbox::record + effect } -> ack
//! ```
//!
//! [`Broker`] has two real implementations, chosen by URL: RabbitMQ (`amqp://`) and one inside
//! the process (`memory:`). Both acknowledge, redeliver, count, dead-letter and bound their queues.

mod backoff;
mod broadcast;
mod broker;
pub mod consumer;
mod dead_letters;
mod delivery;
mod in_process;
pub mod inbox;
mod message;
pub mod outbox;
mod rabbitmq;
mod relay;
mod topology;

pub use broadcast::Broadcast;
pub use broker::{Broker, BrokerConfig, ConnectError, DeadLettersError, UnknownQueue};
pub use dead_letters::DeadLetter;
pub use delivery::Delivery;
pub use message::{Message, Publication, PublishError};
pub use relay::{Relay, RelayConfig, RelayWaker};
pub use topology::QueueSpec;
