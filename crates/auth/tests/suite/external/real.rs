//! Against a real provider. It tells the address at its userinfo endpoint, signs with RS256 and
//! sends `iss` (RFC 9207).

use auth::{ExternalLoginConfig, ExternalProviderConfig};
use reqwest::Url;
use testkit::oidc_provider::{CLIENT_ID, CLIENT_SECRET, OidcProvider};

use super::{
    Browser, profile,
    provider::{NAME, Sent},
};
use crate::harness::{Options, TestApp, listen};

/// The provider, and an app that knows it. `None` where Node.js is missing.
async fn start(test: &str) -> Option<(TestApp, OidcProvider)> {
    let listener = listen();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let redirect_uri = format!("{origin}/auth/v1/external-logins/callback");
    let provider = OidcProvider::start(test, &redirect_uri).await.unwrap()?;
    let config = ExternalProviderConfig {
        name: NAME.to_owned(),
        display_name: "Example".to_owned(),
        issuer: provider.issuer().to_owned(),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Some(CLIENT_SECRET.into()),
        scopes: vec!["email".to_owned(), "profile".to_owned()],
        allow_private_network: true,
    };
    let app = TestApp::start_with(Options {
        external_login: ExternalLoginConfig {
            providers: vec![config],
            ..ExternalLoginConfig::default()
        },
        listener: Some(listener),
        ..Options::default()
    })
    .await;
    Some((app, provider))
}

async fn authorize(provider: &OidcProvider, authorization_url: Url, login: &str) -> Sent {
    let callback = provider.authorize(authorization_url.as_str(), login).await;
    let parameter = |name: &str| {
        let mut pairs = callback.query_pairs();
        let pair = pairs.find(|(key, _)| key == name);
        pair.map(|(_, value)| value.into_owned())
    };
    Sent {
        state: parameter("state").unwrap(),
        code: parameter("code").unwrap(),
        iss: parameter("iss"),
    }
}

#[actix_web::test]
async fn a_person_logs_in_at_a_real_provider_and_comes_back() {
    let Some((app, provider)) = start("log-in at a real provider").await else {
        return;
    };
    let mut browser = Browser::new(&app);
    let sent = authorize(&provider, browser.begin().await, "ada").await;
    assert!(sent.iss.is_some(), "the provider names itself (RFC 9207)");
    let account = profile(&app, &browser.complete(&sent).await).await;
    assert_eq!(account["email"], "ada@example.com");
    assert_eq!(account["name"], "Person ada");

    let mut elsewhere = Browser::new(&app);
    let again = authorize(&provider, elsewhere.begin().await, "ada").await;
    let mut without_issuer = authorize(&provider, elsewhere.begin().await, "ada").await;
    without_issuer.iss = None;
    let answer = elsewhere.complete(&again).await;
    assert_eq!(profile(&app, &answer).await["id"], account["id"]);
    let answer = elsewhere.complete(&without_issuer).await;
    answer.expect_problem(401, "external-login-failed");
    app.finish().await;
}

#[actix_web::test]
async fn a_real_providers_unverified_address_and_used_code_are_refused() {
    let Some((app, provider)) = start("refusals at a real provider").await else {
        return;
    };
    let mut browser = Browser::new(&app);
    let sent = authorize(&provider, browser.begin().await, "unverified-eve").await;
    let answer = browser.complete(&sent).await;
    answer.expect_problem(403, "external-email-unverified");

    let mut replayed = authorize(&provider, browser.begin().await, "ada").await;
    replayed.code = sent.code;
    let answer = browser.complete(&replayed).await;
    answer.expect_problem(401, "external-login-failed");
    app.finish().await;
}
