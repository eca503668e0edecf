//! What shoppers do, one function each. An operation succeeds only when the answer is what a
//! shopper would need: an empty product page with status 200 is a failure.

use rand::rngs::StdRng;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::failure::Failure;
use crate::shop::client::{self, ShopClient, json as json_answer};
use crate::shop::shopper::open_session;
use crate::shop::{OPERATION_TIMEOUT, OrderStatus, PlacedOrder, Shop};

/// Stripe's test card that is charged at once.
const PAYMENT_METHOD: &str = "pm_card_visa";

const BROWSE: &str = "query Browse($search: String) {
  products(first: 20, search: $search) {
    edges { cursor node { id name price { amount currency } available } }
    pageInfo { hasNextPage endCursor }
  }
}";
const PRODUCT: &str = "query Product($id: ID!) {
  product(id: $id) { id name description price { amount currency } available }
}";
const ORDERS: &str = "query Orders {
  orders(first: 20) {
    edges { node { id number status total { amount currency } } }
    pageInfo { hasNextPage endCursor }
  }
}";
const PLACE_ORDER: &str = "mutation PlaceOrder($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    order { id number status total { amount currency } }
    userErrors { code message field }
  }
}";

/// One kind of request in a mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    BrowseGraphql,
    BrowseRest,
    SearchGraphql,
    SearchRest,
    ProductGraphql,
    ProductRest,
    OrderListGraphql,
    OrderListRest,
    PlaceOrderGraphql,
    PlaceOrderRest,
    /// Places an order over GraphQL and watches it until it is confirmed.
    OrderToConfirmed,
    /// Places an order over GraphQL, and waits until every listening subscriber has been told that
    /// it is confirmed.
    OrderToAudience,
    Refresh,
    LogIn,
    /// Asks auth whether it is alive.
    Liveness,
}

impl Operation {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BrowseGraphql => "browse (GraphQL)",
            Self::BrowseRest => "browse (REST)",
            Self::SearchGraphql => "search (GraphQL)",
            Self::SearchRest => "search (REST)",
            Self::ProductGraphql => "product page (GraphQL)",
            Self::ProductRest => "product page (REST)",
            Self::OrderListGraphql => "order list (GraphQL)",
            Self::OrderListRest => "order list (REST)",
            Self::PlaceOrderGraphql => "place order (GraphQL)",
            Self::PlaceOrderRest => "place order (REST)",
            Self::OrderToConfirmed => "order placed → confirmed",
            Self::OrderToAudience => "order placed → all told",
            Self::Refresh => "refresh",
            Self::LogIn => "log in",
            Self::Liveness => "liveness",
        }
    }

    /// Whether it takes a piece of stock.
    #[must_use]
    pub fn places_an_order(self) -> bool {
        matches!(
            self,
            Self::PlaceOrderGraphql
                | Self::PlaceOrderRest
                | Self::OrderToConfirmed
                | Self::OrderToAudience
        )
    }

    /// Performs the operation within [`OPERATION_TIMEOUT`]. What it picks follows from `random`.
    ///
    /// # Errors
    /// When the shop did not do what was asked.
    pub async fn perform(self, shop: &Shop, mut random: StdRng) -> Result<(), Failure> {
        let work = self.unbounded(shop, &mut random);
        tokio::time::timeout(OPERATION_TIMEOUT, work)
            .await
            .unwrap_or(Err(Failure::TimedOut))
    }

    async fn unbounded(self, shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
        match self {
            Self::BrowseGraphql => list_products_graphql(shop, None).await,
            Self::BrowseRest => list_products_rest(shop, None).await,
            Self::SearchGraphql => {
                list_products_graphql(shop, shop.catalogue.search_term(random)).await
            }
            Self::SearchRest => list_products_rest(shop, shop.catalogue.search_term(random)).await,
            Self::ProductGraphql => product_graphql(shop, random).await,
            Self::ProductRest => product_rest(shop, random).await,
            Self::OrderListGraphql => order_list_graphql(shop, random).await,
            Self::OrderListRest => order_list_rest(shop, random).await,
            Self::PlaceOrderGraphql => place_order_graphql(shop, random).await.map(drop),
            Self::PlaceOrderRest => place_order_rest(shop, random).await,
            Self::OrderToConfirmed => order_to_confirmed(shop, random).await,
            Self::OrderToAudience => order_to_audience(shop, random).await,
            Self::Refresh => shop.any_shopper(random).1.refresh(&shop.client).await,
            Self::LogIn => {
                let (_, shopper) = shop.any_shopper(random);
                open_session(&shop.client, &shopper.credentials)
                    .await
                    .map(drop)
            }
            Self::Liveness => liveness(&shop.client).await,
        }
    }
}

/// `GET /health/live` of auth.
///
/// # Errors
/// When it does not answer, or not well.
pub async fn liveness(client: &ShopClient) -> Result<(), Failure> {
    let request = client.auth(Method::GET, "/health/live");
    client::body(request, StatusCode::OK).await.map(drop)
}

async fn list_products_graphql(shop: &Shop, search: Option<&str>) -> Result<(), Failure> {
    let variables = json!({ "search": search });
    let data: ProductsData = shop.client.graphql(None, BROWSE, variables).await?;
    require(
        !data.products.edges.is_empty(),
        "a product list without products",
    )
}

async fn list_products_rest(shop: &Shop, search: Option<&str>) -> Result<(), Failure> {
    let mut request = shop
        .client
        .gateway(Method::GET, "/v1/products")
        .query(&[("first", "20")]);
    if let Some(term) = search {
        request = request.query(&[("search", term)]);
    }
    let page: Page = json_answer(request, StatusCode::OK).await?;
    require(!page.items.is_empty(), "a product list without products")
}

async fn product_graphql(shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
    let product = shop.catalogue.any(random).ok_or(Failure::NoStock)?;
    let variables = json!({ "id": product.id });
    let data: ProductData = shop.client.graphql(None, PRODUCT, variables).await?;
    require(
        data.product.is_some_and(|found| found.id == product.id),
        "another product",
    )
}

async fn product_rest(shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
    let product = shop.catalogue.any(random).ok_or(Failure::NoStock)?;
    let request = shop
        .client
        .gateway(Method::GET, &format!("/v1/products/{}", product.id));
    let found: Identified = json_answer(request, StatusCode::OK).await?;
    require(found.id == product.id, "another product")
}

async fn order_list_graphql(shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
    let token = shop.any_shopper(random).1.access_token();
    let _: OrdersData = shop.client.graphql(Some(&token), ORDERS, json!({})).await?;
    Ok(())
}

async fn order_list_rest(shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
    let token = shop.any_shopper(random).1.access_token();
    let request = shop
        .client
        .gateway(Method::GET, "/v1/orders")
        .query(&[("first", "20")])
        .bearer_auth(token);
    let _: Page = json_answer(request, StatusCode::OK).await?;
    Ok(())
}

async fn place_order_graphql(shop: &Shop, random: &mut StdRng) -> Result<PlacedOrder, Failure> {
    let (number, _) = shop.any_shopper(random);
    place_order_of(shop, number, random).await
}

async fn place_order_of(
    shop: &Shop,
    number: usize,
    random: &mut StdRng,
) -> Result<PlacedOrder, Failure> {
    let product = shop.catalogue.take_piece(random).ok_or(Failure::NoStock)?;
    let shopper = shop.shopper(number);
    let variables = json!({ "input": {
        "idempotencyKey": Uuid::new_v4().to_string(),
        "lines": [{ "productId": product.id, "quantity": 1 }],
        "paymentMethod": PAYMENT_METHOD,
    }});
    let token = shopper.access_token();
    let data: PlaceOrderData = shop
        .client
        .graphql(Some(&token), PLACE_ORDER, variables)
        .await?;
    if let Some(error) = data.place_order.user_errors.into_iter().next() {
        return Err(Failure::UserError {
            code: error.code,
            message: error.message,
        });
    }
    let order = data.place_order.order;
    let order = order.ok_or_else(|| Failure::UnexpectedAnswer("no order".to_owned()))?;
    let placed = PlacedOrder {
        id: order.id,
        shopper: number,
    };
    shop.remember_order(placed.clone());
    Ok(placed)
}

async fn place_order_rest(shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
    let product = shop.catalogue.take_piece(random).ok_or(Failure::NoStock)?;
    let (number, shopper) = shop.any_shopper(random);
    let request = shop
        .client
        .gateway(Method::POST, "/v1/orders")
        .bearer_auth(shopper.access_token())
        .header("idempotency-key", Uuid::new_v4().to_string())
        .json(&json!({
            "lines": [{ "product_id": product.id, "quantity": 1 }],
            "payment_method": PAYMENT_METHOD,
        }));
    let order: Identified = json_answer(request, StatusCode::CREATED).await?;
    shop.remember_order(PlacedOrder {
        id: order.id,
        shopper: number,
    });
    Ok(())
}

async fn order_to_confirmed(shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
    let order = place_order_graphql(shop, random).await?;
    let shopper = shop.shopper(order.shopper);
    match shopper
        .watcher
        .watch(&shopper.access_token(), &order.id)
        .await?
    {
        OrderStatus::Confirmed => Ok(()),
        OrderStatus::Failed(status) | OrderStatus::Open(status) => Err(Failure::OrderEnded(status)),
    }
}

async fn order_to_audience(shop: &Shop, random: &mut StdRng) -> Result<(), Failure> {
    let nobody = || Failure::Subscription("there is no audience".to_owned());
    let audience = shop.audience().ok_or_else(nobody)?;
    let order = place_order_of(shop, Shop::LISTENED_TO, random).await?;
    audience.knows_of(&order.id).await;
    Ok(())
}

fn require(holds: bool, otherwise: &str) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(Failure::UnexpectedAnswer(otherwise.to_owned()))
    }
}

#[derive(Deserialize)]
struct ProductsData {
    products: Edges,
}

#[derive(Deserialize)]
struct OrdersData {
    #[serde(rename = "orders")]
    _orders: Edges,
}

#[derive(Deserialize)]
struct Edges {
    edges: Vec<Value>,
}

#[derive(Deserialize)]
struct ProductData {
    product: Option<Identified>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct Identified {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaceOrderData {
    place_order: PlaceOrderPayload,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlaceOrderPayload {
    order: Option<Identified>,
    user_errors: Vec<UserError>,
}

#[derive(Deserialize)]
struct UserError {
    code: String,
    message: String,
}
