//! Stock: set aside when an order is worked on, then sold or given back; each once.

use std::collections::{HashMap, HashSet};

use fail_points::Safeguard;
use kernel::OrderId;
use messaging::inbox::Receipt;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryResult,
    sea_query::{
        CommonTableExpression, Expr, IntoColumnRef, IntoTableRef, Order as SortOrder, Query,
        WithClause,
    },
};
use uuid::Uuid;

use crate::{
    Applied, OrderError, Orders, Received,
    advance::advance_all,
    domain::OrderStatus,
    received::{self, Asked},
    store::{order_lines, orders, stock, stock_reservations},
};

const RESERVED: &str = "reserved";
const SOLD: &str = "sold";

/// What some orders want of each product, as a part of a statement.
const DEMAND: &str = "demand";
const DEMANDED_PRODUCT: &str = "demanded_product";
const DEMANDED_QUANTITY: &str = "demanded_quantity";

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
    /// Sets the order's stock aside, all of it, or rejects the order. What is asked for at the same
    /// moment is done in one transaction.
    pub async fn reserve_stock(
        &self,
        received: Received,
        order_id: OrderId,
    ) -> Result<Applied, OrderError> {
        self.batches
            .reserving
            .run(Asked::now(received, order_id), |batch| {
                self.reserve_all(batch)
            })
            .await
    }

    async fn reserve_all(&self, batch: Vec<Asked>) -> Result<Vec<Applied>, OrderError> {
        let now = self.clock.now();
        let transaction = self.database.begin().await?;
        let received: Vec<_> = batch.iter().map(|asked| asked.received).collect();
        let receipts = received::record_all(&transaction, now, &received).await?;
        let fresh = batch.iter().zip(&receipts);
        let fresh = fresh.filter(|(_, receipt)| **receipt == Receipt::Fresh);
        let mut origins: HashMap<_, _> = fresh
            .map(|(asked, _)| (asked.order_id, asked.origin.clone()))
            .collect();
        let placed = lock_placed(&transaction, origins.keys()).await?;
        origins.retain(|order_id, _| placed.contains(order_id));
        // First come, first served.
        let mut in_turn = Vec::with_capacity(origins.len());
        let mut unseen = placed;
        in_turn.extend(
            batch
                .iter()
                .map(|asked| asked.order_id)
                .filter(|order_id| unseen.remove(order_id)),
        );
        let served = enough_for(&transaction, &in_turn).await?;
        let (served, rejected): (HashMap<_, _>, HashMap<_, _>) = origins
            .into_iter()
            .partition(|(order_id, _)| served.contains(order_id));

        advance_all(&transaction, now, &served, &[OrderStatus::StockReserved]).await?;
        take(&transaction, served.keys()).await?;
        advance_all(&transaction, now, &rejected, &[OrderStatus::Rejected]).await?;
        transaction.commit().await?;
        self.relay.wake();

        // An order that is asked for twice in a batch is worked on once.
        let mut done: HashSet<_> = served.into_keys().chain(rejected.into_keys()).collect();
        let answers = batch.iter().zip(receipts);
        Ok(answers
            .map(|(asked, receipt)| {
                if receipt == Receipt::Fresh && done.remove(&asked.order_id) {
                    Applied::Done
                } else {
                    Applied::of_no_effect(receipt)
                }
            })
            .collect())
    }
}

/// Those of the orders that wait for their stock, locked in the order of their ids.
async fn lock_placed(
    transaction: &DatabaseTransaction,
    order_ids: impl Iterator<Item = &OrderId>,
) -> Result<HashSet<OrderId>, DbErr> {
    let from = OrderStatus::StockReserved.predecessors();
    let mut lock = Query::select()
        .column(orders::Column::Id)
        .from(orders::Entity)
        .and_where(Expr::col(orders::Column::Id).is_in(order_ids.map(|id| id.as_uuid())))
        .and_where(Expr::col(orders::Column::Status).is_in(from.map(OrderStatus::as_str)))
        .order_by(orders::Column::Id, SortOrder::Asc)
        .to_owned();
    database::lock_for_update(&mut lock, transaction.get_database_backend());
    let rows = transaction.query_all(&lock).await?;
    let id = |row: &QueryResult| Ok(row.try_get::<Uuid>("", "id")?.into());
    rows.iter().map(id).collect()
}

/// Those of the orders, served one after the other, for which there is enough of everything. The
/// products stay locked until the transaction ends.
async fn enough_for(
    transaction: &DatabaseTransaction,
    in_turn: &[OrderId],
) -> Result<HashSet<OrderId>, DbErr> {
    let mut available = lock_in_product_order(transaction, in_turn).await?;
    let lines = order_lines::Entity::find()
        .filter(order_lines::Column::OrderId.is_in(in_turn.iter().map(|id| id.as_uuid())))
        .all(transaction)
        .await?;
    let mut wanted: HashMap<OrderId, Vec<(Uuid, i64)>> = HashMap::new();
    for line in lines {
        let wanted = wanted.entry(line.order_id.into()).or_default();
        wanted.push((line.product_id, line.quantity.into()));
    }
    let mut served = HashSet::new();
    for order_id in in_turn {
        let Some(wanted) = wanted.remove(order_id) else {
            continue;
        };
        let is_there = |(product, quantity): &(Uuid, i64)| {
            available.get(product).is_some_and(|left| left >= quantity)
        };
        if is_guarded() && !wanted.iter().all(is_there) {
            continue;
        }
        for (product, quantity) in &wanted {
            if let Some(left) = available.get_mut(product) {
                *left -= quantity;
            }
        }
        served.insert(*order_id);
    }
    Ok(served)
}

/// Moves the orders' lines from `available` to `reserved`. [`enough_for`] has looked; the
/// condition is said again, so that no mistake there can sell what is not there.
async fn take(
    transaction: &DatabaseTransaction,
    order_ids: impl Iterator<Item = &OrderId>,
) -> Result<(), OrderError> {
    use order_lines::Column as Line;
    let ids: Vec<_> = order_ids.map(|id| id.as_uuid()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let of_orders = || Expr::col(Line::OrderId).is_in(ids.iter().copied());
    let demand = demand(
        order_lines::Entity,
        Line::ProductId,
        Line::Quantity,
        of_orders(),
    );
    let enough = is_guarded().then(|| counter(stock::Column::Available).gte(demanded()));
    let update = Query::update()
        .table(stock::Entity)
        .from(DEMAND)
        .value(
            stock::Column::Available,
            counter(stock::Column::Available).sub(demanded()),
        )
        .value(
            stock::Column::Reserved,
            counter(stock::Column::Reserved).add(demanded()),
        )
        .and_where(counter(stock::Column::ProductId).equals((DEMAND, DEMANDED_PRODUCT)))
        .and_where_option(enough)
        .returning(Query::returning().column(stock::Column::ProductId))
        .to_owned();
    let taken = transaction.query_all(&update.with(demand)).await?.len();
    let reservations = Query::select()
        .columns([Line::OrderId, Line::ProductId, Line::Quantity])
        .expr(Expr::value(RESERVED))
        .from(order_lines::Entity)
        .and_where(of_orders())
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
        .returning(Query::returning().column(stock_reservations::Column::ProductId))
        .to_owned();
    let rows = transaction.query_all(&insert).await?;
    let product = |row: &QueryResult| row.try_get::<Uuid>("", "product_id");
    let products = rows
        .iter()
        .map(product)
        .collect::<Result<HashSet<_>, _>>()?;
    if taken == products.len() {
        Ok(())
    } else {
        Err(DbErr::Custom("stock that was there a moment ago is gone".to_owned()).into())
    }
}

/// Two transactions that want the same products lock them in the same order and can't dead-lock.
/// Returns what is available of each.
async fn lock_in_product_order(
    transaction: &DatabaseTransaction,
    order_ids: &[OrderId],
) -> Result<HashMap<Uuid, i64>, DbErr> {
    let of_orders = Query::select()
        .column(order_lines::Column::ProductId)
        .from(order_lines::Entity)
        .and_where(Expr::col(order_lines::Column::OrderId).is_in(uuids(order_ids)))
        .to_owned();
    let mut lock = Query::select()
        .columns([stock::Column::ProductId, stock::Column::Available])
        .from(stock::Entity)
        .and_where(Expr::col(stock::Column::ProductId).in_subquery(of_orders))
        .order_by(stock::Column::ProductId, SortOrder::Asc)
        .to_owned();
    database::lock_for_update(&mut lock, transaction.get_database_backend());
    let rows = transaction.query_all(&lock).await?;
    let available = |row: &QueryResult| {
        Ok((
            row.try_get("", "product_id")?,
            row.try_get("", "available")?,
        ))
    };
    rows.iter().map(available).collect()
}

/// Settles what was set aside for the orders. A second call finds nothing left to settle.
pub(crate) async fn settle(
    transaction: &DatabaseTransaction,
    order_ids: &[OrderId],
    outcome: Outcome,
) -> Result<(), DbErr> {
    lock_in_product_order(transaction, order_ids).await?;
    move_from(
        transaction,
        order_ids,
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
    lock_in_product_order(transaction, &[order_id]).await?;
    for from in [
        (RESERVED, stock::Column::Reserved),
        (SOLD, stock::Column::Sold),
    ] {
        move_from(transaction, &[order_id], from, Outcome::Released).await?;
    }
    Ok(())
}

/// Moves those of the orders' pieces that are in this state from its counter to the outcome's.
async fn move_from(
    transaction: &DatabaseTransaction,
    order_ids: &[OrderId],
    (state, source): (&str, stock::Column),
    outcome: Outcome,
) -> Result<(), DbErr> {
    use stock_reservations::Column as Reservation;
    if order_ids.is_empty() {
        return Ok(());
    }
    let destination = match outcome {
        Outcome::Sold => stock::Column::Sold,
        Outcome::Released => stock::Column::Available,
    };
    let of_orders = Expr::col(Reservation::OrderId)
        .is_in(uuids(order_ids))
        .and(Expr::col(Reservation::State).eq(state));
    let demand = demand(
        stock_reservations::Entity,
        Reservation::ProductId,
        Reservation::Quantity,
        of_orders,
    );
    let update = Query::update()
        .table(stock::Entity)
        .from(DEMAND)
        .value(source, counter(source).sub(demanded()))
        .value(destination, counter(destination).add(demanded()))
        .and_where(counter(stock::Column::ProductId).equals((DEMAND, DEMANDED_PRODUCT)))
        .to_owned();
    transaction.execute(&update.with(demand)).await?;
    stock_reservations::Entity::update_many()
        .col_expr(Reservation::State, Expr::value(outcome.as_str()))
        .filter(Reservation::OrderId.is_in(uuids(order_ids)))
        .filter(Reservation::State.eq(state))
        .exec(transaction)
        .await?;
    Ok(())
}

/// `WITH demand AS (...)`: the sum for each product, since a row is updated once by a statement
/// however many others it meets there.
fn demand(
    table: impl IntoTableRef,
    product: impl IntoColumnRef + Copy,
    quantity: impl IntoColumnRef,
    of_orders: Expr,
) -> WithClause {
    let sums = Query::select()
        .expr_as(Expr::col(product), DEMANDED_PRODUCT)
        .expr_as(
            Expr::col(quantity).sum().cast_as("bigint"),
            DEMANDED_QUANTITY,
        )
        .from(table)
        .and_where(of_orders)
        .add_group_by([Expr::col(product)])
        .to_owned();
    let mut cte = CommonTableExpression::new();
    cte.query(sums)
        .columns([DEMANDED_PRODUCT, DEMANDED_QUANTITY])
        .table_name(DEMAND);
    let mut with = WithClause::new();
    with.cte(cte);
    with
}

fn demanded() -> Expr {
    Expr::col((DEMAND, DEMANDED_QUANTITY))
}

fn uuids(order_ids: &[OrderId]) -> impl Iterator<Item = Uuid> {
    order_ids.iter().map(|id| id.as_uuid())
}

fn is_guarded() -> bool {
    !fail_points::is_removed(Safeguard::StockGuard)
}

fn counter(column: stock::Column) -> Expr {
    Expr::col((stock::Entity, column))
}
