use std::sync::Arc;

use sea_orm::DbErr;

use crate::domain::{InvalidField, UnknownStatus};

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
    Shared(#[from] Arc<OrderError>),
}

impl OrderError {
    /// Whether the same call may succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => database::is_transient(error),
            Self::Shared(error) => error.is_transient(),
            Self::Forbidden | Self::Corrupt(_) | Self::Encode(_) => false,
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

impl From<DbErr> for PlaceOrderError {
    fn from(error: DbErr) -> Self {
        Self::Order(error.into())
    }
}
