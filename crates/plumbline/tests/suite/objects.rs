//! Object-level authorization (OWASP API1:2023): another person's object is as unknown as one that
//! never was, on every route that names an object.

use kernel::Role;
use reqwest::Method;
use serde_json::{Value, json};
use service_kit::routes::DeclaredRoute;
use testkit::http::{Response, send};

use crate::support::{Customer, NOBODYS, System, permission_of};

#[tokio::test]
async fn another_persons_object_is_not_found_on_any_route() {
    let system = System::start().await;
    let (ada, eve) = (system.customer("ada").await, system.customer("eve").await);
    for route in plumbline::declared_routes() {
        let is_of_customers =
            permission_of(&route).is_some_and(|permission| Role::Customer.grants(permission));
        if !route.path.contains('{') || !is_of_customers {
            continue;
        }
        let of_ada = object_of(&system, &ada, &route).await;
        let missing = call(&eve, &route, NOBODYS).await;
        assert_eq!(missing.status, 404, "{route:?}: {}", missing.text());
        let refused = call(&eve, &route, &of_ada).await;
        assert_eq!(refused.status, 404, "{route:?}: {}", refused.text());
        let code = |answer: &Response| answer.json::<Value>()["code"].take();
        assert_eq!(code(&refused), code(&missing), "{route:?}");
        let own = call(&ada, &route, &of_ada).await;
        assert!(own.status < 300, "{route:?} as its owner: {}", own.text());
    }
    system.stop().await;
}

/// An object of Ada's that a route is about. A new route belongs here.
async fn object_of(system: &System, ada: &Customer, route: &DeclaredRoute) -> String {
    let id = |object: &Value| object["id"].as_str().unwrap().to_owned();
    match route.path.as_str() {
        "/v1/orders/{id}" => id(&ada.place(&system.product().await, "pm_card_visa").await),
        // Cancelled already, which is as good as to be cancelled.
        "/v1/orders/{id}/cancel" => {
            let product = system.product().await;
            let order = id(&ada.place(&product, "pm_card_chargeDeclined").await);
            assert_eq!(ada.watch_to_the_end(&order).await, "CANCELLED");
            order
        }
        "/auth/v1/sessions/{id}" => {
            let another = system.log_in(&ada.email, crate::support::PASSWORD).await;
            another.id
        }
        "/auth/v1/me/api-keys/{id}" => {
            let key = json!({
                "name": "hers", "scopes": ["orders:read"], "expires_at": "2027-06-01T00:00:00Z"
            });
            let key = ada.auth.post("/auth/v1/me/api-keys", &key).await;
            id(&key.expect_status(201).json())
        }
        "/auth/v1/me/external-identities/{id}" => system.external_identity_of(ada).await,
        "/auth/v1/me/passkeys/{id}" => system.passkey_of(ada).await,
        path => panic!(
            "{path} is not tested: add to tests/suite/objects.rs, function object_of, how \
             somebody comes to such an object"
        ),
    }
}

async fn call(customer: &Customer, route: &DeclaredRoute, id: &str) -> Response {
    let (before, after) = route.path.split_once('{').unwrap();
    let (_, after) = after.split_once('}').unwrap();
    let path = format!("{before}{id}{after}");
    let method: Method = route.method.as_str().parse().unwrap();
    send(customer.at(&path).request(method, &path)).await
}
