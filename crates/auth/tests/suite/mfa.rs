//! Setting up the second factor, and taking it away.

use chrono::TimeDelta;
use kernel::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{EMAIL, PASSWORD, TestApp, strings};

const TOTP: &str = "/auth/v1/me/mfa/totp";
const RECOVERY_CODES: &str = "/auth/v1/me/mfa/recovery-codes";

async fn status(app: &TestApp, token: &str) -> Value {
    let path = "/auth/v1/me/mfa";
    app.call(Method::GET, path, token, None).await.expect(200)
}

async fn log_in(app: &TestApp) -> String {
    let session = app.seed_and_log_in().await;
    session["access_token"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn no_log_in_asks_for_a_code_before_the_app_has_shown_one() {
    let app = TestApp::start().await;
    let token = log_in(&app).await;
    let authenticator = app.enrol(&token).await;
    assert_eq!(status(&app, &token).await["enabled"], false);
    app.log_in(EMAIL, PASSWORD).await.expect(201);

    let now = app.clock.now();
    app.confirm_totp(&token, &authenticator.wrong_code(now))
        .await
        .expect_problem(401, "invalid-second-factor");
    app.log_in(EMAIL, PASSWORD).await.expect(201);

    let code = authenticator.code_at(now);
    let answer = app.confirm_totp(&token, &code).await;
    let codes = strings(&answer.expect(200)["recovery_codes"]);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(codes.len(), 10);
    let status = status(&app, &token).await;
    assert_eq!(status["enabled"], true);
    assert!(status["enabled_at"].is_string());
    assert_eq!(status["recovery_codes_left"], 10);
    app.log_in(EMAIL, PASSWORD).await.expect(202);

    let answer = app.call(Method::POST, TOTP, &token, None).await;
    answer.expect_problem(409, "mfa-already-enabled");
    app.confirm_totp(&token, &code)
        .await
        .expect_problem(409, "mfa-already-enabled");
    app.told("Two-step log-in is on").await;
    app.finish().await;
}

#[actix_web::test]
async fn the_app_reads_the_key_in_three_forms() {
    let app = TestApp::start().await;
    let token = log_in(&app).await;
    let answer = app.call(Method::POST, TOTP, &token, None).await;
    let enrolment = answer.expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    let secret = enrolment["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32, "160 bits");
    assert_eq!(
        enrolment["otpauth_uri"],
        format!("otpauth://totp/Plumbline:ada%40example.com?secret={secret}&issuer=Plumbline")
    );
    let svg = enrolment["qr_svg"].as_str().unwrap();
    assert!(svg.starts_with("<svg role=\"img\""), "{svg}");
    assert!(svg.contains("<title>QR code"), "{svg}");
    app.finish().await;
}

#[actix_web::test]
async fn another_enrolment_replaces_the_one_that_was_not_confirmed() {
    let app = TestApp::start().await;
    let token = log_in(&app).await;
    app.confirm_totp(&token, "000000")
        .await
        .expect_problem(409, "mfa-not-enabled");
    let [first, second] = [app.enrol(&token).await, app.enrol(&token).await];
    let now = app.clock.now();
    app.confirm_totp(&token, &first.code_at(now))
        .await
        .expect_problem(401, "invalid-second-factor");
    app.confirm_totp(&token, &second.code_at(now))
        .await
        .expect(200);
    app.finish().await;
}

#[actix_web::test]
async fn the_code_that_confirms_an_app_does_not_log_in() {
    let app = TestApp::start().await;
    let token = log_in(&app).await;
    let authenticator = app.enrol(&token).await;
    let code = authenticator.code_at(app.clock.now());
    app.confirm_totp(&token, &code).await.expect(200);
    app.answer_with_code(&app.challenge().await, &code)
        .await
        .expect_problem(401, "invalid-second-factor");
    app.finish().await;
}

#[actix_web::test]
async fn switched_off_it_is_asked_for_no_more_and_nothing_is_kept() {
    let app = TestApp::start().await;
    let (authenticator, token) = app.seed_with_mfa().await;
    let pending = app.challenge().await;
    let off = async || app.call(Method::DELETE, TOTP, &token, None).await;
    off().await.expect(204);
    off().await.expect_problem(409, "mfa-not-enabled");
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    let code = authenticator.code_at(app.clock.now());
    app.answer_with_code(&pending, &code)
        .await
        .expect_problem(401, "invalid-challenge");
    for table in ["totp_credentials", "recovery_codes", "mfa_challenges"] {
        assert_eq!(app.store.count(table).await, 0, "{table}");
    }
    app.told("Two-step log-in is off").await;
    app.finish().await;
}

#[actix_web::test]
async fn new_recovery_codes_end_the_old_ones() {
    let app = TestApp::start().await;
    let (authenticator, token) = app.seed_with_mfa().await;
    let answer = app.call(Method::POST, RECOVERY_CODES, &token, None).await;
    let renewed = strings(&answer.expect(200)["recovery_codes"]);
    assert_eq!(renewed.len(), 10);
    let challenge = app.challenge().await;
    app.answer_with_recovery_code(&challenge, &authenticator.recovery_codes[0])
        .await
        .expect_problem(401, "invalid-second-factor");
    app.answer_with_recovery_code(&challenge, &renewed[0])
        .await
        .expect(201);
    assert_eq!(status(&app, &token).await["recovery_codes_left"], 9);
    app.told("You have new recovery codes").await;
    app.told("One of your recovery codes was used").await;
    app.finish().await;
}

#[actix_web::test]
async fn every_change_ends_the_other_sessions() {
    let app = TestApp::start().await;
    let token = log_in(&app).await;
    let mut authenticator = app.enrol(&token).await;
    for change in ["on", "new recovery codes", "off"] {
        let other = match change {
            "on" => app.log_in(EMAIL, PASSWORD).await.expect(201),
            _ => {
                app.clock.advance(TimeDelta::seconds(30));
                let code = authenticator.code_at(app.clock.now());
                let answer = app.answer_with_code(&app.challenge().await, &code).await;
                answer.expect(201)
            }
        };
        match change {
            "on" => authenticator = app.enable_mfa(&token).await,
            "off" => {
                let answer = app.call(Method::DELETE, TOTP, &token, None).await;
                answer.expect(204);
            }
            _ => {
                let answer = app.call(Method::POST, RECOVERY_CODES, &token, None).await;
                answer.expect(200);
            }
        }
        let others_token = other["access_token"].as_str().unwrap();
        app.me(&format!("Bearer {others_token}"))
            .await
            .expect_problem(401, "invalid-token");
        app.refresh(other["refresh_token"].as_str().unwrap())
            .await
            .expect_problem(401, "refresh-invalid");
        app.me(&format!("Bearer {token}")).await.expect(200);
    }
    app.finish().await;
}

#[actix_web::test]
async fn without_a_second_factor_there_are_no_recovery_codes() {
    let app = TestApp::start().await;
    let token = log_in(&app).await;
    app.enrol(&token).await;
    for (method, path) in [(Method::POST, RECOVERY_CODES), (Method::DELETE, TOTP)] {
        let answer = app.call(method, path, &token, None).await;
        answer.expect_problem(409, "mfa-not-enabled");
    }
    assert_eq!(status(&app, &token).await["recovery_codes_left"], 0);
    app.finish().await;
}

#[actix_web::test]
async fn the_database_shows_neither_the_key_nor_a_code_nor_a_challenge() {
    let app = TestApp::start().await;
    let token = log_in(&app).await;
    let enrolment = app.call(Method::POST, TOTP, &token, None).await.expect(201);
    let sealed: String = app
        .store
        .scalar("SELECT secret FROM totp_credentials")
        .await;
    assert!(sealed.starts_with("v1.test"), "{sealed}");
    assert!(!sealed.contains(enrolment["secret"].as_str().unwrap()));

    app.call(Method::DELETE, TOTP, &token, None)
        .await
        .expect_problem(409, "mfa-not-enabled");
    let authenticator = app.enable_mfa(&token).await;
    let challenge = app.challenge().await;
    for (column, table) in [
        ("code_hash", "recovery_codes"),
        ("token_hash", "mfa_challenges"),
    ] {
        let hash: Vec<u8> = app
            .store
            .scalar(&format!("SELECT {column} FROM {table}"))
            .await;
        assert_eq!(hash.len(), 32, "SHA-256 in {table}");
    }
    let code = &authenticator.recovery_codes[0];
    app.answer_with_recovery_code(&challenge, code)
        .await
        .expect(201);
    for column in ["audit_events.details", "outbox.body"] {
        let (table, column) = column.split_once('.').unwrap();
        for secret in [code, &challenge, &code.replace('-', "")] {
            let query = format!(
                "SELECT COUNT(*) FROM {table} WHERE CAST({column} AS TEXT) LIKE '%{secret}%'"
            );
            assert_eq!(app.store.scalar::<i64>(&query).await, 0, "{table}.{column}");
        }
    }
    app.finish().await;
}

#[actix_web::test]
async fn whoever_moves_a_sealed_key_to_another_account_can_not_use_it() {
    let app = TestApp::start().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let thief = "thief@example.com";
    app.seed(thief, kernel::Role::Customer).await;
    app.store
        .execute(
            "INSERT INTO totp_credentials (user_id, secret, confirmed_at, created_at) \
             SELECT users.id, secret, confirmed_at, totp_credentials.created_at \
             FROM users, totp_credentials WHERE email = 'thief@example.com'",
        )
        .await;
    let challenge = app.log_in(thief, PASSWORD).await.expect(202);
    let challenge = challenge["challenge"].as_str().unwrap();
    let code = authenticator.code_at(app.clock.now());
    app.answer_with_code(challenge, &code)
        .await
        .expect_problem(500, "internal");
    app.finish().await;
}

#[actix_web::test]
async fn changes_need_a_proof_within_five_minutes_and_a_caller() {
    let app = TestApp::start().await;
    let (_, token) = app.seed_with_mfa().await;
    app.clock.advance(TimeDelta::minutes(5));
    for (method, path, body) in [
        (Method::POST, TOTP, None),
        (Method::DELETE, TOTP, None),
        (Method::POST, RECOVERY_CODES, None),
        (
            Method::POST,
            "/auth/v1/me/mfa/totp/confirm",
            Some(json!({"code": "000000"})),
        ),
    ] {
        let answer = app.call(method.clone(), path, &token, body.clone()).await;
        answer.expect_problem(401, "step-up-required");
        let answer = app.send(method, path, body).await;
        answer.expect_problem(401, "unauthenticated");
    }
    status(&app, &token).await;
    app.finish().await;
}
