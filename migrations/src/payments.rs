//! Refunds of payments beside an order's own, tries that wait, and how far the provider's ledger
//! has been compared with ours.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0012_payments"
    }
}

#[derive(DeriveIden)]
enum Refunds {
    Table,
    OrderId,
    IntentId,
    Status,
    /// Not to be tried before; null: at once.
    DueAt,
    /// Why it failed, in the provider's words.
    Failure,
}

/// What is done by one process at a time, and how far it has come.
#[derive(DeriveIden)]
enum Reconciliations {
    Table,
    Name,
    /// The provider's ledger is compared up to here.
    Watermark,
    /// Nobody else begins before.
    LockedUntil,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            timestamp_with_time_zone_null(Refunds::DueAt),
            text_null(Refunds::Failure),
        ] {
            let add = Table::alter()
                .table(Refunds::Table)
                .add_column(column)
                .to_owned();
            manager.alter_table(add).await?;
        }
        let of_order = Index::drop().name("refunds_order").to_owned();
        manager.drop_index(of_order).await?;
        // A payment goes back once; an order that was charged twice has two.
        let of_payment = Index::create()
            .name("refunds_intent")
            .table(Refunds::Table)
            .col(Refunds::IntentId)
            .unique()
            .cond_where(Expr::col(Refunds::Status).ne("failed"))
            .to_owned();
        manager.create_index(of_payment).await?;
        for (name, column) in [
            ("refunds_any_of_intent", Refunds::IntentId),
            ("refunds_by_status", Refunds::Status),
        ] {
            let index = Index::create()
                .name(name)
                .table(Refunds::Table)
                .col(column)
                .to_owned();
            manager.create_index(index).await?;
        }
        manager.create_table(reconciliations()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let reconciliations = Table::drop().table(Reconciliations::Table).to_owned();
        manager.drop_table(reconciliations).await?;
        for name in [
            "refunds_by_status",
            "refunds_any_of_intent",
            "refunds_intent",
        ] {
            manager
                .drop_index(Index::drop().name(name).to_owned())
                .await?;
        }
        let of_order = Index::create()
            .name("refunds_order")
            .table(Refunds::Table)
            .col(Refunds::OrderId)
            .unique()
            .cond_where(Expr::col(Refunds::Status).ne("failed"))
            .to_owned();
        manager.create_index(of_order).await?;
        for column in [Refunds::Failure.into_iden(), Refunds::DueAt.into_iden()] {
            let drop = Table::alter()
                .table(Refunds::Table)
                .drop_column(column)
                .to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}

fn reconciliations() -> TableCreateStatement {
    Table::create()
        .table(Reconciliations::Table)
        .col(text(Reconciliations::Name).primary_key())
        .col(timestamp_with_time_zone(Reconciliations::Watermark))
        .col(timestamp_with_time_zone(Reconciliations::LockedUntil))
        .to_owned()
}
