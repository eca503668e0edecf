use chrono::{DateTime, Utc};
use kernel::UserId;
use sea_orm::{
    ConnectionTrait, DbErr, IntoActiveModel as _, QueryOrder as _, QuerySelect as _,
    TryInsertResult, entity::prelude::*, sea_query::OnConflict,
};

/// So many are read of one account. Each costs its owner a log-in, so there are few.
const MAX_LISTED: u64 = 100;

/// Somebody at an external provider, who is the owner of an account here.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "external_identities")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// The provider's name here, when it was linked.
    pub provider: String,
    /// With the subject, unique.
    pub issuer: String,
    pub subject: String,
    /// As the provider had verified it then. Only for people to read.
    pub email: Option<String>,
    pub created_at: DateTime<Utc>,
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

/// Inserts unless the identity belongs to an account already. Says whether it did.
pub(crate) async fn insert_if_absent(
    connection: &impl ConnectionTrait,
    row: Model,
) -> Result<bool, DbErr> {
    let taken = OnConflict::columns([Column::Issuer, Column::Subject])
        .do_nothing()
        .to_owned();
    let inserted = Entity::insert(row.into_active_model())
        .on_conflict(taken)
        .try_insert()
        .exec_without_returning(connection)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

/// An identity, and whose account it opens.
pub(crate) async fn find_by_subject(
    connection: &impl ConnectionTrait,
    issuer: &str,
    subject: &str,
) -> Result<Option<(Model, super::user::Model)>, DbErr> {
    let found = Entity::find()
        .filter(Column::Issuer.eq(issuer))
        .filter(Column::Subject.eq(subject))
        .find_also_related(super::user::Entity)
        .one(connection)
        .await?;
    Ok(found.and_then(|(identity, user)| Some((identity, user?))))
}

/// The same by its id.
pub(crate) async fn find_with_owner(
    connection: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<(Model, super::user::Model)>, DbErr> {
    let found = Entity::find_by_id(id)
        .find_also_related(super::user::Entity)
        .one(connection)
        .await?;
    Ok(found.and_then(|(identity, user)| Some((identity, user?))))
}

/// An account's, oldest first.
pub(crate) async fn of_user(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Id)
        .limit(MAX_LISTED)
        .all(connection)
        .await
}

pub(crate) async fn delete(connection: &impl ConnectionTrait, id: Uuid) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(connection).await?;
    Ok(())
}
