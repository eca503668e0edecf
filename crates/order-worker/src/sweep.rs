use std::time::Duration;

use orders::Orders;
use service_kit::problem::chain;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Takes up overdue orders, every so often.
pub(crate) async fn run(orders: Orders, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match orders.take_up_overdue().await {
            Ok(0) => {}
            Ok(taken_up) => {
                metrics::counter!("plumbline_orders_overdue_total").increment(taken_up as u64);
                tracing::info!(taken_up, "took up overdue orders");
            }
            Err(error) => tracing::warn!(cause = chain(&error), "can't look for overdue orders"),
        }
    }
}
