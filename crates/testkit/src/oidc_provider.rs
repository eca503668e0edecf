//! npm `oidc-provider`, which the OpenID Foundation has certified, and a person who goes through
//! its pages. Every login name is somebody there: `ada` has the address `ada@example.com`, and
//! `unverified-ada` one that the provider has not verified.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response, Url, redirect};
use serde_json::json;
use tempfile::TempDir;

use crate::environment;
use crate::process::{ProcessError, ServerProcess};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/oidc-provider.mjs");
const START_PATIENCE: Duration = Duration::from_secs(30);
/// Pages and redirects from the authorization request to the callback.
const MAX_STEPS: usize = 12;

pub const CLIENT_ID: &str = "plumbline";
pub const CLIENT_SECRET: &str = "secret";

/// A running provider that knows one client.
#[derive(Debug)]
pub struct OidcProvider {
    issuer: String,
    _process: ServerProcess,
    _folder: TempDir,
}

impl OidcProvider {
    /// Starts one that sends people back to `redirect_uri`. `None`, said on standard error, where
    /// Node.js or its packages are missing.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(test: &str, redirect_uri: &str) -> Result<Option<Self>, ProcessError> {
        let Some(modules) = environment::node_modules(test) else {
            return Ok(None);
        };
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        let log = folder.path().join("provider.log");
        let settings = json!({
            "modules": modules, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET,
            "redirect_uri": redirect_uri,
        });
        let mut node = Command::new("node");
        node.arg(SCRIPT).arg(settings.to_string());
        let mut process = ServerProcess::new("oidc-provider", node, log.clone());
        let is_ready = async || issuer(&log).is_some();
        process.start(START_PATIENCE, is_ready).await?;
        Ok(issuer(&log).map(|issuer| Self {
            issuer,
            _process: process,
            _folder: folder,
        }))
    }

    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Logs in as a person would and agrees to everything. Returns the callback to which the
    /// provider sends the browser back, without opening it.
    pub async fn authorize(&self, authorization_url: &str, login: &str) -> Url {
        let mut tab = Tab::default();
        let url = Url::parse(authorization_url);
        let url = url.unwrap_or_else(|error| panic!("{authorization_url}: {error}"));
        let mut response = tab.open(Method::GET, url, &[]).await;
        for _ in 0..MAX_STEPS {
            response = match target(&response) {
                Some(target) if !target.as_str().starts_with(&self.issuer) => return target,
                Some(target) => tab.open(Method::GET, target, &[]).await,
                None => {
                    let page = response.url().clone();
                    let html = response.text().await;
                    let html = html.unwrap_or_else(|error| panic!("no page: {error}"));
                    tab.open(Method::POST, page, &submit(&html, login)).await
                }
            };
        }
        panic!("the provider does not send the browser back");
    }
}

/// What the script prints when it listens.
fn issuer(log: &Path) -> Option<String> {
    let printed = std::fs::read_to_string(log).ok()?;
    let mut lines = printed.lines();
    lines
        .find(|line| line.starts_with("http://"))
        .map(str::to_owned)
}

/// A browser as far as the provider needs one: it keeps cookies and follows nothing by itself.
#[derive(Default)]
struct Tab {
    cookies: HashMap<String, String>,
}

impl Tab {
    async fn open(&mut self, method: Method, url: Url, form: &[(&str, &str)]) -> Response {
        let pairs = self.cookies.iter();
        let cookies: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .build();
        let client = client.unwrap_or_else(|error| panic!("no HTTP client: {error}"));
        let request = client
            .request(method, url)
            .header(COOKIE, cookies.join("; "));
        let response = request.form(form).send().await;
        let response = response.unwrap_or_else(|error| panic!("no answer: {error}"));
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap_or_default();
            let pair = cookie.split(';').next().unwrap_or_default();
            if let Some((name, value)) = pair.split_once('=') {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }
}

fn target(response: &Response) -> Option<Url> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    response.url().join(location).ok()
}

/// The page asks for a login name and any password, then for consent.
fn submit<'a>(html: &str, login: &'a str) -> Vec<(&'static str, &'a str)> {
    if html.contains("value=\"login\"") {
        return vec![("prompt", "login"), ("login", login), ("password", "any")];
    }
    assert!(html.contains("value=\"consent\""), "{html}");
    vec![("prompt", "consent")]
}
