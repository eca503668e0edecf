//! One run from set-up to verdict.

use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, SystemClock};
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde::Serialize;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::audit::audit;
use crate::machine::Machine;
use crate::measurements::Measurements;
use crate::operations::Operation;
use crate::processes::{self, ProcessSeries, ProcessTarget};
use crate::profile::Profile;
use crate::recorder::Recorder;
use crate::report::{Report, RunFacts};
use crate::schedule::Schedule;
use crate::settle::settle;
use crate::shop::client::Targets;
use crate::shop::shopper::Credentials;
use crate::shop::{SetUpError, Shop};
use crate::thresholds::Verdict;
use crate::{generator, progress};

/// How the system under test was started: for the report only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// All roles in one process, on SQLite.
    Embedded,
    /// One role a process, on PostgreSQL, Redis and RabbitMQ.
    Distributed,
}

/// Everything that decides what a run does.
#[derive(Clone, Debug)]
pub struct RunOptions {
    pub profile: Profile,
    pub schedule: Schedule,
    pub targets: Targets,
    pub user: Credentials,
    /// Whose orders the idle subscribers of an audience wait for in vain.
    pub idle_user: Credentials,
    /// The same seed gives the same sequence of operations.
    pub seed: u64,
    pub max_in_flight: usize,
    /// How long orders may take to end after the load.
    pub settle_limit: Duration,
    pub mode: Mode,
    /// What was built: for the report only.
    pub commit: String,
    /// Watched besides the generator itself.
    pub processes: Vec<ProcessTarget>,
    pub audit_command: Option<String>,
    pub show_progress: bool,
}

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    SetUp(#[from] SetUpError),
    #[error(
        "the catalogue has stock for {stock} orders and this run needs {needed}: \
         give the shop more stock, or lower --rate or --duration"
    )]
    Stock { stock: u64, needed: u64 },
    #[error("the generator broke down")]
    Generator(#[from] JoinError),
}

/// Sets up, loads, settles, audits and judges.
///
/// # Errors
/// When the run cannot be made. A run that was made and missed its objectives is a [`Report`].
pub async fn run(options: RunOptions) -> Result<Report, RunError> {
    let started_at = SystemClock.now();
    let shop = Arc::new(Shop::set_up(options.targets.clone(), options.user.clone()).await?);
    let growth = prepare(&shop, &options).await?;
    let (measurements, processes) = load(&shop, &options).await?;
    let audience = shop.audience().map(|audience| audience.figures(growth));
    let orders = settle(&shop, options.settle_limit).await;
    let audit = match &options.audit_command {
        Some(command) => Some(audit(command).await),
        None => None,
    };
    let judge = |threshold: &crate::thresholds::Threshold| {
        threshold.judge(&measurements, &orders, audience.as_ref(), audit.as_ref())
    };
    let thresholds: Vec<_> = options
        .profile
        .thresholds
        .iter()
        .filter_map(judge)
        .collect();
    Ok(Report {
        verdict: Verdict::of(&measurements, &thresholds),
        thresholds,
        run: RunFacts::new(&options, started_at),
        machine: Machine::read(),
        measurements,
        orders,
        audience,
        processes,
        audit,
    })
}

/// What must hold before the clock starts. Returns what the gateway's process grew by while the
/// audience came, in bytes.
async fn prepare(shop: &Shop, options: &RunOptions) -> Result<Option<u64>, RunError> {
    let expected =
        options.schedule.slots() as f64 * options.profile.share_of(Operation::places_an_order);
    // The mix is drawn at random: four standard deviations of headroom.
    let needed = (expected + 4.0 * expected.sqrt()).ceil() as u64;
    let stock = shop.catalogue.stock();
    if stock < needed {
        return Err(RunError::Stock { stock, needed });
    }
    if options
        .profile
        .share_of(|operation| operation == Operation::OrderToConfirmed)
        > 0.0
    {
        shop.connect_watchers().await?;
    }
    let Some(size) = options.profile.audience else {
        return Ok(None);
    };
    let gateway = ["gateway", "plumbline"].iter().find_map(|name| {
        options
            .processes
            .iter()
            .find(|process| process.name == *name)
    });
    let resident = || gateway.and_then(ProcessTarget::resident_bytes);
    let before = resident();
    shop.assemble(size, options.idle_user.clone()).await?;
    Ok(before
        .zip(resident())
        .map(|(before, after)| after.saturating_sub(before)))
}

async fn load(
    shop: &Arc<Shop>,
    options: &RunOptions,
) -> Result<(Measurements, Vec<ProcessSeries>), RunError> {
    let duration = options.schedule.duration();
    let recorder = Arc::new(Recorder::new(duration));
    let over = CancellationToken::new();
    // Whatever happens below, nothing keeps running behind it.
    let _stop_helpers = over.clone().drop_guard();

    let mut targets = options.processes.clone();
    targets.push(ProcessTarget::generator());
    let (window, watch_over) = (recorder.window(), over.clone());
    let watching =
        tokio::task::spawn_blocking(move || processes::watch(targets, window, &watch_over));
    let showing = options.show_progress.then(|| {
        tokio::spawn(progress::show(
            Arc::clone(&recorder),
            duration,
            over.clone(),
        ))
    });
    let (fresh_shop, fresh_over) = (Arc::clone(shop), over.clone());
    tokio::spawn(async move { fresh_shop.keep_sessions_fresh(fresh_over).await });

    let mut random = StdRng::seed_from_u64(options.seed);
    let (profile, worker_shop) = (options.profile, Arc::clone(shop));
    let work = move || {
        let operation = profile.draw(&mut random);
        let (shop, own_random) = (Arc::clone(&worker_shop), StdRng::from_rng(&mut random));
        (operation, async move {
            operation.perform(&shop, own_random).await
        })
    };
    let schedule = options.schedule.clone();
    generator::run(schedule, options.max_in_flight, Arc::clone(&recorder), work).await?;

    over.cancel();
    if let Some(showing) = showing {
        showing.await?;
    }
    Ok((recorder.measurements(), watching.await?))
}
