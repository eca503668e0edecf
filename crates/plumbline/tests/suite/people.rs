//! The gateway asks auth who people are: in process, or over gRPC with a service token.

use serde_json::{Value, json};

use crate::support::{Identity, System};

#[tokio::test]
async fn the_gateway_knows_its_caller_by_name() {
    let system = System::start().await;
    let customer = system.customer("nina").await;
    let query = json!({"query": "{ me { name email } }"});
    let answer = customer.gateway.post("/graphql", &query).await;
    let answer: Value = answer.expect_status(200).json();
    let expected = json!({"name": "nina", "email": customer.email});
    assert_eq!(answer["data"]["me"], expected, "{answer}");
    system.stop().await;
}

#[tokio::test]
async fn staff_sees_who_its_customers_are_and_admins_what_was_done() {
    let system = System::start().await;
    let nina = system.customer("nina").await;
    let order = nina.place(&system.product().await, "pm_card_visa").await;
    let support = system.token_of(Identity::Support).await.unwrap();
    let support = system.gateway.with_bearer(&support);
    let query = "query($search: String, $order: ID!) {
        customers(first: 10, search: $search) { edges { node { id name email } } }
        order(id: $order) { customer { id name email } }
    }";
    let variables = json!({"search": nina.email, "order": order["id"]});
    let answer = support.graphql(query, variables).await;
    let id = nina.user_id().await;
    let expected = json!({"id": id, "name": "nina", "email": nina.email});
    assert_eq!(answer["customers"]["edges"], json!([{"node": expected}]));
    assert_eq!(answer["order"]["customer"], expected);

    let admin = system
        .gateway
        .with_bearer(&system.admin().await.access_token);
    let query = "query($actor: ID) {
        auditLog(first: 100, filter: {actorId: $actor, action: \"session.created\"}) {
            edges { node { actorId action details } } } }";
    let log = admin.graphql(query, json!({"actor": id})).await;
    let line = &log["auditLog"]["edges"][0]["node"];
    assert_eq!(line["actorId"], json!(id), "{log}");
    assert_eq!(line["details"]["amr"], json!(["pwd"]));
    system.stop().await;
}
