//! What the changes of the catalogue have in common: who may make them, and that a repeated request
//! is one request.

use chrono::{DateTime, Utc};
use kernel::{Actor, Permission, ProductId};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, EntityTrait, TryInsertResult, sea_query::OnConflict,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    CatalogueError, OrderError, Product, catalogue,
    domain::{IdempotencyKey, InvalidField},
    store::catalogue_requests,
};

/// Lets in who may manage the catalogue, with a request that can be carried out.
pub(crate) fn admit(actor: &Actor, problems: Vec<InvalidField>) -> Result<(), CatalogueError> {
    if !actor.may(Permission::ManageCatalogue) {
        return Err(OrderError::Forbidden.into());
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(CatalogueError::Invalid(problems))
    }
}

/// Takes the key for a request of this kind and body, before anything else in the transaction of
/// its effect. If the same request took it before: the product that one was about.
pub(crate) async fn claim(
    transaction: &DatabaseTransaction,
    now: DateTime<Utc>,
    actor: &Actor,
    key: &IdempotencyKey,
    request: (&'static str, &impl Serialize),
    product_id: ProductId,
) -> Result<Option<ProductId>, CatalogueError> {
    let body = serde_json::to_vec(&request).map_err(OrderError::Encode)?;
    let row = catalogue_requests::Model {
        actor_id: actor.user_id.into(),
        idempotency_key: key.as_str().to_owned(),
        body_hash: hex::encode(Sha256::digest(body)),
        product_id: product_id.into(),
        created_at: now,
    };
    let columns = [
        catalogue_requests::Column::ActorId,
        catalogue_requests::Column::IdempotencyKey,
    ];
    // Of two requests with one key at the same time, the second waits here for the first one's end.
    let inserted =
        catalogue_requests::Entity::insert(catalogue_requests::ActiveModel::from(row.clone()))
            .on_conflict(OnConflict::columns(columns).do_nothing().to_owned())
            .try_insert()
            .exec_without_returning(transaction)
            .await?;
    if matches!(inserted, TryInsertResult::Inserted(1..)) {
        return Ok(None);
    }
    let earlier =
        catalogue_requests::Entity::find_by_id((row.actor_id, row.idempotency_key.clone()))
            .one(transaction)
            .await?;
    match earlier {
        Some(earlier) if earlier.body_hash == row.body_hash => Ok(Some(earlier.product_id.into())),
        _ => Err(CatalogueError::IdempotencyKeyReused),
    }
}

/// A product as `connection` sees it.
pub(crate) async fn read(
    connection: &impl ConnectionTrait,
    id: ProductId,
) -> Result<Product, CatalogueError> {
    let found = catalogue::by_ids(connection, &[id]).await?;
    found
        .into_iter()
        .next()
        .ok_or(CatalogueError::ProductNotFound)
}
