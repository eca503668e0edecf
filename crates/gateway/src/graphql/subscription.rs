//! What can be watched.

use async_graphql::{Context, Error, ID, Subscription};
use contracts::{ErrorCode, order_event::OrderTransitioned};
use futures_util::{Stream, stream};
use kernel::{
    Actor, OrderId,
    page::{Direction, PageRequest},
};
use orders::{Order as OrderRow, OrderFilter, Orders};

use super::access::ByTable;
use super::failure::{caller, failure, order_failure};
use super::model::Order;
use crate::hub::{News, Topic, Watch};
use crate::order_news::{OrderNews, move_on};

/// After a gap in the news of many orders, so many of the newest orders are sent again.
const SENT_AGAIN: i64 = 20;

/// The root of all subscriptions.
pub struct Subscription;

/// The root of all subscriptions.
#[Subscription(guard = "ByTable(\"Subscription\")")]
impl Subscription {
    /// An order as it is now, then each newer state; it ends with the order's last one.
    async fn order_updated(
        &self,
        context: &Context<'_>,
        order_id: ID,
    ) -> Result<impl Stream<Item = Result<Order, Error>> + use<>, Error> {
        let actor = caller(context)?.actor.clone();
        let missing = || failure(ErrorCode::OrderNotFound, ErrorCode::OrderNotFound.title());
        let id: OrderId = order_id.parse().map_err(|_| missing())?;
        let orders = context.data::<Orders>()?.clone();
        // Watched first and read then: what happens in between is not missed.
        let watch = context.data::<OrderNews>()?.watch(Topic::Order(id));
        let order = orders
            .order(&actor, id)
            .await
            .map_err(|error| order_failure(&error))?;
        let order = order.ok_or_else(missing)?;
        let watching = OneOrder {
            orders,
            actor,
            watch,
            order,
            is_sent: false,
        };
        Ok(stream::try_unfold(watching, OneOrder::next))
    }

    /// Each of one's own orders when it is placed, and at every newer state. After a gap, the
    /// newest 20 are sent again.
    async fn my_orders(
        &self,
        context: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Order, Error>> + use<>, Error> {
        let topic = Topic::Customer(caller(context)?.actor.user_id);
        watch_orders(context, topic)
    }

    /// Everybody's orders: each when it is placed, and at every newer state. After a gap, the newest
    /// 20 are sent again. For admins.
    async fn order_feed(
        &self,
        context: &Context<'_>,
    ) -> Result<impl Stream<Item = Result<Order, Error>> + use<>, Error> {
        watch_orders(context, Topic::Everything)
    }
}

/// The orders of `topic`, which the caller must be allowed to see.
fn watch_orders(
    context: &Context<'_>,
    topic: Topic,
) -> Result<impl Stream<Item = Result<Order, Error>> + use<>, Error> {
    let news = context.data::<OrderNews>()?.clone();
    let watching = ManyOrders {
        actor: caller(context)?.actor.clone(),
        watch: news.watch(topic),
        topic,
        news,
        again: Vec::new(),
    };
    Ok(stream::try_unfold(watching, ManyOrders::next))
}

struct OneOrder {
    orders: Orders,
    actor: Actor,
    watch: Watch,
    order: OrderRow,
    is_sent: bool,
}

impl OneOrder {
    /// Waits for a state that has not been sent yet.
    async fn next(mut self) -> Result<Option<(Order, Self)>, Error> {
        while self.is_sent {
            if self.order.status.is_end_state() {
                return Ok(None);
            }
            match self.watch.next().await {
                News::Moved(event) => self.apply(&event)?,
                News::Missed => self.read_again().await?,
            }
        }
        self.is_sent = true;
        Ok(Some((self.order.clone().into(), self)))
    }

    /// Only the status of an order changes, so the event tells all.
    fn apply(&mut self, event: &OrderTransitioned) -> Result<(), Error> {
        if event.version <= self.order.version {
            return Ok(());
        }
        move_on(&mut self.order, event).map_err(|error| order_failure(&error.into()))?;
        self.is_sent = false;
        Ok(())
    }

    async fn read_again(&mut self) -> Result<(), Error> {
        let order = self.orders.order(&self.actor, self.order.id).await;
        let order = order.map_err(|error| order_failure(&error))?;
        if let Some(order) = order.filter(|order| order.version > self.order.version) {
            self.order = order;
            self.is_sent = false;
        }
        Ok(())
    }
}

struct ManyOrders {
    news: OrderNews,
    actor: Actor,
    topic: Topic,
    watch: Watch,
    /// To be sent again, the newest first: sent from the end.
    again: Vec<OrderRow>,
}

impl ManyOrders {
    async fn next(mut self) -> Result<Option<(Order, Self)>, Error> {
        loop {
            if let Some(order) = self.again.pop() {
                return Ok(Some((order.into(), self)));
            }
            match self.watch.next().await {
                News::Moved(event) => {
                    let order = self.news.told_by(&event, &self.actor).await;
                    self.again
                        .extend(order.map_err(|error| order_failure(&error))?);
                }
                News::Missed => self.again = self.newest().await?,
            }
        }
    }

    async fn newest(&self) -> Result<Vec<OrderRow>, Error> {
        let page = PageRequest::new(SENT_AGAIN, Direction::Forward, None);
        let page = page.map_err(|error| {
            tracing::error!(%error, "a page of a fixed size was refused");
            failure(ErrorCode::Internal, ErrorCode::Internal.title())
        })?;
        let orders = self.news.orders();
        let newest = match self.topic {
            Topic::Everything => {
                let everything = OrderFilter::default();
                orders.all_orders(&self.actor, &everything, page).await
            }
            Topic::Customer(_) | Topic::Order(_) => orders.orders_of_actor(&self.actor, page).await,
        };
        Ok(newest.map_err(|error| order_failure(&error))?.items)
    }
}
