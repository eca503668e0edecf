//! What tables of rows that expire have in common.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, entity::prelude::*};

/// A table whose rows are worth nothing once they have expired.
pub(crate) trait Expiring: EntityTrait {
    /// From when on a row is worth nothing.
    const EXPIRES_AT: Self::Column;
}

/// Returns how many rows there were.
pub(crate) async fn delete_expired<E: Expiring>(
    connection: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let deleted = E::delete_many()
        .filter(E::EXPIRES_AT.lte(now))
        .exec(connection)
        .await?;
    Ok(deleted.rows_affected)
}
