//! `cargo xtask bench`: builds release, starts the system on private ports and measures a part of
//! it against what it must cost.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::ports;
use testkit::process::ServerProcess;
use testkit::readiness;

use crate::command::{Failure, execute};
use crate::load::launcher;
use crate::load::system::{Mode, System};
use crate::load::{build, commit};
use crate::stages::Stages;
use crate::workspace;

/// How long a server may take until it answers.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Subcommand)]
pub enum Benchmark {
    /// Log-ins against bare Argon2id, and everybody's latency under a flood of them against quiet;
    /// the figures go to target/bench-auth.json.
    Auth(Arguments),
    /// The gateway beside a bare actix-web + async-graphql + sea-orm server, a bare JSON handler and
    /// a bare PostgreSQL driver, on private servers; the figures go to target/bench-gateway.json.
    Gateway(GatewayArguments),
    /// Confirmed orders beside `pgbench -N` on the same PostgreSQL, and how long each took; the
    /// figures go to target/bench-orders.json. Distributed unless told otherwise.
    Orders(OrdersArguments),
}

#[derive(Debug, clap::Args)]
pub struct OrdersArguments {
    /// Fail when an aim is missed. Only a quiet machine measures the system and not its neighbours.
    #[arg(long)]
    check: bool,
    /// One process on SQLite; without pgbench, there is nothing to compare with.
    #[arg(long)]
    embedded: bool,
    /// Handed on to `loadtests bench-orders`, for example --rounds 5 --backlog 50000.
    #[arg(last = true)]
    more: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct GatewayArguments {
    /// Fail when an aim is missed. Only a quiet machine measures the system and not its neighbours.
    #[arg(long)]
    check: bool,
    /// Handed on to `loadtests bench-gateway`, for example --rounds 3 --phase 5 --soak 1000000.
    #[arg(last = true)]
    more: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Fail when an aim is missed. Only a quiet machine measures the system and not its neighbours.
    #[arg(long)]
    check: bool,
    /// One process on SQLite (the default).
    #[arg(long, conflicts_with = "distributed")]
    embedded: bool,
    /// A process for each role, on PostgreSQL, Redis and RabbitMQ.
    #[arg(long)]
    distributed: bool,
    /// Handed on to `loadtests bench-auth`, for example --rounds 3 --phase 5.
    #[arg(last = true)]
    more: Vec<String>,
}

/// Runs the stages, and prints how each went.
///
/// # Errors
/// When a stage failed, among them, with `--check`, a missed aim.
pub async fn run(benchmark: &Benchmark) -> Result<(), Failure> {
    match benchmark {
        Benchmark::Auth(arguments) => run_auth(arguments).await,
        Benchmark::Gateway(arguments) => run_gateway(arguments).await,
        Benchmark::Orders(arguments) => run_orders(arguments).await,
    }
}

async fn run_gateway(arguments: &GatewayArguments) -> Result<(), Failure> {
    let mut stages = Stages::default();
    if stages.run("build", build(&["baselines"])).await.is_some()
        && let Some(system) = stages.run("start", System::start(Mode::Distributed)).await
    {
        stages.run("bench", gateway(arguments, &system)).await;
        stages.run("stop", system.stop()).await;
    }
    stages.finish()
}

/// Starts the servers to compare with, which end with this.
async fn gateway(arguments: &GatewayArguments, system: &System) -> Result<(), Failure> {
    let target = workspace::metadata()?.target_directory;
    let mut baselines = Vec::new();
    for server in ["graphql", "json", "postgres"] {
        baselines.push(Baseline::start(&target, server, system).await?);
    }
    let gateway = format!("{}={}", system.gateway_url, system.process_id("gateway")?);
    let servers = baselines.iter().map(Baseline::address_and_process);
    let servers: Vec<_> = std::iter::once(Ok(gateway))
        .chain(servers)
        .collect::<Result<_, _>>()?;
    let mut command = Command::new(target.join("release/loadtests"));
    command.args(["bench-gateway", "--auth-url", &system.auth_url]);
    command.args(["--servers", &servers.join(","), "--commit", &commit()]);
    command
        .arg("--report")
        .arg(target.join("bench-gateway.json"));
    if arguments.check {
        command.arg("--check");
    }
    command.args(&arguments.more);
    execute(&mut command).await
}

/// One of the servers of crates/baselines.
struct Baseline {
    url: String,
    process: ServerProcess,
}

impl Baseline {
    async fn start(target: &Path, server: &'static str, system: &System) -> Result<Self, Failure> {
        let port = ports::free_port()?;
        let mut command = Command::new(target.join("release/baselines"));
        command.args([server, "--port", &port.to_string()]);
        if server != "json" {
            command.args(["--orders-url", system.value("orders.database_url")?]);
            command.args(["--auth-url", system.value("auth.database_url")?]);
        }
        let log = target.join(format!("load/logs/baseline-{server}.log"));
        std::fs::write(&log, "")?;
        let mut process = ServerProcess::new(server, command, log);
        let ready = async || readiness::http(port, "/health").await;
        process.start(PATIENCE, ready).await?;
        Ok(Self {
            url: launcher::url(port),
            process,
        })
    }

    fn address_and_process(&self) -> Result<String, Failure> {
        let ended = || Failure::Missing("the process of a baseline");
        Ok(format!(
            "{}={}",
            self.url,
            self.process.id().ok_or_else(ended)?
        ))
    }
}

async fn run_auth(arguments: &Arguments) -> Result<(), Failure> {
    let mode = if arguments.distributed {
        Mode::Distributed
    } else {
        Mode::Embedded
    };
    let mut stages = Stages::default();
    if stages.run("build", build(&[])).await.is_some()
        && let Some(system) = stages.run("start", System::start(mode)).await
    {
        stages.run("bench", auth(arguments, &system)).await;
        stages.run("stop", system.stop()).await;
    }
    stages.finish()
}

async fn auth(arguments: &Arguments, system: &System) -> Result<(), Failure> {
    let target = workspace::metadata()?.target_directory;
    let mut command = Command::new(target.join("release/loadtests"));
    command.args(["bench-auth", "--auth-url", &system.auth_url]);
    command.args(["--mode", system.mode.name(), "--commit", &commit()]);
    command.arg("--report").arg(target.join("bench-auth.json"));
    if arguments.check {
        command.arg("--check");
    }
    command.args(&arguments.more);
    launcher::configure(&mut command, &system.settings);
    execute(&mut command).await
}

async fn run_orders(arguments: &OrdersArguments) -> Result<(), Failure> {
    let mode = if arguments.embedded {
        Mode::Embedded
    } else {
        Mode::Distributed
    };
    let mut stages = Stages::default();
    if stages.run("build", build(&[])).await.is_some()
        && let Some(system) = stages.run("start", System::start(mode)).await
    {
        stages.run("bench", orders(arguments, &system)).await;
        stages.run("stop", system.stop()).await;
    }
    stages.finish()
}

async fn orders(arguments: &OrdersArguments, system: &System) -> Result<(), Failure> {
    let target = workspace::metadata()?.target_directory;
    let mut command = Command::new(target.join("release/loadtests"));
    command.args(["bench-orders", "--auth-url", &system.auth_url]);
    command.args(["--gateway-url", &system.gateway_url]);
    command.args(["--orders-url", &system.orders_url()?]);
    command.args(["--pids", &system.process_ids()]);
    command.args(["--audit-command", &system.audit_command]);
    command.args(["--mode", system.mode.name(), "--commit", &commit()]);
    if let Some(pgbench) = system.pgbench()? {
        command.arg("--pgbench").arg(&pgbench.program);
        command.args(["--pgbench-url", &pgbench.url]);
    }
    command
        .arg("--report")
        .arg(target.join("bench-orders.json"));
    if arguments.check {
        command.arg("--check");
    }
    command.args(&arguments.more);
    // For the auditor, which reads the same databases.
    launcher::configure(&mut command, &system.settings);
    execute(&mut command).await
}
