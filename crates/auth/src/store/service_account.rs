use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, IntoActiveModel as _, QueryOrder as _, QuerySelect as _,
    TryInsertResult, entity::prelude::*, sea_query::OnConflict,
};

/// A program that may ask for tokens of its own.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "service_accounts")]
pub struct Model {
    /// The `sub` of its tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// The `client_id` of OAuth 2.0.
    #[sea_orm(unique)]
    pub name: String,
    /// SHA-256.
    pub secret_hash: Vec<u8>,
    /// The `aud` of its tokens.
    pub audience: String,
    /// The permissions that a token may have at most, with spaces between.
    pub scopes: String,
    pub created_at: DateTime<Utc>,
    pub disabled_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts unless the name is taken. Says whether it did.
pub(crate) async fn insert_if_absent(
    connection: &impl ConnectionTrait,
    row: Model,
) -> Result<bool, DbErr> {
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict_do_nothing_on([Column::Name])
        .exec_without_returning(connection)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// Inserts, or changes secret, audience and scopes of the account of this name. One that was
/// disabled stays so.
pub(crate) async fn register(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let update = OnConflict::column(Column::Name)
        .update_columns([Column::SecretHash, Column::Audience, Column::Scopes])
        .to_owned();
    Entity::insert(row.into_active_model())
        .on_conflict(update)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

pub(crate) async fn find_by_name(
    connection: &impl ConnectionTrait,
    name: &str,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Name.eq(name))
        .one(connection)
        .await
}

/// The first `limit` by name.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .order_by_asc(Column::Name)
        .limit(limit)
        .all(connection)
        .await
}

/// Says whether it was still enabled.
pub(crate) async fn disable(
    connection: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::DisabledAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::DisabledAt.is_null())
        .exec(connection)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// With the time.
pub(crate) async fn disabled_since(
    connection: &impl ConnectionTrait,
    since: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::DisabledAt])
        .filter(Column::DisabledAt.gte(since))
        .into_tuple()
        .all(connection)
        .await
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id).one(connection).await
}
