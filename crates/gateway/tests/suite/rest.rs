//! What REST has of its own: validators, versions, idempotency keys in flight.

use futures_util::future::{Either, select};
use serde_json::{Value, json};

use crate::support::{Reply, Shop};

const NEXT_YEAR: &str = "Wed, 24 Nov 2027 00:00:00 GMT";

async fn get(shop: &Shop, path: &str) -> Reply {
    Reply::to(shop.call("GET", path)).await
}

fn order_body(product: &str) -> Value {
    json!({
        "lines": [{"product_id": product, "quantity": 2}],
        "payment_method": "pm_card_visa",
    })
}

#[actix_web::test]
async fn what_is_public_may_be_kept_and_is_sent_again_only_if_it_has_changed() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    for version in ["v1", "v2"] {
        let one = format!("/{version}/products/{product}");
        for path in [one.as_str(), &format!("/{version}/products?first=2")] {
            let first = get(&shop, path).await;
            assert_eq!(first.status, 200, "{first:?}");
            assert_eq!(first.header("cache-control"), "public, max-age=1");
            let etag = first.header("etag").to_owned();
            assert!(etag.starts_with('"') && etag.len() > 10, "{etag}");
            for known in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
                let request = shop.call("GET", path).header("if-none-match", &known);
                let again = Reply::to(request).await;
                assert_eq!((again.status, &again.body), (304, &Value::Null), "{known}");
                assert_eq!(again.header("etag"), etag);
                assert_eq!(again.header("cache-control"), "public, max-age=1");
            }
            let request = shop.call("HEAD", path).header("if-none-match", &etag);
            assert_eq!(Reply::to(request).await.status, 304);

            // Who asks makes no difference.
            let caller = Reply::to(shop.rest(1, "GET", path)).await;
            assert_eq!(
                (caller.header("etag"), &caller.body),
                (etag.as_str(), &first.body)
            );
        }
    }
    let path = format!("/v1/products/{product}");
    let before = get(&shop, &path).await;
    shop.rename(&product, "Another name").await;
    shop.tell_changed(&product).await;
    let changed = loop {
        let request = shop.call("GET", &path);
        let request = request.header("if-none-match", before.header("etag"));
        let reply = Reply::to(request).await;
        if reply.status != 304 {
            break reply;
        }
    };
    assert_eq!(changed.body["name"], "Another name");
    assert_ne!(changed.header("etag"), before.header("etag"));
}

#[actix_web::test]
async fn what_depends_on_the_caller_is_kept_by_nobody_else() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    for path in [path.as_str(), "/v1/orders"] {
        let first = Reply::to(shop.rest(1, "GET", path)).await;
        assert_eq!(first.header("cache-control"), "private, no-cache");
        assert_eq!(first.header("vary"), "Authorization");
        let known = |customer| {
            let request = shop.rest(customer, "GET", path);
            Reply::to(request.header("if-none-match", first.header("etag")))
        };
        let again = known(1).await;
        assert_eq!((again.status, &again.body), (304, &Value::Null));
        // A tag lets nobody in.
        let stranger = known(2).await;
        assert!(stranger.status == 404 || stranger.body["items"] == json!([]));
    }
    let before = Reply::to(shop.rest(1, "GET", &path)).await;
    shop.reserve_stock(&order).await;
    let request = shop.rest(1, "GET", &path);
    let after = Reply::to(request.header("if-none-match", before.header("etag"))).await;
    assert_eq!(
        (after.status, &after.body["status"]),
        (200, &json!("STOCK_RESERVED"))
    );
    let refused = get(&shop, &path).await;
    assert_eq!((refused.status, refused.header("etag")), (401, ""));
}

/// Programs written for it rely on every word of this.
#[actix_web::test]
async fn the_first_version_answers_as_it_always_did_and_tells_of_its_end() {
    let shop = Shop::open().await;
    let page = get(&shop, "/v1/products?first=1").await;
    let id = page.body["items"][0]["id"].clone();
    let product = json!({
        "id": id,
        "name": "Plumb bob, No. 1",
        "description": "Points straight down, always.",
        "price": {"amount": 1_250, "currency": "EUR"},
        "available": 1_000_000,
    });
    let next = page.body["page"]["next"].clone();
    assert!(next.is_string());
    let neighbours = json!({"next": next, "previous": null});
    assert_eq!(page.body, json!({"items": [product], "page": neighbours}));
    let path = format!("/v1/products/{}", id.as_str().unwrap());
    let one = get(&shop, &path).await;
    assert_eq!(one.body, product);

    let missing = get(&shop, "/v1/products/none").await;
    missing.is_problem(404, "product-not-found");
    for (reply, path) in [
        (&page, "/v2/products"),
        (&one, &path.replace("v1", "v2")),
        (&missing, "/v2/products/none"),
    ] {
        assert_eq!(reply.header("deprecation"), "@1795478400");
        assert_eq!(reply.header("sunset"), NEXT_YEAR);
        let link = reply.header("link");
        let successor = format!("<{path}>; rel=\"successor-version\"");
        assert!(
            link.contains(&successor) && link.contains("rel=\"deprecation\""),
            "{link}"
        );
    }
    for path in ["/v1/orders", "/v2/products"] {
        let reply = Reply::to(shop.rest(1, "GET", path)).await;
        assert_eq!(
            (reply.status, reply.header("deprecation")),
            (200, ""),
            "{path}"
        );
    }
}

#[actix_web::test]
async fn the_second_version_says_more_of_the_same_products() {
    let shop = Shop::open().await;
    let sold_out = shop.sold_out_product().await;
    for (id, status) in [(shop.product().await, "IN_STOCK"), (sold_out, "SOLD_OUT")] {
        let first = get(&shop, &format!("/v1/products/{id}")).await.body;
        let second = get(&shop, &format!("/v2/products/{id}")).await.body;
        for same in ["id", "name", "description", "price"] {
            assert_eq!(first[same], second[same]);
        }
        let availability = json!({"status": status, "quantity": first["available"]});
        assert_eq!(second["availability"], availability);
        assert!(second["created_at"].is_string() && second.get("available").is_none());
    }
    // Cursors are of the list, not of the version.
    let first = get(&shop, "/v1/products?first=2").await.body;
    let cursor = first["page"]["next"].as_str().unwrap();
    let second = get(&shop, &format!("/v2/products?first=2&after={cursor}"))
        .await
        .body;
    assert_eq!(second["items"].as_array().unwrap().len(), 2);
    assert_ne!(second["items"][0]["id"], first["items"][1]["id"]);
    get(&shop, "/v2/orders").await.is_problem(404, "not-found");
}

#[actix_web::test]
async fn a_key_whose_first_request_is_not_answered_yet_is_in_conflict() {
    let shop = Shop::open().await;
    let body = order_body(&shop.product().await);
    let send = || {
        let request = shop.rest(1, "POST", "/v1/orders").json(&body);
        Box::pin(Reply::to(request.header("idempotency-key", "key")))
    };
    let writer = shop.hold_writer().await;
    let (refused, first) = match select(send(), send()).await {
        Either::Left(answered) => answered,
        Either::Right(answered) => answered,
    };
    refused.is_problem(409, "idempotency-key-in-flight");
    assert_eq!(refused.header("retry-after"), "1");
    writer.rollback().await.unwrap();
    let first = first.await;
    assert_eq!(
        (first.status, first.header("idempotent-replayed")),
        (201, "")
    );
    let again = send().await;
    assert_eq!((again.status, &again.body["id"]), (201, &first.body["id"]));
    assert_eq!(again.header("idempotent-replayed"), "true");
}

const PLACE: &str = "mutation($input: PlaceOrderInput!) {
  placeOrder(input: $input) {
    order {
      id number status total { amount currency } createdAt
      lines {
        productId name quantity
        unitPrice { amount currency } total { amount currency }
      }
      history { status at }
    }
    userErrors { code message field }
  }
}";

/// As REST names things, without what differs from order to order.
fn comparable(order: &Value) -> String {
    let mut order = order.clone();
    for name in ["id", "number", "createdAt", "created_at"] {
        order.as_object_mut().unwrap().remove(name);
    }
    for entry in order["history"].as_array_mut().unwrap() {
        entry.as_object_mut().unwrap().remove("at");
    }
    let order = order.to_string();
    order
        .replace("productId", "product_id")
        .replace("unitPrice", "unit_price")
}

#[actix_web::test]
async fn the_same_order_is_placed_over_graphql_and_rest() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let variables = json!({"input": {
        "idempotencyKey": "graphql",
        "lines": [{"productId": product, "quantity": 2}],
        "paymentMethod": "pm_card_visa",
    }});
    let graphql = shop.ask(1, PLACE, variables).await;
    let payload = &graphql.body["data"]["placeOrder"];
    assert_eq!(payload["userErrors"], json!([]), "{graphql:?}");
    let request = shop
        .rest(1, "POST", "/v1/orders")
        .json(&order_body(&product));
    let rest = Reply::to(request.header("idempotency-key", "rest")).await;
    assert_eq!(rest.status, 201, "{rest:?}");
    let same = serde_json::from_str::<Value>(&comparable(&payload["order"])).unwrap();
    let rest = serde_json::from_str::<Value>(&comparable(&rest.body)).unwrap();
    assert_eq!(same, rest);
}

/// GraphQL by GET is as good a web resource as any.
#[actix_web::test]
async fn an_anonymous_graphql_query_by_get_may_be_kept_and_one_of_a_caller_may_not() {
    let shop = Shop::open().await;
    let products = [(
        "query",
        "{ products(first: 1) { edges { node { name } } } }",
    )];
    let ask = |query: &[(&str, &str)]| shop.get(query).header("accept", "application/json");
    let first = Reply::to(ask(&products)).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.header("cache-control"), "public, max-age=1");
    assert_eq!(first.header("vary"), "Accept, Authorization");
    assert!(first.header("content-type").starts_with("application/json"));
    assert_ne!(first.header("ratelimit"), "");
    let request = ask(&products).header("if-none-match", first.header("etag"));
    let again = Reply::to(request).await;
    assert_eq!((again.status, &again.body), (304, &Value::Null));

    let caller = ask(&products).header("authorization", shop.customer(1));
    let post = shop.post(&json!({"query": products[0].1}));
    for request in [caller, post, ask(&[("query", "{ me { id } }")])] {
        let reply = Reply::to(request).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let headers = [reply.header("cache-control"), reply.header("etag")];
        assert_eq!(headers, ["", ""], "{reply:?}");
    }
}
