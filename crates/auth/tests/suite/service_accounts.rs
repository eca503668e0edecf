use kernel::Role;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{EMAIL, TestApp};

const PATH: &str = "/auth/v1/admin/service-accounts";

fn warehouse() -> Value {
    json!({"name": "warehouse", "audience": "plumbline:user-directory", "scopes": ["users:look-up"]})
}

#[actix_web::test]
async fn an_admin_creates_lists_and_disables_a_service_account() {
    let app = TestApp::start().await;
    let admin = app.admin_token().await;
    let answer = app
        .call(Method::POST, PATH, &admin, Some(warehouse()))
        .await;
    let created = answer.expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let secret = created["client_secret"].as_str().unwrap();
    app.service_token(("warehouse", secret)).await;

    let listed = app.call(Method::GET, PATH, &admin, None).await;
    assert!(!listed.text().contains(secret), "the secret is shown once");
    let listed = listed.expect(200);
    let names: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["client_id"])
        .collect();
    assert_eq!(names, ["gateway", "warehouse"]);

    let one = format!("{PATH}/{}", created["id"].as_str().unwrap());
    for _ in 0..2 {
        app.call(Method::DELETE, &one, &admin, None)
            .await
            .expect(204);
    }
    app.ask_for_token(("warehouse", secret), &[])
        .await
        .expect(401);
    let listed = app.call(Method::GET, PATH, &admin, None).await.expect(200);
    assert!(listed["items"][1]["disabled_at"].is_string());
    // The name stays taken.
    let again = app
        .call(Method::POST, PATH, &admin, Some(warehouse()))
        .await;
    again.expect_problem(409, "service-account-exists");

    let actions = "SELECT COUNT(*) FROM audit_events WHERE actor_kind = 'person' \
                   AND target_kind = 'service_account' AND action IN \
                   ('service-account.created', 'service-account.disabled')";
    assert_eq!(
        app.store.scalar::<i64>(actions).await,
        2,
        "what changed nothing is not audited"
    );
    app.finish().await;
}

#[actix_web::test]
async fn only_admins_manage_service_accounts() {
    let app = TestApp::start().await;
    let customer = app.token_of(EMAIL, Role::Customer).await;
    let support = app.token_of("support@example.com", Role::Support).await;
    let one = format!("{PATH}/{}", Uuid::nil());
    for (method, path) in [
        (Method::GET, PATH),
        (Method::POST, PATH),
        (Method::DELETE, &one),
    ] {
        let body = (method == Method::POST).then(warehouse);
        for token in [&customer, &support] {
            let answer = app.call(method.clone(), path, token, body.clone()).await;
            answer.expect_problem(403, "forbidden");
        }
        let answer = app.send(method, path, body).await;
        answer.expect_problem(401, "unauthenticated");
    }
    assert_eq!(app.store.count("service_accounts").await, 1);
    app.finish().await;
}

#[actix_web::test]
async fn a_new_secret_needs_a_recent_log_in() {
    let app = TestApp::start().await;
    let admin = app.admin_token().await;
    app.clock.advance(chrono::TimeDelta::seconds(301));
    let answer = app
        .call(Method::POST, PATH, &admin, Some(warehouse()))
        .await;
    answer.expect_problem(401, "step-up-required");
    app.call(Method::GET, PATH, &admin, None).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_has_what_programs_can_have_and_nothing_else_can_be_set() {
    let app = TestApp::start().await;
    let admin = app.admin_token().await;
    let with = |field: &str, value: Value| {
        let mut body = warehouse();
        body[field] = value;
        body
    };
    for (body, field) in [
        (with("scopes", json!(["users:read"])), "scopes"),
        (with("scopes", json!(["plumbline"])), "scopes"),
        (
            with("scopes", json!(["users:look-up users:read"])),
            "scopes",
        ),
        (with("scopes", json!([])), "scopes"),
        (with("name", json!("Warehouse")), "name"),
        (with("name", json!("a:b")), "name"),
        (with("audience", json!("a b")), "audience"),
        (with("id", json!(Uuid::nil())), "id"),
        (with("secret_hash", json!("00")), "secret_hash"),
        (with("client_secret", json!("mine")), "client_secret"),
        (with("roles", json!(["admin"])), "roles"),
        (with("disabled_at", json!(null)), "disabled_at"),
    ] {
        let answer = app.call(Method::POST, PATH, &admin, Some(body)).await;
        let problem = answer.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    for id in [
        Uuid::nil().to_string(),
        "gateway".to_owned(),
        "%00".to_owned(),
    ] {
        let answer = app
            .call(Method::DELETE, &format!("{PATH}/{id}"), &admin, None)
            .await;
        answer.expect_problem(404, "service-account-not-found");
    }
    app.finish().await;
}
