use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use kernel::page::Page;
use orders::Product;
use service_kit::problem::{Problem, ProblemBody};

use super::model::{ProductPageBody, ProductSortQuery};
use super::{Context, ListQuery, listing_problem, order_problem};
use crate::conditional::{Audience, answer};
use crate::cursor::List;
use crate::listing::product_filter;

/// The catalogue.
///
/// At most a second old. Nobody needs to log in.
#[utoipa::path(
    get,
    path = "/v1/products",
    operation_id = "listProducts",
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
pub(super) async fn handle(
    request: HttpRequest,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let (page, list) = products(&context, &request).await?;
    let body = ProductPageBody::new(&page, &context.cursors, list);
    answer(&request, &body, Audience::Everybody)
}

/// The page that is asked for, in any version of the API.
pub(super) async fn products(
    context: &Context,
    request: &HttpRequest,
) -> Result<(Arc<Page<Product>>, List), Problem> {
    let (arguments, query) = ListQuery::parse(request)?.into_parts();
    let filter = product_filter(query.search).map_err(listing_problem)?;
    let sort = query.sort.unwrap_or_default().into();
    let list = List::Products(sort);
    let page = arguments
        .request(&context.cursors, list)
        .map_err(listing_problem)?;
    let page = context.orders.products(&filter, sort, page).await;
    Ok((page.map_err(order_problem)?, list))
}
