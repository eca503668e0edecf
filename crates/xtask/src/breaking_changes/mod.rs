//! `cargo xtask breaking-changes`: the public interfaces of today beside those last released.

mod events;
mod openapi;
mod schema;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::command::{Failure, capture};
use crate::{npm, workspace};

/// The GraphQL schema's file in both folders.
const GRAPHQL: &str = "schema.graphql";
const OPENAPI: [&str; 2] = ["auth.openapi.json", "orders.openapi.json"];

const TODAY: &str = "docs/api";
const RELEASED: &str = "docs/api/released";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Take today's interfaces as released: docs/api/released/README.md says when.
    #[arg(long)]
    accept: bool,
}

/// Checks, or accepts.
///
/// # Errors
/// When something breaks, or a file can't be read.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    if !arguments.accept {
        return check().await;
    }
    for name in OPENAPI.into_iter().chain([GRAPHQL]) {
        let (from, to) = (path(TODAY, name), path(RELEASED, name));
        std::fs::copy(&from, &to).map_err(|source| Failure::File { path: from, source })?;
        eprintln!("{RELEASED}/{name}: written");
    }
    events::accept()
}

/// Prints every change that breaks clients. The GraphQL schema needs graphql-js, and is left out,
/// which is said, without Node.js.
///
/// # Errors
/// When there is one, or a file can't be read.
pub async fn check() -> Result<(), Failure> {
    let mut breaks = Vec::new();
    for name in OPENAPI {
        let found = openapi::breaks(&read(RELEASED, name)?, &read(TODAY, name)?);
        breaks.extend(found.into_iter().map(|what| format!("{name}: {what}")));
    }
    breaks.extend(events::check()?);
    breaks.extend(graphql().await?);
    for found in &breaks {
        println!("{found}");
    }
    match breaks.len() {
        0 => Ok(()),
        count => Err(Failure::Breaking(count)),
    }
}

async fn graphql() -> Result<Vec<String>, Failure> {
    let left_out = "breaking changes of the GraphQL schema";
    let Some(modules) = npm::install("crates/xtask/tools", "tools/npm", left_out).await? else {
        return Ok(Vec::new());
    };
    compare(&modules, &[path(RELEASED, GRAPHQL), path(TODAY, GRAPHQL)])
}

/// What graphql-js, of these packages, says that breaks between two schemas.
fn compare(modules: &Path, files: &[PathBuf; 2]) -> Result<Vec<String>, Failure> {
    let mut node = Command::new("node");
    node.arg(workspace::root().join("crates/xtask/tools/breaking-changes.mjs"));
    node.arg(modules).args(files);
    let printed = String::from_utf8_lossy(&capture(&mut node)?).into_owned();
    let lines = printed.lines();
    Ok(lines.map(|what| format!("{GRAPHQL}: {what}")).collect())
}

fn path(folder: &str, name: &str) -> PathBuf {
    workspace::root().join(folder).join(name)
}

fn read(folder: &str, name: &str) -> Result<Value, Failure> {
    let path = path(folder, name);
    let text = std::fs::read(&path).map_err(|source| Failure::File { path, source })?;
    serde_json::from_slice(&text).map_err(|source| Failure::Output {
        command: format!("{folder}/{name}"),
        source,
    })
}

#[cfg(test)]
mod tests;
