//! The suites that also run over PostgreSQL, Redis and RabbitMQ.
//!
//! They are the very executables that the embedded suite built. `cargo test -p` with a part of
//! the workspace would resolve other features for some third-party crates, and build those, and
//! all that depends on them, a second time.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use testkit::environment::MODE;

use crate::command::{Failure, capture, cargo, execute};
use crate::workspace;

/// The packages with such suites. Add yours here.
const PACKAGES: [&str; 5] = ["messaging", "cache", "database", "auth", "plumbline"];

/// Runs every test executable of [`PACKAGES`], also after a failure.
///
/// # Errors
/// When one failed.
pub async fn run(filter: Option<&str>, environment: &[(&str, String)]) -> Result<(), Failure> {
    let mut first_failure = None;
    for test in executables()? {
        eprintln!("\n{}: {}", test.package, test.target);
        let mut command = Command::new(&test.path);
        command.current_dir(&test.folder).args(filter);
        command
            .env(MODE, "distributed")
            .envs(environment.iter().cloned());
        if let Err(failure) = execute(&mut command).await {
            eprintln!("error: {failure}");
            first_failure.get_or_insert(failure);
        }
    }
    first_failure.map_or(Ok(()), Err)
}

/// A built test.
#[derive(Debug)]
struct Executable {
    package: String,
    target: String,
    path: PathBuf,
    /// The package's folder, where cargo runs its tests.
    folder: PathBuf,
}

/// What cargo prints for each thing that it built
/// (<https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>).
#[derive(Debug, Deserialize)]
#[serde(tag = "reason", rename_all = "kebab-case")]
enum Message {
    CompilerArtifact(Artifact),
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    profile: Profile,
    executable: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

fn executables() -> Result<Vec<Executable>, Failure> {
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--no-run"]);
    command.arg("--message-format=json-render-diagnostics");
    let output = capture(&mut command)?;
    let packages = workspace::metadata()?.packages;
    let packages: HashMap<_, _> = packages
        .into_iter()
        .map(|package| (package.id.clone(), package))
        .collect();

    let mut executables = Vec::new();
    for line in output
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        let message = serde_json::from_slice(line).map_err(|source| Failure::Output {
            command: "cargo test".to_owned(),
            source,
        })?;
        let Message::CompilerArtifact(artifact) = message else {
            continue;
        };
        let (Some(path), true) = (artifact.executable, artifact.profile.test) else {
            continue;
        };
        let Some(package) = packages.get(&artifact.package_id) else {
            continue;
        };
        if PACKAGES.contains(&package.name.as_str()) {
            executables.push(Executable {
                package: package.name.clone(),
                target: artifact.target.name,
                path,
                folder: package.manifest_path.with_file_name(""),
            });
        }
    }
    executables.sort_by_key(|test| PACKAGES.iter().position(|name| *name == test.package));
    Ok(executables)
}
