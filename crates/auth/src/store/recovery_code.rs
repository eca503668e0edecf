use chrono::{DateTime, Utc};
use kernel::UserId;
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbErr, PaginatorTrait as _, QueryFilter as _,
    entity::prelude::*,
};

use crate::secret::TokenHash;

/// What lets a person in once whose authenticator app is lost.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "recovery_codes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub code_hash: Vec<u8>,
    pub user_id: Uuid,
    pub used_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The codes of before work no more.
pub(crate) async fn replace(
    transaction: &impl ConnectionTrait,
    user_id: UserId,
    codes: impl IntoIterator<Item = TokenHash>,
) -> Result<(), DbErr> {
    delete(transaction, user_id).await?;
    let rows = codes.into_iter().map(|hash| ActiveModel {
        code_hash: Set(hash.into()),
        user_id: Set(user_id.as_uuid()),
        used_at: Set(None),
    });
    Entity::insert_many(rows)
        .exec_without_returning(transaction)
        .await?;
    Ok(())
}

/// Uses a code up. Says whether it was one, and new: of any number of callers one is told so.
pub(crate) async fn take(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    code: TokenHash,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let taken = Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .filter(Column::CodeHash.eq(Vec::from(code)))
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .filter(Column::UsedAt.is_null())
        .exec(connection)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// How many have not been used.
pub(crate) async fn count_left(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .filter(Column::UsedAt.is_null())
        .count(connection)
        .await
}

pub(crate) async fn delete(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .exec(connection)
        .await?;
    Ok(())
}
