//! (b) The usual way: async-graphql's own objects, parser and validation, sea-orm with its defaults.

use std::collections::HashMap;
use std::error::Error;

use actix_web::{App, HttpRequest, HttpServer, web};
use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, ID, Object, Request, Schema,
    SimpleObject,
};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use sea_orm::{
    ColumnTrait, ConnectOptions, Database, DatabaseConnection, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use uuid::Uuid;

use crate::entities::{order_lines, orders, products, users};
use crate::loader::Loader;
use crate::{Databases, customer};

#[derive(Clone, Copy)]
struct Customer(Uuid);

struct Loaders {
    lines: Loader<Uuid, Vec<order_lines::Model>>,
    products: Loader<Uuid, products::Model>,
    people: Loader<Uuid, users::Model>,
}

impl Loaders {
    fn new(orders: &DatabaseConnection, auth: &DatabaseConnection) -> Self {
        let (lines, products, people) = (orders.clone(), orders.clone(), auth.clone());
        Self {
            lines: Loader::new(move |ids| {
                let database = lines.clone();
                async move {
                    let rows = order_lines::Entity::find()
                        .filter(order_lines::Column::OrderId.is_in(ids))
                        .order_by_asc(order_lines::Column::OrderId)
                        .order_by_asc(order_lines::Column::Position)
                        .all(&database)
                        .await?;
                    let mut lines: HashMap<Uuid, Vec<order_lines::Model>> = HashMap::new();
                    for row in rows {
                        lines.entry(row.order_id).or_default().push(row);
                    }
                    Ok(lines)
                }
                .boxed()
            }),
            products: Loader::new(move |ids| {
                let database = products.clone();
                async move {
                    let rows = products::Entity::find()
                        .filter(products::Column::Id.is_in(ids))
                        .all(&database)
                        .await?;
                    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
                }
                .boxed()
            }),
            people: Loader::new(move |ids| {
                let database = people.clone();
                async move {
                    let rows = users::Entity::find()
                        .filter(users::Column::Id.is_in(ids))
                        .all(&database)
                        .await?;
                    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
                }
                .boxed()
            }),
        }
    }
}

#[derive(SimpleObject)]
struct Money {
    amount: i64,
    currency: String,
}

#[derive(SimpleObject)]
struct Product {
    id: ID,
    name: String,
    price: Money,
}

#[derive(SimpleObject)]
struct Person {
    name: String,
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct Line {
    quantity: i32,
    unit_price: Money,
    #[graphql(skip)]
    product_id: Uuid,
}

#[ComplexObject]
impl Line {
    async fn product(&self, context: &Context<'_>) -> async_graphql::Result<Option<Product>> {
        let product = context.data::<Loaders>()?.products.load(self.product_id);
        Ok(product.await?.map(|product| Product {
            id: product.id.to_string().into(),
            name: product.name,
            price: Money {
                amount: product.price_amount,
                currency: product.price_currency,
            },
        }))
    }
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct Order {
    id: ID,
    number: String,
    status: String,
    total: Money,
    created_at: DateTime<Utc>,
    #[graphql(skip)]
    row_id: Uuid,
    #[graphql(skip)]
    customer_id: Uuid,
}

impl From<orders::Model> for Order {
    fn from(row: orders::Model) -> Self {
        Self {
            id: row.id.to_string().into(),
            number: row.number,
            status: row.status,
            total: Money {
                amount: row.total_amount,
                currency: row.total_currency,
            },
            created_at: row.created_at,
            row_id: row.id,
            customer_id: row.customer_id,
        }
    }
}

#[ComplexObject]
impl Order {
    async fn lines(&self, context: &Context<'_>) -> async_graphql::Result<Vec<Line>> {
        let lines = context.data::<Loaders>()?.lines.load(self.row_id).await?;
        let currency = &self.total.currency;
        let lines = lines.unwrap_or_default().into_iter().map(|row| Line {
            quantity: row.quantity,
            unit_price: Money {
                amount: row.unit_amount,
                currency: currency.clone(),
            },
            product_id: row.product_id,
        });
        Ok(lines.collect())
    }

    async fn customer(&self, context: &Context<'_>) -> async_graphql::Result<Option<Person>> {
        let person = context.data::<Loaders>()?.people.load(self.customer_id);
        Ok(person.await?.map(|person| Person { name: person.name }))
    }
}

#[derive(SimpleObject)]
struct Edge {
    cursor: String,
    node: Order,
}

#[derive(SimpleObject)]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(SimpleObject)]
struct Connection {
    edges: Vec<Edge>,
    page_info: PageInfo,
}

struct Query;

#[Object]
impl Query {
    async fn order(&self, context: &Context<'_>, id: ID) -> async_graphql::Result<Option<Order>> {
        let Customer(customer) = context.data::<Customer>()?;
        let order = orders::Entity::find_by_id(id.parse::<Uuid>()?)
            .filter(orders::Column::CustomerId.eq(*customer))
            .one(context.data::<DatabaseConnection>()?)
            .await?;
        Ok(order.map(Order::from))
    }

    async fn orders(&self, context: &Context<'_>, first: u32) -> async_graphql::Result<Connection> {
        let Customer(customer) = context.data::<Customer>()?;
        let mut rows = orders::Entity::find()
            .filter(orders::Column::CustomerId.eq(*customer))
            .order_by_desc(orders::Column::CreatedAt)
            .order_by_desc(orders::Column::Id)
            .limit(u64::from(first) + 1)
            .all(context.data::<DatabaseConnection>()?)
            .await?;
        let has_next_page = rows.len() > first as usize;
        rows.truncate(first as usize);
        let edges = rows.into_iter().map(|row| Edge {
            cursor: row.id.to_string(),
            node: row.into(),
        });
        let edges: Vec<Edge> = edges.collect();
        let page_info = PageInfo {
            has_next_page,
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        Ok(Connection { edges, page_info })
    }
}

type Shop = Schema<Query, EmptyMutation, EmptySubscription>;

struct State {
    schema: Shop,
    orders: DatabaseConnection,
    auth: DatabaseConnection,
}

pub async fn serve(databases: Databases, port: u16) -> Result<(), Box<dyn Error>> {
    let connect = async |url: &str| {
        let mut options = ConnectOptions::new(url);
        options.max_connections(databases.connections);
        Database::connect(options).await
    };
    let orders = connect(&databases.orders_url).await?;
    let auth = connect(&databases.auth_url).await?;
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription)
        .data(orders.clone())
        .finish();
    let state = web::Data::new(State {
        schema,
        orders,
        auth,
    });
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .route("/health", web::get().to(async || "ok"))
            .route("/graphql", web::post().to(execute))
    });
    Ok(server.bind(("127.0.0.1", port))?.run().await?)
}

async fn execute(
    http: HttpRequest,
    state: web::Data<State>,
    request: web::Json<Request>,
) -> actix_web::Result<web::Json<async_graphql::Response>> {
    let request = request
        .into_inner()
        .data(Customer(customer(&http)?))
        .data(Loaders::new(&state.orders, &state.auth));
    Ok(web::Json(state.schema.execute(request).await))
}
