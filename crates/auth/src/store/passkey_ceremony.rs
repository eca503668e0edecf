use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel as _, entity::prelude::*};

use crate::secret::TokenHash;

use super::expiring::Expiring;

/// A challenge that waits for an authenticator's answer.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "passkey_ceremonies")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    /// Who adds a passkey; none for a log-in.
    pub user_id: Option<Uuid>,
    /// What was asked, as the library writes it.
    pub state: Json,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Expiring for Entity {
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// Takes a ceremony out of the table: of any number of callers one gets it.
pub(crate) async fn take(
    connection: &impl ConnectionTrait,
    token: TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let taken = Entity::delete_many()
        .filter(Column::TokenHash.eq(Vec::from(token)))
        .exec_with_returning(connection)
        .await?;
    Ok(taken.into_iter().find(|row| row.expires_at > now))
}
