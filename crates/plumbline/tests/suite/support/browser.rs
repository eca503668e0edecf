//! A real Chromium, driven over the DevTools protocol
//! (<https://chromedevtools.github.io/devtools-protocol/>).

use std::{fs, path::Path, process::Command};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{environment, http::Client, process::ServerProcess};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::patience::{PATIENCE, eventually};

/// One tab, and what it did since it was opened.
pub struct Browser {
    devtools: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next_id: u64,
    /// Addresses that it asked for, those of WebSockets included.
    requests: Vec<String>,
    /// Errors of scripts, of loading, and violations of the Content-Security-Policy.
    complaints: Vec<String>,
    _chromium: ServerProcess,
    _profile: TempDir,
}

impl Browser {
    /// Starts the Chromium of the environment; without one says so and returns `None`.
    pub async fn start(test: &str) -> Option<Self> {
        let program = std::env::var(environment::CHROMIUM).ok();
        let Some(program) = program.filter(|program| !program.is_empty()) else {
            environment::left_out(test, "Chromium");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let port_file = profile.path().join("DevToolsActivePort");
        let chromium = command(&program, profile.path());
        let mut chromium =
            ServerProcess::new("chromium", chromium, profile.path().join("chromium.log"));
        let is_ready = async || port(&port_file).is_some();
        chromium.start(PATIENCE, is_ready).await.unwrap();
        let port = port(&port_file).unwrap();

        let tabs = Client::new(format!("http://127.0.0.1:{port}"));
        let tabs: Vec<Value> = tabs.get("/json/list").await.expect_status(200).json();
        let tab = tabs.iter().find(|tab| tab["type"] == "page").unwrap();
        let url = tab["webSocketDebuggerUrl"].as_str().unwrap();
        let (devtools, _) = connect_async(url).await.unwrap();
        let mut browser = Self {
            devtools,
            next_id: 0,
            requests: Vec::new(),
            complaints: Vec::new(),
            _chromium: chromium,
            _profile: profile,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        Some(browser)
    }

    pub async fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({ "url": url })).await;
        assert_eq!(opened.get("errorText"), None, "{url}");
    }

    /// The value of a JavaScript expression on the page.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", parameters).await;
        assert_eq!(answer.get("exceptionDetails"), None, "{expression}");
        answer["result"]["value"].take()
    }

    /// What a promise on the page resolves to.
    pub async fn resolve(&mut self, promise: &str) -> Value {
        let parameters = json!({
            "expression": promise, "returnByValue": true, "awaitPromise": true,
        });
        let mut answer = self.call("Runtime.evaluate", parameters).await;
        let rejected = answer.get("exceptionDetails");
        assert_eq!(rejected, None, "{promise}");
        answer["result"]["value"].take()
    }

    /// Plugs in an authenticator that keeps passkeys and verifies its user by itself.
    pub async fn plug_in_authenticator(&mut self) {
        self.call("WebAuthn.enable", json!({})).await;
        let options = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        let parameters = json!({ "options": options });
        self.call("WebAuthn.addVirtualAuthenticator", parameters)
            .await;
    }

    /// Waits until a JavaScript expression is true.
    pub async fn wait_for(&mut self, expression: &str) {
        eventually(expression, async || {
            (self.evaluate(expression).await == true).then_some(())
        })
        .await;
    }

    /// What went wrong, as far as it was heard.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Fails unless everything came from these origins (`http://…`) and nothing went wrong.
    #[track_caller]
    pub fn assert_content_with(&self, origins: &[&str]) {
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
        assert!(!self.requests.is_empty());
        for url in &self.requests {
            let url = url.replacen("ws", "http", usize::from(url.starts_with("ws:")));
            let is_inline = url.starts_with("data:") || url.starts_with("blob:");
            let is_own = |origin: &&str| url.starts_with(&format!("{origin}/"));
            assert!(is_inline || origins.iter().any(is_own), "{url}");
        }
    }

    /// Calls a method of the protocol. Events that come first are noted.
    async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.next_id += 1;
        let call = json!({"id": self.next_id, "method": method, "params": parameters});
        self.devtools
            .send(Message::text(call.to_string()))
            .await
            .unwrap();
        loop {
            let received = timeout(PATIENCE, self.devtools.next()).await;
            let message = received.expect(method).expect("an answer").unwrap();
            let Message::Text(text) = message else {
                continue;
            };
            let mut message: Value = serde_json::from_str(&text).unwrap();
            if message["id"] == self.next_id {
                assert_eq!(message.get("error"), None, "{method}");
                return message["result"].take();
            }
            self.note(&message);
        }
    }

    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        let mut asked = |url: &Value| self.requests.extend(url.as_str().map(str::to_owned));
        match event["method"].as_str() {
            Some("Network.requestWillBeSent") => asked(&parameters["request"]["url"]),
            Some("Network.webSocketCreated") => asked(&parameters["url"]),
            Some("Runtime.exceptionThrown" | "Network.loadingFailed") => {
                self.complaints.push(event.to_string());
            }
            Some("Runtime.consoleAPICalled") if parameters["type"] == "error" => {
                self.complaints.push(event.to_string());
            }
            Some("Log.entryAdded") if parameters["entry"]["level"] == "error" => {
                self.complaints.push(event.to_string());
            }
            _ => {}
        }
    }
}

fn command(program: &str, profile: &Path) -> Command {
    let mut command = Command::new(program);
    command
        // Chromium leaves files there.
        .env("TMPDIR", profile)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-first-run",
            "--no-proxy-server",
            "--remote-debugging-port=0",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("about:blank");
    command
}

/// The port that Chromium chose, once it has written it down.
fn port(file: &Path) -> Option<u16> {
    let text = fs::read_to_string(file).ok()?;
    let (port, _) = text.split_once('\n')?;
    port.parse().ok()
}
