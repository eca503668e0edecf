//! Messages that were set aside, for a person to look at and perhaps to send again.
//!
//! RabbitMQ keeps them in a queue of its own. The in-process broker, which forgets, keeps them in
//! the database of their consumer ([`Broker::keep_dead_letters`](crate::Broker::keep_dead_letters)),
//! where another process can work on them, too.

use chrono::{DateTime, Utc};
use database::Database;
use sea_orm::{DbErr, QueryOrder, QuerySelect, Set, entity::prelude::*, sea_query::OnConflict};
use uuid::Uuid;

use crate::{
    Message,
    outbox::{self, PutOff},
};

/// A queue's table holds so many; more are refused and tried again, as by RabbitMQ.
const CAPACITY: u64 = 100_000;
/// Letters that one transaction sends again.
const REPLAY_BATCH: u64 = 500;

/// A message that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub message: Message,
    /// What the consumer said, or `delivery_limit` when the deliveries were used up.
    pub reason: String,
    /// Which attempt was the last.
    pub attempt: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "dead_letters")]
pub struct Model {
    /// The order of setting aside.
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub queue: String,
    pub message_id: Uuid,
    pub event_type: String,
    pub aggregate_id: Uuid,
    pub body: String,
    pub traceparent: Option<String>,
    pub reason: String,
    pub attempt: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Why a letter was not kept.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("{CAPACITY} dead letters of the queue are there already")]
    Full,
    #[error("the dead letters' database failed")]
    Database(#[from] DbErr),
}

/// Keeps a letter. One that is there already only gets the newer reason.
pub(crate) async fn keep(
    database: &Database,
    queue: &str,
    letter: &DeadLetter,
) -> Result<(), KeepError> {
    let kept = Entity::find()
        .filter(Column::Queue.eq(queue))
        .count(database.reader())
        .await?;
    if kept >= CAPACITY {
        return Err(KeepError::Full);
    }
    let newer = OnConflict::columns([Column::Queue, Column::MessageId])
        .update_columns([Column::Reason, Column::Attempt])
        .to_owned();
    let row = ActiveModel {
        queue: Set(queue.to_owned()),
        message_id: Set(letter.message.id),
        event_type: Set(letter.message.event_type.clone()),
        aggregate_id: Set(letter.message.aggregate_id),
        body: Set(String::from_utf8_lossy(&letter.message.body).into_owned()),
        traceparent: Set(letter.message.traceparent.clone()),
        reason: Set(letter.reason.clone()),
        attempt: Set(i32::try_from(letter.attempt).unwrap_or(i32::MAX)),
        ..Default::default()
    };
    Entity::insert(row)
        .on_conflict(newer)
        .exec_without_returning(database.writer())
        .await?;
    Ok(())
}

/// The oldest letters of a queue, at most `limit`, or the one of a message.
pub(crate) async fn read(
    database: &Database,
    queue: &str,
    message_id: Option<Uuid>,
    limit: u64,
) -> Result<Vec<DeadLetter>, DbErr> {
    let rows = select(queue, message_id, i64::MAX, limit)
        .all(database.reader())
        .await?;
    Ok(rows.into_iter().map(DeadLetter::from).collect())
}

/// Writes a queue's letters, or the one of a message, into the outbox, for this queue alone and
/// under their own ids, and removes them in the same transaction. Says which they were.
pub(crate) async fn replay(
    database: &Database,
    queue: &str,
    message_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    // What comes back while this goes on is not sent a second time.
    let newest = Entity::find()
        .filter(Column::Queue.eq(queue))
        .order_by_desc(Column::Seq)
        .one(database.reader())
        .await?;
    let Some(newest) = newest else {
        return Ok(Vec::new());
    };
    let mut replayed = Vec::new();
    loop {
        let transaction = database.begin().await?;
        let rows = select(queue, message_id, newest.seq, REPLAY_BATCH)
            .all(&transaction)
            .await?;
        if rows.is_empty() {
            return Ok(replayed);
        }
        let seqs: Vec<_> = rows.iter().map(|row| row.seq).collect();
        replayed.extend(rows.iter().map(|row| row.message_id));
        let retries = rows.into_iter().map(|row| PutOff {
            message: DeadLetter::from(row).message,
            failed_attempts: 0,
            available_at: now,
        });
        outbox::put_off(&transaction, now, queue, retries.collect()).await?;
        Entity::delete_many()
            .filter(Column::Seq.is_in(seqs))
            .exec(&transaction)
            .await?;
        transaction.commit().await?;
    }
}

fn select(queue: &str, message_id: Option<Uuid>, up_to: i64, limit: u64) -> Select<Entity> {
    let mut select = Entity::find()
        .filter(Column::Queue.eq(queue))
        .filter(Column::Seq.lte(up_to))
        .order_by_asc(Column::Seq)
        .limit(limit);
    if let Some(message_id) = message_id {
        select = select.filter(Column::MessageId.eq(message_id));
    }
    select
}

impl From<Model> for DeadLetter {
    fn from(row: Model) -> Self {
        Self {
            message: Message {
                id: row.message_id,
                event_type: row.event_type,
                aggregate_id: row.aggregate_id,
                body: row.body.into(),
                traceparent: row.traceparent,
            },
            reason: row.reason,
            attempt: u32::try_from(row.attempt).unwrap_or(0),
        }
    }
}
