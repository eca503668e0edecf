use chrono::{DateTime, TimeDelta, Utc};
use kernel::{Clock as _, Permission, Role};
use reqwest::Method;
use serde_json::{Value, json};
use user_directory::{AUDIENCE, Directory, DirectoryError};
use uuid::Uuid;

use crate::harness::{Answer, EMAIL, GATEWAY, GATEWAY_SECRET, TestApp};

const PATH: &str = "/auth/v1/me/api-keys";

fn key_until(expires_at: DateTime<Utc>) -> Value {
    json!({"name": "stock report", "scopes": ["profile:read"], "expires_at": expires_at})
}

fn body(app: &TestApp) -> Value {
    key_until(app.clock.now() + TimeDelta::days(30))
}

async fn create(app: &TestApp, token: &str, body: Value) -> (String, String) {
    let created = app
        .call(Method::POST, PATH, token, Some(body))
        .await
        .expect(201);
    let text = |member: &str| created[member].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

async fn me(app: &TestApp, key: &str) -> Answer {
    app.me(&format!("Bearer {key}")).await
}

#[actix_web::test]
async fn a_key_is_shown_once_works_within_its_scopes_and_ends_when_it_is_revoked() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    let (id, key) = create(&app, &token, body(&app)).await;
    assert!(key.starts_with("plk_"), "{key}");
    assert_eq!(me(&app, &key).await.expect(200)["email"], EMAIL);

    let listed = app.call(Method::GET, PATH, &token, None).await;
    assert!(!listed.text().contains(&key));
    let listed = listed.expect(200)["items"][0].clone();
    assert_eq!(
        (&listed["id"], &listed["scopes"]),
        (&json!(id), &json!(["profile:read"]))
    );

    let one = format!("{PATH}/{id}");
    app.call(Method::DELETE, &one, &token, None)
        .await
        .expect(204);
    me(&app, &key).await.expect_problem(401, "invalid-token");
    let again = app.call(Method::DELETE, &one, &token, None).await;
    again.expect_problem(404, "api-key-not-found");
    let listed = app.call(Method::GET, PATH, &token, None).await.expect(200);
    assert_eq!(listed["items"], json!([]));

    let audited = "SELECT COUNT(*) FROM audit_events WHERE target_kind = 'api_key'";
    assert_eq!(app.store.scalar::<i64>(audited).await, 2);
    let stored: String = app
        .store
        .scalar(
            "SELECT CAST(details AS TEXT) FROM audit_events \
        WHERE action = 'api-key.created'",
        )
        .await;
    assert!(!stored.contains(&key[40..60]), "never a secret");
    app.finish().await;
}

#[actix_web::test]
async fn a_key_has_what_its_owner_may_hand_on_and_nothing_else_can_be_set() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    let with = |field: &str, value: Value| {
        let mut body = body(&app);
        body[field] = value;
        body
    };
    let now = app.clock.now();
    for (body, field) in [
        (with("scopes", json!([])), "scopes"),
        (with("scopes", json!(["plumbline"])), "scopes"),
        (with("scopes", json!(["root"])), "scopes"),
        (with("scopes", json!(["orders:read-any"])), "scopes"),
        (with("scopes", json!(["users:look-up"])), "scopes"),
        (with("scopes", json!(["api-keys:manage"])), "scopes"),
        (with("scopes", json!(["sessions:manage"])), "scopes"),
        (with("scopes", json!(["credentials:manage"])), "scopes"),
        (
            with("scopes", json!(["profile:read profile:write"])),
            "scopes",
        ),
        (with("expires_at", json!(now)), "expires_at"),
        (
            with("expires_at", json!(now - TimeDelta::days(1))),
            "expires_at",
        ),
        (
            with("expires_at", json!(now + TimeDelta::days(366))),
            "expires_at",
        ),
        (with("expires_at", json!("never")), "expires_at"),
        (with("expires_at", json!(null)), "expires_at"),
        (with("name", json!("")), "name"),
        (with("id", json!(Uuid::nil())), "id"),
        (with("user_id", json!(Uuid::nil())), "user_id"),
        (with("key", json!("plk_mine")), "key"),
        (with("role", json!("admin")), "role"),
    ] {
        let answer = app.call(Method::POST, PATH, &token, Some(body)).await;
        let problem = answer.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    assert_eq!(app.store.count("api_keys").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn a_key_can_not_raise_itself_nor_act_as_its_owner() {
    let app = TestApp::start().await;
    let token = app.token_of("admin@example.com", Role::Admin).await;
    let mut all = body(&app);
    let delegable = Permission::ALL.iter().filter(|one| one.is_delegable());
    let names: Vec<_> = delegable.map(|permission| permission.as_str()).collect();
    all["scopes"] = json!(names);
    let (id, key) = create(&app, &token, all).await;
    let one = format!("{PATH}/{id}");
    for (method, path) in [
        (Method::GET, PATH),
        (Method::POST, PATH),
        (Method::DELETE, &one),
        (Method::GET, "/auth/v1/sessions"),
        (Method::DELETE, "/auth/v1/sessions"),
        (Method::GET, "/auth/v1/admin/service-accounts"),
        (Method::POST, "/auth/v1/admin/service-accounts"),
    ] {
        let body = (method == Method::POST).then(|| body(&app));
        let answer = app.call(method.clone(), path, &key, body).await;
        assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
    }
    app.finish().await;
}

#[actix_web::test]
async fn a_new_key_needs_a_recent_log_in() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    app.clock.advance(TimeDelta::seconds(301));
    let answer = app.call(Method::POST, PATH, &token, Some(body(&app))).await;
    answer.expect_problem(401, "step-up-required");
    app.finish().await;
}

#[actix_web::test]
async fn the_keys_of_others_are_nobodys() {
    let app = TestApp::start().await;
    let ada = app.token_of(EMAIL, Role::Customer).await;
    let eve = app.token_of("eve@example.com", Role::Admin).await;
    let (id, key) = create(&app, &ada, body(&app)).await;
    let answer = app
        .call(Method::DELETE, &format!("{PATH}/{id}"), &eve, None)
        .await;
    answer.expect_problem(404, "api-key-not-found");
    let listed = app.call(Method::GET, PATH, &eve, None).await.expect(200);
    assert_eq!(listed["items"], json!([]));
    me(&app, &key).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn typos_forgeries_and_other_schemes_are_refused() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    let (_, key) = create(&app, &token, body(&app)).await;
    let (_, other) = create(&app, &token, body(&app)).await;
    // The id of one with the secret of another, and a checksum that is right.
    let mixed = contracts::ApiKey::new(
        contracts::ApiKey::parse(&key).unwrap().id(),
        *contracts::ApiKey::parse(&other).unwrap().secret(),
    );
    let unknown = contracts::ApiKey::new(Uuid::nil().into(), [0; 32]);
    let typo = format!("{}0", &key[..key.len() - 1]);
    let typo = if typo == key {
        format!("{}1", &key[..key.len() - 1])
    } else {
        typo
    };
    for forged in [
        mixed.expose(),
        unknown.expose(),
        typo,
        key.to_uppercase(),
        "plk_".to_owned(),
    ] {
        me(&app, &forged).await.expect_problem(401, "invalid-token");
    }
    let basic = app.me(&format!("Basic {key}")).await;
    basic.expect_problem(401, "unauthenticated");
    app.finish().await;
}

#[actix_web::test]
async fn a_key_ends_on_time() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    let soon = key_until(app.clock.now() + TimeDelta::seconds(20));
    let (_, key) = create(&app, &token, soon).await;
    me(&app, &key).await.expect(200);
    app.clock.advance(TimeDelta::seconds(20));
    me(&app, &key).await.expect_problem(401, "invalid-token");
    app.finish().await;
}

#[actix_web::test]
async fn a_key_follows_its_owner_within_half_a_minute() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Support).await;
    let mut wide = body(&app);
    wide["scopes"] = json!(["orders:read-any", "profile:read"]);
    let (_, key) = create(&app, &token, wide).await;
    let actor = async || {
        let verified = app.service.verifier().verify(&key).await;
        verified.map(|token| token.actor.clone())
    };
    assert!(actor().await.unwrap().may(Permission::ReadAnyOrder));
    app.store
        .execute("UPDATE users SET role = 'customer'")
        .await;
    app.clock.advance(TimeDelta::seconds(30));
    let narrowed = actor().await.unwrap();
    assert!(!narrowed.may(Permission::ReadAnyOrder));
    assert!(narrowed.may(Permission::ReadOwnProfile));
    for column in ["disabled_at", "deleted_at"] {
        app.store
            .execute(&format!("UPDATE users SET {column} = created_at"))
            .await;
        app.clock.advance(TimeDelta::seconds(30));
        me(&app, &key).await.expect_problem(401, "invalid-token");
        app.store
            .execute(&format!("UPDATE users SET {column} = NULL"))
            .await;
        app.clock.advance(TimeDelta::seconds(30));
        me(&app, &key).await.expect(200);
    }
    app.finish().await;
}

#[actix_web::test]
async fn the_last_use_is_shown_to_the_minute() {
    let app = TestApp::start().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    let (_, key) = create(&app, &token, body(&app)).await;
    let last_use = async || {
        let listed = app.call(Method::GET, PATH, &token, None).await.expect(200);
        listed["items"][0]["last_used_at"]
            .as_str()
            .map(|time| time.parse::<DateTime<Utc>>().unwrap())
    };
    assert_eq!(last_use().await, None);
    me(&app, &key).await.expect(200);
    let first = last_use().await.unwrap();
    assert_eq!(first, app.clock.now());
    app.clock.advance(TimeDelta::seconds(59));
    me(&app, &key).await.expect(200);
    assert_eq!(last_use().await, Some(first), "not a write a request");
    app.clock.advance(TimeDelta::seconds(31));
    me(&app, &key).await.expect(200);
    assert_eq!(last_use().await, Some(app.clock.now()));
    app.finish().await;
}

#[actix_web::test]
async fn other_services_resolve_keys_over_grpc_if_they_may() {
    let app = TestApp::start().await;
    let admin = app.admin_token().await;
    let token = app.token_of(EMAIL, Role::Customer).await;
    let (id, key) = create(&app, &token, body(&app)).await;
    let key = contracts::ApiKey::parse(&key).unwrap();
    let scope = ["api-keys:resolve"];
    let program = app
        .create_program(&admin, "resolver", AUDIENCE, &scope)
        .await;
    let tokens = app.service.service_tokens(&program.0, &program.1);
    let directory = Directory::in_process(app.service.directory(), tokens);
    let resolved = directory.resolve_api_key(&key).await.unwrap().unwrap();
    assert_eq!(resolved.id.to_string(), id);
    assert_eq!(resolved.role, Role::Customer);
    assert!(resolved.scopes.iter().eq([&Permission::ReadOwnProfile]));
    let unknown = contracts::ApiKey::new(key.id(), [0; 32]);
    assert_eq!(directory.resolve_api_key(&unknown).await.unwrap(), None);

    let tokens = app.service.service_tokens(GATEWAY, GATEWAY_SECRET);
    let unscoped = Directory::in_process(app.service.directory(), tokens);
    let refused = unscoped.resolve_api_key(&key).await.unwrap_err();
    assert!(
        matches!(&refused, DirectoryError::Status(status)
        if status.code() == tonic::Code::PermissionDenied),
        "{refused:?}"
    );
    app.finish().await;
}
