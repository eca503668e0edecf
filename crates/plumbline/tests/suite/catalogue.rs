//! The catalogue from the admin who fills it to the customer who empties it, and the orders as
//! support looks at them.

use serde_json::{Value, json};
use testkit::http::Client;

use crate::support::{Identity, System};

const CREATE: &str = "mutation($input: CreateProductInput!) { createProduct(input: $input) {
  product { id name description price { amount currency } available version }
  userErrors { code field }
} }";
const UPDATE: &str = "mutation($input: UpdateProductInput!) { updateProduct(input: $input) {
  product { name price { amount } version } userErrors { code field }
} }";
const ADJUST: &str = "mutation($input: AdjustStockInput!) { adjustStock(input: $input) {
  product { available } userErrors { code field }
} }";
const SEARCH: &str = "query($search: String, $sort: ProductSort!) {
  products(first: 10, search: $search, sort: $sort) { edges { node { name } } }
}";
const ALL_ORDERS: &str = "query($filter: OrderFilter) { allOrders(first: 10, filter: $filter) {
  edges { node { id payment { status reference amount { amount currency } } } }
} }";
const NODE: &str = "query($id: ID!) { node(id: $id) {
  __typename id ... on Order { number } ... on Product { name }
} }";

async fn client(system: &System, identity: Identity) -> Client {
    let token = system.token_of(identity).await;
    token.map_or_else(
        || system.gateway.clone(),
        |token| system.gateway.with_bearer(token),
    )
}

async fn create(admin: &Client, name: &str, price: i64, stock: i64) -> Value {
    let input = json!({"input": {
        "idempotencyKey": name.replace(' ', "-"), "name": name, "description": "New.",
        "price": {"amount": price, "currency": "EUR"}, "stock": stock,
    }});
    let mut payload = admin.graphql(CREATE, input).await["createProduct"].take();
    assert_eq!(payload["userErrors"], json!([]));
    payload["product"].take()
}

#[tokio::test]
async fn what_an_admin_adds_is_found_sorted_and_changed() {
    let system = System::start().await;
    let admin = client(&system, Identity::Admin).await;
    let mut products = Vec::new();
    for (name, price) in [
        ("Zollstock b", 300),
        ("zollstock A", 200),
        ("ZOLLSTOCK c", 100),
    ] {
        products.push(create(&admin, name, price, 5).await);
    }
    let again = create(&admin, "Zollstock b", 300, 5).await;
    assert_eq!(again["id"], products[0]["id"], "the same request again");

    let found = async |sort: &str| {
        let variables = json!({"search": "lstock", "sort": sort});
        let page = system.gateway.graphql(SEARCH, variables).await;
        let names = page["products"]["edges"].as_array().unwrap().iter();
        names
            .map(|edge| edge["node"]["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let (b, a, c) = ("Zollstock b", "zollstock A", "ZOLLSTOCK c");
    assert_eq!(found("OLDEST").await, [b, a, c]);
    assert_eq!(found("NEWEST").await, [c, a, b]);
    assert_eq!(found("NAME").await, [a, b, c]);
    assert_eq!(found("PRICE_ASCENDING").await, [c, a, b]);
    assert_eq!(found("PRICE_DESCENDING").await, [b, a, c]);

    let id = &products[1]["id"];
    let change = |version| {
        json!({"input": {
            "id": id, "version": version, "name": "Zollstock z",
            "price": {"amount": 900, "currency": "EUR"},
        }})
    };
    let changed = admin.graphql(UPDATE, change(1)).await;
    let expected = json!({"name": "Zollstock z", "price": {"amount": 900}, "version": 2});
    assert_eq!(changed["updateProduct"]["product"], expected);
    let late = admin.graphql(UPDATE, change(1)).await;
    let expected = json!([{"code": "version-conflict", "field": "version"}]);
    assert_eq!(late["updateProduct"]["userErrors"], expected);
    system.stop().await;
}

#[tokio::test]
async fn stock_that_comes_in_is_sold_and_support_sees_how_it_was_paid() {
    let system = System::start().await;
    let admin = client(&system, Identity::Admin).await;
    let product = create(&admin, "Richtscheit", 1_000, 0).await["id"].take();
    let adjust = async |key: &str, delta: i64| {
        let input = json!({"idempotencyKey": key, "productId": product, "delta": delta});
        let payload = admin.graphql(ADJUST, json!({ "input": input })).await;
        payload["adjustStock"].clone()
    };
    for _ in 0..2 {
        let delivered = adjust("delivery", 3).await;
        assert_eq!(delivered["product"]["available"], 3, "counted once");
    }

    let ada = system.customer("ada").await;
    let order = ada.place(product.as_str().unwrap(), "pm_card_visa").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    let refused = adjust("theft", -3).await;
    let expected = json!([{"code": "insufficient-stock", "field": "delta"}]);
    assert_eq!(refused["userErrors"], expected);

    let support = client(&system, Identity::Support).await;
    let filter = json!({"filter": {"number": order["number"], "status": "CONFIRMED"}});
    let listed = support.graphql(ALL_ORDERS, filter).await;
    let listed = listed["allOrders"]["edges"].as_array().unwrap();
    assert_eq!(listed.len(), 1);
    let node = &listed[0]["node"];
    assert_eq!(
        (&node["id"], &node["payment"]["status"]),
        (&json!(id), &json!("SUCCEEDED"))
    );
    let charges = system.charges(id).await;
    assert_eq!(node["payment"]["amount"]["amount"], charges[0]["amount"]);
    assert!(node["payment"]["reference"].is_string(), "{node}");
    system.stop().await;
}

#[tokio::test]
async fn a_node_is_shown_to_whom_its_own_field_shows_it() {
    let system = System::start().await;
    let (ada, eve) = (system.customer("ada").await, system.customer("eve").await);
    let product = system.product().await;
    let order = ada.place(&product, "pm_card_visa").await;
    let node = async |client: &Client, id: &str| {
        client.graphql(NODE, json!({ "id": id })).await["node"].clone()
    };
    let shown = node(&system.gateway, &product).await;
    assert_eq!(
        (&shown["__typename"], &shown["id"]),
        (&json!("Product"), &json!(product))
    );
    assert!(shown["name"].is_string());

    let id = order["id"].as_str().unwrap();
    let expected = json!({"__typename": "Order", "id": id, "number": order["number"]});
    assert_eq!(node(&ada.gateway, id).await, expected);
    let support = client(&system, Identity::Support).await;
    assert_eq!(node(&support, id).await, expected);
    for stranger in [&eve.gateway, &system.gateway] {
        assert_eq!(node(stranger, id).await, Value::Null);
    }
    for nothing in [crate::support::NOBODYS, "nonsense", ""] {
        assert_eq!(
            node(&ada.gateway, nothing).await,
            Value::Null,
            "{nothing:?}"
        );
    }
    system.stop().await;
}
