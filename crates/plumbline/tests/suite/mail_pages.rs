//! The pages to which the links of mails lead, in a real browser: their scripts do what the links
//! promise, under the policy that the pages carry.

use serde_json::json;

use crate::support::{Browser, System, eventually};

const PASSWORD: &str = "correct horse battery staple";
const NEW_PASSWORD: &str = "the plumb line hangs straight";

async fn register(system: &System, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD, "name": "Ada"});
    let registered = system.auth.post("/auth/v1/users", &body).await;
    let _ = registered.expect_status(202);
    system.mail.token(email).await
}

async fn can_log_in(system: &System, email: &str, password: &str) -> bool {
    let body = json!({"email": email, "password": password});
    system.auth.post("/auth/v1/sessions", &body).await.status == 201
}

/// Opens the page of a mail's link.
async fn open(browser: &mut Browser, system: &System, page: &str, token: &str) {
    let origin = system.auth.base_url();
    browser
        .open(&format!("{origin}/auth/{page}#token={token}"))
        .await;
    browser.wait_for("document.readyState === 'complete'").await;
}

/// Waits for what the page tells in the end.
async fn told(browser: &mut Browser, words: &str) {
    browser
        .wait_for(&format!(
            "document.getElementById('result').textContent.includes('{words}')"
        ))
        .await;
}

/// An answer without a body and one with a problem are complaints, too: those are meant.
fn assert_policy_kept(browser: &Browser) {
    let mut complaints = browser.complaints().iter();
    let violation = complaints.find(|text| text.contains("Content Security Policy"));
    assert_eq!(violation, None);
}

#[tokio::test]
async fn a_button_confirms_an_address() {
    let Some(mut browser) = Browser::start("the page that confirms an address").await else {
        return;
    };
    let system = System::start().await;
    let email = "confirms@plumbline.test";
    let token = register(&system, email).await;
    open(&mut browser, &system, "confirm-email", &token).await;
    assert!(
        !can_log_in(&system, email, PASSWORD).await,
        "not by looking"
    );
    browser
        .evaluate("document.getElementById('confirm').click()")
        .await;
    told(&mut browser, "confirmed").await;
    assert!(can_log_in(&system, email, PASSWORD).await);
    assert_policy_kept(&browser);
    system.stop().await;
}

#[tokio::test]
async fn a_form_replaces_a_forgotten_password() {
    let Some(mut browser) = Browser::start("the page that resets a password").await else {
        return;
    };
    let system = System::start().await;
    let person = system.customer("forgetful").await;
    let former = system.mail.token(&person.email).await;
    let body = json!({"email": person.email});
    let asked = system.auth.post("/auth/v1/password-resets", &body).await;
    let _ = asked.expect_status(202);
    let token = eventually("the mail of the reset", async || {
        let token = system.mail.token(&person.email).await;
        (token != former).then_some(token)
    })
    .await;
    open(&mut browser, &system, "reset-password", &token).await;
    let submit = |password: &str| {
        format!(
            "document.getElementById('password').value = '{password}';
             document.getElementById('form').requestSubmit()"
        )
    };
    browser.evaluate(&submit("short")).await;
    told(&mut browser, "at least 15 characters").await;
    browser.evaluate(&submit(NEW_PASSWORD)).await;
    told(&mut browser, "is changed").await;
    assert!(can_log_in(&system, &person.email, NEW_PASSWORD).await);
    assert_policy_kept(&browser);
    system.stop().await;
}
