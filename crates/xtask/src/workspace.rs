//! What cargo knows about the workspace.

use std::path::PathBuf;

use serde::Deserialize;

use crate::command::{Failure, capture, cargo};

/// The workspace's folder: of the checkout that cargo runs us for, which need not be the one that
/// we were compiled in when several share a target folder.
#[must_use]
pub fn root() -> PathBuf {
    let this_crate = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let this_crate = this_crate.unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    this_crate.ancestors().nth(2).unwrap_or(&this_crate).into()
}

/// The part of `cargo metadata` that tasks read
/// (<https://doc.rust-lang.org/cargo/commands/cargo-metadata.html>).
#[derive(Debug, Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    pub workspace_members: Vec<String>,
    pub resolve: Resolve,
    pub target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub kind: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Resolve {
    pub nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
pub struct Node {
    pub id: String,
    pub deps: Vec<Edge>,
}

#[derive(Debug, Deserialize)]
pub struct Edge {
    pub pkg: String,
    pub dep_kinds: Vec<EdgeKind>,
}

#[derive(Debug, Deserialize)]
pub struct EdgeKind {
    pub kind: Option<String>,
}

/// Asks cargo.
///
/// # Errors
/// When cargo fails, for example because of a broken manifest.
pub fn metadata() -> Result<Metadata, Failure> {
    let mut command = cargo();
    command.args(["metadata", "--format-version", "1", "--locked"]);
    let output = capture(&mut command)?;
    serde_json::from_slice(&output).map_err(|source| Failure::Output {
        command: "cargo metadata".to_owned(),
        source,
    })
}
