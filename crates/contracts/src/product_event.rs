//! What the ordering context tells the world about its catalogue.

use chrono::{DateTime, Utc};
use kernel::ProductId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A product was created, or its data or its stock was changed by hand: whoever keeps a copy reads
/// it again. What orders take from the stock is not told.
pub const CHANGED: &str = "orders.product.changed.v1";

/// The data of [`CHANGED`], version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProductChanged {
    #[schema(value_type = Uuid)]
    pub product_id: ProductId,
    pub at: DateTime<Utc>,
}
