use chrono::{DateTime, Utc};
use database::{Database, lock_for_update};
use kernel::UserId;
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait, DbErr, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _,
    QueryTrait, TryInsertResult,
    entity::prelude::*,
    sea_query::{ExprTrait as _, OnConflict},
};

use crate::totp::Step;

/// The authenticator app of an account: its second factor, once it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "totp_credentials")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Sealed: see [`crate::secret::SealedColumn::TotpSecret`].
    pub secret: String,
    /// Until then it is not asked for.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// The last time step that was accepted.
    pub last_step: Option<i64>,
    /// Wrong codes in a row, whether of the app or for recovery.
    pub failed_attempts: i32,
    pub locked_until: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn user_id(&self) -> UserId {
        self.user_id.into()
    }

    pub(crate) fn last_step(&self) -> Option<Step> {
        self.last_step.map(Step)
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed_at.is_some()
    }
}

/// Whether a second factor is asked of this person. Then a shorter password will do, too.
pub(crate) async fn is_mfa_enabled(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<bool, DbErr> {
    let confirmed = Entity::find_by_id(user_id.as_uuid()).filter(Column::ConfirmedAt.is_not_null());
    Ok(confirmed.count(connection).await? > 0)
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(user_id.as_uuid()).one(connection).await
}

/// Reads it and holds it until the transaction ends: of two codes at once, the second is judged
/// by what the first has left.
pub(crate) async fn find_for_update(
    database: &Database,
    transaction: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Option<Model>, DbErr> {
    let mut select = Entity::find_by_id(user_id.as_uuid());
    lock_for_update(QueryTrait::query(&mut select), database.backend());
    select.one(transaction).await
}

/// Begins an enrolment, in place of one that was not confirmed. Says whether it did: not over a
/// confirmed one.
pub(crate) async fn enrol(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    sealed_secret: String,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = Model {
        user_id: user_id.as_uuid(),
        secret: sealed_secret,
        confirmed_at: None,
        last_step: None,
        failed_attempts: 0,
        locked_until: None,
        created_at: now,
    };
    let replace = OnConflict::column(Column::UserId)
        .update_columns([Column::Secret, Column::CreatedAt])
        .action_and_where(Expr::col((Entity, Column::ConfirmedAt)).is_null())
        .to_owned();
    let enrolled = Entity::insert(row.into_active_model())
        .on_conflict(replace)
        .try_insert()
        .exec_without_returning(connection)
        .await?;
    Ok(matches!(enrolled, TryInsertResult::Inserted(1..)))
}

pub(crate) async fn confirm(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    step: Step,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let change = ActiveModel {
        confirmed_at: Set(Some(now)),
        last_step: Set(Some(step.0)),
        ..Default::default()
    };
    update(connection, user_id, change).await
}

/// A code was right: that of `step`, or one for recovery.
pub(crate) async fn record_success(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    step: Option<Step>,
) -> Result<(), DbErr> {
    let mut change = ActiveModel {
        failed_attempts: Set(0),
        locked_until: Set(None),
        ..Default::default()
    };
    if let Some(Step(step)) = step {
        change.last_step = Set(Some(step));
    }
    update(connection, user_id, change).await
}

pub(crate) async fn record_failure(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    failed_attempts: u32,
    locked_until: Option<DateTime<Utc>>,
) -> Result<(), DbErr> {
    let change = ActiveModel {
        failed_attempts: Set(i32::try_from(failed_attempts).unwrap_or(i32::MAX)),
        locked_until: Set(locked_until),
        ..Default::default()
    };
    update(connection, user_id, change).await
}

async fn update(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    change: ActiveModel,
) -> Result<(), DbErr> {
    Entity::update_many()
        .set(change)
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .exec(connection)
        .await?;
    Ok(())
}

pub(crate) async fn delete(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<(), DbErr> {
    Entity::delete_by_id(user_id.as_uuid())
        .exec(connection)
        .await?;
    Ok(())
}
