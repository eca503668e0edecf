//! Log-in at an external provider: against a hostile one of our own, and against a real one.

mod accounts;
mod hostile;
mod identities;
mod network;
mod provider;
mod real;

use auth::{ExternalLoginConfig, ExternalProviderConfig};
use reqwest::{Method, Url};
use serde_json::{Value, json};

use crate::harness::{Answer, Options, TestApp};
use provider::{NAME, Sent, TestProvider};

const LOGINS: &str = "/auth/v1/external-logins";
const COMPLETE: &str = "/auth/v1/external-logins/complete";
const IDENTITIES: &str = "/auth/v1/me/external-identities";

/// An app that lets people log in at these providers.
async fn app_with(providers: Vec<ExternalProviderConfig>) -> TestApp {
    TestApp::start_with(Options {
        external_login: ExternalLoginConfig {
            providers,
            ..ExternalLoginConfig::default()
        },
        ..Options::default()
    })
    .await
}

async fn app_and_provider() -> (TestApp, TestProvider) {
    let provider = TestProvider::start();
    (app_with(vec![provider.config()]).await, provider)
}

/// Somebody's browser: it keeps the cookie that binds a log-in to it.
struct Browser<'a> {
    app: &'a TestApp,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn new(app: &'a TestApp) -> Self {
        Self { app, cookie: None }
    }

    async fn begin(&mut self) -> Url {
        let answer = self.post(LOGINS, json!({"provider": NAME}), None).await;
        self.begun(&answer)
    }

    async fn begin_link(&mut self, access_token: &str) -> Url {
        let body = json!({"provider": NAME});
        let answer = self.post(IDENTITIES, body, Some(access_token)).await;
        self.begun(&answer)
    }

    fn begun(&mut self, answer: &Answer) -> Url {
        let body = answer.expect(201);
        let cookie = answer.header("set-cookie").to_owned();
        self.cookie = Some(cookie.split(';').next().unwrap().to_owned());
        body["authorization_url"].as_str().unwrap().parse().unwrap()
    }

    async fn complete(&self, sent: &Sent) -> Answer {
        self.post(COMPLETE, sent.body(), None).await
    }

    /// A whole log-in.
    async fn log_in(&mut self, provider: &TestProvider) -> Answer {
        let url = self.begin().await;
        let sent = provider.authorize(&url, &self.app.clock);
        self.complete(&sent).await
    }

    async fn link(&mut self, provider: &TestProvider, access_token: &str) -> Answer {
        let url = self.begin_link(access_token).await;
        let sent = provider.authorize(&url, &self.app.clock);
        self.complete(&sent).await
    }

    async fn post(&self, path: &str, body: Value, access_token: Option<&str>) -> Answer {
        self.send(Method::POST, path, Some(body), access_token)
            .await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        access_token: Option<&str>,
    ) -> Answer {
        let url = format!("{}{path}", self.app.origin);
        let mut request = reqwest::Client::new().request(method, url);
        if let Some(body) = body {
            request = request.json(&body);
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(access_token) = access_token {
            request = request.bearer_auth(access_token);
        }
        Answer::read(request.send().await.unwrap()).await
    }
}

/// The account that an answer's access token opens.
async fn profile(app: &TestApp, answer: &Answer) -> Value {
    let token = access_token(answer);
    app.me(&format!("Bearer {token}")).await.expect(200)
}

fn access_token(answer: &Answer) -> String {
    let body = answer.expect(201);
    body["access_token"].as_str().unwrap().to_owned()
}
