//! npm `graphql-ws`, the reference client of graphql-transport-ws
//! (<https://the-guild.dev/graphql/ws>), in a process of Node.js.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::environment;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/npm/graphql-ws.mjs");
/// The longest that a test waits for something to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running client. It connects at its first subscription, and again when it was told to retry.
#[derive(Debug)]
pub struct GraphqlWsClient {
    commands: ChildStdin,
    events: Lines<BufReader<ChildStdout>>,
    // Ended when dropped.
    _node: Child,
}

/// Where the client connects to, and as whom: from its next connection on.
#[derive(Debug, Clone, Copy)]
pub enum Identity<'i> {
    /// An access token in `connection_init`.
    Token(&'i str),
    /// A `Cookie` header, as a page of the server's own origin sends it.
    Cookie(&'i str),
    Nobody,
}

impl GraphqlWsClient {
    /// Starts one. `None`, said on standard error, where Node.js or its packages are missing.
    #[must_use]
    pub fn start(test: &str) -> Option<Self> {
        let modules = environment::node_modules(test)?;
        let mut node = Command::new("node")
            .arg(SCRIPT)
            .arg(modules)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("node does not start: {error}"));
        let (Some(commands), Some(events)) = (node.stdin.take(), node.stdout.take()) else {
            panic!("node has no pipes");
        };
        Some(Self {
            commands,
            events: BufReader::new(events).lines(),
            _node: node,
        })
    }

    /// Sets where and as whom it connects next. `base_url` is that of a server, `http://…`.
    pub async fn target(&mut self, base_url: &str, identity: Identity<'_>) {
        let url = base_url.replacen("http", "ws", 1) + "/graphql";
        let (token, cookie) = match identity {
            Identity::Token(token) => (Some(token), None),
            Identity::Cookie(cookie) => (None, Some(cookie)),
            Identity::Nobody => (None, None),
        };
        let command = "target";
        self.send(json!({"command": command, "url": url, "token": token, "cookie": cookie}))
            .await;
    }

    /// Starts the operation `id`.
    pub async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let command = "subscribe";
        self.send(json!({"command": command, "id": id, "query": query, "variables": variables}))
            .await;
    }

    /// Ends the operation `id`.
    pub async fn unsubscribe(&mut self, id: &str) {
        self.send(json!({"command": "unsubscribe", "id": id})).await;
    }

    /// Says goodbye.
    pub async fn dispose(&mut self) {
        self.send(json!({"command": "dispose"})).await;
    }

    /// What happens next, as the script tells it.
    pub async fn event(&mut self) -> Value {
        let line = timeout(PATIENCE, self.events.next_line()).await;
        match line {
            Ok(Ok(Some(line))) => serde_json::from_str(&line)
                .unwrap_or_else(|error| panic!("not an event: {error}: {line}")),
            Ok(other) => panic!("the client has ended: {other:?}"),
            Err(_) => panic!("nothing happened for {} s", PATIENCE.as_secs()),
        }
    }

    /// The next event of this kind; others before it are passed over.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let event = self.event().await;
            if event["event"] == kind {
                return event;
            }
        }
    }

    async fn send(&mut self, command: Value) {
        let line = format!("{command}\n");
        let sent = self.commands.write_all(line.as_bytes()).await;
        sent.unwrap_or_else(|error| panic!("the client has ended: {error}"));
    }
}
