//! `plumbline follow`: the way of one order, with the time that everything took.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};
use orders::{Order, TimelineEntry};
use serde::Serialize;

use crate::{StartError, offline, settings::Settings};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Options {
    /// The order's id or number.
    order: String,
    /// As one JSON object, times in RFC 3339.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum FollowFailed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("can't read the order")]
    Orders(#[from] orders::OrderError),
    #[error("there is no order `{0}`")]
    NoSuchOrder(String),
    #[error("can't write JSON")]
    Json(#[from] serde_json::Error),
}

/// What `--json` prints.
#[derive(Serialize)]
struct Followed<'a> {
    id: String,
    number: &'a str,
    status: &'static str,
    timeline: &'a [TimelineEntry],
}

pub(crate) async fn run(settings: &Settings, options: &Options) -> Result<String, FollowFailed> {
    let orders = offline::orders(settings).await?;
    let named = orders.find_order(&options.order).await?;
    let order = named.ok_or_else(|| FollowFailed::NoSuchOrder(options.order.clone()))?;
    let mut timelines = orders.timelines_of(&[order.id]).await?;
    let timeline = timelines.remove(&order.id).unwrap_or_default();
    if options.json {
        let followed = Followed {
            id: order.id.to_string(),
            number: &order.number,
            status: order.status.as_str(),
            timeline: &timeline,
        };
        return Ok(serde_json::to_string_pretty(&followed)? + "\n");
    }
    Ok(report(&order, &timeline))
}

fn report(order: &Order, timeline: &[TimelineEntry]) -> String {
    let mut text = format!(
        "{} ({}): {}\n",
        order.number,
        order.id,
        order.status.as_str()
    );
    let Some(first) = timeline.first() else {
        return text + "nothing is known of its way\n";
    };
    let _ = writeln!(
        text,
        "{:>27}  {:>12}  {:>12}  {:>12}  {:<12}  what",
        "at", "since start", "since before", "took", "kind"
    );
    let mut before = first.at;
    let mut trace = None;
    for entry in timeline {
        if entry.trace_id.is_some() && entry.trace_id != trace {
            trace.clone_from(&entry.trace_id);
            let _ = writeln!(text, "trace {}", trace.as_deref().unwrap_or_default());
        }
        let took = entry.until.map(|until| milliseconds(entry.at, until));
        let detail = entry.detail.as_deref().unwrap_or_default();
        let line = format!(
            "{:>27}  {:>12}  {:>12}  {:>12}  {:<12}  {} {detail}",
            entry.at.to_rfc3339_opts(SecondsFormat::Micros, true),
            milliseconds(first.at, entry.at),
            milliseconds(before, entry.at),
            took.unwrap_or_default(),
            entry.kind.as_str(),
            entry.what,
        );
        let _ = writeln!(text, "{}", line.trim_end());
        before = entry.at;
    }
    text
}

fn milliseconds(from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    format!("{:.1} ms", (to - from).as_seconds_f64() * 1_000.0)
}
