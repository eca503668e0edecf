use serde_json::json;
use uuid::Uuid;

use crate::support::Shop;

#[actix_web::test]
async fn me_has_a_name_and_an_address_by_one_call_of_the_directory() {
    let shop = Shop::open().await;
    let query = "{ me { id name email } again: me { email } }";
    let reply = shop.ask(5, query, json!({})).await;
    let id = Uuid::from_u128(5);
    let email = format!("{id}@example.com");
    let expected = json!({
        "me": {"id": id, "name": format!("Name of {id}"), "email": email},
        "again": {"email": email},
    });
    assert_eq!(reply.body["data"], expected, "{reply:?}");
    assert_eq!(shop.people.calls(), 1);
}

#[actix_web::test]
async fn who_asks_for_no_name_does_not_call_the_directory() {
    let shop = Shop::open().await;
    shop.ask(5, "{ me { id roles } }", json!({})).await;
    assert_eq!(shop.people.calls(), 0);
}

#[actix_web::test]
async fn without_the_directory_the_name_is_null_and_the_rest_is_there() {
    let shop = Shop::open().await;
    shop.people.go_away();
    let query = "{ me { roles name } products(first: 1) { edges { node { name } } } }";
    let reply = shop.ask(5, query, json!({})).await;
    let data = &reply.body["data"];
    assert_eq!(data["me"], json!({"roles": ["customer"], "name": null}));
    assert!(data["products"]["edges"][0]["node"]["name"].is_string());
    let error = &reply.body["errors"][0];
    assert_eq!(error["path"], json!(["me", "name"]), "{reply:?}");
    assert_eq!(error["extensions"]["problem"], "unavailable");
}
