use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbErr, TryInsertResult, entity::prelude::*,
    sea_query::OnConflict,
};

pub(crate) const TABLE: &str = "signing_keys";
pub(crate) const PRIVATE_KEY: &str = "private_key";

/// The key that signs. The schema admits one.
pub(crate) const CURRENT: &str = "current";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "signing_keys")]
pub struct Model {
    /// RFC 7638 thumbprint.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    pub status: String,
    /// PKCS#8, sealed.
    pub private_key: String,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub(crate) async fn find_current(
    connection: &impl ConnectionTrait,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Status.eq(CURRENT))
        .one(connection)
        .await
}

/// Inserts unless another process was faster. Says whether it did.
pub(crate) async fn insert_current_if_absent(
    connection: &impl ConnectionTrait,
    kid: &str,
    sealed_private_key: String,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = ActiveModel {
        kid: Set(kid.to_owned()),
        status: Set(CURRENT.to_owned()),
        private_key: Set(sealed_private_key),
        created_at: Set(now),
    };
    let inserted = Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert()
        .exec_without_returning(connection)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}
