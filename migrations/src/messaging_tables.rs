//! Outbox and inbox: the same in every database that sends or receives messages.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_messaging"
    }
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    Seq,
    Id,
    AggregateType,
    AggregateId,
    EventType,
    Body,
    Traceparent,
    CreatedAt,
    AvailableAt,
    Attempts,
    LockedUntil,
    PublishedAt,
}

#[derive(DeriveIden)]
enum Inbox {
    Table,
    Consumer,
    MessageId,
    ReceivedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(outbox()).await?;
        manager.create_table(inbox()).await?;
        for index in outbox_indexes() {
            manager.create_index(index).await?;
        }
        let received = Index::create()
            .name("inbox_received_at")
            .table(Inbox::Table)
            .col(Inbox::ReceivedAt)
            .to_owned();
        manager.create_index(received).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Inbox::Table).to_owned())
            .await?;
        manager
            .drop_table(Table::drop().table(Outbox::Table).to_owned())
            .await
    }
}

fn outbox() -> TableCreateStatement {
    Table::create()
        .table(Outbox::Table)
        .col(big_integer(Outbox::Seq).primary_key().auto_increment())
        .col(uuid_uniq(Outbox::Id))
        .col(text(Outbox::AggregateType))
        .col(uuid(Outbox::AggregateId))
        .col(text(Outbox::EventType))
        .col(text(Outbox::Body))
        .col(text_null(Outbox::Traceparent))
        .col(timestamp_with_time_zone(Outbox::CreatedAt))
        .col(timestamp_with_time_zone(Outbox::AvailableAt))
        .col(integer(Outbox::Attempts).default(0))
        .col(timestamp_with_time_zone_null(Outbox::LockedUntil))
        .col(timestamp_with_time_zone_null(Outbox::PublishedAt))
        .to_owned()
}

fn inbox() -> TableCreateStatement {
    Table::create()
        .table(Inbox::Table)
        .col(text(Inbox::Consumer))
        .col(uuid(Inbox::MessageId))
        .col(timestamp_with_time_zone(Inbox::ReceivedAt))
        .primary_key(Index::create().col(Inbox::Consumer).col(Inbox::MessageId))
        .to_owned()
}

/// Partial indexes: what the relay looks for stays small, however many rows were published.
fn outbox_indexes() -> [IndexCreateStatement; 3] {
    let unpublished = || Expr::col(Outbox::PublishedAt).is_null();
    let index = |name: &str| Index::create().name(name).table(Outbox::Table).to_owned();
    [
        index("outbox_unpublished")
            .col(Outbox::AvailableAt)
            .col(Outbox::Seq)
            .cond_where(unpublished())
            .to_owned(),
        index("outbox_unpublished_aggregate")
            .col(Outbox::AggregateId)
            .col(Outbox::Seq)
            .cond_where(unpublished())
            .to_owned(),
        index("outbox_published")
            .col(Outbox::PublishedAt)
            .cond_where(Expr::col(Outbox::PublishedAt).is_not_null())
            .to_owned(),
    ]
}
