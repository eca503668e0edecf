//! What the page draws.

use super::Report;
use super::svg::{Axis, Chart, Scale, Series};
use crate::latency::Percentile;
use crate::measurements::{Measurements, WindowSummary};
use crate::processes::{ProcessPoint, ProcessSeries};

const SECONDS: Axis<'static> = Axis {
    label: "seconds into the run",
    scale: Scale::Linear,
};

/// Rate, percentiles, distribution and failures.
#[must_use]
pub fn load(report: &Report) -> [Chart<'_>; 4] {
    let measured = &report.measurements;
    [
        rate(measured),
        percentiles(measured),
        distribution(measured),
        failures(measured),
    ]
}

/// Processor time and memory, a line for each process.
#[must_use]
pub fn processes(report: &Report) -> [Chart<'_>; 2] {
    let chart = |title, label, value: fn(&ProcessPoint) -> f64| Chart {
        title,
        x: SECONDS,
        y: Axis {
            label,
            scale: Scale::Linear,
        },
        series: report
            .processes
            .iter()
            .map(|process| process_line(process, value))
            .collect(),
    };
    [
        chart("Processor time", "% of one core", |point| point.cpu_percent),
        chart("Resident memory", "MiB", |point| mib(point.resident_bytes)),
    ]
}

#[must_use]
pub fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn process_line(process: &ProcessSeries, value: fn(&ProcessPoint) -> f64) -> Series<'_> {
    let points = process
        .points
        .iter()
        .map(|point| (point.at_s, value(point)));
    Series {
        name: &process.name,
        points: points.collect(),
    }
}

fn rate(measured: &Measurements) -> Chart<'_> {
    Chart {
        title: "Offered against achieved rate",
        x: SECONDS,
        y: Axis {
            label: "requests a second",
            scale: Scale::Linear,
        },
        series: vec![
            window_line(measured, "offered", |window| window.offered_rate),
            window_line(measured, "achieved", |window| window.achieved_rate),
        ],
    }
}

fn percentiles(measured: &Measurements) -> Chart<'_> {
    let line = |percentile: Percentile| {
        let point =
            |window: &WindowSummary| Some((window.at_s, percentile.of(window.latency.as_ref()?)));
        let points = measured.windows.iter().filter_map(point).collect();
        Series {
            name: percentile.label(),
            points,
        }
    };
    Chart {
        title: "Latency percentiles over time",
        x: SECONDS,
        y: Axis {
            label: "latency, ms",
            scale: Scale::Logarithmic,
        },
        series: [Percentile::P50, Percentile::P90, Percentile::P99]
            .map(line)
            .to_vec(),
    }
}

fn distribution(measured: &Measurements) -> Chart<'_> {
    let points = measured.distribution.iter();
    let points = points
        .map(|point| (point.latency_ms, point.share * 100.0))
        .collect();
    Chart {
        title: "Cumulative distribution of latency",
        x: Axis {
            label: "latency, ms",
            scale: Scale::Logarithmic,
        },
        y: Axis {
            label: "% of requests at most",
            scale: Scale::Linear,
        },
        series: vec![Series {
            name: "all operations",
            points,
        }],
    }
}

fn failures(measured: &Measurements) -> Chart<'_> {
    Chart {
        title: "Failures over time",
        x: SECONDS,
        y: Axis {
            label: "failed requests",
            scale: Scale::Linear,
        },
        series: vec![window_line(measured, "failed", |window| {
            window.failed as f64
        })],
    }
}

fn window_line<'c>(
    measured: &Measurements,
    name: &'c str,
    value: fn(&WindowSummary) -> f64,
) -> Series<'c> {
    let points = measured
        .windows
        .iter()
        .map(|window| (window.at_s, value(window)))
        .collect();
    Series { name, points }
}
