use kernel::SessionId;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, entity::prelude::*};

use super::user;
use crate::secret::TokenHash;

/// One token of a session's chain. Rows are never changed: they tell old tokens from forged ones.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refresh_tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub token_hash: Vec<u8>,
    pub session_id: Uuid,
    pub generation: i32,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::session::Entity",
        from = "Column::SessionId",
        to = "super::session::Column::Id"
    )]
    Session,
}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn generation(&self) -> u32 {
        self.generation.unsigned_abs()
    }
}

/// From a token by its session to whom it belongs.
struct Owner;

impl Linked for Owner {
    type FromEntity = Entity;
    type ToEntity = user::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            Relation::Session.def(),
            super::session::Relation::User.def(),
        ]
    }
}

pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    token: TokenHash,
    session_id: SessionId,
    generation: u32,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        token_hash: Set(token.into()),
        session_id: Set(session_id.as_uuid()),
        generation: Set(i32::try_from(generation).unwrap_or(i32::MAX)),
    };
    Entity::insert(row)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// A token that was issued once, and its owner.
pub(crate) async fn find_with_owner(
    connection: &impl ConnectionTrait,
    token: TokenHash,
) -> Result<Option<(Model, user::Model)>, DbErr> {
    let found = Entity::find_by_id(Vec::from(token))
        .find_also_linked(Owner)
        .one(connection)
        .await?;
    Ok(found.and_then(|(token, owner)| Some((token, owner?))))
}
