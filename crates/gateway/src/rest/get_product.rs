use actix_web::{HttpRequest, HttpResponse, web};
use contracts::ErrorCode;
use kernel::ProductId;
use orders::Product;
use service_kit::problem::{Problem, ProblemBody};

use super::model::ProductBody;
use super::{Context, order_problem};
use crate::conditional::{Audience, answer};

/// One product.
///
/// At most a second old. Nobody needs to log in.
#[utoipa::path(
    get,
    path = "/v1/products/{id}",
    operation_id = "readProduct",
    tag = "products",
    params(
        ("id" = uuid::Uuid, Path, description = "The product's id"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The product", body = ProductBody, headers(("ETag" = String, description = "Changes with the body"))),
        (status = 304, description = "As it was"),
        (status = 404, description = "`product-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    request: HttpRequest,
    id: web::Path<String>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let product = product(&context, &id).await?;
    answer(&request, &ProductBody::from(product), Audience::Everybody)
}

/// The product that is asked for, in any version of the API.
pub(super) async fn product(context: &Context, id: &str) -> Result<Product, Problem> {
    let missing = || Problem::new(ErrorCode::ProductNotFound);
    let id: ProductId = id.parse().map_err(|_| missing())?;
    let product = context.orders.product(id).await.map_err(order_problem)?;
    (*product).clone().ok_or_else(missing)
}
