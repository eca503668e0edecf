use chrono::{DateTime, Utc};
use kernel::{Email, InvalidEmail};
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel as _, entity::prelude::*};

use super::{
    expiring::Expiring,
    mail_token::{self, MailToken},
};

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

impl Model {
    pub(crate) fn new_email(&self) -> Result<Email, InvalidEmail> {
        Email::parse(&self.new_email)
    }
}

/// In place of every earlier one of the same user.
pub(crate) async fn replace(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    mail_token::delete_of::<Entity>(connection, row.user_id).await?;
    Entity::insert(row.into_active_model())
        .exec_without_returning(connection)
        .await?;
    Ok(())
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
