//! The report for people: one file that loads nothing, works offline, in light and dark.

use super::svg::{Chart, escape};
use super::{Report, charts, text};
use crate::latency::LatencySummary;
use crate::processes::{ProcessPoint, ProcessSeries};
use crate::thresholds::Verdict;

/// Beside being unneeded, loading anything is forbidden to the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";
const STYLE: &str = include_str!("page.css");

#[must_use]
pub fn render(report: &Report) -> String {
    let title = format!(
        "Load test: {} ({})",
        report.run.profile,
        report.run.mode.name()
    );
    let body = [
        header(report),
        tiles(report),
        section("Objectives", objectives(report)),
        section("Over time", figures(&charts::load(report))),
        section("Operations", operations(report)),
        subscribers(report),
        section("Errors", errors(report)),
        section("Processes", processes(report)),
        audit(report),
        section("How it was measured", facts(report)),
    ]
    .concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )
}

fn header(report: &Report) -> String {
    let run = &report.run;
    let class = match report.verdict {
        Verdict::Passed => "passed",
        Verdict::ThresholdMissed => "threshold-missed",
        Verdict::GeneratorLate => "generator-late",
    };
    format!(
        "<h1>{} <span class=\"quiet\">{}</span></h1>\n<p class=\"quiet\">{}</p>\n\
         <p class=\"quiet\">{} · commit {} · {}</p>\n<p class=\"verdict {class}\">{}</p>\n",
        run.profile,
        run.mode.name(),
        escape(run.summary),
        run.started_at.format("%Y-%m-%d %H:%M:%S UTC"),
        escape(&run.commit),
        escape(&machine(report)),
        sentence(text::verdict(report.verdict)),
    )
}

fn machine(report: &Report) -> String {
    let machine = &report.machine;
    let gib = machine.memory_mib as f64 / 1024.0;
    format!(
        "{} × {}, {gib:.0} GiB, {}",
        machine.processors, machine.processor, machine.system
    )
}

fn tiles(report: &Report) -> String {
    let measured = &report.measurements;
    let latency = &measured.latency;
    let orders = &report.orders;
    let tile = |(value, name): (String, &str)| {
        format!("<div class=\"tile\"><b>{value}</b><span>{name}</span></div>\n")
    };
    let tiles: String = [
        (format!("{:.1}/s", measured.offered_rate), "offered"),
        (format!("{:.1}/s", measured.achieved_rate), "achieved"),
        (ms(latency.mean_ms), "mean"),
        (ms(latency.p50_ms), "p50"),
        (ms(latency.p99_ms), "p99"),
        (ms(latency.p999_ms), "p99.9"),
        (format!("{:.2} %", measured.error_share * 100.0), "errors"),
        (
            format!("{} / {}", orders.confirmed, orders.placed),
            "orders confirmed",
        ),
        (
            format!("{:.2} %", measured.slots.late_share() * 100.0),
            "late starts",
        ),
    ]
    .map(tile)
    .concat();
    format!("<div class=\"tiles\">\n{tiles}</div>\n")
}

fn objectives(report: &Report) -> String {
    let rows = report.thresholds.iter().map(|threshold| {
        let (class, word) = if threshold.met {
            ("met", "met")
        } else {
            ("missed", "missed")
        };
        format!(
            "<tr><td>{}</td><td>{}</td><td class=\"{class}\">{word}</td></tr>\n",
            escape(&threshold.objective),
            escape(&threshold.measured)
        )
    });
    table(&["objective", "measured", ""], 3, rows)
}

fn operations(report: &Report) -> String {
    let measured = &report.measurements;
    let row = |name: &str, failed: u64, latency: &LatencySummary| {
        let LatencySummary {
            count,
            mean_ms,
            p50_ms,
            p90_ms,
            p95_ms,
            p99_ms,
            p999_ms,
            max_ms,
        } = *latency;
        let times: String = [mean_ms, p50_ms, p90_ms, p95_ms, p99_ms, p999_ms, max_ms]
            .map(|time| format!("<td class=\"n\">{time:.1}</td>"))
            .concat();
        format!(
            "<tr><td>{}</td><td class=\"n\">{count}</td><td class=\"n\">{failed}</td>{times}</tr>\n",
            escape(name)
        )
    };
    let rows = measured
        .operations
        .iter()
        .map(|o| row(o.operation, o.failed, &o.latency));
    let all = std::iter::once(row("all", measured.failed, &measured.latency));
    let columns = [
        "operation",
        "count",
        "failed",
        "mean ms",
        "p50",
        "p90",
        "p95",
        "p99",
        "p99.9",
        "max",
    ];
    table(&columns, 1, rows.chain(all))
}

fn subscribers(report: &Report) -> String {
    let Some(audience) = &report.audience else {
        return String::new();
    };
    let rows = text::audience(audience)
        .map(|(name, value)| format!("<tr><th>{name}</th><td class=\"n\">{value}</td></tr>\n"));
    section(
        "Subscribers",
        format!("<table>\n{}</table>\n", rows.concat()),
    )
}

fn errors(report: &Report) -> String {
    let errors = report.measurements.errors.iter().map(|error| {
        format!(
            "<tr><td>{}</td><td>{}</td><td class=\"wide\">{}</td></tr>\n",
            escape(&error.code),
            error.count,
            escape(&error.example)
        )
    });
    let orders = report.orders.not_confirmed.iter().map(|(reason, count)| {
        let what = "accepted, but not confirmed after the load";
        format!(
            "<tr><td>order {}</td><td>{count}</td><td>{what}</td></tr>\n",
            escape(reason)
        )
    });
    let rows: Vec<String> = errors.chain(orders).collect();
    if rows.is_empty() {
        return "<p>None.</p>\n".to_owned();
    }
    table(&["code", "count", "first example"], 3, rows.into_iter())
}

fn processes(report: &Report) -> String {
    let rows = report.processes.iter().map(process_row);
    let columns = [
        "process",
        "mean CPU %",
        "peak CPU %",
        "peak MiB",
        "last MiB",
        "descriptors",
        "threads",
    ];
    figures(&charts::processes(report)) + &table(&columns, 1, rows)
}

fn process_row(process: &ProcessSeries) -> String {
    let points = &process.points;
    let peak = |value: fn(&ProcessPoint) -> f64| points.iter().map(value).fold(0.0, f64::max);
    let cpu: f64 = points.iter().map(|point| point.cpu_percent).sum();
    let gone = process
        .gone_at_s
        .map_or(String::new(), |at| format!(" (gone after {at:.0} s)"));
    let figures: String = [
        cpu / points.len().max(1) as f64,
        peak(|point| point.cpu_percent),
        peak(|point| charts::mib(point.resident_bytes)),
        points
            .last()
            .map_or(0.0, |point| charts::mib(point.resident_bytes)),
        peak(|point| point.descriptors as f64),
        peak(|point| point.threads as f64),
    ]
    .map(|figure| format!("<td class=\"n\">{figure:.0}</td>"))
    .concat();
    format!(
        "<tr><td>{}{gone}</td>{figures}</tr>\n",
        escape(&process.name)
    )
}

fn audit(report: &Report) -> String {
    let Some(audit) = &report.audit else {
        return String::new();
    };
    let (class, word) = if audit.green {
        ("met", "green")
    } else {
        ("missed", "not green")
    };
    let (exit, output) = (escape(&audit.exit), escape(&audit.output));
    let body = format!("<p class=\"{class}\">{word} ({exit})</p>\n<pre>{output}</pre>\n");
    section("Audit", body)
}

fn facts(report: &Report) -> String {
    let run = &report.run;
    let slots = &report.measurements.slots;
    let mix: Vec<String> = run
        .mix
        .iter()
        .map(|part| format!("{} {:.0} %", part.operation, part.percent))
        .collect();
    let rows = [
        ("schedule", format!("{} slots in {} s, peak {}/s", slots.scheduled, report.measurements.duration_s, run.peak_rate)),
        ("kept", format!(
            "{} started, {} late (latest {:.1} ms), {} dropped, {} held back and {} refused by the bound of {} in flight",
            slots.started, slots.late, slots.latest_start_ms, slots.dropped, slots.held_back, slots.refused, run.max_in_flight,
        )),
        ("mix", mix.join(", ")),
        ("seed", run.seed.to_string()),
        ("gateway", run.gateway_url.clone()),
        ("auth", run.auth_url.clone()),
        ("orders settled", format!("{} ms after the load", report.orders.waited_ms)),
        ("kernel", report.machine.kernel.clone()),
    ]
    .map(|(name, value)| format!("<tr><th>{name}</th><td class=\"wide\">{}</td></tr>\n", escape(&value)));
    let notes: String = run
        .notes
        .iter()
        .map(|note| format!("<li>{}</li>\n", escape(note)))
        .collect();
    format!("<ul>\n{notes}</ul>\n<table>\n{}</table>\n", rows.concat())
}

fn section(title: &str, body: String) -> String {
    format!("<section>\n<h2>{title}</h2>\n{body}</section>\n")
}

fn figures(charts: &[Chart<'_>]) -> String {
    let figure = |chart: &Chart<'_>| {
        format!(
            "<figure><figcaption>{}</figcaption>{}</figure>\n",
            chart.title,
            chart.render()
        )
    };
    format!(
        "<div class=\"charts\">\n{}</div>\n",
        charts.iter().map(figure).collect::<String>()
    )
}

/// The first `words` columns hold words, the others right-aligned figures.
fn table(columns: &[&str], words: usize, rows: impl Iterator<Item = String>) -> String {
    let head = |(index, name): (usize, &&str)| {
        let class = if index < words { "" } else { " class=\"n\"" };
        format!("<th{class}>{name}</th>")
    };
    let head: String = columns.iter().enumerate().map(head).collect();
    let body: String = rows.collect();
    format!("<div class=\"scroll\"><table>\n<tr>{head}</tr>\n{body}</table></div>\n")
}

fn ms(value: f64) -> String {
    if value < 100.0 {
        format!("{value:.1} ms")
    } else {
        format!("{value:.0} ms")
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(char::to_uppercase);
    first
        .into_iter()
        .flatten()
        .chain(letters)
        .chain(std::iter::once('.'))
        .collect()
}
