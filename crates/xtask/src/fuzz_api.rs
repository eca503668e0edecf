//! `cargo xtask fuzz-api`: schemathesis makes requests of the OpenAPI documents, valid ones and odd
//! ones, and judges the answers: none may be a 5xx, have a status, a content type or a body that the
//! document does not promise.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::process::ServerProcess;
use testkit::{ports, readiness};

use crate::command::{Failure, capture, succeed};
use crate::load::launcher::{configure, setting, url};
use crate::{generate, python, workspace};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How long each document is tried as each person.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// The same seed makes the same requests.
    #[arg(long)]
    seed: Option<u32>,
}

impl Arguments {
    /// What fits into every run of the tests.
    pub fn short() -> Self {
        Self {
            seconds: 10,
            seed: Some(7),
        }
    }
}

const DOCUMENTS: [&str; 2] = ["/auth/openapi.json", "/openapi.json"];
const PEOPLE: [&str; 2] = ["customer@example.com", "admin@example.com"];
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance";
/// These end the session that makes the requests.
const LEFT_OUT: [&str; 2] = ["revokeAllSessions", "deleteAccount"];
const PATIENCE: Duration = Duration::from_secs(60);
const NO_LIMIT: u32 = 1_000_000;

/// Prints the access token of a person of the demo shop.
const LOG_IN: &str = r#"
import json, sys, urllib.request
url, email = sys.argv[1:]
body = json.dumps({"email": email, "password": "plumbline-demo-password"}).encode()
request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
print(json.load(urllib.request.urlopen(request, timeout=30))["access_token"])
"#;

/// Left out, which is said, without Python.
///
/// # Errors
/// When schemathesis finds something, or something can't be started.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let tools = python::install("crates/xtask/tools", "tools/python", "the API fuzz").await?;
    let Some(python) = tools else {
        return Ok(());
    };
    let (mut server, base_url) = start().await?;
    let outcome = fuzz(arguments, &python, &base_url).await;
    server.stop().await?;
    outcome
}

async fn start() -> Result<(ServerProcess, String), Failure> {
    let port = ports::free_port()?;
    let limit = |name: &str| setting(&format!("auth.limits.{name}"), NO_LIMIT);
    let settings = vec![
        limit("log_ins_per_client"),
        limit("log_ins"),
        limit("refreshes_per_client"),
        limit("mail_requests_per_client"),
        limit("other_requests_per_client"),
        setting("gateway.limits.cost_per_client", NO_LIMIT),
        setting("gateway.limits.cost_per_user", NO_LIMIT),
        setting("gateway.limits.orders_per_user", NO_LIMIT),
        setting("server.port", port),
    ];
    let mut command = Command::new(generate::build().await?);
    command.arg("--ephemeral");
    configure(&mut command, &settings);
    let log = workspace::metadata()?.target_directory.join("fuzz-api.log");
    eprintln!("plumbline: {} (log: {})", url(port), log.display());
    let mut server = ServerProcess::new("plumbline", command, log);
    let ready = async || readiness::http(port, "/health/ready").await;
    server.start(PATIENCE, ready).await?;
    Ok((server, url(port)))
}

async fn fuzz(arguments: &Arguments, python: &Path, base_url: &str) -> Result<(), Failure> {
    // It keeps there what it has found.
    let folder = workspace::metadata()?.target_directory.join("tools");
    for email in PEOPLE {
        let mut log_in = Command::new(python);
        log_in.args(["-c", LOG_IN, &format!("{base_url}/auth/v1/sessions"), email]);
        let token = capture(&mut log_in)?;
        let token = String::from_utf8_lossy(&token);
        for document in DOCUMENTS {
            eprintln!("{document} as {email}");
            let mut command = Command::new(python.with_file_name("schemathesis"));
            command
                .args(["run", &format!("{base_url}{document}")])
                .args(["--checks", CHECKS])
                .args(["--phases", "examples,coverage,fuzzing"])
                .args(["--max-time", &arguments.seconds.to_string()])
                .args([
                    "--header",
                    &format!("Authorization: Bearer {}", token.trim()),
                ])
                .args(["--warnings", "off", "--continue-on-failure"])
                .args(LEFT_OUT.map(|operation| format!("--exclude-operation-id={operation}")));
            if let Some(seed) = arguments.seed {
                command.args(["--seed", &seed.to_string()]);
            }
            succeed(command.current_dir(&folder)).await?;
        }
    }
    Ok(())
}
