//! `cargo xtask test`: the same suites over both modes.

mod distributed;

use testkit::environment::{CHROMIUM, MODE};
use testkit::services::Program;

use crate::command::{Failure, cargo, execute};
use crate::install;
use crate::services::TestServices;
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
    let mut environment = Vec::new();
    if !arguments.embedded && !arguments.no_browser {
        environment.extend(stages.run("browser", browser()).await);
    }
    let filter = arguments.filter.as_deref();
    stages
        .run("embedded suite", embedded_suite(filter, &environment))
        .await;
    if arguments.embedded {
        eprintln!("\nLEFT OUT (--embedded): the distributed suite, the browser tests");
    } else if let Some(services) = stages.run("servers", TestServices::obtain()).await {
        let mut environment = environment.clone();
        environment.extend(
            services
                .environment()
                .map(|(name, url)| (name, url.to_owned())),
        );
        stages
            .run("distributed suite", distributed::run(filter, &environment))
            .await;
        stages.run("stop servers", services.stop()).await;
    }
    stages.finish()
}

/// Finds Chromium, or installs it, and says where it is.
async fn browser() -> Result<(&'static str, String), Failure> {
    install::ensure(&Program::BROWSER).await?;
    let missing = || Failure::NotInstalled {
        programs: Program::BROWSER.to_vec(),
        why: "not found".to_owned(),
    };
    let path = Program::Chromium.find().ok_or_else(missing)?;
    eprintln!("{CHROMIUM}={}", path.display());
    Ok((CHROMIUM, path.display().to_string()))
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
