//! Passkeys, from a real Chromium with a virtual authenticator.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Method;
use serde_json::{Value, json};
use testkit::http::{Response, send};

use crate::support::{Browser, Customer, System};

const PASSKEYS: &str = "/auth/v1/me/passkeys";
const LOG_IN: &str = "/auth/v1/sessions/passkey";

#[tokio::test]
async fn a_passkey_logs_in_alone_and_once_deleted_no_more() {
    let Some((system, mut browser, ada)) = start("passkeys in a browser").await else {
        return;
    };
    let elsewhere = ada.log_in_again(&system).await;
    let passkey = add_passkey(&mut browser, &ada).await;
    let ended = elsewhere.get("/auth/v1/me").await;
    refused(ended, 401, "invalid-token");
    assert_eq!(passkey["name"], "My telephone");
    let listed: Value = ada.auth.get(PASSKEYS).await.expect_status(200).json();
    assert_eq!(listed["items"][0]["id"], passkey["id"]);

    let (ceremony, credential) = ask_to_log_in(&mut browser, &system).await;
    let session: Value = log_in(&system, &ceremony, &credential)
        .await
        .expect_status(201)
        .json();
    let claims = claims(session["access_token"].as_str().unwrap());
    assert_eq!(claims["acr"], "aal2", "two factors in one");
    assert!(claims["amr"].to_string().contains("swk"), "{claims}");
    let me = system
        .auth
        .with_bearer(session["access_token"].as_str().unwrap());
    let me: Value = me.get("/auth/v1/me").await.expect_status(200).json();
    assert_eq!(me["email"], ada.email.as_str());

    let one = format!("{PASSKEYS}/{}", passkey["id"].as_str().unwrap());
    let bob = system.customer("bob").await;
    refused(delete(&bob, &one).await, 404, "passkey-not-found");
    let _ = delete(&ada, &one).await.expect_status(204);
    let (ceremony, credential) = ask_to_log_in(&mut browser, &system).await;
    refused(
        log_in(&system, &ceremony, &credential).await,
        401,
        "passkey-refused",
    );
    system.stop().await;
}

#[tokio::test]
async fn an_answer_counts_once_for_its_own_challenge_and_its_own_purpose() {
    let Some((system, mut browser, ada)) = start("passkey attacks in a browser").await else {
        return;
    };
    let bob = system.customer("bob").await;
    let (ceremony, credential) = ask_to_register(&mut browser, &ada).await;
    // The ticket of one person is worth nothing to another.
    refused(
        add(&bob, &ceremony, &credential).await,
        401,
        "invalid-challenge",
    );
    let (ceremony, credential) = ask_to_register(&mut browser, &ada).await;
    let _ = add(&ada, &ceremony, &credential).await.expect_status(201);
    refused(
        add(&ada, &ceremony, &credential).await,
        401,
        "invalid-challenge",
    );

    let (ceremony, credential) = ask_to_log_in(&mut browser, &system).await;
    let (other_ceremony, _) = ask_to_log_in(&mut browser, &system).await;
    refused(
        log_in(&system, &other_ceremony, &credential).await,
        401,
        "passkey-refused",
    );
    let mut of_bob = credential.clone();
    let bobs_handle = URL_SAFE_NO_PAD.encode(bob.user_id().await.as_bytes());
    of_bob["response"]["userHandle"] = bobs_handle.into();
    let (spare, _) = ask_to_log_in(&mut browser, &system).await;
    refused(
        log_in(&system, &spare, &of_bob).await,
        401,
        "passkey-refused",
    );
    let mut forged = credential.clone();
    forged["response"]["signature"] = "AAAA".into();
    let (spare, _) = ask_to_log_in(&mut browser, &system).await;
    refused(
        log_in(&system, &spare, &forged).await,
        401,
        "passkey-refused",
    );

    let _ = log_in(&system, &ceremony, &credential)
        .await
        .expect_status(201);
    refused(
        log_in(&system, &ceremony, &credential).await,
        401,
        "invalid-challenge",
    );
    system.stop().await;
}

/// Passkeys belong to the public URL, which the browser must be able to open: that is so where all
/// is one process.
async fn start(test: &str) -> Option<(System, Browser, Customer)> {
    if System::is_distributed() {
        return None;
    }
    let mut browser = Browser::start(test).await?;
    let system = System::start().await;
    let page = system.auth.base_url().replace("127.0.0.1", "localhost");
    browser.open(&format!("{page}/")).await;
    browser.wait_for("document.readyState === 'complete'").await;
    browser.plug_in_authenticator().await;
    let ada = system.customer("ada").await;
    Some((system, browser, ada))
}

async fn add_passkey(browser: &mut Browser, customer: &Customer) -> Value {
    let (ceremony, credential) = ask_to_register(browser, customer).await;
    let added = add(customer, &ceremony, &credential).await;
    added.expect_status(201).json()
}

/// The ticket, and what the authenticator answers.
async fn ask_to_register(browser: &mut Browser, customer: &Customer) -> (Value, Value) {
    let path = format!("{PASSKEYS}/options");
    let asked = customer.auth.post(&path, &json!({})).await;
    let asked: Value = asked.expect_status(200).json();
    let options = &asked["options"]["publicKey"];
    let promise = format!(
        "navigator.credentials.create({{
            publicKey: PublicKeyCredential.parseCreationOptionsFromJSON({options}),
        }}).then((credential) => credential.toJSON())"
    );
    (asked["ceremony"].clone(), browser.resolve(&promise).await)
}

async fn add(customer: &Customer, ceremony: &Value, credential: &Value) -> Response {
    let body = json!({
        "ceremony": ceremony, "name": "My telephone", "credential": credential,
    });
    customer.auth.post(PASSKEYS, &body).await
}

async fn ask_to_log_in(browser: &mut Browser, system: &System) -> (Value, Value) {
    let path = format!("{LOG_IN}/options");
    let asked = system.auth.post(&path, &json!({})).await;
    let asked: Value = asked.expect_status(200).json();
    let options = &asked["options"]["publicKey"];
    let promise = format!(
        "navigator.credentials.get({{
            publicKey: PublicKeyCredential.parseRequestOptionsFromJSON({options}),
        }}).then((credential) => credential.toJSON())"
    );
    (asked["ceremony"].clone(), browser.resolve(&promise).await)
}

async fn log_in(system: &System, ceremony: &Value, credential: &Value) -> Response {
    let body = json!({"ceremony": ceremony, "credential": credential});
    system.auth.post(LOG_IN, &body).await
}

async fn delete(customer: &Customer, path: &str) -> Response {
    send(customer.auth.request(Method::DELETE, path)).await
}

fn refused(answer: Response, status: u16, code: &str) {
    let _ = answer.expect_problem(status, code);
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
