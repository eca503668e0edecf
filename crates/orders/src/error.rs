use std::sync::Arc;

use cache::LoadError;
use sea_orm::DbErr;

use crate::domain::{InvalidField, OrderStatus, UnknownStatus};

/// Why a use-case could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    #[error("the caller may not do this")]
    Forbidden,
    #[error("the database did not answer as expected")]
    Database(#[from] DbErr),
    /// A row that only another version of this program can have written.
    #[error("a stored order is not readable")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("an event could not be written as JSON")]
    Encode(#[from] serde_json::Error),
    /// The error of a cached read, told to every caller that waited for it.
    #[error(transparent)]
    Shared(Arc<OrderError>),
    #[error("too much is read from the database at this moment")]
    Overloaded,
}

impl OrderError {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => database::is_transient(error),
            Self::Shared(error) => error.is_transient(),
            Self::Overloaded => true,
            Self::Forbidden | Self::Corrupt(_) | Self::Encode(_) => false,
        }
    }
}

impl From<LoadError<Self>> for OrderError {
    fn from(error: LoadError<Self>) -> Self {
        match error {
            LoadError::Failed(error) => Self::Shared(error),
            LoadError::Overloaded => Self::Overloaded,
        }
    }
}

impl From<UnknownStatus> for OrderError {
    fn from(error: UnknownStatus) -> Self {
        Self::Corrupt(Box::new(error))
    }
}

impl From<kernel::InvalidCurrency> for OrderError {
    fn from(error: kernel::InvalidCurrency) -> Self {
        Self::Corrupt(Box::new(error))
    }
}

/// Why an order was not cancelled or refunded.
#[derive(Debug, thiserror::Error)]
pub enum ChangeOrderError {
    #[error("there is no such order, or it is somebody else's")]
    NotFound,
    #[error("the order is {}", .0.as_str())]
    WrongState(OrderStatus),
    #[error(transparent)]
    Order(#[from] OrderError),
}

impl From<DbErr> for ChangeOrderError {
    fn from(error: DbErr) -> Self {
        Self::Order(error.into())
    }
}

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub enum PlaceOrderError {
    #[error("some fields are not valid")]
    Invalid(Vec<InvalidField>),
    #[error("the idempotency key was used with another body")]
    IdempotencyKeyReused,
    #[error(transparent)]
    Order(#[from] OrderError),
}

/// Why the catalogue was not changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    #[error("some fields are not valid")]
    Invalid(Vec<InvalidField>),
    #[error("there is no such product")]
    ProductNotFound,
    #[error("somebody else has changed the product: its version is {current}")]
    VersionConflict { current: i32 },
    #[error("only {available} pieces can be taken away")]
    InsufficientStock { available: i64 },
    #[error("the idempotency key was used for something else")]
    IdempotencyKeyReused,
    #[error(transparent)]
    Order(#[from] OrderError),
}

impl From<DbErr> for CatalogueError {
    fn from(error: DbErr) -> Self {
        Self::Order(error.into())
    }
}

impl From<DbErr> for PlaceOrderError {
    fn from(error: DbErr) -> Self {
        Self::Order(error.into())
    }
}
