//! The executable of the drills: a debug build with fail points.

use std::path::PathBuf;

use crate::command::{Failure, cargo, execute};
use crate::workspace;

/// Builds it and keeps a copy, which no other build replaces while the drills run.
///
/// It is built as `cargo test --workspace` builds it, so that all third-party crates are those
/// that the tests have; only our own are compiled once more.
///
/// # Errors
/// When cargo fails.
pub async fn plumbline(is_built: bool) -> Result<PathBuf, Failure> {
    let target = workspace::metadata()?.target_directory;
    let program = target.join("drill/plumbline");
    if is_built {
        return Ok(program);
    }
    let mut command = cargo();
    command.args(["test", "--workspace", "--locked", "--no-run", "--quiet"]);
    command.args(["--features", "plumbline/fail-points", "--test", "process"]);
    execute(&mut command).await?;
    std::fs::create_dir_all(target.join("drill"))?;
    // Removed first: it may be running, and a running file can't be written.
    let _ = std::fs::remove_file(&program);
    std::fs::copy(target.join("debug/plumbline"), &program)?;
    Ok(program)
}
