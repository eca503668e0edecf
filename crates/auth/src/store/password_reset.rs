use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel as _, entity::prelude::*};

use super::{
    expiring::Expiring,
    mail_token::{self, MailToken},
};

/// Permission to choose a new password, for whoever holds the token.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_resets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    #[sea_orm(unique)]
    pub token_hash: Vec<u8>,
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

impl Expiring for Entity {
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

impl MailToken for Entity {
    const USER_ID: Column = Column::UserId;
    const TOKEN_HASH: Column = Column::TokenHash;

    fn token_hash(row: &Model) -> &[u8] {
        &row.token_hash
    }
}

/// In place of every earlier one of the same user. Does nothing, by the same statements, if there is
/// no such user.
pub(crate) async fn replace(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    let user_id = row.user_id;
    mail_token::delete_of::<Entity>(connection, user_id).await?;
    super::user::insert_if_user_exists(connection, &row.into_active_model(), user_id).await
}
