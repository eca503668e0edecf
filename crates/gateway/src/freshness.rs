//! Keeps the catalogue's copies fresh: what an event says has changed is forgotten, here and in the
//! Redis behind all gateways.

use contracts::{Envelope, product_event, product_event::ProductChanged};
use futures_util::StreamExt;
use messaging::Broker;
use orders::Orders;
use tokio_util::sync::CancellationToken;

/// Follows the events of `broker` until `stop`.
pub(crate) async fn keep(orders: Orders, broker: Broker, stop: CancellationToken) {
    let mut messages = broker.broadcast(product_event::CHANGED);
    let mut epochs = messages.epochs();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = epochs.changed() => match changed {
                Ok(()) => orders.forget_copies(),
                Err(_) => return,
            },
            message = messages.next() => match message {
                Some(message) => forget(&orders, &message.body).await,
                None => return,
            },
        }
    }
}

async fn forget(orders: &Orders, body: &[u8]) {
    match Envelope::<ProductChanged>::decode(body) {
        Ok(event) => orders.forget_product(event.data.product_id).await,
        Err(error) => {
            tracing::warn!(%error, "an event about a product could not be read");
            orders.forget_copies();
        }
    }
}
