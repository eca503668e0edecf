use async_graphql::{ContextSelectionSet, Enum, ID, Object, ScalarType, Value};

use super::{Money, Timestamp};
use crate::graphql::direct::{Plain, at_once};

/// How the catalogue is sorted. What sorts alike is sorted by id.
#[derive(Enum, Clone, Copy, Default, PartialEq, Eq)]
#[graphql(remote = "orders::ProductSort")]
pub(in crate::graphql) enum ProductSort {
    /// What was added last comes first.
    Newest,
    /// What was added first comes first.
    #[default]
    Oldest,
    /// By name, in lower case.
    Name,
    /// The cheapest first, in each currency.
    PriceAscending,
    /// The dearest first, in each currency.
    PriceDescending,
}

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
    pub(super) async fn id(&self) -> ID {
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

    /// Counts the changes of name, description and price. `updateProduct` asks for it.
    async fn version(&self) -> i32 {
        self.0.version
    }

    async fn created_at(&self) -> Timestamp {
        self.0.created_at.into()
    }

    /// When name, description or price changed last.
    async fn updated_at(&self) -> Timestamp {
        self.0.updated_at.into()
    }
}

impl Plain for Product {
    fn plain(&self, field: &str, below: &ContextSelectionSet<'_>) -> Option<Value> {
        match field {
            "id" => Some(Value::String(self.0.id.to_string())),
            "name" => Some(Value::String(self.0.name.clone())),
            "description" => Some(Value::String(self.0.description.clone())),
            "price" => at_once(&Money::from(self.0.price), below),
            "available" => Some(Value::Number(self.0.available.into())),
            "version" => Some(Value::Number(self.0.version.into())),
            "createdAt" => Some(Timestamp::from(self.0.created_at).to_value()),
            "updatedAt" => Some(Timestamp::from(self.0.updated_at).to_value()),
            _ => None,
        }
    }
}
