//! `plumbline reconcile` over a running system.

use reqwest::Method;
use serde_json::json;
use testkit::http::send;

use crate::support::{System, eventually};

/// Somebody charges a confirmed order once more, and the webhook about it gets lost.
#[tokio::test]
async fn a_second_charge_is_found_by_the_command_and_given_back() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let order = ada.place(&system.product().await, "pm_card_visa").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    system.at_rest().await;
    let clean = system.command(&["reconcile"]).await.unwrap();
    assert!(clean.ends_with(" 0 found, 0 mended, 0 left\n"), "{clean}");

    let behaviour = json!({"webhooks": {"drop_next": 1}});
    let set = system.payments.post("/double/behaviour", &behaviour).await;
    let _ = set.expect_status(200);
    let total = &order["total"];
    let currency = total["currency"].as_str().unwrap().to_lowercase();
    let second = system
        .payments
        .request(Method::POST, "/v1/payment_intents")
        .form(&[
            ("amount", total["amount"].to_string().as_str()),
            ("currency", &currency),
            ("payment_method", "pm_card_visa"),
            ("confirm", "true"),
            ("metadata[order_id]", id),
        ]);
    let second: serde_json::Value = send(second).await.expect_status(200).json();
    let second = second["id"].as_str().unwrap();

    for _ in 0..2 {
        let told = system.command(&["reconcile", "--dry-run"]).await;
        let told = told.expect_err("something is left, so the status is 1");
        assert!(told.contains(id) && told.contains(second), "{told}");
        assert!(told.contains(" 1 found, 0 mended, 1 left\n"), "{told}");
    }
    let mended = system.command(&["reconcile"]).await.unwrap();
    assert!(mended.ends_with(" 1 found, 1 mended, 0 left\n"), "{mended}");
    eventually("the money is back", async || {
        let charges = system.charges(id).await;
        let is_back = |charge: &&serde_json::Value| charge["refund"]["status"] == "succeeded";
        let back: Vec<_> = charges.iter().filter(is_back).collect();
        (back.len() == 1 && back[0]["id"] == second).then_some(())
    })
    .await;
    assert_eq!(ada.order(id).await["status"], "CONFIRMED");
    system.stop().await;
}
