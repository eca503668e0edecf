//! The suites that also run over PostgreSQL, Redis and RabbitMQ.
//!
//! They are the very executables that the embedded suite built. `cargo test -p` with a part of
//! the workspace would resolve other features for some third-party crates, and build those, and
//! all that depends on them, a second time.

use std::path::PathBuf;
use std::process::Command;

use serde::Deserialize;
use testkit::environment::MODE;

use crate::command::{Failure, capture, cargo, succeed};
use crate::workspace::{self, Package};

/// The packages with such suites. Add yours here.
const PACKAGES: [&str; 9] = [
    "messaging",
    "cache",
    "database",
    "auth",
    "orders",
    "order-worker",
    "gateway",
    "plumbline",
    "plan-gate",
];

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
        if let Err(failure) = succeed(&mut command).await {
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
    let messages = capture(&mut command)?;
    let packages = workspace::metadata()?.packages;
    select(&messages, &packages).map_err(|source| Failure::Output {
        command: "cargo test".to_owned(),
        source,
    })
}

/// The test executables of [`PACKAGES`], in that order, out of cargo's messages.
fn select(messages: &[u8], packages: &[Package]) -> serde_json::Result<Vec<Executable>> {
    let mut executables = Vec::new();
    let lines = messages.split(|byte| *byte == b'\n');
    for line in lines.filter(|line| !line.is_empty()) {
        let Message::CompilerArtifact(artifact) = serde_json::from_slice(line)? else {
            continue;
        };
        let package = packages.iter().find(|one| one.id == artifact.package_id);
        if let Some(package) = package
            && PACKAGES.contains(&package.name.as_str())
            && artifact.profile.test
            && let Some(path) = artifact.executable
        {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str) -> Package {
        Package {
            id: format!("path+file:///shop/crates/{name}#0.1.0"),
            name: name.to_owned(),
            manifest_path: format!("/shop/crates/{name}/Cargo.toml").into(),
            dependencies: Vec::new(),
        }
    }

    fn artifact(package: &str, target: &str, test: bool) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"path+file:///shop/crates/{package}#0.1.0",
            "target":{{"name":"{target}","kind":["lib"]}},"profile":{{"test":{test}}},
            "executable":"/target/{target}-1a2b"}}"#
        )
        .replace('\n', "")
    }

    #[test]
    fn only_tests_of_the_declared_packages_run_in_the_declared_order() {
        let messages = [
            r#"{"reason":"build-script-executed","package_id":"x"}"#.to_owned(),
            artifact("plumbline", "routes", true),
            artifact("plumbline", "plumbline", false),
            artifact("kernel", "kernel", true),
            artifact("messaging", "brokers", true),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ];
        let packages = ["plumbline", "kernel", "messaging"].map(package);
        let selected = select(messages.join("\n").as_bytes(), &packages).unwrap();
        let paths: Vec<_> = selected
            .iter()
            .map(|test| test.path.to_str().unwrap())
            .collect();
        assert_eq!(paths, ["/target/brokers-1a2b", "/target/routes-1a2b"]);
        assert_eq!(selected[1].folder, PathBuf::from("/shop/crates/plumbline/"));
    }
}
