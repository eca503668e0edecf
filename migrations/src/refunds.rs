//! Money on its way back to customers.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0010_refunds"
    }
}

#[derive(DeriveIden)]
enum Orders {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Refunds {
    Table,
    Id,
    OrderId,
    /// The provider's name for the payment that is given back.
    IntentId,
    /// The provider's name for the refund.
    ProviderRefundId,
    Status,
    Amount,
    Currency,
    /// Who asked for it.
    RequestedBy,
    CreatedAt,
    UpdatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(refunds()).await?;
        // Of an order, one that has not failed: its money goes back once.
        let of_order = Index::create()
            .name("refunds_order")
            .table(Refunds::Table)
            .col(Refunds::OrderId)
            .unique()
            .cond_where(Expr::col(Refunds::Status).ne("failed"))
            .to_owned();
        manager.create_index(of_order).await?;
        // For the failed ones too: a partial index answers only who asks for its part.
        let any = Index::create()
            .name("refunds_any_of_order")
            .table(Refunds::Table)
            .col(Refunds::OrderId)
            .to_owned();
        manager.create_index(any).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = Table::drop().table(Refunds::Table).to_owned();
        manager.drop_table(drop).await
    }
}

fn refunds() -> TableCreateStatement {
    Table::create()
        .table(Refunds::Table)
        .col(pk_uuid(Refunds::Id))
        .col(uuid(Refunds::OrderId))
        .col(text(Refunds::IntentId))
        .col(text_null(Refunds::ProviderRefundId))
        .col(text(Refunds::Status))
        .col(big_integer(Refunds::Amount))
        .col(text(Refunds::Currency))
        .col(uuid(Refunds::RequestedBy))
        .col(timestamp_with_time_zone(Refunds::CreatedAt))
        .col(timestamp_with_time_zone(Refunds::UpdatedAt))
        .foreign_key(
            ForeignKey::create()
                .from(Refunds::Table, Refunds::OrderId)
                .to(Orders::Table, Orders::Id),
        )
        .to_owned()
}
