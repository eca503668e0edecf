//! Placing an order: one transaction, answered at once; everything else happens by events.

use chrono::{DateTime, Utc};
use fail_points::Safeguard;
use kernel::{Actor, Money, MoneyError, OrderId, Permission, ProductId, UserId};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter,
    TryInsertResult, sea_query::OnConflict,
};
use sha2::{Digest, Sha256};

use crate::{
    Order, OrderError, Orders, PlaceOrderError, Product,
    advance::{deadline, record},
    domain::{InvalidField, MAX_TOTAL, OrderStatus, PlaceOrder, RequestedLine, order_number},
    store::{order_lines, orders},
};

/// An accepted order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placed {
    New(Order),
    /// The same request was accepted before; this is its order as it stands now.
    Replayed(Order),
}

impl Placed {
    #[must_use]
    pub fn into_order(self) -> Order {
        match self {
            Self::New(order) | Self::Replayed(order) => order,
        }
    }
}

/// A line with its price of this moment.
struct PricedLine {
    product: Product,
    quantity: i32,
}

impl Orders {
    /// Accepts an order: the row, its lines, the idempotency key and the event, or nothing.
    pub async fn place(
        &self,
        actor: &Actor,
        request: &PlaceOrder,
    ) -> Result<Placed, PlaceOrderError> {
        if !actor.may(Permission::PlaceOrder) {
            return Err(OrderError::Forbidden.into());
        }
        let problems = request.problems();
        if !problems.is_empty() {
            return Err(PlaceOrderError::Invalid(problems));
        }
        let (lines, total) = match self.price(&request.lines).await {
            Ok(priced) => priced,
            // What was accepted stays accepted, though the catalogue has changed since.
            Err(PlaceOrderError::Invalid(problems)) => {
                let earlier = self.replay(actor.user_id, request).await?;
                return earlier.ok_or(PlaceOrderError::Invalid(problems));
            }
            Err(error) => return Err(error),
        };
        let now = self.clock.now();
        let row = new_row(actor.user_id, request, total, now)?;
        let transaction = self.database.begin().await?;
        if !insert(&transaction, &row).await? {
            transaction.rollback().await?;
            let earlier = self.replay(actor.user_id, request).await?;
            return earlier.ok_or(PlaceOrderError::IdempotencyKeyReused);
        }
        insert_lines(&transaction, row.id.into(), &lines).await?;
        let order = Order::try_from(row)?;
        record(&transaction, now, &order).await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(Placed::New(order))
    }

    /// Prices come from the catalogue, never from the client.
    async fn price(
        &self,
        requested: &[RequestedLine],
    ) -> Result<(Vec<PricedLine>, Money), PlaceOrderError> {
        let ids: Vec<ProductId> = requested.iter().map(|line| line.product_id).collect();
        let mut products = self.products_by_ids(&ids).await?;
        let mut lines = Vec::with_capacity(requested.len());
        let mut problems = Vec::new();
        let mut total: Option<Money> = None;
        for (index, line) in requested.iter().enumerate() {
            let Some(product) = products.remove(&line.product_id) else {
                let field = format!("lines[{index}].product_id");
                problems.push(InvalidField::new(
                    field,
                    "not_found",
                    "there is no such product",
                ));
                continue;
            };
            // `PlaceOrder::problems` has bounded the quantity: it fits.
            let quantity = i32::try_from(line.quantity).unwrap_or(i32::MAX);
            match add(total, product.price, quantity) {
                Ok(sum) => total = Some(sum),
                Err(error) => {
                    let field = format!("lines[{index}].product_id");
                    problems.push(InvalidField::new(field, "total", error.to_string()));
                }
            }
            lines.push(PricedLine { product, quantity });
        }
        match total {
            Some(total) if problems.is_empty() && total.amount <= MAX_TOTAL => {
                return Ok((lines, total));
            }
            Some(_) if problems.is_empty() => {
                let message = format!("an order's total is at most {MAX_TOTAL} minor units");
                problems.push(InvalidField::new("lines", "total", message));
            }
            _ => {}
        }
        Err(PlaceOrderError::Invalid(problems))
    }

    /// Where the key is taken, the same request gets the same order and another one is refused.
    async fn replay(
        &self,
        customer: UserId,
        request: &PlaceOrder,
    ) -> Result<Option<Placed>, PlaceOrderError> {
        let earlier = orders::Entity::find()
            .filter(orders::Column::CustomerId.eq(customer.as_uuid()))
            .filter(orders::Column::IdempotencyKey.eq(request.idempotency_key.as_str()))
            .one(self.database.writer())
            .await?;
        match earlier {
            Some(earlier) if earlier.body_hash == body_hash(request)? => {
                Ok(Some(Placed::Replayed(Order::try_from(earlier)?)))
            }
            Some(_) => Err(PlaceOrderError::IdempotencyKeyReused),
            None => Ok(None),
        }
    }
}

fn add(sum: Option<Money>, price: Money, quantity: i32) -> Result<Money, MoneyError> {
    let line = price.checked_mul(quantity.unsigned_abs())?;
    sum.map_or(Ok(line), |sum| sum.checked_add(line))
}

fn new_row(
    customer: UserId,
    request: &PlaceOrder,
    total: Money,
    now: DateTime<Utc>,
) -> Result<orders::Model, OrderError> {
    let id = OrderId::generate(now);
    Ok(orders::Model {
        id: id.into(),
        number: order_number(id),
        customer_id: customer.into(),
        status: OrderStatus::Placed.as_str().to_owned(),
        version: 1,
        total_amount: total.amount,
        total_currency: total.currency.into(),
        payment_method: request.payment_method.clone(),
        idempotency_key: request.idempotency_key.as_str().to_owned(),
        body_hash: body_hash(request)?,
        created_at: now,
        updated_at: now,
        deadline_at: deadline(OrderStatus::Placed, now),
    })
}

/// What makes two requests the same: what is ordered and how it is paid.
fn body_hash(request: &PlaceOrder) -> Result<String, OrderError> {
    let body = serde_json::to_vec(&(&request.lines, &request.payment_method))?;
    Ok(hex::encode(Sha256::digest(body)))
}

/// Whether the order is new. Of two requests with one key at the same time, the second waits here
/// for the first one's end.
async fn insert(
    transaction: &DatabaseTransaction,
    row: &orders::Model,
) -> Result<bool, OrderError> {
    let insert = orders::Entity::insert(orders::ActiveModel::from(row.clone()));
    if fail_points::is_removed(Safeguard::Idempotency) {
        insert.exec_without_returning(transaction).await?;
        return Ok(true);
    }
    let key = [orders::Column::CustomerId, orders::Column::IdempotencyKey];
    let inserted = insert
        .on_conflict(OnConflict::columns(key).do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(transaction)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

async fn insert_lines(
    connection: &impl ConnectionTrait,
    order_id: OrderId,
    lines: &[PricedLine],
) -> Result<(), OrderError> {
    let rows = (1..)
        .zip(lines)
        .map(|(position, line)| order_lines::ActiveModel {
            order_id: Set(order_id.into()),
            position: Set(position),
            product_id: Set(line.product.id.into()),
            product_name: Set(line.product.name.clone()),
            quantity: Set(line.quantity),
            unit_amount: Set(line.product.price.amount),
        });
    order_lines::Entity::insert_many(rows)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
