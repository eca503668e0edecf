//! What staff does to the accounts of others, and what the rules keep it from.

use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::Role;
use reqwest::Method;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};

use crate::harness::{Answer, EMAIL, PASSWORD, TestApp};

const ADMIN: &str = "root@example.com";
const USERS: &str = "/auth/v1/admin/users";
const AUDIT: &str = "/auth/v1/admin/audit-events";

struct Person {
    id: String,
    token: String,
}

/// Somebody with a role, logged in.
async fn person(app: &TestApp, email: &str, role: Role) -> Person {
    app.seed(email, role).await;
    let session = app.log_in(email, PASSWORD).await.expect(201);
    let token = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let profile = app.me(&token).await.expect(200);
    let id = profile["id"].as_str().unwrap().to_owned();
    Person { id, token }
}

impl Person {
    async fn get(&self, app: &TestApp, path: &str) -> Answer {
        app.send_as(Method::GET, path, &self.token).await
    }

    async fn disable(&self, app: &TestApp, other: &Person) -> Answer {
        let path = format!("{USERS}/{}/disable", other.id);
        app.send_as(Method::POST, &path, &self.token).await
    }

    async fn make(&self, app: &TestApp, other: &Person, role: &str) -> Answer {
        let path = format!("{USERS}/{}/role", other.id);
        let body = json!({ "role": role });
        app.send_json_as(Method::PUT, &path, &self.token, body)
            .await
    }
}

fn emails(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap().iter();
    items.map(|user| user["email"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn accounts_are_found_by_the_beginning_of_address_or_name_page_by_page() {
    let app = TestApp::start().await;
    let admin = person(&app, ADMIN, Role::Admin).await;
    for name in ["ann", "anna", "annabel", "bob"] {
        app.clock.advance(TimeDelta::seconds(1));
        app.seed(&format!("{name}@example.com"), Role::Customer)
            .await;
    }
    let found = admin.get(&app, &format!("{USERS}?search=ANNA")).await;
    assert_eq!(
        emails(&found.expect(200)),
        ["anna@example.com", "annabel@example.com"]
    );
    // All of them are called Ada Lovelace here.
    let named = admin
        .get(&app, &format!("{USERS}?search=ada%20l&first=3"))
        .await;
    let first = named.expect(200);
    assert_eq!(emails(&first).len(), 3);
    let next = first["page"]["next"].as_str().unwrap();
    let path = format!("{USERS}?search=ada%20l&first=3&after={next}");
    let rest = admin.get(&app, &path).await.expect(200);
    assert_eq!(emails(&rest).len(), 2);
    assert_eq!(rest["page"]["next"], Value::Null);
    assert!(!emails(&first).contains(&emails(&rest)[0]));
    for nothing in ["%25", "_nn", "lovelace", "%F4%8F%BF%BF"] {
        let none = admin
            .get(&app, &format!("{USERS}?search={nothing}"))
            .await
            .expect(200);
        assert!(emails(&none).is_empty(), "{nothing}: {none}");
    }
    app.finish().await;
}

#[actix_web::test]
async fn whoever_is_disabled_is_out_at_once_and_back_when_enabled() {
    let app = TestApp::start().await;
    let admin = person(&app, ADMIN, Role::Admin).await;
    let ada = person(&app, EMAIL, Role::Customer).await;
    admin.disable(&app, &ada).await.expect(204);
    app.me(&ada.token)
        .await
        .expect_problem(401, "invalid-token");
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(403, "account-disabled");
    let seen = admin.get(&app, &format!("{USERS}/{}", ada.id)).await;
    assert!(seen.expect(200)["disabled_at"].is_string());

    let path = format!("{USERS}/{}/enable", ada.id);
    app.send_as(Method::POST, &path, &admin.token)
        .await
        .expect(204);
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn a_new_role_holds_from_the_next_log_in_and_the_old_tokens_end() {
    let app = TestApp::start().await;
    let admin = person(&app, ADMIN, Role::Admin).await;
    let ada = person(&app, EMAIL, Role::Support).await;
    ada.get(&app, USERS).await.expect(200);
    admin.make(&app, &ada, "customer").await.expect(204);
    ada.get(&app, USERS)
        .await
        .expect_problem(401, "invalid-token");
    let ada = person(&app, EMAIL, Role::Support).await;
    ada.get(&app, USERS).await.expect_problem(403, "forbidden");
    for role in ["service", "root", ""] {
        let answer = admin.make(&app, &ada, role).await;
        answer.expect_problem(422, "validation");
    }
    app.finish().await;
}

#[actix_web::test]
async fn nobody_changes_their_own_role_and_the_attempt_is_recorded() {
    let app = TestApp::start().await;
    let admin = person(&app, ADMIN, Role::Admin).await;
    for role in ["customer", "support", "admin"] {
        let answer = admin.make(&app, &admin, role).await;
        answer.expect_problem(403, "own-account");
        app.clock.advance(TimeDelta::seconds(1));
    }
    let answer = admin.disable(&app, &admin).await;
    answer.expect_problem(403, "own-account");
    let support = person(&app, EMAIL, Role::Support).await;
    let answer = support.make(&app, &support, "admin").await;
    answer.expect_problem(403, "forbidden");

    let log = admin
        .get(&app, &format!("{AUDIT}?target={}", admin.id))
        .await;
    let log = log.expect(200);
    let events = log["items"].as_array().unwrap();
    let refused = events.iter().filter(|event| event["outcome"] == "refused");
    let actions: Vec<_> = refused.map(|event| event["action"].clone()).collect();
    let change = "user.role-changed";
    assert_eq!(actions, ["user.disabled", change, change, change]);
    app.finish().await;
}

#[actix_web::test]
async fn staff_ends_somebodys_sessions() {
    let app = TestApp::start().await;
    let support = person(&app, ADMIN, Role::Support).await;
    let ada = person(&app, EMAIL, Role::Customer).await;
    let path = format!("{USERS}/{}/sessions", ada.id);
    app.send_as(Method::DELETE, &path, &support.token)
        .await
        .expect(204);
    app.me(&ada.token)
        .await
        .expect_problem(401, "invalid-token");
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.finish().await;
}

/// Twenty admins in a circle, each of whom takes the next one's role or account at the same moment.
#[actix_web::test]
async fn however_many_admins_remove_each_other_one_stays() {
    const ADMINS: usize = 20;
    let app = TestApp::start().await;
    let mut admins = Vec::new();
    for number in 0..ADMINS {
        admins.push(person(&app, &format!("admin{number}@example.com"), Role::Admin).await);
    }
    let removals = admins.iter().enumerate().map(async |(number, admin)| {
        let next = &admins[(number + 1) % ADMINS];
        if number % 2 == 0 {
            admin.make(&app, next, "customer").await
        } else {
            admin.disable(&app, next).await
        }
    });
    for answer in join_all(removals).await {
        // Refused: the last one, and whoever was removed before the request arrived.
        assert!(
            [204, 401, 409].contains(&answer.status),
            "{}",
            answer.text()
        );
    }
    let left = "SELECT COUNT(*) FROM users WHERE role = 'admin' AND disabled_at IS NULL";
    assert!(app.store.scalar::<i64>(left).await >= 1);
    app.finish().await;
}

#[actix_web::test]
async fn the_audit_log_is_read_newest_first_page_by_page_and_by_what_is_looked_for() {
    let app = TestApp::start().await;
    let admin = person(&app, ADMIN, Role::Admin).await;
    let ada = person(&app, EMAIL, Role::Customer).await;
    for role in ["support", "customer", "support"] {
        admin.make(&app, &ada, role).await.expect(204);
        app.clock.advance(TimeDelta::seconds(1));
    }
    let path = format!(
        "{AUDIT}?actor={}&action=user.role-changed&first=2",
        admin.id
    );
    let first = admin.get(&app, &path).await.expect(200);
    let next = first["page"]["next"].as_str().unwrap();
    let rest = admin
        .get(&app, &format!("{path}&after={next}"))
        .await
        .expect(200);
    let roles = |page: &Value| -> Vec<Value> {
        let items = page["items"].as_array().unwrap().iter();
        items.map(|event| event["details"]["to"].clone()).collect()
    };
    assert_eq!(roles(&first), ["support", "customer"]);
    assert_eq!(roles(&rest), ["support"]);
    assert_eq!(rest["page"]["next"], Value::Null);
    let event = &first["items"][0];
    assert_eq!(event["actor"], json!({"kind": "person", "id": admin.id}));
    assert_eq!(event["target"], json!({"kind": "user", "id": ada.id}));
    assert_eq!(event["ip"], "127.0.0.1");
    assert!(event["request_id"].is_string());
    app.finish().await;
}

#[actix_web::test]
async fn nobody_can_change_what_the_audit_log_says() {
    let app = TestApp::start().await;
    app.seed_and_log_in().await;
    let before = app.store.count("audit_events").await;
    assert!(before > 0);
    for change in [
        "UPDATE audit_events SET outcome = 'refused'",
        "DELETE FROM audit_events",
    ] {
        let writer = app.store.database.writer();
        let refused = writer.execute_unprepared(change).await.unwrap_err();
        assert!(refused.to_string().contains("insert-only"), "{refused}");
    }
    assert_eq!(app.store.count("audit_events").await, before);
    app.finish().await;
}
