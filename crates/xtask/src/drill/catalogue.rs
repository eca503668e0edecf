//! The drills that there are.

use std::time::Duration;

use fail_points::FailPoint;
use testkit::proxy;

use super::faults::{Action, Fault, Link, Server};
use super::orders::{BANK_DEBIT, CARD, DECLINED, Load, Payment};
use super::redelivery::Redelivery;
use crate::load::setup::PROVIDER;
use crate::load::system::Mode;

const DISTRIBUTED: &[Mode] = &[Mode::Distributed];
const BOTH: &[Mode] = &[Mode::Distributed, Mode::Embedded];

/// Cards that are charged, cards that are declined, and debits that are told by webhook.
const MIXED: &[Payment] = &[CARD, CARD, DECLINED, BANK_DEBIT];
const CARDS: &[Payment] = &[CARD];
/// How many times as long as others a drill takes that restarts everything.
const RESTARTING: usize = 6;
const DELAY: Duration = Duration::from_millis(100);
const SLOW: proxy::Fault = proxy::Fault::Bandwidth {
    bytes_per_second: 20_000,
};

#[derive(Debug, Clone, Copy)]
pub struct Drill {
    pub name: &'static str,
    /// For people.
    pub what: &'static str,
    pub fault: Fault,
    pub modes: &'static [Mode],
    /// Whether CI runs it.
    pub is_short: bool,
    payments: &'static [Payment],
    /// See [`Load::hang_ups`].
    hang_ups: u32,
    /// The customers want what there is not enough of.
    pub is_scarce: bool,
    /// The customers come through the edge and ask once: no request may fail.
    pub is_strict: bool,
}

impl Drill {
    const fn new(name: &'static str, what: &'static str, fault: Fault) -> Self {
        Self {
            name,
            what,
            fault,
            modes: DISTRIBUTED,
            is_short: false,
            payments: MIXED,
            hang_ups: 0,
            is_scarce: false,
            is_strict: false,
        }
    }

    const fn in_both_modes(mut self) -> Self {
        self.modes = BOTH;
        self
    }

    const fn short(mut self) -> Self {
        self.is_short = true;
        self
    }

    const fn paid_by(mut self, payments: &'static [Payment]) -> Self {
        self.payments = payments;
        self
    }

    const fn hanging_up(mut self, of_a_hundred: u32) -> Self {
        self.hang_ups = of_a_hundred;
        self
    }

    const fn scarce(mut self) -> Self {
        self.is_scarce = true;
        self
    }

    const fn strict(mut self) -> Self {
        self.is_strict = true;
        self
    }

    pub fn load(&self, orders: usize) -> Load {
        Load {
            // As long as it takes to restart everything.
            orders: if self.is_strict {
                orders * RESTARTING
            } else {
                orders
            },
            is_strict: self.is_strict,
            per_second: 10,
            payments: self.payments,
            hang_ups: self.hang_ups,
        }
    }
}

/// The drill of this name.
pub fn find(name: &str) -> Option<Drill> {
    DRILLS.iter().copied().find(|drill| drill.name == name)
}

pub const DRILLS: &[Drill] = &[
    Drill::new(
        "killed-after-commit",
        "a worker dies after a commit, before its ack",
        Fault::FailPoint(FailPoint::AfterCommitBeforeAck, "worker", Action::Abort),
    )
    .in_both_modes()
    .short(),
    Drill::new(
        "killed-after-charge",
        "a worker dies after a charge, before its commit",
        Fault::FailPoint(FailPoint::AfterChargeBeforeCommit, "worker", Action::Abort),
    )
    .in_both_modes()
    .short(),
    Drill::new(
        "killed-after-publish",
        "a relay dies after a confirm, before the mark",
        Fault::FailPoint(FailPoint::AfterPublishBeforeMark, "gateway", Action::Abort),
    )
    .in_both_modes()
    .short(),
    Drill::new(
        "handler-panics",
        "the handler of a message panics",
        Fault::FailPoint(FailPoint::Handler, "worker", Action::Panic),
    )
    .in_both_modes(),
    Drill::new(
        "worker-killed",
        "kill -9 of a worker",
        Fault::Kill("worker"),
    )
    .in_both_modes(),
    Drill::new(
        "gateway-killed",
        "kill -9 of a gateway, and clients that hang up",
        Fault::Kill("gateway"),
    )
    .hanging_up(20),
    Drill::new("auth-killed", "kill -9 of auth", Fault::Kill("auth")),
    Drill::new(
        "provider-killed",
        "kill -9 of the payment provider",
        Fault::Kill(PROVIDER),
    )
    .in_both_modes(),
    Drill::new(
        "rolling-restart",
        "SIGTERM to every gateway and worker in turn, behind the edge: no request fails",
        Fault::RollingRestart,
    )
    .strict(),
    Drill::new(
        "worker-frozen",
        "a worker stands still for 12 s with messages in hand",
        Fault::Freeze("worker"),
    ),
    Drill::new(
        "postgres-killed",
        "kill -9 of PostgreSQL",
        Fault::KillServer(Server::Postgres),
    ),
    Drill::new(
        "rabbitmq-killed",
        "kill -9 of RabbitMQ",
        Fault::KillServer(Server::RabbitMq),
    )
    .short(),
    Drill::new(
        "redis-killed",
        "kill -9 of Redis, which forgets everything",
        Fault::KillServer(Server::Redis),
    ),
    network(
        "postgres-partition",
        "PostgreSQL is cut off, in silence",
        Server::Postgres,
        proxy::Fault::Partition,
    ),
    network(
        "postgres-reset",
        "every connection to PostgreSQL is reset",
        Server::Postgres,
        proxy::Fault::Reset,
    ),
    network(
        "postgres-half-open",
        "PostgreSQL forgets its connections, as after a crash of its machine",
        Server::Postgres,
        proxy::Fault::HalfOpen,
    ),
    network(
        "postgres-delay",
        "PostgreSQL answers 200 ms later, so that consumers are slow",
        Server::Postgres,
        proxy::Fault::Delay(DELAY),
    ),
    network(
        "rabbitmq-partition",
        "RabbitMQ is cut off, in silence",
        Server::RabbitMq,
        proxy::Fault::Partition,
    ),
    network(
        "rabbitmq-reset",
        "every connection to RabbitMQ is reset",
        Server::RabbitMq,
        proxy::Fault::Reset,
    ),
    network(
        "rabbitmq-half-open",
        "RabbitMQ forgets its connections, as after a crash of its machine",
        Server::RabbitMq,
        proxy::Fault::HalfOpen,
    ),
    network(
        "rabbitmq-silent",
        "RabbitMQ forgets its connections, and nobody is ever told",
        Server::RabbitMq,
        proxy::Fault::Silent,
    ),
    network(
        "rabbitmq-delay",
        "RabbitMQ answers 200 ms later",
        Server::RabbitMq,
        proxy::Fault::Delay(DELAY),
    ),
    network(
        "rabbitmq-slow",
        "20 kB/s to and from RabbitMQ",
        Server::RabbitMq,
        SLOW,
    ),
    network(
        "redis-partition",
        "Redis is cut off, in silence",
        Server::Redis,
        proxy::Fault::Partition,
    ),
    network(
        "redis-reset",
        "every connection to Redis is reset",
        Server::Redis,
        proxy::Fault::Reset,
    ),
    network(
        "redis-half-open",
        "Redis forgets its connections, as after a crash of its machine",
        Server::Redis,
        proxy::Fault::HalfOpen,
    ),
    network(
        "redis-silent",
        "Redis forgets its connections, and nobody is ever told",
        Server::Redis,
        proxy::Fault::Silent,
    ),
    provider_network(
        "provider-partition",
        "the provider is cut off, in silence",
        proxy::Fault::Partition,
    ),
    provider_network(
        "provider-reset",
        "every connection to the provider is reset",
        proxy::Fault::Reset,
    ),
    provider_network(
        "provider-half-open",
        "the provider forgets its connections, as after a crash of its machine",
        proxy::Fault::HalfOpen,
    ),
    provider_network(
        "provider-hangs",
        "the provider forgets its connections, and nobody is ever told",
        proxy::Fault::Silent,
    ),
    Drill::new(
        "provider-times-out",
        "the provider charges and does not answer",
        Fault::Provider(r#"{"time_out_next":5}"#),
    )
    .in_both_modes(),
    Drill::new(
        "provider-silent",
        "the provider charges, does not answer, and sends no webhook",
        Fault::Provider(r#"{"time_out_next":3,"webhooks":{"drop_next":100}}"#),
    )
    .paid_by(CARDS)
    .in_both_modes(),
    Drill::new(
        "provider-fails",
        "the provider answers 503, thirty times",
        Fault::Provider(r#"{"fail_next":30,"fail_status":503}"#),
    )
    .in_both_modes(),
    Drill::new(
        "webhooks-late-and-doubled",
        "each webhook comes ten times, two seconds late, the newest first",
        Fault::Provider(r#"{"webhooks":{"delay_ms":2000,"copies":10,"reorder":10}}"#),
    )
    .in_both_modes(),
    Drill::new(
        "duplicates",
        "every message is delivered ten times more",
        Fault::Redelivery(Redelivery::Duplicates),
    )
    .short(),
    Drill::new(
        "reordered",
        "new messages overtake each other by up to two seconds",
        Fault::Redelivery(Redelivery::Reordered),
    ),
    Drill::new(
        "replay-after-a-week",
        "every message is delivered again a week later",
        Fault::Redelivery(Redelivery::AfterAWeek),
    ),
    Drill::new(
        "poison",
        "messages that are no JSON, of another shape, of an unknown version, of a megabyte",
        Fault::Redelivery(Redelivery::Poison),
    ),
    Drill::new(
        "memory-alarm",
        "RabbitMQ is out of memory and takes nothing",
        Fault::MemoryAlarm,
    ),
    Drill::new(
        "queue-deleted",
        "somebody deletes the saga's queue with what is in it",
        Fault::QueueDeleted,
    ),
    Drill::new(
        "clients-hang-up",
        "half of the clients are gone before the answer, and ask again",
        Fault::Customers,
    )
    .hanging_up(50)
    .in_both_modes()
    .short(),
    Drill::new(
        "oversell",
        "many customers want the last pieces",
        Fault::Customers,
    )
    .paid_by(CARDS)
    .scarce()
    .in_both_modes()
    .short(),
];

const fn network(
    name: &'static str,
    what: &'static str,
    server: Server,
    fault: proxy::Fault,
) -> Drill {
    Drill::new(name, what, Fault::Network(Link::To(server), fault))
}

const fn provider_network(name: &'static str, what: &'static str, fault: proxy::Fault) -> Drill {
    Drill::new(name, what, Fault::Network(Link::ToProvider, fault)).in_both_modes()
}
