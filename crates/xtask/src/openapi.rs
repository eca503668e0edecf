//! The committed OpenAPI documents, as a public linter judges them.

use std::process::Command;

use crate::command::{Failure, execute};
use crate::{npm, workspace};

const DOCUMENTS: [&str; 2] = ["docs/api/auth.openapi.json", "docs/api/orders.openapi.json"];

/// Lints them; left out, which is said, without Node.js.
///
/// # Errors
/// When the linter finds something, or can't be installed.
pub async fn lint() -> Result<(), Failure> {
    let tools = npm::install("crates/xtask/tools", "tools/npm", "the OpenAPI lint").await?;
    let Some(modules) = tools else {
        return Ok(());
    };
    let mut redocly = Command::new("node");
    redocly
        .arg(modules.join("@redocly/cli/bin/cli.js"))
        .args(["lint", "--config", "docs/api/redocly.yaml"])
        .args(DOCUMENTS)
        .current_dir(workspace::root())
        .env("REDOCLY_TELEMETRY", "off")
        .env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
    execute(&mut redocly).await
}
