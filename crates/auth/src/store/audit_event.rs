use chrono::{DateTime, Utc};
use kernel::UserId;
use sea_orm::{
    Condition, ConnectionTrait, DbErr, IntoActiveModel as _, Order, QueryOrder as _,
    QuerySelect as _, entity::prelude::*,
};

use super::Rows;
use crate::use_cases::admin::AuditFilter;

/// One line of the audit log. Rows are only ever inserted: a trigger refuses anything else.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    /// A UUIDv7: events sort by it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub occurred_at: DateTime<Utc>,
    /// `person`, `api_key`, `service_account`, `operator` (the command line), `system` or
    /// `anonymous`.
    pub actor_kind: String,
    pub actor_id: Option<Uuid>,
    /// For example `session.created`.
    pub action: String,
    /// For example `user`.
    pub target_kind: String,
    pub target_id: Option<String>,
    pub ip: Option<String>,
    pub request_id: Option<String>,
    /// `succeeded` or `refused`.
    pub outcome: String,
    /// What else there is to know; never a secret.
    pub details: Json,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The newest first.
pub(crate) async fn list(
    connection: &impl ConnectionTrait,
    filter: &AuditFilter,
    rows: Rows,
) -> Result<Vec<Model>, DbErr> {
    let wanted = Condition::all()
        .add_option(filter.actor_id.map(|id| Column::ActorId.eq(id)))
        .add_option(filter.target_id.as_ref().map(|id| Column::TargetId.eq(id)))
        .add_option(filter.action.as_ref().map(|name| Column::Action.eq(name)));
    rows.of(Entity::find().filter(wanted), Column::Id, Order::Desc)
        .all(connection)
        .await
}

/// What a person did, and what was done to their account or their sessions; the newest first.
pub(crate) async fn list_of_person(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    sessions: &[Uuid],
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    let targets = sessions.iter().map(Uuid::to_string);
    let targets = targets.chain([user_id.to_string()]);
    let of_person = Condition::any()
        .add(Column::ActorId.eq(user_id.as_uuid()))
        .add(Column::TargetId.is_in(targets));
    Entity::find()
        .filter(of_person)
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(connection)
        .await
}

pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
