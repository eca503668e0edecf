//! Pieces that came in or are gone, beside those that orders take: `total` and `available` change
//! together, so that `total = available + reserved + sold` goes on to hold.

use kernel::Actor;
use sea_orm::{
    ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr,
};

use crate::{
    CatalogueError, Orders, Product,
    catalogue_request::{admit, claim, read},
    domain::{AdjustStock, InvalidField, MAX_STOCK},
    product_changed::product_changed,
    store::stock,
};

impl Orders {
    /// Changes how many pieces there are, never below those that are promised to orders. The same
    /// request again changes nothing more.
    pub async fn adjust_stock(
        &self,
        actor: &Actor,
        request: &AdjustStock,
    ) -> Result<Product, CatalogueError> {
        admit(actor, request.problems())?;
        let now = self.clock.now();
        let id = request.product_id;
        let transaction = self.database.begin().await?;
        let key = &request.idempotency_key;
        let body = ("adjust stock", request);
        if let Some(earlier) = claim(&transaction, now, actor, key, body, id).await? {
            return read(&transaction, earlier).await;
        }
        let is_adjusted = adjust(&transaction, request).await?;
        let product = read(&transaction, id).await?;
        if !is_adjusted {
            return Err(refusal(&product, request.delta));
        }
        product_changed(&transaction, now, id).await?;
        transaction.commit().await?;
        self.relay.wake();
        // Here at once; elsewhere when the event arrives.
        self.forget_product(id).await;
        Ok(product)
    }
}

/// Whether there were enough pieces to take away, and room for those that came in.
async fn adjust(transaction: &DatabaseTransaction, request: &AdjustStock) -> Result<bool, DbErr> {
    use stock::Column;
    let adjusted = |column: Column| Expr::col(column).add(request.delta);
    let updated = stock::Entity::update_many()
        .col_expr(Column::Total, adjusted(Column::Total))
        .col_expr(Column::Available, adjusted(Column::Available))
        .filter(Column::ProductId.eq(request.product_id.as_uuid()))
        .filter(adjusted(Column::Available).between(0, MAX_STOCK))
        .exec(transaction)
        .await?;
    Ok(updated.rows_affected > 0)
}

fn refusal(product: &Product, delta: i64) -> CatalogueError {
    if delta < 0 {
        let available = product.available;
        return CatalogueError::InsufficientStock { available };
    }
    let message = format!("there are at most {MAX_STOCK} pieces of a product");
    CatalogueError::Invalid(vec![InvalidField::new("delta", "out_of_range", message)])
}
