//! REST `/v1`, and the successors of some of it in `/v2`: the same use-cases as GraphQL, one
//! endpoint a file. Errors are RFC 9457 problems.

mod cancel_order;
mod deprecation;
mod examples;
mod get_order;
mod get_product;
mod in_flight;
mod list_orders;
mod list_products;
mod metering;
mod model;
mod openapi;
mod place_order;
mod v2;

use actix_web::{
    HttpRequest,
    body::BoxBody,
    dev::ServiceRequest,
    middleware::{Next, from_fn},
    web,
};
use contracts::ErrorCode;
use kernel::{Permission, page::Page};
use orders::{OrderError, Orders};
use serde::Deserialize;
use service_kit::{
    access_token::Verifier,
    api_docs,
    problem::Problem,
    routes::{Access, DeclaredRoute, RouteTable, not_found},
};

use crate::cursor::Cursors;
use crate::limits::Limits;
use crate::listing::{InvalidListing, PageArguments};
use model::{OrderBody, ProductSortQuery};

pub(crate) use in_flight::InFlight;
pub use openapi::openapi;

const PREFIX: &str = "/v1";
/// The page size of a client that asks for none.
const DEFAULT_PAGE: i64 = 20;

/// What the endpoints need.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) orders: Orders,
    pub(crate) cursors: Cursors,
    pub(crate) verifier: Verifier,
    pub(crate) limits: Limits,
    pub(crate) in_flight: InFlight,
}

/// Mounts `/v1`, its OpenAPI document and Swagger UI.
pub(crate) fn configure(context: &Context, config: &mut web::ServiceConfig) {
    let limits = context.limits.clone();
    let meter = move |request: ServiceRequest, next: Next<BoxBody>| {
        metering::meter(limits.clone(), request, next)
    };
    let scope = |prefix| {
        web::scope(prefix)
            .app_data(web::Data::new(context.verifier.clone()))
            .app_data(web::Data::new(context.clone()))
            .default_service(web::to(not_found))
    };
    let first = v1_routes()
        .mount(scope(PREFIX))
        .wrap(from_fn(meter.clone()));
    config
        .service(first.wrap(from_fn(deprecation::announce)))
        .service(v2::routes().mount(scope(v2::PREFIX)).wrap(from_fn(meter)))
        .configure(api_docs::configure("", openapi()));
}

/// The routes of all versions and who may call them.
pub(crate) fn declared() -> Vec<DeclaredRoute> {
    let tables = [v1_routes(), v2::routes()];
    tables
        .iter()
        .flat_map(|table| table.declared().to_vec())
        .collect()
}

fn v1_routes() -> RouteTable {
    let read_orders = Access::Needs(Permission::ReadOwnOrders);
    RouteTable::new(PREFIX)
        .get("/products", Access::Public, list_products::handle)
        .get("/products/{id}", Access::Public, get_product::handle)
        .get("/orders", read_orders, list_orders::handle)
        .get("/orders/{id}", read_orders, get_order::handle)
        .post(
            "/orders",
            Access::Needs(Permission::PlaceOrder),
            place_order::handle,
        )
        .post(
            "/orders/{id}/cancel",
            Access::Needs(Permission::CancelOwnOrder),
            cancel_order::handle,
        )
}

/// The query string of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    first: Option<i64>,
    after: Option<String>,
    last: Option<i64>,
    before: Option<String>,
    search: Option<String>,
    sort: Option<ProductSortQuery>,
}

/// What a list of products can be asked for, beside its page.
struct ProductsQuery {
    search: Option<String>,
    sort: Option<ProductSortQuery>,
}

impl ListQuery {
    fn parse(request: &HttpRequest) -> Result<Self, Problem> {
        let query = web::Query::<Self>::from_query(request.query_string());
        query
            .map(web::Query::into_inner)
            .map_err(|error| Problem::new(ErrorCode::MalformedRequest).detail(error.to_string()))
    }

    /// The page that is asked for, and of which products.
    fn into_parts(self) -> (PageArguments, ProductsQuery) {
        let Self {
            first,
            after,
            last,
            before,
            search,
            sort,
        } = self;
        let first = first.or_else(|| last.is_none().then_some(DEFAULT_PAGE));
        (
            PageArguments {
                first,
                after,
                last,
                before,
            },
            ProductsQuery { search, sort },
        )
    }
}

fn listing_problem(error: InvalidListing) -> Problem {
    let problem = Problem::new(error.code());
    match error {
        InvalidListing::Search => problem.field("search", "invalid", error.to_string()),
        InvalidListing::PageSize
        | InvalidListing::Direction
        | InvalidListing::Cursor
        | InvalidListing::CustomerId
        | InvalidListing::Number
        | InvalidListing::Moment => problem.detail(error.to_string()),
    }
}

fn order_problem(error: OrderError) -> Problem {
    match error {
        OrderError::Forbidden => Problem::new(ErrorCode::Forbidden),
        error if error.is_transient() => Problem::unavailable(error),
        error => Problem::internal(error),
    }
}

/// Orders with their lines and history: two queries for any number of orders.
async fn complete(
    orders: &Orders,
    page: Page<orders::Order>,
) -> Result<Page<OrderBody>, OrderError> {
    let ids: Vec<_> = page.items.iter().map(|order| order.id).collect();
    let mut lines = orders.lines_of(&page.items).await?;
    let mut history = orders.history_of(&ids).await?;
    let items = page.items.into_iter().map(|order| {
        let lines = lines.remove(&order.id).unwrap_or_default();
        let history = history.remove(&order.id).unwrap_or_default();
        OrderBody::new(order, lines, history)
    });
    let items = items.collect();
    Ok(Page {
        items,
        has_next: page.has_next,
        has_previous: page.has_previous,
    })
}

/// One order with its lines and history.
async fn complete_one(orders: &Orders, order: orders::Order) -> Result<OrderBody, Problem> {
    let page = Page {
        items: vec![order],
        has_next: false,
        has_previous: false,
    };
    let page = complete(orders, page).await.map_err(order_problem)?;
    let missing = || Problem::internal("an order was lost on its way");
    page.items.into_iter().next().ok_or_else(missing)
}
