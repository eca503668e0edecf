use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, IntoActiveModel as _, QuerySelect as _, QueryTrait as _,
    entity::prelude::*,
};

use crate::secret::TokenHash;

/// A registration that waits for its mail to be confirmed, with the name and password that it
/// asked for.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_verifications")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    pub name: String,
    pub password_hash: String,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
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

/// Does nothing, by the same statement, if there is no such user.
pub(crate) async fn insert_if_user_exists(
    connection: &impl ConnectionTrait,
    row: Model,
) -> Result<(), DbErr> {
    let user_id = row.user_id;
    super::user::insert_if_user_exists(connection, &row.into_active_model(), user_id).await
}

/// Takes the verification of a token out of the table, and with it every other one of the same
/// user. Of any number of callers one gets it.
pub(crate) async fn take(
    connection: &impl ConnectionTrait,
    token: TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let token = Vec::from(token);
    let user = Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::TokenHash.eq(token.as_slice()))
        .filter(Column::ExpiresAt.gt(now))
        .into_query();
    let taken = Entity::delete_many()
        .filter(Column::UserId.in_subquery(user))
        .exec_with_returning(connection)
        .await?;
    Ok(taken.into_iter().find(|row| row.token_hash == token))
}

/// A verification that can still be confirmed, and the address to confirm.
pub(crate) async fn find_pending(
    connection: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<(Model, super::user::Model)>, DbErr> {
    let found = Entity::find_by_id(id)
        .filter(Column::ExpiresAt.gt(now))
        .find_also_related(super::user::Entity)
        .one(connection)
        .await?;
    Ok(found.and_then(|(verification, user)| Some((verification, user?))))
}

pub(crate) async fn delete_expired(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let deleted = Entity::delete_many()
        .filter(Column::ExpiresAt.lte(now))
        .exec(connection)
        .await?;
    Ok(deleted.rows_affected)
}
