//! The gateway asks auth who people are: in process, or over gRPC with a service token.

use serde_json::{Value, json};

use crate::support::System;

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
