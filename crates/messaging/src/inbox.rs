//! What each consumer has applied, so that a message delivered twice takes effect once.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use database::Database;
use fail_points::Safeguard;
use sea_orm::{
    ConnectionTrait, DbErr, QueryOrder, QuerySelect, QueryTrait, Set, TryInsertResult,
    entity::prelude::*,
    sea_query::{ExprTrait, OnConflict, Query},
};
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "inbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub consumer: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub message_id: Uuid,
    pub received_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Receipt {
    /// The first time: apply the effect.
    Fresh,
    /// It has been applied: only acknowledge.
    Duplicate,
}

/// Records that `consumer` applies the message. Call it first, in the transaction of the effect:
/// of two deliveries at the same time one waits for the other's commit and is the duplicate.
pub async fn record(
    transaction: &impl ConnectionTrait,
    consumer: &str,
    message_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Receipt, DbErr> {
    if fail_points::is_removed(Safeguard::Inbox) {
        return Ok(Receipt::Fresh);
    }
    let receipt = ActiveModel {
        consumer: Set(consumer.to_owned()),
        message_id: Set(message_id),
        received_at: Set(now),
    };
    let inserted = Entity::insert(receipt)
        .on_conflict_do_nothing()
        .exec_without_returning(transaction)
        .await?;
    Ok(match inserted {
        TryInsertResult::Inserted(1..) => Receipt::Fresh,
        _ => Receipt::Duplicate,
    })
}

/// The same for many messages with one statement; the answers are in their order. A message that is
/// named twice is fresh the first time.
pub async fn record_all(
    transaction: &impl ConnectionTrait,
    messages: Vec<(&str, Uuid)>,
    now: DateTime<Utc>,
) -> Result<Vec<Receipt>, DbErr> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    if fail_points::is_removed(Safeguard::Inbox) {
        return Ok(vec![Receipt::Fresh; messages.len()]);
    }
    // Whoever records several of the same messages at once waits for us, and not we for them.
    let sorted: BTreeSet<_> = messages.iter().copied().collect();
    let mut insert = Query::insert();
    insert
        .into_table(Entity)
        .columns([Column::Consumer, Column::MessageId, Column::ReceivedAt]);
    for (consumer, message_id) in sorted {
        insert.values_panic([consumer.into(), message_id.into(), now.into()]);
    }
    insert
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .returning(Query::returning().columns([Column::Consumer, Column::MessageId]));
    let mut fresh = HashSet::new();
    for row in transaction.query_all(&insert).await? {
        let consumer: String = row.try_get("", "consumer")?;
        let message_id: Uuid = row.try_get("", "message_id")?;
        fresh.insert((consumer, message_id));
    }
    let receipt = |(consumer, message_id): (&str, Uuid)| {
        if fresh.remove(&(consumer.to_owned(), message_id)) {
            Receipt::Fresh
        } else {
            Receipt::Duplicate
        }
    };
    Ok(messages.into_iter().map(receipt).collect())
}

/// Forgets at most `limit` receipts older than `before`, and says how many it were. No message
/// may be published again after that long.
pub(crate) async fn prune(
    database: &Database,
    before: DateTime<Utc>,
    limit: u64,
) -> Result<u64, DbErr> {
    let old = Entity::find()
        .select_only()
        .columns([Column::Consumer, Column::MessageId])
        .filter(Column::ReceivedAt.lt(before))
        .order_by_asc(Column::ReceivedAt)
        .limit(limit)
        .into_query();
    let key = Expr::tuple([Expr::col(Column::Consumer), Expr::col(Column::MessageId)]);
    let deleted = Entity::delete_many()
        .filter(key.in_subquery(old))
        .exec(database.writer())
        .await?;
    Ok(deleted.rows_affected)
}
