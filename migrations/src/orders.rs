//! The ordering context's tables: catalogue and stock, orders, payments.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_orders"
    }
}

#[derive(DeriveIden)]
enum Products {
    Table,
    Id,
    Name,
    Description,
    PriceAmount,
    PriceCurrency,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum Stock {
    Table,
    ProductId,
    /// Ever received: `total = available + reserved + sold` holds at all times.
    Total,
    Available,
    Reserved,
    Sold,
}

#[derive(DeriveIden)]
enum Orders {
    Table,
    Id,
    Number,
    CustomerId,
    Status,
    Version,
    TotalAmount,
    TotalCurrency,
    PaymentMethod,
    IdempotencyKey,
    BodyHash,
    CreatedAt,
    UpdatedAt,
    /// When an order in this state is overdue; null in an end state.
    DeadlineAt,
}

#[derive(DeriveIden)]
enum OrderLines {
    Table,
    OrderId,
    Position,
    ProductId,
    ProductName,
    Quantity,
    UnitAmount,
}

#[derive(DeriveIden)]
enum OrderHistory {
    Table,
    OrderId,
    Version,
    Status,
    At,
}

#[derive(DeriveIden)]
enum StockReservations {
    Table,
    OrderId,
    ProductId,
    Quantity,
    State,
}

#[derive(DeriveIden)]
enum PaymentAttempts {
    Table,
    Id,
    OrderId,
    IntentId,
    Status,
    Amount,
    Currency,
    CreatedAt,
    UpdatedAt,
}

#[derive(DeriveIden)]
enum PaymentNotices {
    Table,
    EventId,
    IntentId,
    EventType,
    ReceivedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            products(),
            stock(),
            orders(),
            order_lines(),
            order_history(),
            stock_reservations(),
            payment_attempts(),
            payment_notices(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = |table: TableRef| Table::drop().table(table).to_owned();
        for table in [
            PaymentNotices::Table.into_table_ref(),
            PaymentAttempts::Table.into_table_ref(),
            StockReservations::Table.into_table_ref(),
            OrderHistory::Table.into_table_ref(),
            OrderLines::Table.into_table_ref(),
            Orders::Table.into_table_ref(),
            Stock::Table.into_table_ref(),
            Products::Table.into_table_ref(),
        ] {
            manager.drop_table(drop(table)).await?;
        }
        Ok(())
    }
}

fn products() -> TableCreateStatement {
    Table::create()
        .table(Products::Table)
        .col(pk_uuid(Products::Id))
        .col(text(Products::Name))
        .col(text(Products::Description))
        .col(big_integer(Products::PriceAmount).check(Expr::col(Products::PriceAmount).gt(0)))
        .col(text(Products::PriceCurrency))
        .col(timestamp_with_time_zone(Products::CreatedAt))
        .col(timestamp_with_time_zone(Products::UpdatedAt))
        .to_owned()
}

/// Apart from `products`, so that selling does not lock the rows that browsing reads.
fn stock() -> TableCreateStatement {
    let counter = |column: Stock| {
        let column = column.into_iden();
        big_integer(column.clone())
            .check(Expr::col(column).gte(0))
            .to_owned()
    };
    Table::create()
        .table(Stock::Table)
        .col(pk_uuid(Stock::ProductId))
        .col(counter(Stock::Total))
        .col(counter(Stock::Available))
        .col(counter(Stock::Reserved))
        .col(counter(Stock::Sold))
        .foreign_key(
            ForeignKey::create()
                .from(Stock::Table, Stock::ProductId)
                .to(Products::Table, Products::Id),
        )
        .to_owned()
}

fn orders() -> TableCreateStatement {
    Table::create()
        .table(Orders::Table)
        .col(pk_uuid(Orders::Id))
        .col(text_uniq(Orders::Number))
        .col(uuid(Orders::CustomerId))
        .col(text(Orders::Status))
        .col(integer(Orders::Version))
        .col(big_integer(Orders::TotalAmount))
        .col(text(Orders::TotalCurrency))
        .col(text(Orders::PaymentMethod))
        .col(text(Orders::IdempotencyKey))
        .col(text(Orders::BodyHash))
        .col(timestamp_with_time_zone(Orders::CreatedAt))
        .col(timestamp_with_time_zone(Orders::UpdatedAt))
        .col(timestamp_with_time_zone_null(Orders::DeadlineAt))
        .to_owned()
}

fn order_lines() -> TableCreateStatement {
    Table::create()
        .table(OrderLines::Table)
        .col(uuid(OrderLines::OrderId))
        .col(integer(OrderLines::Position))
        .col(uuid(OrderLines::ProductId))
        .col(text(OrderLines::ProductName))
        .col(integer(OrderLines::Quantity).check(Expr::col(OrderLines::Quantity).gt(0)))
        .col(big_integer(OrderLines::UnitAmount))
        .primary_key(
            Index::create()
                .col(OrderLines::OrderId)
                .col(OrderLines::Position),
        )
        .foreign_key(&mut of_order(OrderLines::Table, OrderLines::OrderId))
        .to_owned()
}

fn order_history() -> TableCreateStatement {
    Table::create()
        .table(OrderHistory::Table)
        .col(uuid(OrderHistory::OrderId))
        .col(integer(OrderHistory::Version))
        .col(text(OrderHistory::Status))
        .col(timestamp_with_time_zone(OrderHistory::At))
        .primary_key(
            Index::create()
                .col(OrderHistory::OrderId)
                .col(OrderHistory::Version),
        )
        .foreign_key(&mut of_order(OrderHistory::Table, OrderHistory::OrderId))
        .to_owned()
}

fn stock_reservations() -> TableCreateStatement {
    Table::create()
        .table(StockReservations::Table)
        .col(uuid(StockReservations::OrderId))
        .col(uuid(StockReservations::ProductId))
        .col(integer(StockReservations::Quantity))
        .col(text(StockReservations::State))
        .primary_key(
            Index::create()
                .col(StockReservations::OrderId)
                .col(StockReservations::ProductId),
        )
        .foreign_key(&mut of_order(
            StockReservations::Table,
            StockReservations::OrderId,
        ))
        .to_owned()
}

fn payment_attempts() -> TableCreateStatement {
    Table::create()
        .table(PaymentAttempts::Table)
        .col(pk_uuid(PaymentAttempts::Id))
        .col(uuid(PaymentAttempts::OrderId))
        .col(text_null(PaymentAttempts::IntentId))
        .col(text(PaymentAttempts::Status))
        .col(big_integer(PaymentAttempts::Amount))
        .col(text(PaymentAttempts::Currency))
        .col(timestamp_with_time_zone(PaymentAttempts::CreatedAt))
        .col(timestamp_with_time_zone(PaymentAttempts::UpdatedAt))
        .foreign_key(&mut of_order(
            PaymentAttempts::Table,
            PaymentAttempts::OrderId,
        ))
        .to_owned()
}

fn payment_notices() -> TableCreateStatement {
    Table::create()
        .table(PaymentNotices::Table)
        .col(text(PaymentNotices::EventId).primary_key())
        .col(text(PaymentNotices::IntentId))
        .col(text(PaymentNotices::EventType))
        .col(timestamp_with_time_zone(PaymentNotices::ReceivedAt))
        .to_owned()
}

fn of_order(table: impl IntoTableRef, column: impl IntoIden) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(Orders::Table, Orders::Id)
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("products_page")
            .table(Products::Table)
            .col(Products::CreatedAt)
            .col(Products::Id)
            .to_owned(),
        Index::create()
            .name("orders_of_customer")
            .table(Orders::Table)
            .col(Orders::CustomerId)
            .col(Orders::CreatedAt)
            .col(Orders::Id)
            .to_owned(),
        Index::create()
            .name("orders_idempotency")
            .table(Orders::Table)
            .col(Orders::CustomerId)
            .col(Orders::IdempotencyKey)
            .unique()
            .to_owned(),
        Index::create()
            .name("orders_deadline")
            .table(Orders::Table)
            .col(Orders::DeadlineAt)
            .cond_where(Expr::col(Orders::DeadlineAt).is_not_null())
            .to_owned(),
        Index::create()
            .name("payment_attempts_order")
            .table(PaymentAttempts::Table)
            .col(PaymentAttempts::OrderId)
            .to_owned(),
        Index::create()
            .name("payment_attempts_intent")
            .table(PaymentAttempts::Table)
            .col(PaymentAttempts::IntentId)
            .unique()
            .to_owned(),
    ]
}
