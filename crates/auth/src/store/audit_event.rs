use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, IntoActiveModel as _, entity::prelude::*};

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

pub(crate) async fn insert(connection: &impl ConnectionTrait, row: Model) -> Result<(), DbErr> {
    Entity::insert(row.into_active_model())
        .exec_without_returning(connection)
        .await?;
    Ok(())
}
