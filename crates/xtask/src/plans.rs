//! `cargo xtask plans`: what PostgreSQL does for every statement that the suites ask, over a large
//! data set (crates/plan-gate), beside what docs/plans says.

use std::path::{Path, PathBuf};
use std::process::Command;

use testkit::environment::{POSTGRES_URL, STATEMENTS};

use crate::command::{Failure, cargo, execute};
use crate::services::TestServices;
use crate::stages::Stages;
use crate::test::distributed;
use crate::workspace;

/// The plans on file.
const FOLDER: &str = "docs/plans";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Fail when a plan has a problem, differs from that on file, or is not on file.
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Write the files; of statements that are not on file, from the last recording.
    #[arg(long)]
    write: bool,
    /// Drop the statements that were not recorded.
    #[arg(long, requires = "write")]
    prune: bool,
    /// Run the distributed suite first, and record what it asks, as `cargo xtask test` does.
    #[arg(long)]
    record: bool,
    /// Print only statements that contain this.
    #[arg(conflicts_with_all = ["check", "write"])]
    filter: Option<String>,
}

/// Prints, checks or writes the plans.
///
/// # Errors
/// When a server is missing, a suite fails, or the gate refuses.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut stages = Stages::default();
    if stages.run("build", build()).await.is_some()
        && let Some(services) = stages.run("servers", TestServices::obtain()).await
    {
        if arguments.record {
            stages.run("distributed suite", record(&services)).await;
        }
        stages.run("plans", gate(&services, &task(arguments))).await;
        stages.run("stop servers", services.stop()).await;
    }
    stages.finish()
}

/// Checks the plans of what the suite has just recorded.
///
/// # Errors
/// When the gate refuses.
pub async fn check(services: &TestServices) -> Result<(), Failure> {
    gate(services, &["check"]).await
}

/// The variable that has the suite record its statements, into an empty file.
///
/// # Errors
/// When the file can't be emptied.
pub fn recording() -> Result<(&'static str, String), Failure> {
    let path = recorded()?;
    let emptied = match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, "")),
        None => std::fs::write(&path, ""),
    };
    match emptied {
        Ok(()) => Ok((STATEMENTS, path.display().to_string())),
        Err(source) => Err(Failure::File { path, source }),
    }
}

fn task(arguments: &Arguments) -> Vec<&str> {
    if arguments.check {
        return vec!["check"];
    }
    if !arguments.write {
        let filter = arguments.filter.as_deref();
        return ["show"].into_iter().chain(filter).collect();
    }
    let prune = arguments.prune.then_some("--prune");
    ["write"].into_iter().chain(prune).collect()
}

/// As the suites are built: another choice of packages would build third-party crates again.
async fn build() -> Result<(), Failure> {
    execute(cargo().args(["test", "--workspace", "--locked", "--no-run", "--quiet"])).await
}

async fn record(services: &TestServices) -> Result<(), Failure> {
    let urls = services
        .environment()
        .map(|(name, url)| (name, url.to_owned()));
    let environment: Vec<_> = urls.chain([recording()?]).collect();
    distributed::run(None, &environment).await
}

async fn gate(services: &TestServices, task: &[&str]) -> Result<(), Failure> {
    let target = workspace::metadata()?.target_directory;
    let mut gate = Command::new(target.join("debug/plan-gate"));
    gate.current_dir(workspace::root());
    let server = services
        .environment()
        .find_map(|(name, url)| (name == POSTGRES_URL).then_some(url));
    gate.arg("--server").args(server);
    gate.arg("--plans").arg(Path::new(FOLDER));
    let recorded = recorded()?;
    if recorded.exists() {
        gate.arg("--recorded").arg(recorded);
    } else {
        eprintln!("nothing is recorded: new statements need `cargo xtask test`, or --record here");
    }
    execute(gate.args(task)).await
}

/// What the last run of the suites asked.
fn recorded() -> Result<PathBuf, Failure> {
    let target = workspace::metadata()?.target_directory;
    Ok(target.join("plans/recorded"))
}
