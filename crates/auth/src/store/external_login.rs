use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel as _, entity::prelude::*};

use crate::secret::TokenHash;

use super::expiring::Expiring;

/// A log-in that is under way at a provider.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_logins")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: Vec<u8>,
    pub provider: String,
    /// Of the token that only the browser that began it has.
    pub binding_hash: Vec<u8>,
    /// Nonce and PKCE verifier, sealed.
    pub secrets: String,
    /// Whose account the identity is to be linked to. `None`: somebody wants to log in.
    pub user_id: Option<Uuid>,
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

/// Takes the log-in of this state out of the table, if it began in this browser and has not
/// expired. Of any number of callers one gets it.
pub(crate) async fn take(
    connection: &impl ConnectionTrait,
    state: TokenHash,
    binding: TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<Model>, DbErr> {
    let taken = Entity::delete_many()
        .filter(Column::StateHash.eq(Vec::from(state)))
        .filter(Column::BindingHash.eq(Vec::from(binding)))
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(connection)
        .await?;
    Ok(taken.into_iter().next())
}
