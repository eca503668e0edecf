//! Customers and the audit log, which the user directory tells; and what is left when it is away.

use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ROWS, Reply, Shop};

const CUSTOMERS: &str = "query($first: Int, $after: String, $last: Int, $before: String) {
  customers(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id name email emailVerified disabledAt createdAt } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}";

const AUDIT_LOG: &str = "query($first: Int, $after: String, $filter: AuditLogFilter) {
  auditLog(first: $first, after: $after, filter: $filter) {
    edges { node { id actorKind actorId action targetKind targetId outcome details } }
    pageInfo { hasNextPage endCursor }
  }
}";

/// Everything that only staff may ask for.
const STAFF_ONLY: [&str; 3] = [
    "{ customers(first: 1) { edges { node { id } } } }",
    "{ customer(id: \"00000000-0000-0000-0000-000000000001\") { id } }",
    "{ auditLog(first: 1) { edges { node { id } } } }",
];

fn ids(list: &Value) -> Vec<u128> {
    let edges = list["edges"].as_array().unwrap().iter();
    let id = |edge: &Value| -> Uuid { edge["node"]["id"].as_str().unwrap().parse().unwrap() };
    edges.map(|edge| id(edge).as_u128()).collect()
}

#[actix_web::test]
async fn staff_pages_through_the_customers_both_ways() {
    let shop = Shop::open().await;
    let (mut seen, mut after) = (Vec::new(), Value::Null);
    loop {
        let variables = json!({"first": 10, "after": after});
        let reply = shop.ask_as("support", CUSTOMERS, variables).await;
        let page = &reply.body["data"]["customers"];
        seen.extend(ids(page));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    assert_eq!(seen, (1..=ROWS).collect::<Vec<_>>());

    let variables = json!({"last": 10, "before": after});
    let reply = shop.ask_as("admin", CUSTOMERS, variables).await;
    let page = &reply.body["data"]["customers"];
    assert_eq!(ids(page), (15..=24).collect::<Vec<_>>(), "{reply:?}");
    assert_eq!(page["pageInfo"]["hasPreviousPage"], true);
    let node = &page["edges"][0]["node"];
    assert_eq!(node["name"], format!("Name of {}", Uuid::from_u128(15)));
    assert_eq!(shop.people.calls(), 4, "a page is one call");
}

#[actix_web::test]
async fn customers_are_searched_and_read_one_by_one() {
    let shop = Shop::open().await;
    let id = Uuid::from_u128(7);
    let query = "query($search: String, $id: ID!) {
        customers(first: 100, search: $search) { edges { node { email } } }
        customer(id: $id) { name email }
        nobody: customer(id: \"nonsense\") { id }
    }";
    let variables = json!({"search": format!(" {id} "), "id": id});
    let reply = shop.ask_as("support", query, variables).await;
    let email = format!("{id}@example.com");
    let expected = json!({
        "customers": {"edges": [{"node": {"email": email}}]},
        "customer": {"name": format!("Name of {id}"), "email": email},
        "nobody": null,
    });
    assert_eq!(reply.body["data"], expected, "{reply:?}");

    let query = "{ customers(first: 1, search: \"a\\u0000b\") { edges { cursor } } }";
    let reply = shop.ask_as("support", query, json!({})).await;
    assert_eq!(reply.code(), "BAD_USER_INPUT", "{reply:?}");
}

#[actix_web::test]
async fn the_audit_log_is_paged_and_filtered() {
    let shop = Shop::open().await;
    let actor = Uuid::from_u128(9);
    let filter = json!({"actorId": actor, "targetId": "x", "action": "user.role-changed"});
    let variables = json!({"first": 20, "filter": filter});
    let reply = shop.ask_as("admin", AUDIT_LOG, variables).await;
    let log = &reply.body["data"]["auditLog"];
    assert_eq!(ids(log), (6..=ROWS).rev().collect::<Vec<_>>(), "{reply:?}");
    let expected = json!({
        "id": Uuid::from_u128(ROWS), "actorKind": "person", "actorId": actor,
        "action": "user.role-changed", "targetKind": "user", "targetId": "x",
        "outcome": "succeeded", "details": {"from": "customer"},
    });
    assert_eq!(log["edges"][0]["node"], expected);
    let after = &log["pageInfo"]["endCursor"];
    let variables = json!({"first": 20, "after": after});
    let reply = shop.ask_as("admin", AUDIT_LOG, variables).await;
    let log = &reply.body["data"]["auditLog"];
    assert_eq!(ids(log), (1..=5).rev().collect::<Vec<_>>());
    assert_eq!(log["pageInfo"]["hasNextPage"], false);

    for (variables, problem) in [
        (
            json!({"first": 1, "filter": {"actorId": "x"}}),
            "validation",
        ),
        (json!({}), "invalid-page-size"),
        (json!({"first": 1, "after": "x"}), "invalid-cursor"),
    ] {
        let reply = shop.ask_as("admin", AUDIT_LOG, variables).await;
        let error = &reply.body["errors"][0]["extensions"];
        assert_eq!(error["problem"], problem, "{reply:?}");
    }
}

#[actix_web::test]
async fn a_cursor_of_one_list_is_none_of_another() {
    let shop = Shop::open().await;
    let reply = shop.ask_as("admin", CUSTOMERS, json!({"first": 1})).await;
    let after = &reply.body["data"]["customers"]["pageInfo"]["endCursor"];
    let variables = json!({"first": 1, "after": after});
    let reply = shop.ask_as("admin", AUDIT_LOG, variables).await;
    let error = &reply.body["errors"][0]["extensions"];
    assert_eq!(error["problem"], "invalid-cursor", "{reply:?}");
}

#[actix_web::test]
async fn only_staff_may_ask() {
    let shop = Shop::open().await;
    for query in STAFF_ONLY {
        let reply = shop.ask_as("customer", query, json!({})).await;
        assert_eq!(reply.code(), "FORBIDDEN", "{query}");
        assert_eq!(shop.query(query).await.code(), "UNAUTHENTICATED");
    }
    let reply = shop.ask_as("support", STAFF_ONLY[2], json!({})).await;
    assert_eq!(reply.code(), "FORBIDDEN", "the log is for admins");
    assert_eq!(shop.people.calls(), 0);
}

#[actix_web::test]
async fn while_nobody_can_tell_who_was_revoked_staff_is_refused_and_customers_are_not() {
    let shop = Shop::open_without_revocations().await;
    for query in STAFF_ONLY {
        let reply = shop.ask_as("admin", query, json!({})).await;
        assert_eq!(reply.code(), "SERVICE_UNAVAILABLE", "{query}: {reply:?}");
    }
    let order = shop.place(1, &shop.product().await).await;
    let query = "query($id: ID!) { order(id: $id) { number customer { name } } }";
    let reply = shop
        .ask_as("admin", query, json!({"id": order["id"]}))
        .await;
    assert_eq!(reply.code(), "SERVICE_UNAVAILABLE", "{reply:?}");
    assert_eq!(reply.body["data"]["order"]["number"], order["number"]);
    let reply = shop.ask(1, query, json!({"id": order["id"]})).await;
    assert!(reply.body.get("errors").is_none(), "{reply:?}");
}

#[actix_web::test]
async fn whose_an_order_is_shows_to_the_customer_and_to_who_may_read_accounts() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let query = "query($id: ID!) { order(id: $id) { number customer { id email } } }";
    let variables = json!({"id": order["id"]});
    let customer = Uuid::from_u128(1);
    let expected = json!({"id": customer, "email": format!("{customer}@example.com")});
    let own = shop.ask(1, query, variables.clone()).await;
    let support = shop.ask_as("support", query, variables.clone()).await;
    for reply in [own, support] {
        assert_eq!(reply.body["data"]["order"]["customer"], expected);
    }
    // An API key of somebody in support that may read orders and nothing else.
    let key = shop
        .tokens
        .with_role(Uuid::from_u128(2), "support", "orders:read orders:read-any");
    let body = json!({"query": query, "variables": variables});
    let reply = Reply::to(shop.post(&body).header("authorization", key)).await;
    assert_eq!(reply.code(), "FORBIDDEN", "{reply:?}");
    assert_eq!(reply.body["data"]["order"]["customer"], Value::Null);
    assert_eq!(reply.body["data"]["order"]["number"], order["number"]);
}

/// Orders of as many customers, asked for together by staff.
async fn orders_of(shop: &Shop, customers: u128) -> String {
    let product = shop.product().await;
    let mut fields = String::new();
    for customer in 1..=customers {
        let order = shop.place(customer, &product).await;
        let id = order["id"].as_str().unwrap();
        fields += &format!("o{customer}: order(id: \"{id}\") {{ customer {{ name email }} }} ");
    }
    format!("{{ {fields} }}")
}

#[actix_web::test]
async fn the_customer_of_a_page_of_any_size_is_one_call() {
    let shop = Shop::open().await;
    let product = shop.product().await;
    for _ in 0..100 {
        shop.place(1, &product).await;
    }
    let query = "query($first: Int) {
        orders(first: $first) { edges { node { customer { name email } } } } }";
    for (before, first) in [1, 10, 100].into_iter().enumerate() {
        let reply = shop.ask(1, query, json!({"first": first})).await;
        let edges = &reply.body["data"]["orders"]["edges"];
        assert_eq!(edges.as_array().unwrap().len(), first, "{reply:?}");
        assert!(edges[first - 1]["node"]["customer"]["name"].is_string());
        assert_eq!(shop.people.calls(), before + 1, "{first} orders");
    }
}

#[actix_web::test]
async fn while_the_directory_is_away_orders_list_without_names_and_then_with_them_again() {
    let shop = Shop::open().await;
    let order = shop.place(1, &shop.product().await).await;
    let query = "{ orders(first: 10) { edges { node { number customer { id name } } } } }";
    shop.people.go_away();
    for _ in 0..10 {
        let reply = shop.ask(1, query, json!({})).await;
        let node = &reply.body["data"]["orders"]["edges"][0]["node"];
        assert_eq!(node["number"], order["number"], "{reply:?}");
        let customer = json!({"id": Uuid::from_u128(1), "name": null});
        assert_eq!(node["customer"], customer);
        let error = &reply.body["errors"][0];
        let path = json!(["orders", "edges", 0, "node", "customer", "name"]);
        assert_eq!(error["path"], path);
        assert_eq!(error["extensions"]["problem"], "unavailable");
    }
    assert_eq!(shop.people.calls(), 3, "then it is left alone");

    shop.people.come_back();
    let reply = shop.ask(1, query, json!({})).await;
    assert_eq!(
        reply.code(),
        "SERVICE_UNAVAILABLE",
        "it is still left alone"
    );
    shop.clock.advance(TimeDelta::seconds(1));
    let reply = shop.ask(1, query, json!({})).await;
    let name = &reply.body["data"]["orders"]["edges"][0]["node"]["customer"]["name"];
    assert_eq!(
        *name,
        format!("Name of {}", Uuid::from_u128(1)),
        "{reply:?}"
    );
    assert!(reply.body.get("errors").is_none());
}

#[actix_web::test]
async fn who_was_named_a_moment_ago_is_named_while_the_directory_is_away() {
    let shop = Shop::open().await;
    let query = orders_of(&shop, 2).await;
    let first = "{ customer(id: \"00000000-0000-0000-0000-000000000001\") { name } }";
    shop.ask_as("support", first, json!({})).await;
    shop.people.go_away();
    let reply = shop.ask_as("support", &query, json!({})).await;
    let data = &reply.body["data"];
    let known = format!("Name of {}", Uuid::from_u128(1));
    assert_eq!(data["o1"]["customer"]["name"], known, "{reply:?}");
    assert_eq!(data["o2"]["customer"]["name"], Value::Null);
    let errors = reply.body["errors"].as_array().unwrap();
    assert!(errors.iter().all(|error| error["path"][0] == "o2"));
    // What is not about somebody who is remembered needs the directory.
    let reply = shop.ask_as("support", STAFF_ONLY[0], json!({})).await;
    assert_eq!(reply.code(), "SERVICE_UNAVAILABLE", "{reply:?}");
}
