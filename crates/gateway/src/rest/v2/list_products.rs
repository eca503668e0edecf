use actix_web::{HttpRequest, HttpResponse, web};
use service_kit::problem::{Problem, ProblemBody};

use super::model::ProductPageBody;
use crate::conditional::{Audience, answer};
use crate::rest::{Context, list_products::products, model::ProductSortQuery};

/// The catalogue.
///
/// At most a second old. Nobody needs to log in.
#[utoipa::path(
    get,
    path = "/v2/products",
    operation_id = "listProductsV2",
    tag = "products",
    params(
        ("first" = Option<i64>, Query, description = "So many products after `after`", minimum = 1, maximum = 100, example = 20),
        ("after" = Option<String>, Query, description = "A cursor: `page.next` of the page before"),
        ("last" = Option<i64>, Query, description = "So many products before `before`, instead of `first`", minimum = 1, maximum = 100),
        ("before" = Option<String>, Query, description = "A cursor: `page.previous` of the page after"),
        ("search" = Option<String>, Query, description = "Part of the name, in either case; one or two characters are its beginning", max_length = 100, example = "tea"),
        ("sort" = Option<ProductSortQuery>, Query, description = "How the products are sorted: `oldest` if nothing is said. A cursor goes with the sort that it was given for"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "A page of products", body = ProductPageBody, headers(("ETag" = String, description = "Changes with the body"))),
        (status = 304, description = "As it was"),
        (status = 400, description = "`invalid-page-size`, `invalid-cursor` or `malformed-request`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`: the search", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(in crate::rest) async fn handle(
    request: HttpRequest,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (page, list) = products(&context, &request).await?;
    let body = ProductPageBody::new(&page, &context.cursors, list);
    answer(&request, &body, Audience::Everybody)
}
