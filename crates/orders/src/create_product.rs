//! A new product, with its stock.

use kernel::{Actor, ProductId};
use sea_orm::{ActiveValue::Set, EntityTrait};

use crate::{
    CatalogueError, Orders, Product,
    catalogue_request::{admit, claim, read},
    domain::CreateProduct,
    product_changed::product_changed,
    store::{products, stock},
};

impl Orders {
    /// Adds a product to the catalogue. The same request again leads to the same product, as it is
    /// by then.
    pub async fn create_product(
        &self,
        actor: &Actor,
        request: &CreateProduct,
    ) -> Result<Product, CatalogueError> {
        admit(actor, request.problems())?;
        let now = self.clock.now();
        let id = ProductId::generate(now);
        let transaction = self.database.begin().await?;
        let key = &request.idempotency_key;
        let body = ("create", request);
        if let Some(earlier) = claim(&transaction, now, actor, key, body, id).await? {
            return read(&transaction, earlier).await;
        }
        let product = products::ActiveModel {
            id: Set(id.into()),
            name: Set(request.name.clone()),
            description: Set(request.description.clone()),
            price_amount: Set(request.price.amount),
            price_currency: Set(request.price.currency.into()),
            created_at: Set(now),
            updated_at: Set(now),
            version: Set(1),
        };
        let counters = stock::ActiveModel {
            product_id: Set(id.into()),
            total: Set(request.stock),
            available: Set(request.stock),
            reserved: Set(0),
            sold: Set(0),
        };
        products::Entity::insert(product)
            .exec_without_returning(&transaction)
            .await?;
        stock::Entity::insert(counters)
            .exec_without_returning(&transaction)
            .await?;
        product_changed(&transaction, now, id).await?;
        let product = read(&transaction, id).await?;
        transaction.commit().await?;
        self.relay.wake();
        // Here at once; elsewhere when the event arrives.
        self.forget_product(id).await;
        Ok(product)
    }
}
