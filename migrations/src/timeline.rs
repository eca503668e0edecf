//! What the timeline of an order is told from, and is not known otherwise.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0013_timeline"
    }
}

#[derive(DeriveIden)]
enum OrderHistory {
    Table,
    /// The event that told of it: its way through outbox and inbox is found by this.
    EventId,
    TraceId,
    /// The request or message that led to it ...
    Origin,
    /// ... and when work on that began.
    StartedAt,
}

#[derive(DeriveIden)]
enum PaymentNotices {
    Table,
    IntentId,
}

const NOTICES_OF_INTENT: &str = "payment_notices_intent";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            uuid_null(OrderHistory::EventId),
            text_null(OrderHistory::TraceId),
            text_null(OrderHistory::Origin),
            timestamp_with_time_zone_null(OrderHistory::StartedAt),
        ] {
            let add = Table::alter()
                .table(OrderHistory::Table)
                .add_column(column)
                .to_owned();
            manager.alter_table(add).await?;
        }
        let index = Index::create()
            .name(NOTICES_OF_INTENT)
            .table(PaymentNotices::Table)
            .col(PaymentNotices::IntentId)
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name(NOTICES_OF_INTENT).to_owned();
        manager.drop_index(index).await?;
        for column in [
            OrderHistory::EventId,
            OrderHistory::TraceId,
            OrderHistory::Origin,
            OrderHistory::StartedAt,
        ] {
            let drop = Table::alter()
                .table(OrderHistory::Table)
                .drop_column(column)
                .to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}
