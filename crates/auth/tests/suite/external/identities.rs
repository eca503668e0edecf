//! One's own external identities: seen, linked, unlinked.

use chrono::TimeDelta;
use kernel::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Browser, IDENTITIES, access_token, app_and_provider};
use crate::harness::{EMAIL, PASSWORD, TestApp};

async fn token_of(app: &TestApp, email: &str) -> String {
    app.seed(email, Role::Customer).await;
    access_token(&app.log_in(email, PASSWORD).await)
}

async fn identities(app: &TestApp, token: &str) -> Vec<Value> {
    let browser = Browser::new(app);
    let answer = browser
        .send(Method::GET, IDENTITIES, None, Some(token))
        .await;
    let body = answer.expect(200);
    body["external_identities"].as_array().unwrap().clone()
}

async fn unlink(app: &TestApp, token: &str, id: &Value) -> crate::harness::Answer {
    let path = format!("{IDENTITIES}/{}", id.as_str().unwrap());
    Browser::new(app)
        .send(Method::DELETE, &path, None, Some(token))
        .await
}

#[actix_web::test]
async fn an_identity_is_linked_whatever_its_address_and_then_opens_the_account() {
    let (app, provider) = app_and_provider().await;
    provider.behave(|state| state.person = json!({"sub": "person-1"}));
    let token = token_of(&app, EMAIL).await;
    let answer = Browser::new(&app).link(&provider, &token).await;
    let linked = answer.expect(200)["linked"].clone();
    assert_eq!(linked["provider"], "example");
    assert_eq!(identities(&app, &token).await, [linked]);
    assert_eq!(app.mails(EMAIL, 1).await.len(), 1);

    // Again: nothing more happens.
    Browser::new(&app).link(&provider, &token).await.expect(200);
    assert_eq!(identities(&app, &token).await.len(), 1);

    let token = access_token(&Browser::new(&app).log_in(&provider).await);
    let me = app.me(&format!("Bearer {token}")).await.expect(200);
    assert_eq!(me["email"], EMAIL);
    app.finish().await;
}

#[actix_web::test]
async fn an_identity_that_opens_another_account_is_not_moved() {
    let (app, provider) = app_and_provider().await;
    Browser::new(&app).log_in(&provider).await.expect(201);
    let token = token_of(&app, "charles@example.com").await;
    let answer = Browser::new(&app).link(&provider, &token).await;
    answer.expect_problem(409, "external-identity-taken");
    app.finish().await;
}

#[actix_web::test]
async fn the_last_way_to_log_in_stays() {
    let (app, provider) = app_and_provider().await;
    let token = access_token(&Browser::new(&app).log_in(&provider).await);
    let only = identities(&app, &token).await[0]["id"].clone();
    let answer = unlink(&app, &token, &only).await;
    answer.expect_problem(409, "last-credential");

    provider.behave(|state| state.person["sub"] = json!("person-2"));
    Browser::new(&app).link(&provider, &token).await.expect(200);
    unlink(&app, &token, &only).await.expect(204);
    let left = identities(&app, &token).await;
    assert_eq!(left.len(), 1);
    unlink(&app, &token, &left[0]["id"])
        .await
        .expect_problem(409, "last-credential");
    app.finish().await;
}

#[actix_web::test]
async fn an_unlinked_identity_opens_the_account_no_longer() {
    let (app, provider) = app_and_provider().await;
    let token = token_of(&app, EMAIL).await;
    let linked = Browser::new(&app).link(&provider, &token).await.expect(200);
    unlink(&app, &token, &linked["linked"]["id"])
        .await
        .expect(204);
    provider.behave(|state| state.person["email_verified"] = json!(false));
    let answer = Browser::new(&app).log_in(&provider).await;
    answer.expect_problem(403, "external-email-unverified");
    let unlinked = "SELECT COUNT(*) FROM audit_events WHERE action = 'external-identity.unlinked'";
    assert_eq!(app.store.scalar::<i64>(unlinked).await, 1);
    app.finish().await;
}

#[actix_web::test]
async fn another_persons_identity_is_not_found() {
    let (app, provider) = app_and_provider().await;
    let ada = access_token(&Browser::new(&app).log_in(&provider).await);
    let hers = identities(&app, &ada).await[0]["id"].clone();
    let token = token_of(&app, "charles@example.com").await;
    assert!(identities(&app, &token).await.is_empty());
    for id in [hers, json!("nonsense")] {
        let answer = unlink(&app, &token, &id).await;
        answer.expect_problem(404, "external-identity-not-found");
    }
    app.finish().await;
}

#[actix_web::test]
async fn linking_and_unlinking_need_a_recent_proof() {
    let (app, provider) = app_and_provider().await;
    let token = token_of(&app, EMAIL).await;
    let linked = Browser::new(&app).link(&provider, &token).await.expect(200);
    app.clock
        .advance(TimeDelta::minutes(5) + TimeDelta::seconds(1));
    let browser = Browser::new(&app);
    let answer = browser
        .post(IDENTITIES, json!({"provider": "example"}), Some(&token))
        .await;
    answer.expect_problem(401, "step-up-required");
    let answer = unlink(&app, &token, &linked["linked"]["id"]).await;
    answer.expect_problem(401, "step-up-required");
    let answer = browser
        .post(IDENTITIES, json!({"provider": "example"}), None)
        .await;
    answer.expect_problem(401, "unauthenticated");
    app.finish().await;
}

#[actix_web::test]
async fn a_link_that_another_browser_began_is_not_completed() {
    let (app, provider) = app_and_provider().await;
    // The attacker begins to link his own account, and plants the rest with the victim, so that
    // the victim's identity would open it.
    let token = token_of(&app, "mallory@example.com").await;
    let url = Browser::new(&app).begin_link(&token).await;
    let sent = provider.authorize(&url, &app.clock);
    let mut victim = Browser::new(&app);
    victim.begin().await;
    victim
        .complete(&sent)
        .await
        .expect_problem(401, "external-login-failed");
    assert!(identities(&app, &token).await.is_empty());
    app.finish().await;
}
