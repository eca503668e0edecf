//! `plumbline reconcile`: one line for each thing in which the provider's books and ours differ, or
//! that stands still, and what mends it.

use std::{fmt::Write, sync::Arc};

use chrono::{DateTime, Utc};
use clap::Args;
use kernel::SystemClock;
use order_worker::reconcile::{Mode, ReconcileError, Reconciled, Reconciliation};

use crate::{StartError, offline, settings::Settings};

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// Tell what there is to mend, and mend nothing.
    #[arg(long)]
    dry_run: bool,
    /// Compare the provider's books from this time, such as 2026-01-31T00:00:00Z, instead of
    /// where the last run ended.
    #[arg(long, value_name = "TIME")]
    since: Option<DateTime<Utc>>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ReconcileFailed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Reconcile(#[from] ReconcileError),
}

/// The report, and whether nothing is left to mend.
pub(crate) async fn run(
    settings: &Settings,
    options: &Options,
) -> Result<(String, bool), ReconcileFailed> {
    let orders = offline::orders(settings).await?;
    let provider = offline::provider(settings)?;
    let mut report = String::new();
    if provider.is_none() {
        report += "  left out   the provider's books: the double inside another process can't be asked; \
            its worker compares them\n";
    }
    let mode = if options.dry_run {
        Mode::DryRun
    } else {
        Mode::Mend
    };
    let reconciliation = Reconciliation {
        orders: &orders,
        provider: provider.as_ref(),
        clock: Arc::new(SystemClock),
        mode,
        since: options.since,
    };
    let sum = reconciliation
        .run(&mut |discrepancy| {
            let _ = writeln!(report, "  {discrepancy}");
        })
        .await?;
    report += &line(sum);
    Ok((report, sum.left == 0))
}

fn line(sum: Reconciled) -> String {
    let Reconciled {
        compared,
        found,
        left,
    } = sum;
    let mended = found - left;
    format!(
        "reconcile: {compared} payments compared, {found} found, {mended} mended, {left} left\n"
    )
}
