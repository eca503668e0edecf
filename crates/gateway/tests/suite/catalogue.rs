//! Products over GraphQL and REST: the same rows, pages and refusals.

use std::time::{Duration, Instant};

use serde_json::json;
use uuid::Uuid;

use crate::support::{Reply, Shop};

const PAGE: &str =
    "query($first: Int, $after: String, $last: Int, $before: String, $search: String) {
  products(first: $first, after: $after, last: $last, before: $before, search: $search) {
    edges { cursor node { id name description price { amount currency } available } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}";

#[actix_web::test]
async fn pages_follow_each_other_in_both_directions() {
    let shop = Shop::open().await;
    let all: Vec<String> = shop
        .products(100)
        .await
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    let mut seen = Vec::new();
    let mut after = json!(null);
    loop {
        let reply = shop.ask(1, PAGE, json!({"first": 7, "after": after})).await;
        let page = &reply.body["data"]["products"];
        for edge in page["edges"].as_array().unwrap() {
            seen.push(edge["node"]["id"].as_str().unwrap().to_owned());
        }
        assert_eq!(page["pageInfo"]["hasPreviousPage"], !after.is_null());
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, all);

    let last = shop.ask(1, PAGE, json!({"last": 2})).await;
    let last = &last.body["data"]["products"];
    let ids: Vec<_> = (0..2)
        .map(|row| last["edges"][row]["node"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, all[all.len() - 2..]);
    let before = last["pageInfo"]["startCursor"].clone();
    let earlier = shop
        .ask(1, PAGE, json!({"last": 1, "before": before}))
        .await;
    let earlier = &earlier.body["data"]["products"]["edges"][0]["node"]["id"];
    assert_eq!(earlier.as_str().unwrap(), all[all.len() - 3]);
}

#[actix_web::test]
async fn rest_pages_and_graphql_pages_share_their_cursors() {
    let shop = Shop::open().await;
    let first = Reply::to(shop.call("GET", "/v1/products?first=3")).await;
    let next = first.body["page"]["next"].as_str().unwrap();
    assert_eq!(first.body["page"]["previous"], json!(null));
    let by_rest = Reply::to(shop.call("GET", &format!("/v1/products?first=2&after={next}"))).await;
    let by_graphql = shop.ask(1, PAGE, json!({"first": 2, "after": next})).await;
    let node = &by_graphql.body["data"]["products"]["edges"][0]["node"];
    assert_eq!(&by_rest.body["items"][0], node);
    let previous = by_rest.body["page"]["previous"].as_str().unwrap();
    let back = format!("/v1/products?last=100&before={previous}");
    assert_eq!(
        Reply::to(shop.call("GET", &back)).await.body["items"],
        first.body["items"]
    );
}

#[actix_web::test]
async fn nobody_needs_to_log_in_to_look_around() {
    let shop = Shop::open().await;
    let reply = shop
        .query("{ products(first: 1) { edges { node { name } } } }")
        .await;
    assert_eq!(reply.body.get("errors"), None, "{reply:?}");
    let id = &shop.products(1).await[0].0;
    let product = shop
        .query(&format!("{{ product(id: \"{id}\") {{ id }} }}"))
        .await;
    assert_eq!(product.body["data"]["product"]["id"].as_str().unwrap(), id);
    let product = Reply::to(shop.call("GET", &format!("/v1/products/{id}"))).await;
    assert_eq!(product.body["id"].as_str().unwrap(), id);
}

#[actix_web::test]
async fn a_search_finds_part_of_a_name_and_takes_no_pattern() {
    let shop = Shop::open().await;
    let found = Reply::to(shop.call("GET", "/v1/products?search=CHISEL")).await;
    let items = found.body["items"].as_array().unwrap();
    assert!(
        !items.is_empty()
            && items
                .iter()
                .all(|item| item["name"].as_str().unwrap().contains("Chisel"))
    );
    for odd in ["%25", "_", "%5C", "'%20or%201=1"] {
        let found = Reply::to(shop.call("GET", &format!("/v1/products?search={odd}"))).await;
        let names = found.body["items"].as_array().unwrap().len();
        assert!(found.status == 200 && names < 60, "{odd}: {found:?}");
    }
    let control = Reply::to(shop.call("GET", "/v1/products?search=a%00b")).await;
    control.is_problem(422, "validation");
    let control = shop
        .ask(1, PAGE, json!({"first": 1, "search": "a\u{0}b"}))
        .await;
    assert_eq!(control.code(), "BAD_USER_INPUT");
}

const SORTED: &str = "query($first: Int!, $after: String, $sort: ProductSort!) {
  products(first: $first, after: $after, sort: $sort) {
    edges { node { id name price { amount } } } pageInfo { endCursor }
  }
}";

#[actix_web::test]
async fn every_sort_reads_the_same_over_graphql_and_rest() {
    let shop = Shop::open().await;
    for sort in [
        "newest",
        "oldest",
        "name",
        "price_ascending",
        "price_descending",
    ] {
        let all = format!("/v1/products?first=100&sort={sort}");
        let all = Reply::to(shop.call("GET", &all)).await.body["items"].take();
        let mut seen = Vec::new();
        let mut after = json!(null);
        while seen.len() < 60 {
            let variables = json!({
                "first": 12, "after": after, "sort": sort.to_uppercase(),
            });
            let mut page = shop.ask(1, SORTED, variables).await.body["data"]["products"].take();
            for edge in page["edges"].as_array().unwrap() {
                seen.push(edge["node"]["id"].clone());
            }
            after = page["pageInfo"]["endCursor"].take();
        }
        let ids: Vec<_> = all
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].clone())
            .collect();
        assert_eq!(seen, ids, "{sort}");
        let prices = all
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["price"]["amount"].as_i64());
        assert_eq!(prices.is_sorted(), sort == "price_ascending", "{sort}");
    }
}

#[actix_web::test]
async fn a_cursor_goes_with_its_sort() {
    let shop = Shop::open().await;
    let page = Reply::to(shop.call("GET", "/v1/products?first=3&sort=name")).await;
    let next = page.body["page"]["next"].as_str().unwrap();
    let astray = format!("/v1/products?sort=price_ascending&after={next}");
    let reply = Reply::to(shop.call("GET", &astray)).await;
    reply.is_problem(400, "invalid-cursor");
    let variables = json!({"first": 3, "after": next, "sort": "NEWEST"});
    assert_eq!(
        shop.ask(1, SORTED, variables).await.code(),
        "BAD_USER_INPUT"
    );
    let same = format!("/v1/products?sort=name&after={next}");
    assert_eq!(Reply::to(shop.call("GET", &same)).await.status, 200);
    let unknown = Reply::to(shop.call("GET", "/v1/products?sort=taste")).await;
    unknown.is_problem(400, "malformed-request");
    let orders = Reply::to(shop.rest(1, "GET", "/v1/orders?sort=name")).await;
    orders.is_problem(400, "malformed-request");
}

#[actix_web::test]
async fn odd_pages_are_refused() {
    let shop = Shop::open().await;
    for (query, code) in [
        ("first=0", "invalid-page-size"),
        ("first=-1", "invalid-page-size"),
        ("first=101", "invalid-page-size"),
        ("first=1&last=1", "invalid-page-size"),
        ("last=0", "invalid-page-size"),
        ("first=x", "malformed-request"),
        ("first=99999999999999999999", "malformed-request"),
        ("limit=1", "malformed-request"),
        ("first=1&first=2", "malformed-request"),
        ("after=nonsense", "invalid-cursor"),
        ("before=x", "invalid-cursor"),
    ] {
        let reply = Reply::to(shop.call("GET", &format!("/v1/products?{query}"))).await;
        reply.is_problem(400, code);
    }
    for variables in [
        json!({}),
        json!({"first": 0}),
        json!({"first": 101}),
        json!({"first": 1, "last": 1}),
        json!({"first": 1, "after": "nonsense"}),
        json!({"first": 1, "before": "x"}),
    ] {
        let reply = shop.ask(1, PAGE, variables.clone()).await;
        assert_eq!(reply.code(), "BAD_USER_INPUT", "{variables}: {reply:?}");
        assert_eq!(reply.body["data"], json!({"products": null}));
    }
}

#[actix_web::test]
async fn what_does_not_exist_is_not_found() {
    let shop = Shop::open().await;
    for id in [
        Uuid::from_u128(1).to_string(),
        "nonsense".to_owned(),
        "%00".to_owned(),
    ] {
        let reply = Reply::to(shop.call("GET", &format!("/v1/products/{id}"))).await;
        reply.is_problem(404, "product-not-found");
        let reply = shop
            .query(&format!("{{ product(id: \"{id}\") {{ id }} }}"))
            .await;
        assert_eq!((reply.status, reply.code()), (200, "NOT_FOUND"));
        assert_eq!(
            reply.body["errors"][0]["extensions"]["problem"],
            "product-not-found"
        );
    }
    Reply::to(shop.call("GET", "/v1/nothing"))
        .await
        .is_problem(404, "not-found");
    let reply = Reply::to(shop.call("POST", "/v1/products")).await;
    reply.is_problem(405, "method-not-allowed");
    assert_eq!(reply.header("allow"), "GET, HEAD");
}

/// Without the event it were as old as a copy may be, which is most of a second more.
#[actix_web::test]
async fn a_changed_product_is_read_again_when_its_event_arrives() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    let path = format!("/v1/products/{product}");
    let name = async || {
        let reply = Reply::to(shop.call("GET", &path)).await;
        reply.body["name"].as_str().unwrap().to_owned()
    };
    let mut quickest = Duration::MAX;
    for number in 0..5 {
        let new = format!("Name {number}");
        shop.tell_changed(&product).await;
        name().await;
        shop.rename(&product, &new).await;
        shop.tell_changed(&product).await;
        let told = Instant::now();
        while name().await != new {}
        quickest = quickest.min(told.elapsed());
    }
    assert!(quickest < Duration::from_millis(500), "{quickest:?}");
}
