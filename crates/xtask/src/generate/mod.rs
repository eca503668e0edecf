//! `cargo xtask generate`: files derived from the code, committed so that a change of the public
//! interface shows in review.

pub mod events;
mod protobuf;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Failure, capture, cargo, execute};
use crate::workspace;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write nothing; fail when a file is not up to date.
    #[arg(long)]
    check: bool,
    /// Ask this plumbline instead of building one.
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
}

/// The gRPC contract, and where the Rust made from it is committed.
const PROTO: (&str, &str) = (
    "user_directory.proto",
    "crates/user-directory/src/generated.rs",
);

/// What `plumbline` is asked for, and where the answer is committed.
const FILES: [([&str; 2], &str); 7] = [
    (["schema", "graphql"], "docs/api/schema.graphql"),
    (["schema", "openapi-orders"], "docs/api/orders.openapi.json"),
    (["schema", "openapi-auth"], "docs/api/auth.openapi.json"),
    (["schema", "asyncapi"], "docs/api/asyncapi.json"),
    (["schema", "config-keys"], "docs/api/config-keys.txt"),
    (["schema", "errors"], "docs/errors.md"),
    (["permissions", "--markdown"], "docs/permissions.md"),
];

/// Writes or checks the files.
///
/// # Errors
/// When plumbline can't be built or asked, or, with `--check`, when a file differs.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut outdated = Vec::new();
    // Code first: plumbline is built from it.
    let (proto, file) = PROTO;
    outdated.extend(settle(
        file.as_ref(),
        &protobuf::module(proto)?,
        arguments.check,
    )?);
    let binary = match &arguments.binary {
        Some(binary) => binary.clone(),
        None => build().await?,
    };
    for (question, file) in FILES {
        let wanted = capture(Command::new(&binary).args(question))?;
        outdated.extend(settle(file.as_ref(), &wanted, arguments.check)?);
    }
    outdated.extend(events::settle_all(&binary, arguments.check)?);
    if outdated.is_empty() {
        Ok(())
    } else {
        Err(Failure::Outdated(outdated))
    }
}

/// Writes the file where it differs. If it is only to be checked, it is returned instead.
fn settle(file: &Path, wanted: &[u8], check: bool) -> Result<Option<String>, Failure> {
    let path = workspace::root().join(file);
    let file = file.display();
    if std::fs::read(&path).is_ok_and(|present| present == wanted) {
        eprintln!("{file}: up to date");
    } else if check {
        eprintln!("{file}: differs");
        return Ok(Some(file.to_string()));
    } else {
        write(&path, wanted).map_err(|source| Failure::File { path, source })?;
        eprintln!("{file}: written");
    }
    Ok(None)
}

/// Builds plumbline for debugging, and returns where it is.
///
/// # Errors
/// When cargo fails.
pub async fn build() -> Result<PathBuf, Failure> {
    execute(cargo().args(["build", "--quiet", "--locked", "--package", "plumbline"])).await?;
    Ok(workspace::metadata()?
        .target_directory
        .join("debug/plumbline"))
}

fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, content)
}
