use async_graphql::{ID, Object};

use super::Money;

/// Something that can be ordered.
pub(in crate::graphql) struct Product(orders::Product);

impl From<orders::Product> for Product {
    fn from(product: orders::Product) -> Self {
        Self(product)
    }
}

/// Something that can be ordered.
#[Object]
impl Product {
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn description(&self) -> &str {
        &self.0.description
    }

    /// What one piece costs now.
    async fn price(&self) -> Money {
        self.0.price.into()
    }

    /// How many pieces can be ordered now.
    async fn available(&self) -> i64 {
        self.0.available
    }
}
