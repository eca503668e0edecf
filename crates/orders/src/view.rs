//! What the use-cases answer with.

use chrono::{DateTime, Utc};
use kernel::{Currency, Money, OrderId, ProductId, UserId, page::Key};
use serde::{Deserialize, Serialize};

use crate::{
    OrderError, charge,
    domain::{OrderStatus, PaymentStatus},
    store::{order_history, order_lines, orders, payment_attempts},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub id: OrderId,
    pub number: String,
    pub customer_id: UserId,
    pub status: OrderStatus,
    /// Counts the transitions.
    pub version: i32,
    pub total: Money,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    pub product_id: ProductId,
    /// The product's name when it was ordered.
    pub product_name: String,
    pub quantity: u32,
    pub unit_price: Money,
    pub total: Money,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    pub status: OrderStatus,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub id: ProductId,
    pub name: String,
    pub description: String,
    pub price: Money,
    /// How many can be ordered now.
    pub available: i64,
    /// Counts the changes, the stock's apart.
    pub version: i32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// Where a product stands in the catalogue, however that is sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProductKey {
    pub created_at: DateTime<Utc>,
    pub name: String,
    pub price: Money,
    pub id: ProductId,
}

/// What became of the payment of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    pub status: PaymentStatus,
    /// The payment provider's name for it, once it has told it.
    pub reference: Option<String>,
    pub amount: Money,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Debug, thiserror::Error)]
#[error("unknown payment status `{0}`")]
struct UnknownPaymentStatus(String);

impl Order {
    /// Where the order stands in a list.
    #[must_use]
    pub fn key(&self) -> Key {
        Key {
            created_at: self.created_at,
            id: self.id.into(),
        }
    }
}

impl Product {
    /// Where the product stands in the catalogue.
    #[must_use]
    pub fn key(&self) -> ProductKey {
        ProductKey {
            created_at: self.created_at,
            name: self.name.clone(),
            price: self.price,
            id: self.id,
        }
    }
}

impl TryFrom<orders::Model> for Order {
    type Error = OrderError;

    fn try_from(row: orders::Model) -> Result<Self, OrderError> {
        Ok(Self {
            id: row.id.into(),
            number: row.number,
            customer_id: row.customer_id.into(),
            status: row.status.parse()?,
            version: row.version,
            total: Money::new(row.total_amount, Currency::parse(&row.total_currency)?),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl OrderLine {
    pub(crate) fn new(row: order_lines::Model, currency: Currency) -> Result<Self, OrderError> {
        let corrupt = |error| OrderError::Corrupt(Box::new(error));
        let quantity =
            u32::try_from(row.quantity).map_err(|error| OrderError::Corrupt(Box::new(error)))?;
        let unit_price = Money::new(row.unit_amount, currency);
        Ok(Self {
            product_id: row.product_id.into(),
            product_name: row.product_name,
            quantity,
            unit_price,
            total: unit_price.checked_mul(quantity).map_err(corrupt)?,
        })
    }
}

pub(crate) fn payment_status(text: &str) -> Result<PaymentStatus, OrderError> {
    match text {
        charge::OPEN => Ok(PaymentStatus::Pending),
        charge::SUCCEEDED => Ok(PaymentStatus::Succeeded),
        charge::DECLINED => Ok(PaymentStatus::Declined),
        other => {
            let unknown = UnknownPaymentStatus(other.to_owned());
            Err(OrderError::Corrupt(Box::new(unknown)))
        }
    }
}

impl TryFrom<payment_attempts::Model> for Payment {
    type Error = OrderError;

    fn try_from(row: payment_attempts::Model) -> Result<Self, OrderError> {
        Ok(Self {
            status: payment_status(&row.status)?,
            reference: row.intent_id,
            amount: Money::new(row.amount, Currency::parse(&row.currency)?),
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

impl TryFrom<order_history::Model> for HistoryEntry {
    type Error = OrderError;

    fn try_from(row: order_history::Model) -> Result<Self, OrderError> {
        Ok(Self {
            status: row.status.parse()?,
            at: row.at,
        })
    }
}
