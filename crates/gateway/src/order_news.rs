//! From the news of an order to the order as it was told of.
//!
//! An event says what changes of an order: its state. The rest stays as it was placed, so it is
//! read once for all watchers of this process, however many there are and however often it moves.

use std::sync::Arc;
use std::time::Duration;

use contracts::order_event::OrderTransitioned;
use kernel::{Actor, OrderId};
use moka::future::Cache;
use orders::{Order, OrderError, Orders, domain::UnknownStatus};

use crate::hub::{Hub, Topic, Watch};

/// Orders on their way at a time: with more, some are read again.
const MAX_KNOWN: u64 = 10_000;
/// Most orders reach their end within seconds.
const KNOWN_FOR: Duration = Duration::from_secs(60);

/// What subscriptions to orders work with. Clones share everything.
#[derive(Clone)]
pub(crate) struct OrderNews {
    hub: Hub,
    orders: Orders,
    known: Cache<OrderId, Order>,
}

/// Why the part that stays could not be read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("there is no such order")]
    Missing,
    #[error(transparent)]
    Failed(Arc<OrderError>),
}

impl OrderNews {
    pub(crate) fn new(hub: Hub, orders: Orders) -> Self {
        let known = Cache::builder()
            .max_capacity(MAX_KNOWN)
            .time_to_idle(KNOWN_FOR)
            .build();
        Self { hub, orders, known }
    }

    pub(crate) fn orders(&self) -> &Orders {
        &self.orders
    }

    pub(crate) fn watch(&self, topic: Topic) -> Watch {
        self.hub.watch(topic)
    }

    /// The order in the state that `event` tells of. The watcher must be allowed to see it: whoever
    /// watches a topic may see its orders. `None` for one that is not there.
    pub(crate) async fn told_by(
        &self,
        event: &OrderTransitioned,
        actor: &Actor,
    ) -> Result<Option<Order>, OrderError> {
        let read = async {
            let order = self.orders.order(actor, event.order_id).await;
            order
                .map_err(|error| Unread::Failed(Arc::new(error)))?
                .ok_or(Unread::Missing)
        };
        let mut order = match self.known.try_get_with(event.order_id, read).await {
            Ok(order) => order,
            Err(unread) => {
                return match &*unread {
                    Unread::Missing => Ok(None),
                    Unread::Failed(error) => Err(OrderError::Shared(Arc::clone(error))),
                };
            }
        };
        move_on(&mut order, event)?;
        Ok(Some(order))
    }
}

/// Puts an order into the state that an event tells of.
pub(crate) fn move_on(order: &mut Order, event: &OrderTransitioned) -> Result<(), UnknownStatus> {
    order.status = event.status.parse()?;
    order.version = event.version;
    order.updated_at = event.at;
    Ok(())
}
