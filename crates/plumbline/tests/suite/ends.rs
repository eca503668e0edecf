//! Orders that end otherwise than at once and well.

use serde_json::{Value, json};

use crate::support::{System, eventually};

#[tokio::test]
async fn a_declined_card_cancels_the_order_and_its_stock_is_free_again() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let before = system.available(&product).await;
    let order = ada.place(&product, "pm_card_chargeDeclined").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CANCELLED");

    assert_eq!(system.available(&product).await, before);
    let states = states(&ada.order(id).await);
    assert!(states.contains(&"PAYMENT_FAILED".to_owned()), "{states:?}");
    for charge in system.charges(id).await {
        assert_ne!(charge["status"], "succeeded", "{charge:#}");
    }
    system.stop().await;
}

#[tokio::test]
async fn an_order_for_what_is_sold_out_is_rejected_and_never_charged() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let sold_out = system.sold_out_product().await;
    let order = ada.place(&sold_out, "pm_card_visa").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "REJECTED");
    assert_eq!(states(&ada.order(id).await), ["PLACED", "REJECTED"]);
    assert!(system.charges(id).await.is_empty());
    system.stop().await;
}

#[tokio::test]
async fn a_bank_debit_is_confirmed_by_the_webhook_that_comes_later() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let order = ada.place(&product, "pm_usBankAccount_success").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");
    let states = states(&ada.order(id).await);
    assert!(states.contains(&"PAYMENT_PENDING".to_owned()), "{states:?}");
    system.stop().await;
}

#[tokio::test]
async fn a_bank_debit_that_fails_later_cancels_the_order() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let before = system.available(&product).await;
    let order = ada.place(&product, "pm_usBankAccount_accountClosed").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CANCELLED");
    assert_eq!(system.available(&product).await, before);
    system.stop().await;
}

/// Its bank has the order's debit, and its webhook is late: the customer does not wait for it.
#[tokio::test]
async fn an_order_that_is_taken_back_while_its_bank_works_on_it_is_refunded() {
    let system = System::start().await;
    let behaviour = json!({"webhooks": {"delay_ms": 2_000}});
    let set = system.payments.post("/double/behaviour", &behaviour).await;
    let _ = set.expect_status(200);
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let before = system.available(&product).await;
    let order = ada.place(&product, "pm_usBankAccount_success").await;
    let id = order["id"].as_str().unwrap();
    eventually("the bank is asked", async || {
        (system.charges(id).await.len() == 1).then_some(())
    })
    .await;
    let cancel = format!("/v1/orders/{id}/cancel");
    let asked = ada.gateway.post(&cancel, &json!(null)).await;
    let asked: Value = asked.expect_status(200).json();
    assert_eq!(asked["status"], "CANCEL_REQUESTED");
    assert_eq!(ada.watch_to_the_end(id).await, "REFUNDED");
    let states = states(&ada.order(id).await);
    assert!(!states.contains(&"PAID".to_owned()), "{states:?}");
    assert_eq!(system.available(&product).await, before);
    let charge = system.charges(id).await.remove(0);
    assert_eq!(charge["refund"]["status"], "succeeded", "{charge:#}");
    system.stop().await;
}

#[tokio::test]
async fn webhooks_that_come_late_twice_and_in_disorder_change_nothing() {
    let system = System::start().await;
    let behaviour = json!({"webhooks": {"copies": 2, "reorder": 3, "delay_ms": 50}});
    let set = system.payments.post("/double/behaviour", &behaviour).await;
    let _ = set.expect_status(200);
    let ada = system.customer("ada").await;
    let product = system.product().await;
    for method in ["pm_card_visa", "pm_usBankAccount_success", "pm_card_visa"] {
        let order = ada.place(&product, method).await;
        let id = order["id"].as_str().unwrap();
        assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED", "{method}");
        assert_eq!(system.charges(id).await.len(), 1, "{method}");
    }
    system.stop().await;
}

#[tokio::test]
async fn a_refunded_order_has_its_money_back_and_its_stock_is_free_again() {
    let system = System::start().await;
    let ada = system.customer("ada").await;
    let product = system.product().await;
    let before = system.available(&product).await;
    let order = ada.place(&product, "pm_card_visa").await;
    let id = order["id"].as_str().unwrap();
    assert_eq!(ada.watch_to_the_end(id).await, "CONFIRMED");

    let admin = system
        .gateway
        .with_bearer(&system.admin().await.access_token);
    let refund = "mutation($id: ID!) { refundOrder(input: {orderId: $id}) {
        order { status } userErrors { code } } }";
    let asked = admin.graphql(refund, json!({"id": id})).await;
    assert_eq!(asked["refundOrder"]["userErrors"], json!([]), "{asked}");
    assert_eq!(ada.watch_to_the_end(id).await, "REFUNDED");
    assert_eq!(system.available(&product).await, before);
    let charges = system.charges(id).await;
    assert_eq!(charges.len(), 1);
    assert!(charges[0]["refund"].is_object(), "{charges:#?}");
    // Among other things, that the provider's books agree.
    system.stop().await;
}

fn states(order: &Value) -> Vec<String> {
    let entries = order["history"].as_array().unwrap().iter();
    let states = entries.map(|entry| entry["status"].as_str().unwrap().to_owned());
    states.collect()
}
