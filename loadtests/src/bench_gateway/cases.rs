//! The requests, byte by byte.

use serde_json::{Value, json};

use super::shelf::Shelf;
use super::{Server, Servers};

const ORDER: &str = "query Order($id: ID!) { order(id: $id) { id number status total { amount currency } createdAt } }";
const PRODUCT: &str = "query Product($id: ID!) { product(id: $id) { id name description price { amount currency } available } }";
const PAGE: &str = "query Page($first: Int!) { orders(first: $first) { edges { cursor node { id number status \
    createdAt total { amount currency } customer { name } lines { quantity unitPrice { amount currency } \
    product { id name price { amount currency } } } } } pageInfo { hasNextPage endCursor } } }";
/// Orders of the page.
pub(super) const PAGE_SIZE: usize = 20;

/// One kind of request to one server.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) server: Server,
    pub(super) request: Vec<u8>,
    /// What a right answer holds, and how often.
    pub(super) expected: (&'static str, usize),
}

/// In the order in which a round measures them.
pub(super) fn all(servers: &Servers, shelf: &Shelf, token: &str) -> Vec<Case> {
    let bearer = format!("authorization: Bearer {token}\r\n");
    let customer = format!("x-customer: {}\r\n", shelf.customer);
    let order = json!({"query": ORDER, "variables": {"id": shelf.order}});
    let page = json!({"query": PAGE, "variables": {"first": PAGE_SIZE}});
    let product = json!({"query": PRODUCT, "variables": {"id": shelf.product}});
    let post = |name, server: &Server, header: &str, body: &Value, expected| Case {
        name,
        server: server.clone(),
        request: post(server, header, body),
        expected,
    };
    let get = |name, server: &Server, header: &str, path: &str, expected| Case {
        name,
        server: server.clone(),
        request: get(server, header, path),
        expected,
    };
    let Servers {
        gateway,
        graphql,
        json,
        postgres,
    } = servers;
    let one_order = ("\"number\":", 1);
    let lines = ("\"unitPrice\":", PAGE_SIZE * 3);
    let one_product = ("\"available\":", 1);
    let order_path = format!("/order/{}", shelf.order);
    let product_path = format!("/v1/products/{}", shelf.product);
    vec![
        post("order: (a) gateway", gateway, &bearer, &order, one_order),
        post(
            "order: (b) bare GraphQL",
            graphql,
            &customer,
            &order,
            one_order,
        ),
        get(
            "order: (d) bare PostgreSQL",
            postgres,
            &customer,
            &order_path,
            one_order,
        ),
        post(
            "product: (a) gateway, GraphQL",
            gateway,
            &bearer,
            &product,
            one_product,
        ),
        get(
            "product: (a) gateway, REST",
            gateway,
            &bearer,
            &product_path,
            one_product,
        ),
        get("product: (c) bare JSON", json, "", "/product", one_product),
        post("page: (a) gateway", gateway, &bearer, &page, lines),
        post("page: (b) bare GraphQL", graphql, &customer, &page, lines),
    ]
}

fn head(server: &Server) -> String {
    let host = server.url.host_str().unwrap_or_default();
    let port = server.url.port_or_known_default().unwrap_or_default();
    format!("host: {host}:{port}\r\n")
}

pub(super) fn post(server: &Server, header: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\n{}{header}accept: application/graphql-response+json\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        head(server),
        body.len(),
    );
    request.into_bytes()
}

fn get(server: &Server, header: &str, path: &str) -> Vec<u8> {
    let request = format!(
        "GET {path} HTTP/1.1\r\n{}{header}accept: application/json\r\n\r\n",
        head(server)
    );
    request.into_bytes()
}
