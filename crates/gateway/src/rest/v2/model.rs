use chrono::{DateTime, Utc};
use kernel::page::Page;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursor::{Cursors, List};
use crate::rest::model::{MoneyBody, PageBody};

/// Something that can be ordered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductV2)]
pub(in crate::rest) struct ProductBody {
    id: Uuid,
    #[schema(example = "Green tea")]
    name: String,
    description: String,
    price: MoneyBody,
    availability: AvailabilityBody,
    created_at: DateTime<Utc>,
}

/// Whether a product can be ordered now.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AvailabilityV2)]
pub(in crate::rest) struct AvailabilityBody {
    status: AvailabilityStatus,
    /// How many pieces can be ordered now.
    #[schema(example = 120, minimum = 0)]
    quantity: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = AvailabilityStatusV2)]
pub(in crate::rest) enum AvailabilityStatus {
    InStock,
    SoldOut,
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductPageV2)]
pub(in crate::rest) struct ProductPageBody {
    items: Vec<ProductBody>,
    page: PageBody,
}

impl ProductPageBody {
    pub(super) fn new(page: &Page<orders::Product>, cursors: &Cursors, list: List) -> Self {
        Self {
            items: page.items.iter().cloned().map(ProductBody::from).collect(),
            page: PageBody::new(page, cursors, list, orders::Product::key),
        }
    }
}

impl From<orders::Product> for ProductBody {
    fn from(product: orders::Product) -> Self {
        let status = if product.available > 0 {
            AvailabilityStatus::InStock
        } else {
            AvailabilityStatus::SoldOut
        };
        Self {
            id: product.id.into(),
            name: product.name,
            description: product.description,
            price: product.price.into(),
            availability: AvailabilityBody {
                status,
                quantity: product.available,
            },
            created_at: product.created_at,
        }
    }
}
