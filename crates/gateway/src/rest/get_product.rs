use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::ProductId;
use service_kit::problem::{Problem, ProblemBody};

use super::model::ProductBody;
use super::{Context, order_problem};

/// One product.
///
/// At most a second old. Nobody needs to log in.
#[utoipa::path(
    get,
    path = "/v1/products/{id}",
    operation_id = "readProduct",
    tag = "products",
    params(("id" = uuid::Uuid, Path, description = "The product's id")),
    responses(
        (status = 200, description = "The product", body = ProductBody),
        (status = 404, description = "`product-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    id: web::Path<String>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(ErrorCode::ProductNotFound);
    let id: ProductId = id.parse().map_err(|_| missing())?;
    let product = context.orders.product(id).await.map_err(order_problem)?;
    let product = (*product).clone().ok_or_else(missing)?;
    Ok(HttpResponse::Ok().json(ProductBody::from(product)))
}
