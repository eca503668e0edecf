//! Messages that are tried again later, and those that were set aside: in every database that
//! sends or receives messages.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0011_retries"
    }
}

#[derive(DeriveIden)]
enum Outbox {
    Table,
    RetryOf,
    Queue,
    FailedAttempts,
}

#[derive(DeriveIden)]
enum DeadLetters {
    Table,
    Seq,
    Queue,
    MessageId,
    EventType,
    AggregateId,
    Body,
    Traceparent,
    Reason,
    Attempt,
}

const RETRIES_INDEX: &str = "outbox_retry_of";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            uuid_null(Outbox::RetryOf),
            text_null(Outbox::Queue),
            integer(Outbox::FailedAttempts).default(0).take(),
        ] {
            let alter = Table::alter()
                .table(Outbox::Table)
                .add_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        // Partial: few messages are ever tried again.
        let retries = Index::create()
            .name(RETRIES_INDEX)
            .table(Outbox::Table)
            .col(Outbox::RetryOf)
            .col(Outbox::Queue)
            .unique()
            .cond_where(Expr::col(Outbox::RetryOf).is_not_null())
            .to_owned();
        manager.create_index(retries).await?;
        manager.create_table(dead_letters()).await?;
        let message = Index::create()
            .name("dead_letters_message")
            .table(DeadLetters::Table)
            .col(DeadLetters::Queue)
            .col(DeadLetters::MessageId)
            .unique()
            .to_owned();
        manager.create_index(message).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(DeadLetters::Table).to_owned())
            .await?;
        let retries = Index::drop()
            .name(RETRIES_INDEX)
            .table(Outbox::Table)
            .to_owned();
        manager.drop_index(retries).await?;
        for column in [Outbox::FailedAttempts, Outbox::Queue, Outbox::RetryOf] {
            let alter = Table::alter()
                .table(Outbox::Table)
                .drop_column(column)
                .to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}

fn dead_letters() -> TableCreateStatement {
    Table::create()
        .table(DeadLetters::Table)
        .col(big_integer(DeadLetters::Seq).primary_key().auto_increment())
        .col(text(DeadLetters::Queue))
        .col(uuid(DeadLetters::MessageId))
        .col(text(DeadLetters::EventType))
        .col(uuid(DeadLetters::AggregateId))
        .col(text(DeadLetters::Body))
        .col(text_null(DeadLetters::Traceparent))
        .col(text(DeadLetters::Reason))
        .col(integer(DeadLetters::Attempt))
        .to_owned()
}
