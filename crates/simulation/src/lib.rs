//! A deterministic simulation of the saga: orders, their database, the broker, workers and the
//! payment provider in memory, without threads and without time. A seed decides what happens next,
//! and what happens next is as bad as it gets: messages overtake each other, come twice or not at
//! all, workers die between any two steps, answers of the provider are lost.
//!
//! Which states there are, what follows what, which event asks for which step and what is due in a
//! state come from the code that runs in production (`orders::domain`, `order_worker::Step`).
//! What a use-case writes in one transaction is told again here, in memory (`ledger`); the test
//! `conformance` replays schedules on the real use-cases over a real database and compares.
//!
//! A schedule that breaks an invariant is shrunk to the few actions that matter and printed as a
//! sequence diagram (Mermaid).

mod action;
mod diagram;
mod explore;
mod invariants;
mod ledger;
mod message;
mod provider;
mod random;
mod shrink;
mod worker;
mod world;

pub use action::{Action, Card, Mood, Process};
pub use explore::{Counterexample, Options, Run, explore, random_schedule, run};
pub use invariants::Breach;
pub use ledger::{Answer, Call, Counters, Guard, Settlement, StockAndStatus};
pub use message::{MessageId, OrderNumber};
pub use world::World;
