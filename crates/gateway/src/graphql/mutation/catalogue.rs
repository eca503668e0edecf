//! The catalogue, for those who manage it.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use contracts::ErrorCode;
use kernel::{Currency, ProductId};
use orders::domain::{AdjustStock, CreateProduct, IdempotencyKey, UpdateProduct};
use orders::{CatalogueError, Orders};

use super::{UserError, camel_case};
use crate::graphql::access::ByTable;
use crate::graphql::failure::{caller, order_failure};
use crate::graphql::model::Product;

#[derive(Default)]
pub(super) struct CatalogueMutations;

#[Object(guard = "ByTable(\"Mutation\")")]
impl CatalogueMutations {
    /// Adds a product to the catalogue.
    async fn create_product(
        &self,
        context: &Context<'_>,
        input: CreateProductInput,
    ) -> Result<CreateProductPayload, Error> {
        let actor = &caller(context)?.actor;
        let changed = match input.parse() {
            Ok(request) => {
                let orders = context.data::<Orders>()?;
                outcome(orders.create_product(actor, &request).await)?
            }
            Err(user_errors) => Err(user_errors),
        };
        let (product, user_errors) = parts(changed);
        Ok(CreateProductPayload {
            product,
            user_errors,
        })
    }

    /// Changes name, description or price of a product. What was ordered keeps those of its moment.
    async fn update_product(
        &self,
        context: &Context<'_>,
        input: UpdateProductInput,
    ) -> Result<UpdateProductPayload, Error> {
        let actor = &caller(context)?.actor;
        let changed = match input.parse() {
            Ok(request) => {
                let orders = context.data::<Orders>()?;
                outcome(orders.update_product(actor, &request).await)?
            }
            Err(user_errors) => Err(user_errors),
        };
        let (product, user_errors) = parts(changed);
        Ok(UpdateProductPayload {
            product,
            user_errors,
        })
    }

    /// Counts pieces that came in or are gone, beside those that orders take.
    async fn adjust_stock(
        &self,
        context: &Context<'_>,
        input: AdjustStockInput,
    ) -> Result<AdjustStockPayload, Error> {
        let actor = &caller(context)?.actor;
        let changed = match input.parse() {
            Ok(request) => {
                let orders = context.data::<Orders>()?;
                outcome(orders.adjust_stock(actor, &request).await)?
            }
            Err(user_errors) => Err(user_errors),
        };
        let (product, user_errors) = parts(changed);
        Ok(AdjustStockPayload {
            product,
            user_errors,
        })
    }
}

/// An amount of money.
#[derive(InputObject)]
struct MoneyInput {
    /// In the currency's minor units: cents for EUR.
    amount: i64,
    /// An ISO 4217 code.
    currency: String,
}

/// A product to be sold.
#[derive(InputObject)]
struct CreateProductInput {
    /// Names this attempt: sent again with the same input, it leads to the same product. 1 to 255
    /// visible ASCII characters, for example a UUID.
    idempotency_key: String,
    /// At most 200 characters.
    name: String,
    /// At most 2,000 characters.
    #[graphql(default)]
    description: String,
    price: MoneyInput,
    /// In pieces.
    #[graphql(default)]
    stock: i64,
}

/// A change of a product. What is not given stays as it is.
#[derive(InputObject)]
struct UpdateProductInput {
    id: ID,
    /// The version that was looked at. If it is no longer the newest, nothing changes.
    version: i32,
    name: Option<String>,
    description: Option<String>,
    price: Option<MoneyInput>,
}

/// Pieces that came in, or are gone.
#[derive(InputObject)]
struct AdjustStockInput {
    /// Names this attempt: sent again with the same input, it changes nothing more. 1 to 255
    /// visible ASCII characters, for example a UUID.
    idempotency_key: String,
    product_id: ID,
    /// In pieces; below zero, so many are gone. Those that are promised to orders stay.
    delta: i64,
}

/// The new product, or the reasons why there is none.
#[derive(SimpleObject)]
struct CreateProductPayload {
    product: Option<Product>,
    user_errors: Vec<UserError>,
}

/// The product as it is now, or the reasons why it was not changed.
#[derive(SimpleObject)]
struct UpdateProductPayload {
    product: Option<Product>,
    user_errors: Vec<UserError>,
}

/// The product as it is now, or the reasons why its stock was not changed.
#[derive(SimpleObject)]
struct AdjustStockPayload {
    product: Option<Product>,
    user_errors: Vec<UserError>,
}

impl MoneyInput {
    fn parse(&self, errors: &mut Vec<UserError>) -> kernel::Money {
        let currency = Currency::parse(&self.currency).unwrap_or_else(|error| {
            errors.push(UserError::at("price.currency", "invalid", error));
            // Never used: there is an error.
            Currency::EUR
        });
        kernel::Money::new(self.amount, currency)
    }
}

impl CreateProductInput {
    fn parse(self) -> Result<CreateProduct, Vec<UserError>> {
        let mut errors = Vec::new();
        let key = parse_key(&self.idempotency_key, &mut errors);
        let price = self.price.parse(&mut errors);
        match key {
            Some(idempotency_key) if errors.is_empty() => Ok(CreateProduct {
                idempotency_key,
                name: self.name,
                description: self.description,
                price,
                stock: self.stock,
            }),
            _ => Err(errors),
        }
    }
}

impl UpdateProductInput {
    fn parse(self) -> Result<UpdateProduct, Vec<UserError>> {
        let mut errors = Vec::new();
        let id = parse_product_id(&self.id, "id", &mut errors);
        let price = self.price.map(|price| price.parse(&mut errors));
        match id {
            Some(product_id) if errors.is_empty() => Ok(UpdateProduct {
                product_id,
                version: self.version,
                name: self.name,
                description: self.description,
                price,
            }),
            _ => Err(errors),
        }
    }
}

impl AdjustStockInput {
    fn parse(self) -> Result<AdjustStock, Vec<UserError>> {
        let mut errors = Vec::new();
        let key = parse_key(&self.idempotency_key, &mut errors);
        let id = parse_product_id(&self.product_id, "productId", &mut errors);
        match (key, id) {
            (Some(idempotency_key), Some(product_id)) => Ok(AdjustStock {
                idempotency_key,
                product_id,
                delta: self.delta,
            }),
            _ => Err(errors),
        }
    }
}

fn parse_key(key: &str, errors: &mut Vec<UserError>) -> Option<IdempotencyKey> {
    let code = ErrorCode::IdempotencyKeyInvalid.as_str();
    key.parse()
        .map_err(|error| errors.push(UserError::at("idempotencyKey", code, error)))
        .ok()
}

fn parse_product_id(
    id: &ID,
    field: &'static str,
    errors: &mut Vec<UserError>,
) -> Option<ProductId> {
    id.parse()
        .map_err(|_| errors.push(UserError::of(ErrorCode::ProductNotFound, Some(field))))
        .ok()
}

/// The product, or what the person can mend.
type Outcome = Result<orders::Product, Vec<UserError>>;

/// Sorts a failure: what the person can mend, or the error that they can't.
fn outcome(changed: Result<orders::Product, CatalogueError>) -> Result<Outcome, Error> {
    let error = match changed {
        Ok(product) => return Ok(Ok(product)),
        Err(error) => error,
    };
    let refused = match error {
        CatalogueError::Invalid(fields) => fields
            .into_iter()
            .map(|problem| UserError::at(camel_case(&problem.field), problem.code, problem.message))
            .collect(),
        CatalogueError::ProductNotFound => vec![UserError::of(ErrorCode::ProductNotFound, None)],
        CatalogueError::VersionConflict { current } => {
            let code = ErrorCode::VersionConflict.as_str();
            let message = format!("Somebody else has changed it: its version is {current}.");
            vec![UserError::at("version", code, message)]
        }
        CatalogueError::InsufficientStock { available } => {
            let code = ErrorCode::InsufficientStock.as_str();
            let message = format!("Only {available} pieces can be taken away.");
            vec![UserError::at("delta", code, message)]
        }
        CatalogueError::IdempotencyKeyReused => {
            let code = ErrorCode::IdempotencyKeyReused;
            vec![UserError::of(code, Some("idempotencyKey"))]
        }
        CatalogueError::Order(error) => return Err(order_failure(&error)),
    };
    Ok(Err(refused))
}

fn parts(outcome: Outcome) -> (Option<Product>, Vec<UserError>) {
    match outcome {
        Ok(product) => (Some(product.into()), Vec::new()),
        Err(user_errors) => (None, user_errors),
    }
}
