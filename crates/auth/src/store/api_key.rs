use chrono::{DateTime, TimeDelta, Utc};
use kernel::{ApiKeyId, UserId};
use sea_orm::{
    ConnectionTrait, DbErr, IntoActiveModel as _, QueryOrder as _, QuerySelect as _,
    entity::prelude::*,
};

/// A key that a person gave to a program.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    pub name: String,
    /// SHA-256.
    pub secret_hash: Vec<u8>,
    /// Permissions, with spaces between.
    pub scopes: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// To the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// A key that works, and its owner.
pub(crate) async fn find_active_with_owner(
    connection: &impl ConnectionTrait,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<Option<(Model, super::user::Model)>, DbErr> {
    let found = Entity::find_by_id(id.as_uuid())
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .find_also_related(super::user::Entity)
        .one(connection)
        .await?;
    Ok(found.and_then(|(key, owner)| Some((key, owner?))))
}

/// One's own that work, the newest first.
pub(crate) async fn list_active(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    limit: u64,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(active_of(user_id, now))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(connection)
        .await
}

/// All of one's own, the newest first.
pub(crate) async fn list_of(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(connection)
        .await
}

pub(crate) async fn count_active(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    Entity::find()
        .filter(active_of(user_id, now))
        .count(connection)
        .await
}

/// Says whether it was one of the user's that worked.
pub(crate) async fn revoke(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    id: ApiKeyId,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(Column::Id.eq(id.as_uuid()))
        .filter(active_of(user_id, now))
        .exec(connection)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Writes down that the key is used, unless that was done within `interval`.
pub(crate) async fn touch(
    connection: &impl ConnectionTrait,
    key: &Model,
    interval: TimeDelta,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if key.last_used_at.is_some_and(|used| now - used < interval) {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(key.id))
        .exec(connection)
        .await?;
    Ok(())
}

fn active_of(user_id: UserId, now: DateTime<Utc>) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(Column::UserId.eq(user_id.as_uuid()))
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
}
