//! Function-level authorization (OWASP API5:2023): every route and every GraphQL root field, called
//! by everybody, answers what the tables say. Nobody has to remember to test a new one.

use gateway::{DeclaredField, FieldAccess};
use kernel::Permission;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::routes::{Access, DeclaredRoute};
use testkit::http::{Client, Response, send};
use testkit::ws::{GraphqlSocket, PROTOCOL, Received};

use crate::support::{Identity, NOBODYS, Outcome, System, available, concrete};

/// These end the caller, so they are called last, in this order.
const ENDS_THE_CALLER: [(Method, &str); 2] = [
    (Method::DELETE, "/auth/v1/sessions"),
    (Method::DELETE, "/auth/v1/me"),
];

#[tokio::test]
async fn every_route_lets_in_whom_its_declaration_names_and_nobody_else() {
    let system = System::start().await;
    let (lasting, ending): (Vec<_>, Vec<_>) = plumbline::declared_routes()
        .into_iter()
        .filter(|route| !is_elsewhere(route))
        .partition(|route| place_at_the_end(route).is_none());
    let mut wrong = Vec::new();
    for identity in Identity::ALL {
        let token = system.token_of(identity).await;
        for route in &lasting {
            wrong.extend(call(&system, identity, token.as_deref(), route).await);
        }
    }
    let mut ending = ending;
    ending.sort_by_key(place_at_the_end);
    for route in &ending {
        for identity in Identity::ALL
            .into_iter()
            .filter(|it| *it != Identity::OtherCustomer)
        {
            let token = system.token_of(identity).await;
            wrong.extend(call(&system, identity, token.as_deref(), route).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    system.stop().await;
}

/// Only an embedded system has a mailbox.
fn is_elsewhere(route: &DeclaredRoute) -> bool {
    System::is_distributed() && route.path == "/dev/mailbox"
}

fn place_at_the_end(route: &DeclaredRoute) -> Option<usize> {
    let is_route = |(method, path): &(Method, &str)| {
        route.method.as_str() == method.as_str() && route.path == *path
    };
    ENDS_THE_CALLER.iter().position(is_route)
}

/// Calls a route, and says what is wrong with the answer.
async fn call(
    system: &System,
    identity: Identity,
    token: Option<&str>,
    route: &DeclaredRoute,
) -> Option<String> {
    let path = concrete(&route.path);
    let client = with_token(system.at(&path), token);
    let method: Method = route.method.as_str().parse().unwrap();
    let answer = available(async || {
        let request = client.request(method.clone(), &path);
        if [Method::POST, Method::PUT, Method::PATCH].contains(&method) {
            send(request.json(&json!({}))).await
        } else {
            send(request).await
        }
    })
    .await;
    let seen = outcome(&answer);
    let expected = expected(identity, route.access);
    let is_right = seen == expected && answer.status < 500;
    (!is_right).then(|| {
        let DeclaredRoute { method, path, .. } = route;
        let (status, text) = (answer.status, answer.text());
        format!("{method} {path} as {identity:?}: {expected:?} expected, {status} {text}")
    })
}

/// Whoever lacks the permission is told so before being asked for a new proof of identity.
fn expected(identity: Identity, access: Access) -> Outcome {
    let by_permission = |permission: Permission| match identity {
        _ if !identity.is_known() => Outcome::Unauthenticated,
        _ if identity.may(permission) => Outcome::Allowed,
        _ => Outcome::Forbidden,
    };
    match access {
        Access::Public | Access::Client => Outcome::Allowed,
        Access::Needs(permission) => by_permission(permission),
        Access::NeedsRecent(permission) => match by_permission(permission) {
            Outcome::Allowed if identity == Identity::StaleAdmin => Outcome::StepUp,
            // A program can't prove who it is again.
            Outcome::Allowed if !identity.is_recent() => Outcome::Forbidden,
            outcome => outcome,
        },
    }
}

fn outcome(answer: &Response) -> Outcome {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let outcome = Outcome::of_code(body["code"].as_str().unwrap_or_default());
    // RFC 6750 §3, RFC 9470 §3.
    let challenged = matches!(outcome, Outcome::Unauthenticated | Outcome::StepUp);
    if challenged {
        assert_eq!(answer.status, 401);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer"), "{challenge}");
    }
    outcome
}

fn with_token(client: &Client, token: Option<&str>) -> Client {
    match token {
        Some(token) => client.with_bearer(token),
        None => client.clone(),
    }
}

/// How to ask for a field. A new one belongs here.
fn document(declared: &DeclaredField) -> String {
    let selection = match (declared.object, declared.field) {
        ("Query", "me") => "{ me { id } }",
        ("Query", "customers") => "{ customers(first: 1) { edges { cursor } } }",
        ("Query", "customer") => "{ customer(id: \"NOBODYS\") { id } }",
        ("Query", "auditLog") => "{ auditLog(first: 1) { edges { cursor } } }",
        ("Query", "products") => "{ products(first: 1) { edges { cursor } } }",
        ("Query", "product") => "{ product(id: \"NOBODYS\") { id } }",
        ("Query", "orders") => "{ orders(first: 1) { edges { cursor } } }",
        ("Query", "order") => "{ order(id: \"NOBODYS\") { id } }",
        ("Query", "node") => "{ node(id: \"NOBODYS\") { id } }",
        ("Query", "allOrders") => "{ allOrders(first: 1) { edges { cursor } } }",
        ("Mutation", "createProduct") => {
            "mutation { createProduct(input: {
               idempotencyKey: \"walk\", name: \"\", price: { amount: 0, currency: \"EUR\" }
             }) { userErrors { code } } }"
        }
        ("Mutation", "updateProduct") => {
            "mutation { updateProduct(input: { id: \"NOBODYS\", version: 1 }) {
               userErrors { code } } }"
        }
        ("Mutation", "adjustStock") => {
            "mutation { adjustStock(input: {
               idempotencyKey: \"walk\", productId: \"NOBODYS\", delta: 1
             }) { userErrors { code } } }"
        }
        ("Mutation", "placeOrder") => {
            "mutation { placeOrder(input: {
               idempotencyKey: \"walk\", lines: [], paymentMethod: \"pm_card_visa\"
             }) { userErrors { code } } }"
        }
        ("Mutation", "cancelOrder") => {
            "mutation { cancelOrder(input: { orderId: \"NOBODYS\" }) { userErrors { code } } }"
        }
        ("Mutation", "refundOrder") => {
            "mutation { refundOrder(input: { orderId: \"NOBODYS\" }) { userErrors { code } } }"
        }
        ("Subscription", "orderUpdated") => {
            "subscription { orderUpdated(orderId: \"NOBODYS\") { id } }"
        }
        ("Subscription", "myOrders") => "subscription { myOrders { id } }",
        ("Subscription", "orderFeed") => "subscription { orderFeed { id } }",
        (object, field) => panic!(
            "{object}.{field} is not tested: add to tests/suite/authorization.rs, function \
             document, how to ask for it"
        ),
    };
    selection.replace("NOBODYS", NOBODYS)
}

#[tokio::test]
async fn every_graphql_field_lets_in_whom_its_declaration_names_and_nobody_else() {
    let system = System::start().await;
    let mut wrong = Vec::new();
    let is_root = |object| ["Query", "Mutation", "Subscription"].contains(&object);
    let roots = gateway::declared_fields().iter();
    let roots: Vec<_> = roots.filter(|declared| is_root(declared.object)).collect();
    for identity in Identity::ALL {
        let token = system.token_of(identity).await;
        let client = with_token(&system.gateway, token.as_deref());
        for declared in &roots {
            let expected = expected_of_field(identity, declared.access);
            let document = document(declared);
            let seen = if declared.object == "Subscription" {
                if expected == Outcome::Allowed && declared.field != "orderUpdated" {
                    // It says nothing until there is an order; `journey` and `sockets` wait for one.
                    continue;
                }
                watch(&client, token.as_deref(), &document).await
            } else {
                let body = json!({ "query": document });
                field_outcome(&client.post("/graphql", &body).await.json())
            };
            if seen != expected {
                let DeclaredField { object, field, .. } = declared;
                wrong.push(format!(
                    "{object}.{field} as {identity:?}: {expected:?} expected, {seen:?}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    system.stop().await;
}

/// A token that is not valid is refused before any field, an absent one only where it is needed.
fn expected_of_field(identity: Identity, access: FieldAccess) -> Outcome {
    match access {
        _ if identity == Identity::RevokedAdmin => Outcome::Unauthenticated,
        FieldAccess::Public => Outcome::Allowed,
        FieldAccess::Needs(permission) => expected(identity, Access::Needs(permission)),
    }
}

fn field_outcome(answer: &Value) -> Outcome {
    match answer["errors"][0]["extensions"]["code"].as_str() {
        Some("UNAUTHENTICATED") => Outcome::Unauthenticated,
        Some("FORBIDDEN") => Outcome::Forbidden,
        _ => Outcome::Allowed,
    }
}

async fn watch(client: &Client, token: Option<&str>, document: &str) -> Outcome {
    let socket = GraphqlSocket::connect(client.base_url(), PROTOCOL).await;
    let mut socket = socket.unwrap();
    let payload = match token {
        Some(token) => json!({ "Authorization": format!("Bearer {token}") }),
        None => json!({}),
    };
    match socket.init(payload).await {
        Received::Ack(_) => {}
        Received::Closed {
            code: 4401 | 4403, ..
        } => return Outcome::Unauthenticated,
        other => panic!("neither let in nor refused: {other:?}"),
    }
    socket.subscribe("1", document, json!({})).await;
    let seen = match socket.receive().await {
        Received::Error { errors, .. } => field_outcome(&json!({ "errors": errors })),
        Received::Next { payload, .. } => field_outcome(&payload),
        other => panic!("no answer: {other:?}"),
    };
    socket.close().await;
    seen
}
