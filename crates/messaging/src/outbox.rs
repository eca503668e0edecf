//! Messages to be published, written in the transaction of the change they tell of: both are
//! committed or neither is. The [`Relay`](crate::Relay) takes them from here to the broker.

use chrono::{DateTime, TimeDelta, Utc};
use database::Database;
use fail_points::Safeguard;
use kernel::EventId;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder,
    QueryResult, QuerySelect, QueryTrait, Set,
    entity::prelude::*,
    sea_query::{
        Alias, CommonTableExpression, Expr, Func, OnConflict, Query, SelectStatement, WithClause,
    },
};
use uuid::Uuid;

use crate::{Message, dead_letters, inbox};

/// Rows written by one statement: SQLite takes 32,766 parameters, and a row has thirteen.
const INSERT_CHUNK: usize = 1_000;
/// The aggregate type of a row that is no new event.
const RETRY: &str = "retry";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// The order of writing.
    #[sea_orm(primary_key)]
    pub seq: i64,
    pub id: Uuid,
    pub aggregate_type: String,
    pub aggregate_id: Uuid,
    pub event_type: String,
    pub body: String,
    pub traceparent: Option<String>,
    pub created_at: DateTime<Utc>,
    /// Not published before.
    pub available_at: DateTime<Utc>,
    /// How often a relay has taken it.
    pub attempts: i32,
    /// Until then a relay works on it, or has put it off.
    pub locked_until: Option<DateTime<Utc>>,
    /// When the broker's confirm was recorded.
    pub published_at: Option<DateTime<Utc>>,
    /// The message that is to be tried again. It is published under its own id, not under `id`.
    pub retry_of: Option<Uuid>,
    /// The only queue that it is for.
    pub queue: Option<String>,
    /// How often its handling has failed.
    pub failed_attempts: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// An event to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    pub id: Uuid,
    pub aggregate_type: &'static str,
    /// Events of one aggregate are published in the order in which they were appended, except
    /// that one with a later `available_at` holds up nothing until it is due.
    pub aggregate_id: Uuid,
    /// The versioned type, also the routing key; at most 255 bytes.
    pub event_type: String,
    /// A CloudEvents envelope as JSON.
    pub body: String,
    pub traceparent: Option<String>,
    /// Publish it then or later: now, or after a delay.
    pub available_at: DateTime<Utc>,
}

/// Appends one event, in the caller's transaction. Wake the relay after the commit.
pub async fn append(
    transaction: &impl ConnectionTrait,
    now: DateTime<Utc>,
    event: OutboxEvent,
) -> Result<(), DbErr> {
    append_all(transaction, now, vec![event]).await
}

/// Appends many events with one statement, in their order.
pub async fn append_all(
    transaction: &impl ConnectionTrait,
    now: DateTime<Utc>,
    events: Vec<OutboxEvent>,
) -> Result<(), DbErr> {
    if fail_points::is_removed(Safeguard::Outbox) && is_lost(now) {
        return Ok(());
    }
    for chunk in events.chunks(INSERT_CHUNK) {
        let rows = chunk.iter().map(|event| row(event, now));
        Entity::insert_many(rows)
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

/// Every fourth moment, for a drill: what the outbox is there to prevent.
fn is_lost(now: DateTime<Utc>) -> bool {
    now.timestamp_subsec_micros().is_multiple_of(4)
}

/// A message that is to come again, later.
#[derive(Clone, Debug)]
pub(crate) struct PutOff {
    pub(crate) message: Message,
    pub(crate) failed_attempts: u32,
    pub(crate) available_at: DateTime<Utc>,
}

/// Has messages published again, to the one queue where their handling failed. Of one message and
/// one queue there is one row: who puts it off twice, because its acknowledgement was lost, changes
/// when it comes and not how often. It is a new row each time, because a relay that has just
/// published the last one will mark that.
pub(crate) async fn put_off(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    queue: &str,
    retries: Vec<PutOff>,
) -> Result<(), DbErr> {
    let renewed = OnConflict::columns([Column::RetryOf, Column::Queue])
        .target_and_where(Expr::col(Column::RetryOf).is_not_null())
        .update_columns([Column::AvailableAt, Column::FailedAttempts])
        .to_owned();
    for chunk in retries.chunks(INSERT_CHUNK) {
        Entity::delete_many()
            .filter(Column::RetryOf.is_in(chunk.iter().map(|retry| retry.message.id)))
            .filter(Column::Queue.eq(queue))
            .exec(transaction)
            .await?;
        let rows = chunk.iter().map(|retry| retry_row(retry, queue, now));
        Entity::insert_many(rows)
            .on_conflict(renewed.clone())
            .exec_without_returning(transaction)
            .await?;
    }
    Ok(())
}

fn retry_row(retry: &PutOff, queue: &str, now: DateTime<Utc>) -> ActiveModel {
    let message = &retry.message;
    ActiveModel {
        id: Set(EventId::generate(now).as_uuid()),
        aggregate_type: Set(RETRY.to_owned()),
        aggregate_id: Set(message.aggregate_id),
        event_type: Set(message.event_type.clone()),
        body: Set(String::from_utf8_lossy(&message.body).into_owned()),
        traceparent: Set(message.traceparent.clone()),
        created_at: Set(now),
        available_at: Set(retry.available_at),
        retry_of: Set(Some(message.id)),
        queue: Set(Some(queue.to_owned())),
        failed_attempts: Set(i32::try_from(retry.failed_attempts).unwrap_or(i32::MAX)),
        ..Default::default()
    }
}

/// Brings back what the in-process broker forgot when the process ended: everything published
/// whose receipt is not in the consumer's inbox becomes unpublished again, unless it was set aside
/// or waits for its next attempt. Call it at the start, before any relay runs, once for each
/// consumer, which is called as its queue is; every message of `event_types` must leave a
/// receipt when it is applied. Returns how many came back.
pub async fn requeue_unconsumed(
    database: &Database,
    consumer: &str,
    event_types: &[&str],
) -> Result<u64, DbErr> {
    // No relay is alive, so that leases are those of a process that is gone.
    Entity::update_many()
        .col_expr(Column::LockedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::PublishedAt.is_null())
        .exec(database.writer())
        .await?;
    let message_id = || {
        Expr::from(Func::coalesce([
            of_row(Column::RetryOf),
            of_row(Column::Id),
        ]))
    };
    let consumed = inbox::Entity::find()
        .select_only()
        .column(inbox::Column::MessageId)
        .filter(inbox::Column::Consumer.eq(consumer))
        .into_query();
    let set_aside = dead_letters::Entity::find()
        .select_only()
        .column(dead_letters::Column::MessageId)
        .filter(dead_letters::Column::Queue.eq(consumer))
        .into_query();
    let retry = Alias::new("retry");
    let superseded = Query::select()
        .expr(Expr::value(1))
        .from_as(Entity, retry.clone())
        .and_where(Expr::col((retry.clone(), Column::RetryOf)).eq(of_row(Column::Id)))
        .and_where(Expr::col((retry, Column::Queue)).eq(consumer))
        .take();
    let requeued = Entity::update_many()
        .col_expr(Column::PublishedAt, Expr::value(None::<DateTime<Utc>>))
        .col_expr(Column::LockedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::PublishedAt.is_not_null())
        .filter(Column::EventType.is_in(event_types.iter().copied()))
        .filter(Column::Queue.is_null().or(Column::Queue.eq(consumer)))
        .filter(message_id().not_in_subquery(consumed))
        .filter(message_id().not_in_subquery(set_aside))
        .filter(Expr::exists(superseded).not())
        .exec(database.writer())
        .await?;
    Ok(requeued.rows_affected)
}

/// A row that a relay has taken for the time of its lease.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) seq: i64,
    pub(crate) available_at: DateTime<Utc>,
    pub(crate) attempts: i32,
    pub(crate) message: Message,
    pub(crate) queue: Option<String>,
    pub(crate) failed_attempts: u32,
}

/// Takes at most `limit` rows that are due, in one statement and therefore without a transaction
/// that would stay open while they are published. Any number of relays may do this at once.
pub(crate) async fn claim(
    database: &Database,
    now: DateTime<Utc>,
    lease: TimeDelta,
    limit: u64,
) -> Result<Vec<Claimed>, DbErr> {
    let backend = database.backend();
    let mut due = due(now, limit);
    database::lock_skipping_locked(&mut due, backend);
    // A common table expression, because PostgreSQL may run a plain subquery with a lock and a
    // limit more than once, and then takes more than the limit.
    let due_rows = Alias::new("due");
    let update = Query::update()
        .table(Entity)
        .value(Column::LockedUntil, now + lease)
        .value(Column::Attempts, Expr::col(Column::Attempts).add(1))
        .and_where(
            Expr::col(Column::Seq).in_subquery(
                Query::select()
                    .column(Column::Seq)
                    .from(due_rows.clone())
                    .take(),
            ),
        )
        .returning(Query::returning().columns([
            Column::Seq,
            Column::Id,
            Column::AggregateId,
            Column::EventType,
            Column::Body,
            Column::Traceparent,
            Column::AvailableAt,
            Column::Attempts,
            Column::RetryOf,
            Column::Queue,
            Column::FailedAttempts,
        ]))
        .take();
    let mut due_cte = CommonTableExpression::new();
    due_cte.query(due).column(Column::Seq).table_name(due_rows);
    let mut with = WithClause::new();
    with.cte(due_cte);
    let statement = update.with(with);
    let rows = database.writer().query_all(&statement).await?;
    let mut claimed = rows.iter().map(claimed).collect::<Result<Vec<_>, _>>()?;
    // RETURNING promises no order.
    claimed.sort_unstable_by_key(|row| row.seq);
    Ok(claimed)
}

fn claimed(row: &QueryResult) -> Result<Claimed, DbErr> {
    let body: String = row.try_get("", "body")?;
    let retry_of: Option<Uuid> = row.try_get("", "retry_of")?;
    let failed_attempts: i32 = row.try_get("", "failed_attempts")?;
    Ok(Claimed {
        seq: row.try_get("", "seq")?,
        available_at: row.try_get("", "available_at")?,
        attempts: row.try_get("", "attempts")?,
        message: Message {
            id: retry_of.map_or_else(|| row.try_get("", "id"), Ok)?,
            event_type: row.try_get("", "event_type")?,
            aggregate_id: row.try_get("", "aggregate_id")?,
            body: body.into(),
            traceparent: row.try_get("", "traceparent")?,
        },
        queue: row.try_get("", "queue")?,
        failed_attempts: u32::try_from(failed_attempts).unwrap_or(0),
    })
}

/// Records the broker's confirms.
pub(crate) async fn mark_published(
    database: &Database,
    now: DateTime<Utc>,
    seqs: Vec<i64>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::PublishedAt, Expr::value(now))
        .col_expr(Column::LockedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(Column::Seq.is_in(padded(seqs)))
        .exec(database.writer())
        .await?;
    Ok(())
}

/// Gives rows back that were not confirmed; `locked_until` puts them off, and later rows of the
/// same aggregates with them.
pub(crate) async fn release(
    database: &Database,
    seqs: Vec<i64>,
    locked_until: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::LockedUntil, Expr::value(locked_until))
        .filter(Column::Seq.is_in(padded(seqs)))
        .filter(Column::PublishedAt.is_null())
        .exec(database.writer())
        .await?;
    Ok(())
}

/// The list with its last number said again until there is a power of two of them: a statement has
/// as many forms as there are lengths, and the database remembers the plans of a few.
fn padded(mut seqs: Vec<i64>) -> Vec<i64> {
    if let Some(last) = seqs.last().copied() {
        seqs.resize(seqs.len().next_power_of_two(), last);
    }
    seqs
}

/// Deletes at most `limit` rows that were published before `before`, and says how many it were.
pub(crate) async fn prune(
    database: &Database,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    let old = Entity::find()
        .select_only()
        .column(Column::Seq)
        .filter(Column::PublishedAt.lt(before))
        .order_by_asc(Column::PublishedAt)
        .limit(limit)
        .into_query();
    let deleted = Entity::delete_many()
        .filter(Column::Seq.in_subquery(old))
        .exec(database.writer())
        .await?;
    Ok(deleted.rows_affected)
}

/// How many rows wait to be published, delayed ones included.
pub(crate) async fn count_unpublished(database: &Database) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::PublishedAt.is_null())
        .count(database.reader())
        .await
}

/// Rows that may be published now: nobody works on them, and they are the first of their aggregate
/// that are due and wait to be published.
///
/// The first one is asked for as a value and not as a row that does not exist: PostgreSQL makes a
/// join of the latter, and where it expects few rows it compares each with every other.
fn due(now: DateTime<Utc>, limit: u64) -> SelectStatement {
    let earlier = Alias::new("earlier");
    let of_earlier = |column: Column| Expr::col((earlier.clone(), column));
    let first = Query::select()
        .expr(of_earlier(Column::Seq).min())
        .from_as(Entity, earlier.clone())
        .and_where(of_earlier(Column::AggregateId).eq(of_row(Column::AggregateId)))
        .and_where(of_earlier(Column::PublishedAt).is_null())
        .and_where(of_earlier(Column::AvailableAt).lte(now))
        .take();
    let free = Expr::col(Column::LockedUntil)
        .is_null()
        .or(Expr::col(Column::LockedUntil).lte(now));
    Entity::find()
        .select_only()
        .column(Column::Seq)
        .filter(Column::PublishedAt.is_null())
        .filter(Column::AvailableAt.lte(now))
        .filter(free)
        .filter(of_row(Column::Seq).eq(Expr::SubQuery(None, Box::new(first.into()))))
        .order_by_asc(Column::AvailableAt)
        .order_by_asc(Column::Seq)
        .limit(limit)
        .into_query()
}

fn of_row(column: Column) -> Expr {
    Expr::col((Entity, column))
}

fn row(event: &OutboxEvent, now: DateTime<Utc>) -> ActiveModel {
    ActiveModel {
        id: Set(event.id),
        aggregate_type: Set(event.aggregate_type.to_owned()),
        aggregate_id: Set(event.aggregate_id),
        event_type: Set(event.event_type.clone()),
        body: Set(event.body.clone()),
        traceparent: Set(event.traceparent.clone()),
        created_at: Set(now),
        available_at: Set(event.available_at),
        ..Default::default()
    }
}
