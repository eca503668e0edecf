//! What is dangerous asks for a recent proof of identity (RFC 9470), and this is how one gives it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use kernel::{Clock as _, Role};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, EMAIL, PASSWORD, TestApp};

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn access_token(answer: &Value) -> &str {
    answer["access_token"].as_str().unwrap()
}

/// Something that asks for a recent proof.
async fn something_dangerous(app: &TestApp, access_token: &str) -> Answer {
    let path = "/auth/v1/me/mfa/totp";
    app.call(Method::POST, path, access_token, None).await
}

#[actix_web::test]
async fn five_minutes_after_a_log_in_the_dangerous_asks_for_a_new_proof() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let token = access_token(&session);
    app.clock
        .advance(TimeDelta::minutes(5) - TimeDelta::seconds(1));
    something_dangerous(&app, token).await.expect(201);
    app.clock.advance(TimeDelta::seconds(2));
    let answer = something_dangerous(&app, token).await;
    answer.expect_problem(401, "step-up-required");
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer error=\"insufficient_user_authentication\", max_age=300"
    );

    let answer = app.step_up(token, json!({"password": PASSWORD})).await;
    let stepped_up = answer.expect(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(stepped_up["token_type"], "Bearer");
    assert_eq!(stepped_up["expires_in"], 600);
    assert_eq!(stepped_up["session_id"], session["session_id"]);
    assert!(stepped_up.get("refresh_token").is_none());
    something_dangerous(&app, access_token(&stepped_up))
        .await
        .expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn a_refresh_is_no_proof_and_does_not_undo_one() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    app.clock.advance(TimeDelta::minutes(6));
    let refresh_token = session["refresh_token"].as_str().unwrap();
    let refreshed = app.refresh(refresh_token).await.expect(200);
    let token = access_token(&refreshed);
    let at_log_in = &claims(access_token(&session))["auth_time"];
    assert_eq!(&claims(token)["auth_time"], at_log_in);
    something_dangerous(&app, token)
        .await
        .expect_problem(401, "step-up-required");

    app.step_up(token, json!({"password": PASSWORD}))
        .await
        .expect(200);
    let refresh_token = refreshed["refresh_token"].as_str().unwrap();
    let refreshed = app.refresh(refresh_token).await.expect(200);
    let token = access_token(&refreshed);
    assert_eq!(claims(token)["auth_time"], app.clock.now().timestamp());
    something_dangerous(&app, token).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_with_a_second_factor_proves_both() {
    let app = TestApp::start().await;
    let (authenticator, token) = app.seed_with_mfa().await;
    let code = authenticator.code_at(app.clock.now());
    let answer = app.step_up(&token, json!({"password": PASSWORD})).await;
    let problem = answer.expect_problem(422, "validation");
    assert_eq!(problem["errors"][0]["field"], "code");
    // A wrong password uses no code up.
    for password in [json!("wrong"), json!(""), Value::Null] {
        let proof = json!({"password": password, "code": code});
        let answer = app.step_up(&token, proof).await;
        answer.expect_problem(401, "invalid-credentials");
    }
    let wrong = authenticator.wrong_code(app.clock.now());
    let proof = json!({"password": PASSWORD, "code": wrong});
    let answer = app.step_up(&token, proof).await;
    answer.expect_problem(401, "invalid-second-factor");

    let proof = json!({"password": PASSWORD, "code": code});
    let stepped_up = app.step_up(&token, proof.clone()).await.expect(200);
    let claims = claims(access_token(&stepped_up));
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(claims["acr"], "aal2");
    let answer = app.step_up(&token, proof).await;
    answer.expect_problem(401, "invalid-second-factor");
    let proof = json!({"password": PASSWORD, "recovery_code": authenticator.recovery_codes[0]});
    app.step_up(&token, proof).await.expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_without_a_password_proves_what_it_has() {
    let app = TestApp::start().await;
    let (authenticator, token) = app.seed_with_mfa().await;
    app.store
        .execute("UPDATE users SET password_hash = NULL")
        .await;
    let code = authenticator.code_at(app.clock.now());
    app.step_up(&token, json!({"password": PASSWORD, "code": code}))
        .await
        .expect_problem(401, "invalid-credentials");
    app.step_up(&token, json!({"code": code})).await.expect(200);

    app.store.execute("DELETE FROM totp_credentials").await;
    app.step_up(&token, json!({}))
        .await
        .expect_problem(401, "invalid-credentials");
    app.step_up(&token, json!({"code": code}))
        .await
        .expect_problem(409, "mfa-not-enabled");
    app.finish().await;
}

#[actix_web::test]
async fn programs_have_nothing_to_prove() {
    let app = TestApp::start().await;
    let proof = json!({"password": PASSWORD});
    app.post("/auth/v1/step-up", proof.clone())
        .await
        .expect_problem(401, "unauthenticated");
    app.seed(EMAIL, Role::Service).await;
    let session = app.log_in(EMAIL, PASSWORD).await.expect(201);
    let answer = app.step_up(access_token(&session), proof.clone()).await;
    answer.expect_problem(403, "forbidden");

    let owner = app.token_of("owner@example.com", Role::Customer).await;
    let expires_at = app.clock.now() + TimeDelta::days(1);
    let key = json!({"name": "x", "scopes": ["profile:read"], "expires_at": expires_at});
    let path = "/auth/v1/me/api-keys";
    let key = app.call(Method::POST, path, &owner, Some(key)).await;
    let key = key.expect(201)["key"].as_str().unwrap().to_owned();
    app.step_up(&key, proof)
        .await
        .expect_problem(403, "forbidden");
    app.finish().await;
}

#[actix_web::test]
async fn a_session_that_has_ended_can_not_be_stepped_up() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let proof = json!({"password": PASSWORD});
    for arrange in [
        "UPDATE sessions SET revoked_at = created_at",
        "UPDATE users SET disabled_at = created_at",
    ] {
        app.store.execute(arrange).await;
        let answer = app.step_up(access_token(&session), proof.clone()).await;
        answer.expect_problem(401, "invalid-token");
    }
    app.finish().await;
}

#[actix_web::test]
async fn nobody_sets_their_own_assurance() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    for field in ["amr", "acr", "auth_time", "roles", "scope", "session_id"] {
        let mut proof = json!({"password": PASSWORD});
        proof[field] = json!("aal3");
        let answer = app.step_up(access_token(&session), proof).await;
        let problem = answer.expect_problem(422, "validation");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    app.finish().await;
}
