use async_graphql::resolver_utils::enum_value;
use async_graphql::{
    Context, ContextSelectionSet, Enum, Error, ID, Object, ScalarType, SimpleObject, Value,
};

use super::payment::Payment;
use super::timeline::TimelineEntry;
use super::{Customer, Money, Product, Timestamp};
use crate::graphql::direct::{Direct, Plain, at_once};
use crate::graphql::failure::order_failure;
use crate::graphql::loaders::Loaders;

/// How far an order has come.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "orders::domain::OrderStatus")]
pub(in crate::graphql) enum OrderStatus {
    /// Accepted; nothing has happened yet.
    Placed,
    /// Its pieces are set aside.
    StockReserved,
    /// The payment provider has been asked.
    PaymentPending,
    /// The payment provider's answer is not known; it is asked again.
    PaymentUnknown,
    /// Paid.
    Paid,
    /// Paid and on its way: the good end.
    Confirmed,
    /// There was not enough stock. An end.
    Rejected,
    /// The payment was declined.
    PaymentFailed,
    /// It is about to be cancelled; if it was paid for meanwhile, the money goes back.
    CancelRequested,
    /// Not paid, and its pieces are for others again. An end.
    Cancelled,
    /// The money is on its way back.
    Refunding,
    /// The money was given back. An end.
    Refunded,
    /// The money could not be given back: somebody looks into it.
    RefundFailed,
}

/// Someone's order.
pub(in crate::graphql) struct Order(orders::Order);

impl From<orders::Order> for Order {
    fn from(order: orders::Order) -> Self {
        Self(order)
    }
}

/// Someone's order.
#[Object]
impl Order {
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// What people call it.
    async fn number(&self) -> &str {
        &self.0.number
    }

    async fn status(&self) -> OrderStatus {
        self.0.status.into()
    }

    async fn total(&self) -> Money {
        self.0.total.into()
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at.into()
    }

    /// Whose order it is. Others than the customer see it who may read accounts.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Direct<Customer>>, Error> {
        Customer::of_order(context, self.0.customer_id)
            .map(Direct)
            .map(Some)
    }

    /// When it came into its present state.
    async fn updated_at(&self) -> Timestamp {
        self.0.updated_at.into()
    }

    /// What was ordered.
    async fn lines(&self, context: &Context<'_>) -> Result<Option<Vec<Direct<OrderLine>>>, Error> {
        let loaders = context.data::<Loaders>()?;
        let lines = loaders.lines.load(self.0.id, self.0.clone()).await;
        let lines = lines
            .map_err(|error| order_failure(&error))?
            .unwrap_or_default();
        let lines = lines.into_iter().map(OrderLine).map(Direct);
        Ok(Some(lines.collect()))
    }

    /// Its payment; null as long as nobody has been asked for it.
    async fn payment(&self, context: &Context<'_>) -> Result<Option<Payment>, Error> {
        let loaders = context.data::<Loaders>()?;
        let payment = loaders.payments.load(self.0.id, self.0.id).await;
        let payment = payment.map_err(|error| order_failure(&error))?;
        Ok(payment.map(Payment::from))
    }

    /// The states it has been in, the oldest first.
    async fn history(&self, context: &Context<'_>) -> Result<Option<Vec<OrderEvent>>, Error> {
        let loaders = context.data::<Loaders>()?;
        let history = loaders.history.load(self.0.id, self.0.id).await;
        let history = history
            .map_err(|error| order_failure(&error))?
            .unwrap_or_default();
        Ok(Some(history.into_iter().map(OrderEvent::from).collect()))
    }

    /// Everything that is known of its way: requests, steps, messages, payments, webhooks, mails;
    /// the oldest first.
    async fn timeline(&self, context: &Context<'_>) -> Result<Option<Vec<TimelineEntry>>, Error> {
        let loaders = context.data::<Loaders>()?;
        let timeline = loaders.timelines.load(self.0.id, self.0.id).await;
        let timeline = timeline
            .map_err(|error| order_failure(&error))?
            .unwrap_or_default();
        Ok(Some(
            timeline.into_iter().map(TimelineEntry::from).collect(),
        ))
    }
}

impl Plain for Order {
    fn plain(&self, field: &str, below: &ContextSelectionSet<'_>) -> Option<Value> {
        match field {
            "id" => Some(Value::String(self.0.id.to_string())),
            "number" => Some(Value::String(self.0.number.clone())),
            "status" => Some(enum_value(OrderStatus::from(self.0.status))),
            "total" => at_once(&Money::from(self.0.total), below),
            "createdAt" => Some(Timestamp::from(self.0.created_at).to_value()),
            _ => None,
        }
    }
}

/// One product of an order.
pub(in crate::graphql) struct OrderLine(orders::OrderLine);

/// One product of an order.
#[Object]
impl OrderLine {
    async fn product_id(&self) -> ID {
        self.0.product_id.to_string().into()
    }

    /// The product as it is now, if it is still sold.
    async fn product(&self, context: &Context<'_>) -> Result<Option<Direct<Product>>, Error> {
        let loaders = context.data::<Loaders>()?;
        let product = loaders
            .products
            .load(self.0.product_id, self.0.product_id)
            .await;
        Ok(product
            .map_err(|error| order_failure(&error))?
            .map(Product::from)
            .map(Direct))
    }

    /// The product's name when it was ordered.
    async fn product_name(&self) -> &str {
        &self.0.product_name
    }

    /// The product's name when it was ordered.
    #[graphql(deprecation = "It reads like the name of the line. Use `productName`.")]
    async fn name(&self) -> &str {
        &self.0.product_name
    }

    async fn quantity(&self) -> u32 {
        self.0.quantity
    }

    /// What one piece cost when it was ordered.
    async fn unit_price(&self) -> Money {
        self.0.unit_price.into()
    }

    async fn total(&self) -> Money {
        self.0.total.into()
    }
}

impl Plain for OrderLine {
    fn plain(&self, field: &str, below: &ContextSelectionSet<'_>) -> Option<Value> {
        match field {
            "productId" => Some(Value::String(self.0.product_id.to_string())),
            "name" => Some(Value::String(self.0.product_name.clone())),
            "quantity" => Some(Value::Number(self.0.quantity.into())),
            "unitPrice" => at_once(&Money::from(self.0.unit_price), below),
            "total" => at_once(&Money::from(self.0.total), below),
            _ => None,
        }
    }
}

/// An order came into a state.
#[derive(SimpleObject)]
pub(in crate::graphql) struct OrderEvent {
    status: OrderStatus,
    at: Timestamp,
}

impl From<orders::HistoryEntry> for OrderEvent {
    fn from(entry: orders::HistoryEntry) -> Self {
        Self {
            status: entry.status.into(),
            at: entry.at.into(),
        }
    }
}
