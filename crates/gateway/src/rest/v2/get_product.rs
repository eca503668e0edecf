use actix_web::{HttpRequest, HttpResponse, web};
use service_kit::problem::{Problem, ProblemBody};

use super::model::ProductBody;
use crate::conditional::{Audience, answer};
use crate::rest::{Context, get_product::product};

/// One product.
///
/// At most a second old. Nobody needs to log in.
#[utoipa::path(
    get,
    path = "/v2/products/{id}",
    operation_id = "readProductV2",
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
pub(in crate::rest) async fn handle(
    request: HttpRequest,
    id: web::Path<String>,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let product = product(&context, &id).await?;
    answer(&request, &ProductBody::from(product), Audience::Everybody)
}
