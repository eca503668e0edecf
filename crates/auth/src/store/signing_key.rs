use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{Set, Unchanged},
    ConnectionTrait, DbErr, QueryOrder as _,
    entity::prelude::*,
};

use crate::signing_keys::{KeyRecord, KeyState, SigningKeyError};

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// RFC 7638 thumbprint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// A [`KeyState`]. The schema admits one current and one next key.
    pub status: String,
    pub algorithm: String,
    /// PKCS#8, sealed; empty once the key is retired.
    pub private_key: String,
    pub created_at: DateTime<Utc>,
    pub activated_at: Option<DateTime<Utc>>,
    pub superseded_at: Option<DateTime<Utc>>,
    pub retired_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn record(&self) -> Result<KeyRecord, SigningKeyError> {
        Ok(KeyRecord {
            kid: self.kid.clone(),
            algorithm: self.algorithm.parse()?,
            state: self.status.parse()?,
            created_at: self.created_at,
            activated_at: self.activated_at,
            superseded_at: self.superseded_at,
            retired_at: self.retired_at,
        })
    }
}

/// Oldest first.
pub(crate) async fn all(connection: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Kid)
        .all(connection)
        .await
}

/// The keys that are not retired, oldest first.
pub(crate) async fn published(connection: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Status.ne(KeyState::Retired.as_str()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Kid)
        .all(connection)
        .await
}

pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    record: &KeyRecord,
    sealed_private_key: String,
) -> Result<(), DbErr> {
    let mut row = ActiveModel {
        kid: Set(record.kid.clone()),
        algorithm: Set(record.algorithm.as_str().to_owned()),
        private_key: Set(sealed_private_key),
        created_at: Set(record.created_at),
        ..Default::default()
    };
    set_state(&mut row, record);
    Entity::insert(row)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// Writes what changes in a key's life.
pub(crate) async fn update(
    connection: &impl ConnectionTrait,
    record: &KeyRecord,
) -> Result<(), DbErr> {
    let mut row = ActiveModel {
        kid: Unchanged(record.kid.clone()),
        ..Default::default()
    };
    set_state(&mut row, record);
    row.update(connection).await?;
    Ok(())
}

pub(crate) async fn erase_private_key(
    connection: &impl ConnectionTrait,
    kid: &str,
) -> Result<(), DbErr> {
    let row = ActiveModel {
        kid: Unchanged(kid.to_owned()),
        private_key: Set(String::new()),
        ..Default::default()
    };
    row.update(connection).await?;
    Ok(())
}

fn set_state(row: &mut ActiveModel, record: &KeyRecord) {
    row.status = Set(record.state.as_str().to_owned());
    row.activated_at = Set(record.activated_at);
    row.superseded_at = Set(record.superseded_at);
    row.retired_at = Set(record.retired_at);
}
