//! `cargo xtask drill`: faults under load on real servers, and whether the promises of the order
//! pipeline hold (docs/operations/drills.md).

mod build;
mod catalogue;
mod controls;
mod customers;
mod edge;
mod faults;
mod http;
mod orders;
mod random;
mod recovery;
mod redelivery;
mod report;
mod stage;

use std::path::PathBuf;
use std::time::Instant;

use testkit::services::Services;

use crate::command::Failure;
use crate::load::launcher::Launcher;
use crate::load::system::{Blueprint, Mode, System};
use crate::{services, workspace};
use catalogue::{DRILLS, Drill};
use controls::{CONTROLS, Control};
use report::Outcome;
use stage::{Shown, Size, Stage};

/// Processes of each role that there can be several of.
const REPLICAS: usize = 2;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The name of a drill or a control, `all`, `short` (what CI runs), `controls`, or `list`.
    name: String,
    /// Decides who orders what and when, and when a process dies.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Orders of one drill.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(3..=1000))]
    orders: u16,
    /// Hold them with the executable of the last time.
    #[arg(long)]
    no_build: bool,
    /// Only with one process on SQLite.
    #[arg(long, conflicts_with = "distributed")]
    embedded: bool,
    /// Only with a process for each role, on PostgreSQL, Redis and RabbitMQ.
    #[arg(long)]
    distributed: bool,
}

impl Arguments {
    fn size(&self) -> Size {
        Size {
            seed: self.seed,
            orders: self.orders.into(),
        }
    }

    fn wants(&self, mode: Mode) -> bool {
        match mode {
            Mode::Embedded => !self.distributed,
            Mode::Distributed => !self.embedded,
        }
    }

    fn drills(&self, mode: Mode) -> Vec<&'static Drill> {
        let wanted = |drill: &&Drill| match self.name.as_str() {
            "all" => true,
            "short" => drill.is_short,
            name => drill.name == name,
        };
        let drills = DRILLS.iter().filter(wanted);
        let drills = drills.filter(|drill| drill.modes.contains(&mode));
        drills.filter(|_| self.wants(mode)).collect()
    }

    /// They are shown on servers: what they remove stands behind them in PostgreSQL, too.
    fn controls(&self) -> Vec<&'static Control> {
        let wanted = |control: &&Control| match self.name.as_str() {
            "all" | "short" | "controls" => true,
            name => control.name == name,
        };
        let controls = CONTROLS.iter().filter(wanted);
        controls.filter(|_| self.wants(Mode::Distributed)).collect()
    }
}

/// Holds the drills one after another, prints a line for each, a table, and writes
/// target/drills.json.
///
/// # Errors
/// When one failed.
pub async fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.name == "list" {
        return list();
    }
    let begun = Instant::now();
    let embedded = arguments.drills(Mode::Embedded);
    let distributed = arguments.drills(Mode::Distributed);
    let controls = arguments.controls();
    if embedded.len() + distributed.len() + controls.len() == 0 {
        return Err(Failure::Missing("a drill of this name in this mode"));
    }
    let mut drills = Drills {
        program: build::plumbline(arguments.no_build).await?,
        size: arguments.size(),
        services: None,
        outcomes: Vec::new(),
    };
    drills.hold_all(Mode::Embedded, &embedded).await?;
    drills.hold_all(Mode::Distributed, &distributed).await?;
    for control in controls {
        drills.hold_control(control).await?;
    }
    let outcomes = drills.outcomes;
    let file = workspace::metadata()?.target_directory.join("drills.json");
    report::write(&outcomes, &file)?;
    println!("\n{}", report::table(&outcomes, begun.elapsed()));
    eprintln!("{}", file.display());
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    if failed == 0 {
        return Ok(());
    }
    let total = outcomes.len();
    Err(Failure::Drills { failed, total })
}

fn list() -> Result<(), Failure> {
    for drill in DRILLS {
        let modes: Vec<_> = drill.modes.iter().map(|mode| mode.name()).collect();
        println!("{:<26} {:<21} {}", drill.name, modes.join(", "), drill.what);
    }
    for control in CONTROLS {
        println!(
            "{:<26} {:<21} {} without one safeguard: the auditor must be red",
            control.name, "distributed", control.drill
        );
    }
    Ok(())
}

/// The drills of one run.
struct Drills {
    program: PathBuf,
    size: Size,
    /// While no system uses them.
    services: Option<Services>,
    outcomes: Vec<Outcome>,
}

impl Drills {
    /// All on one system; after a failure on a new one, since what was broken stays so.
    async fn hold_all(&mut self, mode: Mode, drills: &[&Drill]) -> Result<(), Failure> {
        let mut stage = None;
        for drill in drills {
            if drill.is_strict && !edge::is_installed() {
                let name = drill.name;
                eprintln!("LEFT OUT: {name}: there is no nginx (apt-get install nginx-light)");
                continue;
            }
            let begun = Instant::now();
            let held = match self.stage(mode, stage.take()).await {
                Ok(mut current) => match current.hold(drill, self.size).await {
                    Ok(shown) => {
                        stage = Some(current);
                        Ok(shown)
                    }
                    Err(failure) => {
                        self.services = current.system.abandon();
                        Err(failure)
                    }
                },
                Err(failure) => Err(failure),
            };
            self.note(drill.name, drill.what.to_owned(), mode, begun, held);
        }
        if let Some(stage) = stage {
            self.services = stage.system.leave().await?;
        }
        Ok(())
    }

    /// On a system of its own, since the point is to break it.
    async fn hold_control(&mut self, control: &Control) -> Result<(), Failure> {
        let begun = Instant::now();
        let drill = catalogue::find(control.drill).ok_or(Failure::Missing(control.drill))?;
        let held = match self.stage(Mode::Distributed, None).await {
            Ok(mut stage) => {
                let held = stage.control(control, &drill, self.size).await;
                self.services = stage.system.abandon();
                held
            }
            Err(failure) => Err(failure),
        };
        let what = format!(
            "{} without the {}: the auditor sees it",
            control.drill,
            control.safeguard.as_str()
        );
        self.note(control.name, what, Mode::Distributed, begun, held);
        Ok(())
    }

    /// The stage of the last drill, or a new one.
    async fn stage(&mut self, mode: Mode, last: Option<Stage>) -> Result<Stage, Failure> {
        if let Some(stage) = last {
            return Ok(stage);
        }
        let services = match (mode, self.services.take()) {
            (Mode::Embedded, services) => {
                self.services = services;
                None
            }
            (Mode::Distributed, Some(services)) => Some(services),
            // The first, or those of a system that did not start are gone with it.
            (Mode::Distributed, None) => Some(services::start_durable().await?),
        };
        let logs = workspace::metadata()?.target_directory.join("drill/logs");
        let launcher = Launcher::of(self.program.clone(), logs)?;
        let blueprint = Blueprint {
            gateways: REPLICAS,
            workers: REPLICAS,
            is_exposed: true,
            ..Blueprint::of(mode)
        };
        let system = System::start_on(services, launcher, &blueprint).await?;
        Stage::open(system).await
    }

    fn note(
        &mut self,
        drill: &'static str,
        fault: String,
        mode: Mode,
        begun: Instant,
        held: Result<Shown, Failure>,
    ) {
        let (shown, failure) = match held {
            Ok(shown) => (Some(shown), None),
            Err(failure) => (None, Some(failure.to_string())),
        };
        let outcome = Outcome {
            drill,
            mode: mode.name(),
            fault,
            seed: self.size.seed,
            orders: shown.map_or(0, |shown| shown.orders),
            recovery_seconds: shown.and_then(|shown| shown.recovery_seconds),
            seconds: begun.elapsed().as_secs_f64(),
            passed: failure.is_none(),
            failure,
        };
        println!("{}", outcome.line());
        if let Some(failure) = &outcome.failure {
            eprintln!("       {failure}");
        }
        self.outcomes.push(outcome);
    }
}
