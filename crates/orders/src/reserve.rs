//! Stock: set aside when an order is worked on, then sold or given back; each once.

use fail_points::Safeguard;
use kernel::OrderId;
use messaging::inbox::Receipt;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, Order as SortOrder, Query},
};

use crate::{
    Applied, OrderError, Orders, Received,
    advance::advance,
    domain::OrderStatus,
    store::{order_lines, stock, stock_reservations},
};

const RESERVED: &str = "reserved";
const SOLD: &str = "sold";

/// What becomes of stock that was set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Sold,
    Released,
}

impl Outcome {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sold => SOLD,
            Self::Released => "released",
        }
    }
}

impl Orders {
    /// Sets the order's stock aside, all of it, or rejects the order.
    pub async fn reserve_stock(
        &self,
        received: Received,
        order_id: OrderId,
    ) -> Result<Applied, OrderError> {
        match self.try_reserve(received, order_id).await? {
            Some(applied) => Ok(applied),
            None => self.reject(received, order_id).await,
        }
    }

    /// `None`: there is not enough stock, and nothing was written.
    async fn try_reserve(
        &self,
        received: Received,
        order_id: OrderId,
    ) -> Result<Option<Applied>, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        if received.record(&transaction, now).await? == Receipt::Duplicate {
            return Ok(Some(Applied::Duplicate));
        }
        if advance(&transaction, now, order_id, OrderStatus::StockReserved)
            .await?
            .is_none()
        {
            transaction.commit().await?;
            return Ok(Some(Applied::Stale));
        }
        if !take(&transaction, order_id).await? {
            transaction.rollback().await?;
            return Ok(None);
        }
        transaction.commit().await?;
        self.relay.wake();
        Ok(Some(Applied::Done))
    }

    async fn reject(&self, received: Received, order_id: OrderId) -> Result<Applied, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        if received.record(&transaction, now).await? == Receipt::Duplicate {
            return Ok(Applied::Duplicate);
        }
        let order = advance(&transaction, now, order_id, OrderStatus::Rejected).await?;
        transaction.commit().await?;
        self.relay.wake();
        Ok(if order.is_some() {
            Applied::Done
        } else {
            Applied::Stale
        })
    }
}

/// Moves the order's lines from `available` to `reserved`; whether there was enough of each.
async fn take(transaction: &DatabaseTransaction, order_id: OrderId) -> Result<bool, DbErr> {
    use order_lines::Column as Line;
    lock_in_product_order(transaction, order_id).await?;
    let quantity = || Expr::col((order_lines::Entity, Line::Quantity));
    let is_guarded = !fail_points::is_removed(Safeguard::StockGuard);
    let enough = is_guarded.then(|| counter(stock::Column::Available).gte(quantity()));
    let update = Query::update()
        .table(stock::Entity)
        .from(order_lines::Entity)
        .value(
            stock::Column::Available,
            counter(stock::Column::Available).sub(quantity()),
        )
        .value(
            stock::Column::Reserved,
            counter(stock::Column::Reserved).add(quantity()),
        )
        .and_where(Expr::col((order_lines::Entity, Line::OrderId)).eq(order_id.as_uuid()))
        .and_where(
            Expr::col((order_lines::Entity, Line::ProductId))
                .equals((stock::Entity, stock::Column::ProductId)),
        )
        .and_where_option(enough)
        .to_owned();
    let taken = transaction.execute(&update).await?.rows_affected();
    let reservations = Query::select()
        .columns([Line::OrderId, Line::ProductId, Line::Quantity])
        .expr(Expr::value(RESERVED))
        .from(order_lines::Entity)
        .and_where(Expr::col(Line::OrderId).eq(order_id.as_uuid()))
        .to_owned();
    let insert = Query::insert()
        .into_table(stock_reservations::Entity)
        .columns([
            stock_reservations::Column::OrderId,
            stock_reservations::Column::ProductId,
            stock_reservations::Column::Quantity,
            stock_reservations::Column::State,
        ])
        .select_from(reservations)
        .map_err(|error| DbErr::Custom(error.to_string()))?
        .to_owned();
    let lines = transaction.execute(&insert).await?.rows_affected();
    Ok(taken == lines)
}

/// Two orders that want the same products lock them in the same order and can't dead-lock.
async fn lock_in_product_order(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
) -> Result<(), DbErr> {
    let of_order = Query::select()
        .column(order_lines::Column::ProductId)
        .from(order_lines::Entity)
        .and_where(Expr::col(order_lines::Column::OrderId).eq(order_id.as_uuid()))
        .to_owned();
    let mut lock = Query::select()
        .column(stock::Column::ProductId)
        .from(stock::Entity)
        .and_where(Expr::col(stock::Column::ProductId).in_subquery(of_order))
        .order_by(stock::Column::ProductId, SortOrder::Asc)
        .to_owned();
    database::lock_for_update(&mut lock, transaction.get_database_backend());
    transaction.query_all(&lock).await?;
    Ok(())
}

/// Settles what was set aside for the order. A second call finds nothing left to settle.
pub(crate) async fn settle(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
    outcome: Outcome,
) -> Result<(), DbErr> {
    lock_in_product_order(transaction, order_id).await?;
    move_from(
        transaction,
        order_id,
        (RESERVED, stock::Column::Reserved),
        outcome,
    )
    .await
}

/// Makes an order's pieces available again, whether they are set aside or sold.
pub(crate) async fn take_back(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
) -> Result<(), DbErr> {
    lock_in_product_order(transaction, order_id).await?;
    for from in [
        (RESERVED, stock::Column::Reserved),
        (SOLD, stock::Column::Sold),
    ] {
        move_from(transaction, order_id, from, Outcome::Released).await?;
    }
    Ok(())
}

/// Moves those of the order's pieces that are in this state from its counter to the outcome's.
async fn move_from(
    transaction: &DatabaseTransaction,
    order_id: OrderId,
    (state, source): (&str, stock::Column),
    outcome: Outcome,
) -> Result<(), DbErr> {
    use stock_reservations::Column as Reservation;
    let quantity = || Expr::col((stock_reservations::Entity, Reservation::Quantity));
    let destination = match outcome {
        Outcome::Sold => stock::Column::Sold,
        Outcome::Released => stock::Column::Available,
    };
    let update = Query::update()
        .table(stock::Entity)
        .from(stock_reservations::Entity)
        .value(source, counter(source).sub(quantity()))
        .value(destination, counter(destination).add(quantity()))
        .and_where(
            Expr::col((stock_reservations::Entity, Reservation::OrderId)).eq(order_id.as_uuid()),
        )
        .and_where(
            Expr::col((stock_reservations::Entity, Reservation::ProductId))
                .equals((stock::Entity, stock::Column::ProductId)),
        )
        .and_where(Expr::col((stock_reservations::Entity, Reservation::State)).eq(state))
        .to_owned();
    transaction.execute(&update).await?;
    stock_reservations::Entity::update_many()
        .col_expr(Reservation::State, Expr::value(outcome.as_str()))
        .filter(Reservation::OrderId.eq(order_id.as_uuid()))
        .filter(Reservation::State.eq(state))
        .exec(transaction)
        .await?;
    Ok(())
}

fn counter(column: stock::Column) -> Expr {
    Expr::col((stock::Entity, column))
}
