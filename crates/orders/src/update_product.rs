//! Name, description and price of a product. What was ordered keeps those of its moment.

use kernel::Actor;
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use crate::{
    CatalogueError, Orders, Product,
    catalogue_request::{admit, read},
    domain::UpdateProduct,
    product_changed::product_changed,
    store::products,
};

impl Orders {
    /// Changes a product of which the caller has seen the newest version, so that nobody undoes
    /// what they have not seen.
    pub async fn update_product(
        &self,
        actor: &Actor,
        request: &UpdateProduct,
    ) -> Result<Product, CatalogueError> {
        use products::Column;
        admit(actor, request.problems())?;
        let now = self.clock.now();
        let mut update = products::Entity::update_many()
            .col_expr(Column::Version, Expr::col(Column::Version).add(1))
            .col_expr(Column::UpdatedAt, Expr::value(now));
        if let Some(name) = &request.name {
            update = update.col_expr(Column::Name, Expr::value(name));
        }
        if let Some(description) = &request.description {
            update = update.col_expr(Column::Description, Expr::value(description));
        }
        if let Some(price) = request.price {
            update = update
                .col_expr(Column::PriceAmount, Expr::value(price.amount))
                .col_expr(Column::PriceCurrency, Expr::value(price.currency.code()));
        }
        let transaction = self.database.begin().await?;
        let updated = update
            .filter(Column::Id.eq(request.product_id.as_uuid()))
            .filter(Column::Version.eq(request.version))
            .exec(&transaction)
            .await?;
        let product = read(&transaction, request.product_id).await?;
        if updated.rows_affected == 0 {
            return Err(CatalogueError::VersionConflict {
                current: product.version,
            });
        }
        product_changed(&transaction, now, product.id).await?;
        transaction.commit().await?;
        self.relay.wake();
        // Here at once; elsewhere when the event arrives.
        self.forget_product(product.id).await;
        Ok(product)
    }
}
