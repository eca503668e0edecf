use chrono::{DateTime, Utc};
use database::{Database, lock_for_update};
use kernel::UserId;
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel as _, QueryTrait, entity::prelude::*};

use crate::{authentication::Methods, secret::TokenHash};

use super::expiring::Expiring;

/// A log-in of which the first factor was right and the second is awaited.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mfa_challenges")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    pub user_id: Uuid,
    /// What has been proved so far; see [`Methods`].
    pub amr: String,
    /// Wrong answers.
    pub attempts: i32,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Expiring for Entity {
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

impl Model {
    pub(crate) fn user_id(&self) -> UserId {
        self.user_id.into()
    }

    pub(crate) fn methods(&self) -> Methods {
        Methods::parse(&self.amr)
    }
}

pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    token: TokenHash,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(Vec::from(token)).one(connection).await
}

/// Reads it and holds it until the transaction ends: answers at once are judged one by one.
pub(crate) async fn find_for_update(
    database: &Database,
    transaction: &impl ConnectionTrait,
    token: TokenHash,
) -> Result<Option<Model>, DbErr> {
    let mut select = Entity::find_by_id(Vec::from(token));
    lock_for_update(QueryTrait::query(&mut select), database.backend());
    select.one(transaction).await
}

pub(crate) async fn count_attempt(
    connection: &impl ConnectionTrait,
    challenge: &Model,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Attempts, Expr::value(challenge.attempts + 1))
        .filter(Column::TokenHash.eq(challenge.token_hash.as_slice()))
        .exec(connection)
        .await?;
    Ok(())
}

pub(crate) async fn delete(
    connection: &impl ConnectionTrait,
    challenge: &Model,
) -> Result<(), DbErr> {
    Entity::delete_by_id(challenge.token_hash.clone())
        .exec(connection)
        .await?;
    Ok(())
}

/// Ends what was begun with a password that counts no more, or for a second factor that is gone.
///
/// In a transaction that locks the account's second factor too, this comes first, as an answer to
/// a challenge locks them in this order.
pub(crate) async fn delete_all_of(
    transaction: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .exec(transaction)
        .await?;
    Ok(())
}
