//! The report for a terminal.

use std::fmt::Write;

use super::Report;
use crate::latency::LatencySummary;
use crate::shop::audience::AudienceFigures;
use crate::thresholds::Verdict;

#[must_use]
pub fn summary(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_summary(&mut text, report);
    text
}

fn write_summary(out: &mut String, report: &Report) -> std::fmt::Result {
    let measured = &report.measurements;
    let columns = ["count", "failed", "p50 ms", "p95 ms", "p99 ms", "max ms"];
    write_row(out, "operation", &columns.map(str::to_owned))?;
    for row in &measured.operations {
        write_row(out, row.operation, &figures(row.failed, &row.latency))?;
    }
    write_row(out, "all", &figures(measured.failed, &measured.latency))?;
    writeln!(
        out,
        "\noffered {:.1}/s, achieved {:.1}/s; {} of {} orders confirmed; {:.2} % late starts",
        measured.offered_rate,
        measured.achieved_rate,
        report.orders.confirmed,
        report.orders.placed,
        measured.slots.late_share() * 100.0,
    )?;
    for (name, value) in report.audience.iter().flat_map(audience) {
        writeln!(out, "{name}: {value}")?;
    }
    for error in &measured.errors {
        writeln!(
            out,
            "error {} × {}: {}",
            error.count, error.code, error.example
        )?;
    }
    for (reason, count) in &report.orders.not_confirmed {
        writeln!(out, "orders not confirmed: {count} × {reason}")?;
    }
    for threshold in &report.thresholds {
        let mark = if threshold.met { "ok  " } else { "MISS" };
        writeln!(
            out,
            "{mark} {:<24} {}",
            threshold.objective, threshold.measured
        )?;
    }
    write!(out, "{}", verdict(report.verdict))
}

/// What there is to say of subscribers: names and values.
#[must_use]
pub fn audience(audience: &AudienceFigures) -> [(&'static str, String); 6] {
    let delivery = &audience.delivery;
    let memory = audience.bytes_per_subscriber;
    [
        (
            "subscribers",
            format!(
                "{} idle, {} listening, connected in {:.1} s",
                audience.size.idle, audience.size.listening, audience.opened_in_s
            ),
        ),
        (
            "memory of the gateway for each",
            memory.map_or("not watched".to_owned(), |bytes| {
                format!("{:.1} KiB", bytes / 1024.0)
            }),
        ),
        ("news delivered", delivery.count.to_string()),
        (
            "from a state to its news, mean and p50",
            format!("{:.1} ms, {:.1} ms", delivery.mean_ms, delivery.p50_ms),
        ),
        (
            "p99 and longest",
            format!("{:.1} ms, {:.1} ms", delivery.p99_ms, delivery.max_ms),
        ),
        ("connections lost", audience.lost.to_string()),
    ]
}

fn figures(failed: u64, latency: &LatencySummary) -> [String; 6] {
    let LatencySummary {
        count,
        p50_ms,
        p95_ms,
        p99_ms,
        max_ms,
        ..
    } = latency;
    let [p50, p95, p99, max] = [p50_ms, p95_ms, p99_ms, max_ms].map(|time| format!("{time:.1}"));
    [count.to_string(), failed.to_string(), p50, p95, p99, max]
}

fn write_row(out: &mut String, name: &str, figures: &[String; 6]) -> std::fmt::Result {
    write!(out, "{name:<26}")?;
    for figure in figures {
        write!(out, " {figure:>9}")?;
    }
    writeln!(out)
}

/// One sentence.
#[must_use]
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed: every threshold met",
        Verdict::ThresholdMissed => "failed: a threshold was missed",
        Verdict::GeneratorLate => {
            "void: the generator was late; these figures say nothing about the server"
        }
    }
}
