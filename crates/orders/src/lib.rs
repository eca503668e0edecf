//! The ordering context: catalogue, stock, orders and their payment. Every use-case exists once,
//! here, as a function that knows no transport; GraphQL, REST and the worker call that one.

mod adjust_stock;
mod advance;
mod all_orders;
pub mod audit;
mod batches;
mod begin_charge;
mod cancel;
mod catalogue;
mod catalogue_request;
mod charge;
mod confirm;
mod confirm_charged;
mod create_product;
pub mod demo;
pub mod domain;
mod error;
mod keyset;
mod notification;
mod overdue;
mod payment_notice;
mod payments;
mod place;
mod product_changed;
mod read;
mod received;
mod reconcile;
mod refund;
mod reserve;
mod settle_charge;
mod settle_refund;
mod store;
mod timeline;
mod update_product;
mod view;

use std::sync::Arc;

use cache::Cache;
use database::Database;
use kernel::SharedClock;
use messaging::RelayWaker;

use batches::Batches;
use begin_charge::ToCharge;
use confirm_charged::Charged;
use received::Asked;

pub use all_orders::OrderFilter;
pub use catalogue::{ProductFilter, ProductSort};
pub use charge::{Charge, ChargeInDoubt, ChargeOutcome};
pub use domain::PaymentStatus;
pub use error::{CatalogueError, ChangeOrderError, OrderError, PlaceOrderError};
pub use notification::Notification;
pub use payment_notice::PaymentNotice;
pub use place::Placed;
pub use received::{Applied, Received};
pub use reconcile::{BookedPayment, Discrepancy, DiscrepancyKind};
pub use refund::{Refund, RefundOutcome};
pub use timeline::{MAIL_CONSUMER, SAGA_CONSUMER, TimelineEntry, TimelineKind};
pub use view::{HistoryEntry, Order, OrderLine, Payment, Product, ProductKey};

/// The ordering context. Clones share everything.
#[derive(Clone)]
pub struct Orders {
    database: Database,
    cache: Cache,
    clock: SharedClock,
    relay: RelayWaker,
    batches: Arc<StepBatches>,
}

/// What messages ask for at the same moment, a kind each.
struct StepBatches {
    reserving: Batches<Asked, Applied>,
    charging: Batches<ToCharge, Option<Charge>>,
    confirming: Batches<Charged, Option<Applied>>,
    acknowledging: Batches<Received, Applied>,
    noticing: Batches<String, bool>,
}

impl Orders {
    /// `relay` is woken after each commit that leaves an event in the outbox.
    #[must_use]
    pub fn new(database: Database, cache: Cache, clock: SharedClock, relay: RelayWaker) -> Self {
        Self {
            database,
            cache,
            clock,
            relay,
            batches: Arc::new(StepBatches {
                reserving: Batches::new(),
                charging: Batches::new(),
                confirming: Batches::new(),
                acknowledging: Batches::new(),
                noticing: Batches::new(),
            }),
        }
    }

    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The time by which the context goes.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }
}
