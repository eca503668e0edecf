//! Committed before the provider is called; the id is the provider's idempotency key.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "refunds")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub order_id: Uuid,
    pub intent_id: String,
    pub provider_refund_id: Option<String>,
    pub status: String,
    pub amount: i64,
    pub currency: String,
    /// Nil where the provider took what nobody asked for.
    pub requested_by: Uuid,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    /// Not to be tried before.
    pub due_at: Option<DateTimeUtc>,
    /// Why it failed.
    pub failure: Option<String>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
