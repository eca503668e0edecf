use chrono::{DateTime, Utc};
use kernel::UserId;
use sea_orm::{
    ConnectionTrait, DbErr, IntoActiveModel as _, QueryOrder as _, TryInsertResult,
    entity::prelude::*,
};

/// A public key that logs its owner in.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "passkeys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// As the authenticator chose it; unique.
    #[sea_orm(unique)]
    pub credential_id: Vec<u8>,
    /// The owner's name for it.
    pub name: String,
    /// The public key and its counter, as the library writes them.
    pub credential: Json,
    pub created_at: DateTime<Utc>,
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Inserts unless the credential is known. Says whether it did.
pub(crate) async fn insert_if_absent(
    connection: &impl ConnectionTrait,
    row: Model,
) -> Result<bool, DbErr> {
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict_do_nothing_on([Column::CredentialId])
        .exec_without_returning(connection)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// The oldest first.
pub(crate) async fn of_user(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .order_by_asc(Column::Id)
        .all(connection)
        .await
}

pub(crate) async fn find_by_credential(
    connection: &impl ConnectionTrait,
    credential_id: &[u8],
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::CredentialId.eq(credential_id))
        .one(connection)
        .await
}

/// Says whether there is such a passkey.
pub(crate) async fn record_use(
    connection: &impl ConnectionTrait,
    id: Uuid,
    credential: Json,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::Credential, Expr::value(credential))
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Says whether the user had it.
pub(crate) async fn delete(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    id: Uuid,
) -> Result<bool, DbErr> {
    let deleted = Entity::delete_many()
        .filter(Column::Id.eq(id))
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .exec(connection)
        .await?;
    Ok(deleted.rows_affected == 1)
}
