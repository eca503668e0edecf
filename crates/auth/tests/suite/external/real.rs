//! Against npm `oidc-provider`, which the OpenID Foundation has certified, through its own pages.
//! It tells the address at its userinfo endpoint, signs with RS256 and sends `iss` (RFC 9207).

use std::{collections::HashMap, path::Path, process::Command, time::Duration};

use auth::{ExternalLoginConfig, ExternalProviderConfig};
use reqwest::{
    Client, Method, Response, Url,
    header::{COOKIE, LOCATION, SET_COOKIE},
    redirect,
};
use serde_json::json;
use testkit::process::ServerProcess;

use super::{
    Browser, profile,
    provider::{NAME, Sent},
};
use crate::harness::{Options, TestApp, listen};

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/oidc-provider/provider.mjs"
);
const START_PATIENCE: Duration = Duration::from_secs(30);
const MAX_STEPS: usize = 12;

/// The provider, and an app that knows it. `None` where Node.js is missing.
async fn start(test: &str) -> Option<(TestApp, ServerProcess)> {
    let modules = testkit::environment::node_modules(test)?;
    let listener = listen();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("provider.log");
    let mut node = Command::new("node");
    let settings = json!({
        "modules": modules, "client_id": "plumbline", "client_secret": "secret",
        "redirect_uri": format!("{origin}/auth/v1/external-logins/callback"),
    });
    node.arg(SCRIPT).arg(settings.to_string());
    let mut process = ServerProcess::new("oidc-provider", node, log.clone());
    let is_ready = async || issuer(&log).is_some();
    process.start(START_PATIENCE, is_ready).await.unwrap();

    let provider = ExternalProviderConfig {
        name: NAME.to_owned(),
        display_name: "Example".to_owned(),
        issuer: issuer(&log).unwrap(),
        client_id: "plumbline".to_owned(),
        client_secret: Some("secret".into()),
        scopes: vec!["email".to_owned(), "profile".to_owned()],
        allow_private_network: true,
    };
    let app = TestApp::start_with(Options {
        external_login: ExternalLoginConfig {
            providers: vec![provider],
            ..ExternalLoginConfig::default()
        },
        listener: Some(listener),
        ..Options::default()
    })
    .await;
    Some((app, process))
}

/// What the script prints when it listens.
fn issuer(log: &Path) -> Option<String> {
    let printed = std::fs::read_to_string(log).ok()?;
    printed
        .lines()
        .find(|line| line.starts_with("http://"))
        .map(str::to_owned)
}

/// Goes through the provider's pages as a person would, until it sends the browser back.
async fn authorize(authorization_url: Url, login: &str) -> Sent {
    let mut browsing = Browsing::default();
    let mut response = browsing.open(Method::GET, authorization_url, &[]).await;
    for _ in 0..MAX_STEPS {
        response = match target(&response) {
            Some(target) if target.path().ends_with("/callback") => return sent(&target),
            Some(target) => browsing.open(Method::GET, target, &[]).await,
            None => {
                let page = response.url().clone();
                let html = response.text().await.unwrap();
                browsing
                    .open(Method::POST, page, &submit(&html, login))
                    .await
            }
        };
    }
    panic!("the provider does not send the browser back");
}

/// A browser as far as the provider needs one: it keeps cookies and follows nothing by itself.
#[derive(Default)]
struct Browsing {
    cookies: HashMap<String, String>,
}

impl Browsing {
    async fn open(&mut self, method: Method, url: Url, form: &[(&str, &str)]) -> Response {
        let client = Client::builder().redirect(redirect::Policy::none());
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = client.build().unwrap().request(method, url);
        let request = request.header(COOKIE, cookies.join("; ")).form(form);
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        response
    }
}

fn target(response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().unwrap();
    Some(response.url().join(location).unwrap())
}

/// The page asks for a login name and any password, then for consent.
fn submit<'a>(html: &str, login: &'a str) -> Vec<(&'static str, &'a str)> {
    if html.contains("value=\"login\"") {
        return vec![("prompt", "login"), ("login", login), ("password", "any")];
    }
    assert!(html.contains("value=\"consent\""), "{html}");
    vec![("prompt", "consent")]
}

fn sent(callback: &Url) -> Sent {
    let parameter = |name: &str| {
        let mut pairs = callback.query_pairs();
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    Sent {
        state: parameter("state").unwrap(),
        code: parameter("code").unwrap(),
        iss: parameter("iss"),
    }
}

#[actix_web::test]
async fn a_person_logs_in_at_a_real_provider_and_comes_back() {
    let Some((app, mut provider)) = start("log-in at a real provider").await else {
        return;
    };
    let mut browser = Browser::new(&app);
    let sent = authorize(browser.begin().await, "ada").await;
    assert!(sent.iss.is_some(), "the provider names itself (RFC 9207)");
    let account = profile(&app, &browser.complete(&sent).await).await;
    assert_eq!(account["email"], "ada@example.com");
    assert_eq!(account["name"], "Person ada");

    let mut elsewhere = Browser::new(&app);
    let again = authorize(elsewhere.begin().await, "ada").await;
    let mut without_issuer = authorize(elsewhere.begin().await, "ada").await;
    without_issuer.iss = None;
    let answer = elsewhere.complete(&again).await;
    assert_eq!(profile(&app, &answer).await["id"], account["id"]);
    let answer = elsewhere.complete(&without_issuer).await;
    answer.expect_problem(401, "external-login-failed");
    provider.stop().await.unwrap();
    app.finish().await;
}

#[actix_web::test]
async fn a_real_providers_unverified_address_and_used_code_are_refused() {
    let Some((app, mut provider)) = start("refusals at a real provider").await else {
        return;
    };
    let mut browser = Browser::new(&app);
    let sent = authorize(browser.begin().await, "unverified-eve").await;
    let answer = browser.complete(&sent).await;
    answer.expect_problem(403, "external-email-unverified");

    let mut replayed = authorize(browser.begin().await, "ada").await;
    replayed.code = sent.code;
    let answer = browser.complete(&replayed).await;
    answer.expect_problem(401, "external-login-failed");
    provider.stop().await.unwrap();
    app.finish().await;
}
