//! Every transition of every order.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "order_history")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub order_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub version: i32,
    pub status: String,
    pub at: DateTimeUtc,
    /// The event that told of it.
    pub event_id: Option<Uuid>,
    pub trace_id: Option<String>,
    /// The request or the message that led to it ...
    pub origin: Option<String>,
    /// ... and when work on that began.
    pub started_at: Option<DateTimeUtc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
