//! `cargo xtask test`: the same suites over both modes.

pub mod distributed;

use testkit::environment::{CHROMIUM, MODE};
use testkit::services::Program;

use crate::breaking_changes;
use crate::command::{Failure, cargo, execute};
use crate::fuzz_api;
use crate::install;
use crate::npm;
use crate::openapi;
use crate::plans;
use crate::python;
use crate::services::{self, TestServices};
use crate::stages::Stages;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only the embedded mode, which needs nothing installed.
    #[arg(long)]
    embedded: bool,
    /// Leave out the tests that drive a browser.
    #[arg(long)]
    no_browser: bool,
    /// Run only tests whose name contains this.
    filter: Option<String>,
}

/// Runs the stages, and prints how each went.
///
/// # Errors
/// When a stage failed.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut stages = Stages::default();
    let filter = arguments.filter.as_deref();
    if arguments.embedded {
        stages
            .run("embedded suite", embedded_suite(filter, &[]))
            .await;
        eprintln!(
            "\nLEFT OUT (--embedded): the distributed suite, the tests with a browser, Node.js or Python"
        );
        return stages.finish();
    }
    // First of all: what can't be had is known before anything takes minutes.
    let programs = stages.run("programs", programs(arguments.no_browser)).await;
    let mut environment = programs.unwrap_or_default();
    let modules = stages.run("npm packages", npm::ensure()).await;
    environment.extend(modules.flatten());
    let python = stages.run("PyPI packages", python::ensure()).await;
    environment.extend(python.flatten());
    stages
        .run("embedded suite", embedded_suite(filter, &environment))
        .await;
    stages.run("OpenAPI lint", openapi::lint()).await;
    stages
        .run("breaking changes", breaking_changes::check())
        .await;
    if filter.is_none() {
        let short = fuzz_api::Arguments::short();
        stages.run("API fuzz", fuzz_api::run(&short)).await;
    }
    if let Some(services) = stages.run("servers", TestServices::obtain()).await {
        let urls = services
            .environment()
            .map(|(name, url)| (name, url.to_owned()));
        let mut environment: Vec<_> = environment.into_iter().chain(urls).collect();
        if filter.is_none() {
            let recording = stages.run("recording", async { plans::recording() }).await;
            environment.extend(recording);
        }
        stages
            .run("distributed suite", distributed::run(filter, &environment))
            .await;
        if filter.is_none() {
            stages.run("plans", plans::check(&services)).await;
        }
        stages.run("stop servers", services.stop()).await;
    }
    stages.finish()
}

/// Finds what the suites need, or installs it, and returns the variable that names the browser.
async fn programs(no_browser: bool) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut needed = services::not_given();
    if !no_browser {
        needed.extend(Program::BROWSER);
    }
    install::ensure(&needed).await?;
    for program in &needed {
        if let Some(path) = program.find() {
            eprintln!("{}: {}", program.name(), path.display());
        }
    }
    let browser = Program::Chromium.find().filter(|_| !no_browser);
    Ok(browser
        .map(|path| (CHROMIUM, path.display().to_string()))
        .into_iter()
        .collect())
}

/// Everything, as plain `cargo test` runs it.
async fn embedded_suite(
    filter: Option<&str>,
    environment: &[(&str, String)],
) -> Result<(), Failure> {
    let mut command = cargo();
    command
        .args(["test", "--workspace", "--no-fail-fast", "--locked"])
        .args(filter);
    for name in [
        testkit::environment::POSTGRES_URL,
        testkit::environment::REDIS_URL,
        testkit::environment::AMQP_URL,
    ] {
        command.env_remove(name);
    }
    command
        .env(MODE, "embedded")
        .envs(environment.iter().cloned());
    execute(&mut command).await
}
