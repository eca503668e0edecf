use chrono::{DateTime, Utc};
use kernel::{Email, InvalidEmail};
use sea_orm::{
    ConnectionTrait, DbErr, IntoActiveModel as _, QuerySelect as _, QueryTrait as _,
    entity::prelude::*,
};

use crate::secret::TokenHash;

/// A new address that waits for its mail to be confirmed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// In which it was asked for: the one that goes on after the change.
    pub session_id: Uuid,
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
    pub new_email: String,
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

impl Model {
    pub(crate) fn new_email(&self) -> Result<Email, InvalidEmail> {
        Email::parse(&self.new_email)
    }
}

/// In place of every earlier one of the same user.
pub(crate) async fn replace(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    delete_of(connection, row.user_id).await?;
    Entity::insert(row.into_active_model())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// The change that a token confirms, and whose it is; it stays good.
pub(crate) async fn find_by_token(
    connection: &impl ConnectionTrait,
    token: TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::TokenHash.eq(Vec::from(token)))
        .filter(Column::ExpiresAt.gt(now))
        .one(connection)
        .await
}

/// Takes the change of a token out of the table, and with it every other one of the same user. Of
/// any number of callers one gets it.
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

/// A change that can still be confirmed, and whose it is.
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
    Ok(found.and_then(|(change, user)| Some((change, user?))))
}

/// The change that a user can still confirm.
pub(crate) async fn find_of(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::ExpiresAt.gt(now))
        .one(connection)
        .await
}

/// Voids what a user could still confirm.
pub(crate) async fn delete_of(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id))
        .exec(connection)
        .await?;
    Ok(())
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
