//! What answers look like, for the OpenAPI document.

use serde_json::{Value, json};

const PRODUCT_ID: &str = "01997a52-7f0c-7cc3-a4f3-6b1f0c4e9a11";
const ORDER_ID: &str = "01997a53-0d7e-7b30-9c4e-2f6a51c0be27";
const CURSOR: &str = "AZl6Un8MfMOk82sfDE6aEQ";

/// An example of the schema of this name, if it is one of an answer.
pub(super) fn of(schema: &str) -> Option<Value> {
    match schema {
        "Product" => Some(product()),
        "ProductPage" => Some(page(&product())),
        "ProductV2" => Some(product_v2()),
        "ProductPageV2" => Some(page(&product_v2())),
        "Order" => Some(order()),
        "OrderPage" => Some(page(&order())),
        _ => None,
    }
}

fn page(item: &Value) -> Value {
    json!({"items": [item], "page": {"next": CURSOR, "previous": null}})
}

fn money(amount: i64) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn product() -> Value {
    json!({
        "id": PRODUCT_ID,
        "name": "Plumb bob, No. 1",
        "description": "Points straight down, always.",
        "price": money(1_250),
        "available": 120,
    })
}

fn product_v2() -> Value {
    json!({
        "id": PRODUCT_ID,
        "name": "Plumb bob, No. 1",
        "description": "Points straight down, always.",
        "price": money(1_250),
        "availability": {"status": "IN_STOCK", "quantity": 120},
        "created_at": "2026-11-02T08:15:00Z",
    })
}

fn order() -> Value {
    json!({
        "id": ORDER_ID,
        "number": "PL-01K5X57V1D",
        "status": "STOCK_RESERVED",
        "lines": [{
            "product_id": PRODUCT_ID,
            "name": "Plumb bob, No. 1",
            "quantity": 2,
            "unit_price": money(1_250),
            "total": money(2_500),
        }],
        "total": money(2_500),
        "created_at": "2026-11-24T17:00:00.120Z",
        "history": [
            {"status": "PLACED", "at": "2026-11-24T17:00:00.120Z"},
            {"status": "STOCK_RESERVED", "at": "2026-11-24T17:00:00.155Z"},
        ],
    })
}
