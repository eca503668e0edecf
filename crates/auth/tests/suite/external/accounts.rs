//! To which account somebody comes who has logged in at a provider.

use kernel::{Clock as _, Role};
use serde_json::json;

use super::{
    Browser, LOGINS, access_token, app_and_provider, app_with, profile, provider::TestProvider,
};
use crate::harness::{EMAIL, NAME, PASSWORD};

#[actix_web::test]
async fn a_new_person_gets_an_account_and_comes_back_to_it() {
    let (app, provider) = app_and_provider().await;
    let first = Browser::new(&app).log_in(&provider).await;
    assert_eq!(first.header("cache-control"), "no-store");
    let account = profile(&app, &first).await;
    assert_eq!(account["email"], EMAIL);
    assert_eq!(account["email_verified"], true);
    assert_eq!(account["name"], NAME);
    assert_eq!(account["roles"], json!(["customer"]));
    // It has no password that could be guessed.
    let passwords = "SELECT COUNT(*) FROM users WHERE password_hash IS NOT NULL";
    assert_eq!(app.store.scalar::<i64>(passwords).await, 0);

    // Recognised by issuer and subject, whatever became of the address.
    provider.behave(|state| {
        state.person["email"] = json!("new@example.com");
        state.person["email_verified"] = json!(false);
    });
    let again = Browser::new(&app).log_in(&provider).await;
    assert_eq!(profile(&app, &again).await["id"], account["id"]);
    let linked = "SELECT COUNT(*) FROM audit_events WHERE action = 'external-identity.linked'";
    assert_eq!(app.store.scalar::<i64>(linked).await, 1);
    app.finish().await;
}

#[actix_web::test]
async fn the_session_says_that_somebody_else_has_vouched() {
    let (app, provider) = app_and_provider().await;
    let token = access_token(&Browser::new(&app).log_in(&provider).await);
    let verified = app.service.verifier().verify(&token).await.unwrap();
    assert_eq!(verified.claims.amr, ["fed"]);
    assert_eq!(verified.claims.acr, "aal1");
    app.finish().await;
}

#[actix_web::test]
async fn a_second_factor_is_asked_for_after_the_provider_too() {
    let (app, provider) = app_and_provider().await;
    let (authenticator, _) = app.seed_with_mfa().await;
    let answer = Browser::new(&app).log_in(&provider).await;
    let challenge = answer.expect(202)["challenge"].clone();
    assert_eq!(app.store.count("sessions").await, 1, "only that of before");
    let code = authenticator.code_at(app.clock.now());
    let challenge = challenge.as_str().unwrap();
    let token = access_token(&app.answer_with_code(challenge, &code).await);
    let verified = app.service.verifier().verify(&token).await.unwrap();
    assert_eq!(verified.claims.amr, ["fed", "otp", "mfa"]);
    assert_eq!(verified.claims.acr, "aal2");
    app.finish().await;
}

#[actix_web::test]
async fn an_unverified_address_makes_no_account_and_opens_none() {
    let (app, provider) = app_and_provider().await;
    for verified in [json!(false), json!(null)] {
        provider.behave(|state| state.person["email_verified"] = verified);
        let answer = Browser::new(&app).log_in(&provider).await;
        answer.expect_problem(403, "external-email-unverified");
    }
    assert_eq!(app.store.count("users").await, 0);

    app.seed(EMAIL, Role::Admin).await;
    let answer = Browser::new(&app).log_in(&provider).await;
    answer.expect_problem(403, "external-email-unverified");
    assert_eq!(app.store.count("external_identities").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_is_linked_by_address_if_both_sides_have_verified_it() {
    let (app, provider) = app_and_provider().await;
    let session = app.seed_and_log_in().await;
    let own = format!("Bearer {}", session["access_token"].as_str().unwrap());
    let own = app.me(&own).await.expect(200);
    let linked = Browser::new(&app).log_in(&provider).await;
    assert_eq!(profile(&app, &linked).await["id"], own["id"]);
    let mails = app.mails(EMAIL, 1).await;
    assert!(mails[0].subject.contains("new way to log in"), "{mails:?}");
    assert!(mails[0].text.contains("with Example"), "{mails:?}");
    // The password goes on working.
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_that_waits_for_its_confirmation_is_not_taken_over() {
    let (app, provider) = app_and_provider().await;
    app.register(EMAIL, PASSWORD).await.expect(202);
    let answer = Browser::new(&app).log_in(&provider).await;
    answer.expect_problem(409, "external-account-exists");
    assert_eq!(app.store.count("external_identities").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn a_disabled_account_stays_closed() {
    let (app, provider) = app_and_provider().await;
    Browser::new(&app).log_in(&provider).await.expect(201);
    let disable = "UPDATE users SET disabled_at = created_at";
    app.store.execute(disable).await;
    let answer = Browser::new(&app).log_in(&provider).await;
    answer.expect_problem(403, "account-disabled");
    app.finish().await;
}

#[actix_web::test]
async fn the_same_subject_of_another_provider_is_another_person() {
    let (first, second) = (TestProvider::start(), TestProvider::start());
    second.behave(|state| state.person["email"] = json!("charles@example.com"));
    let mut other = second.config();
    other.name = "other".to_owned();
    let app = app_with(vec![first.config(), other]).await;
    let ada = Browser::new(&app).log_in(&first).await;

    let mut browser = Browser::new(&app);
    let answer = browser
        .post(LOGINS, json!({"provider": "other"}), None)
        .await;
    let sent = second.authorize(&browser.begun(&answer), &app.clock);
    let charles = browser.complete(&sent).await;
    let (ada, charles) = (profile(&app, &ada).await, profile(&app, &charles).await);
    assert_ne!(ada["id"], charles["id"]);
    assert_eq!(charles["email"], "charles@example.com");
    app.finish().await;
}

#[actix_web::test]
async fn many_first_log_ins_at_once_make_one_account() {
    let (app, provider) = app_and_provider().await;
    let log_ins = (0..6).map(|_| async { Browser::new(&app).log_in(&provider).await });
    for answer in futures_util::future::join_all(log_ins).await {
        answer.expect(201);
    }
    assert_eq!(app.store.count("users").await, 1);
    assert_eq!(app.store.count("external_identities").await, 1);
    app.finish().await;
}

#[actix_web::test]
async fn the_providers_are_listed_and_no_other_is_asked() {
    let (app, provider) = app_and_provider().await;
    let providers = app.get(&format!("{LOGINS}/providers")).await.expect(200);
    let expected = json!({"providers": [{"name": "example", "display_name": "Example"}]});
    assert_eq!(providers, expected);
    let body = json!({"provider": provider.issuer});
    app.post(LOGINS, body)
        .await
        .expect_problem(404, "external-provider-not-found");
    app.finish().await;
}
