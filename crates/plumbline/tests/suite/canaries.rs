//! Secrets stay where they belong: a whole journey, whose secrets are then looked for in the log, in
//! the audit log and in the outbox (ASVS 5.0, 16.2.5).

use kernel::{Clock as _, SystemClock};
use reqwest::Method;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::{Value, json};
use testkit::{http::send, statement::own};
use totp_rs::{Builder, Secret};

use crate::support::{Recorder, Session, System};

const EMAIL: &str = "canary@plumbline.test";
const PASSWORD: &str = "canary in a deep coal mine";
const WRONG_PASSWORD: &str = "canary that nobody has chosen";

/// What was written about events, as text, on both databases.
const WRITTEN: [&str; 2] = [
    "SELECT CAST(details AS TEXT) AS text FROM audit_events",
    "SELECT body AS text FROM outbox",
];

#[tokio::test]
async fn no_secret_of_a_journey_is_logged_or_kept_in_the_clear() {
    let recorder = Recorder::start();
    let system = System::start().await;
    let mut secrets = vec![
        ("the password", PASSWORD.to_owned()),
        ("a wrong password", WRONG_PASSWORD.to_owned()),
    ];
    secrets.extend(of_a_person(&system).await);
    secrets.extend(of_a_second_factor(&system).await);
    secrets.extend(of_a_program(&system).await);
    system.at_rest().await;

    let log = recorder.log();
    assert!(log.contains("/auth/v1/sessions"), "the log was recorded");
    let written = written(&system).await;
    assert!(!written.is_empty());
    for (name, secret) in secrets {
        assert!(secret.len() >= 20, "{name} could stand anywhere by chance");
        assert!(!log.contains(&secret), "{name} is in the log");
        for row in &written {
            assert!(!row.contains(&secret), "{name} is in {row}");
        }
    }
    system.stop().await;
}

/// Registers, logs in, refreshes, and uses a token twice, as a thief does.
async fn of_a_person(system: &System) -> Vec<(&'static str, String)> {
    let auth = &system.auth;
    let registration = json!({"email": EMAIL, "password": PASSWORD, "name": "Canary"});
    let _ = auth
        .post("/auth/v1/users", &registration)
        .await
        .expect_status(202);
    let mail_token = system.mail.token(EMAIL).await;
    let body = json!({ "token": mail_token });
    let confirmed = auth.post("/auth/v1/email-verifications/confirm", &body);
    let _ = confirmed.await.expect_status(204);
    let wrong = json!({"email": EMAIL, "password": WRONG_PASSWORD});
    let _ = auth
        .post("/auth/v1/sessions", &wrong)
        .await
        .expect_status(401);

    let first = system.log_in(EMAIL, PASSWORD).await;
    let second = refresh(system, &first).await;
    let third = refresh(system, &second).await;
    let stolen = json!({"refresh_token": first.refresh_token});
    let refused = auth.post("/auth/v1/tokens/refresh", &stolen).await;
    let _ = refused.expect_problem(401, "refresh-reused");
    let mut secrets = vec![("a mail's token", mail_token)];
    for session in [first, second, third] {
        secrets.push(("an access token", session.access_token));
        secrets.push(("a refresh token", session.refresh_token));
    }
    secrets
}

async fn refresh(system: &System, session: &Session) -> Session {
    let body = json!({"refresh_token": session.refresh_token});
    let answer = system.auth.post("/auth/v1/tokens/refresh", &body).await;
    Session::of(&answer.expect_status(200))
}

/// Sets an authenticator app up, logs in with a recovery code, and steps up with another.
async fn of_a_second_factor(system: &System) -> Vec<(&'static str, String)> {
    let auth = &system.auth;
    let session = system.log_in(EMAIL, PASSWORD).await;
    let caller = auth.with_bearer(&session.access_token);
    let enrolled = caller.post("/auth/v1/me/mfa/totp", &json!({})).await;
    let enrolled: Value = enrolled.expect_status(201).json();
    let key = enrolled["secret"].as_str().unwrap().to_owned();
    let code = json!({"code": totp(&key)});
    let confirmed = caller.post("/auth/v1/me/mfa/totp/confirm", &code).await;
    let confirmed: Value = confirmed.expect_status(200).json();
    let recovery_codes = confirmed["recovery_codes"].as_array().unwrap();

    let log_in = json!({"email": EMAIL, "password": PASSWORD});
    let begun = auth.post("/auth/v1/sessions", &log_in).await;
    let begun: Value = begun.expect_status(202).json();
    let challenge = begun["challenge"].as_str().unwrap().to_owned();
    let answer = json!({"challenge": challenge, "recovery_code": recovery_codes[0]});
    let answered = auth.post("/auth/v1/sessions/mfa", &answer).await;
    let _ = answered.expect_status(201);
    let proof = json!({"password": PASSWORD, "recovery_code": recovery_codes[1]});
    let stepped_up = caller.post("/auth/v1/step-up", &proof).await;
    let _ = stepped_up.expect_status(200);

    let mut secrets = vec![("an app's key", key), ("a challenge", challenge)];
    for code in recovery_codes {
        let code = code.as_str().unwrap();
        secrets.push(("a recovery code", code.to_owned()));
        secrets.push(("a recovery code without hyphens", code.replace('-', "")));
    }
    secrets
}

/// What an authenticator app shows now.
fn totp(key: &str) -> String {
    let secret = Secret::try_from_base32(key).unwrap();
    let totp = Builder::new().with_secret(secret).build().unwrap();
    let now = SystemClock.now().timestamp();
    totp.generate(now.try_into().unwrap()).to_string()
}

async fn of_a_program(system: &System) -> Vec<(&'static str, String)> {
    let admin = system.admin().await;
    let auth = system.auth.with_bearer(&admin.access_token);
    let body = json!({"name": "canary", "audience": "plumbline", "scopes": ["users:look-up"]});
    let account = auth.post("/auth/v1/admin/service-accounts", &body).await;
    let account: Value = account.expect_status(201).json();
    let secret = account["client_secret"].as_str().unwrap().to_owned();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", "canary"),
        ("client_secret", &secret),
    ];
    let request = system.auth.request(Method::POST, "/auth/oauth2/token");
    let token: Value = send(request.form(&form)).await.expect_status(200).json();
    let token = token["access_token"].as_str().unwrap().to_owned();
    vec![
        ("an admin's token", admin.access_token),
        ("a program's secret", secret),
        ("a program's token", token),
    ]
}

async fn written(system: &System) -> Vec<String> {
    let database = system.auth_database().await;
    let mut written = Vec::new();
    for sql in WRITTEN {
        let statement = Statement::from_string(database.backend(), own(sql));
        for row in database.reader().query_all_raw(statement).await.unwrap() {
            written.push(row.try_get("", "text").unwrap());
        }
    }
    database.close().await.unwrap();
    written
}
