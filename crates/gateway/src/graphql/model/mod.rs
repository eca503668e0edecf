//! The types of the schema.

mod audit_event;
mod connection;
mod customer;
mod node;
mod order;
mod payment;
mod product;
mod timeline;
mod timestamp;

use async_graphql::{ContextSelectionSet, SimpleObject, Value};

use super::direct::Plain;

pub(super) use audit_event::AuditEvent;
pub(super) use connection::{Connection, Edge};
pub(super) use customer::{Customer, person};
pub(super) use node::Node;
pub(super) use order::{Order, OrderStatus};
pub(super) use product::{Product, ProductSort};
pub(super) use timestamp::Timestamp;

/// An amount of money.
#[derive(SimpleObject)]
pub(super) struct Money {
    /// In the currency's minor units: cents for EUR.
    amount: i64,
    /// An ISO 4217 code.
    currency: String,
}

impl From<kernel::Money> for Money {
    fn from(money: kernel::Money) -> Self {
        Self {
            amount: money.amount,
            currency: money.currency.to_string(),
        }
    }
}

impl Plain for Money {
    fn plain(&self, field: &str, _below: &ContextSelectionSet<'_>) -> Option<Value> {
        match field {
            "amount" => Some(Value::Number(self.amount.into())),
            "currency" => Some(Value::String(self.currency.clone())),
            _ => None,
        }
    }
}
