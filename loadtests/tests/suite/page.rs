//! The page is one file: nothing in it is loaded from anywhere.

use loadtests::report::{Report, html, json, text};
use loadtests::run::run;

use super::stub::{Behaviour, Stub};
use super::{options, profile};

async fn report() -> (Report, String) {
    let stub = Stub::start(Behaviour {
        user_errors: true,
        ..Behaviour::default()
    });
    let mut options = options(profile("smoke"), &stub, 60.0, 2);
    options.commit = "<script>alert(1)</script>".to_owned();
    options.audit_command = Some("echo 'a < b & c'".to_owned());
    (run(options).await.unwrap(), stub.url().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_refers_to_nothing_outside_itself() {
    let (report, target) = report().await;
    // The addresses under test are named, as text.
    let page = html::render(&report).replace(&target, "");
    for reference in [
        "http:", "https:", "//", "src=", "href=", "url(", "@import", "<script", "<link", "<iframe",
    ] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_was_measured() {
    let (report, _) = report().await;
    let page = html::render(&report);
    for heading in [
        "Objectives",
        "Over time",
        "Operations",
        "Errors",
        "Processes",
        "Audit",
    ] {
        assert!(page.contains(&format!("<h2>{heading}</h2>")), "{heading}");
    }
    assert_eq!(page.matches("<svg").count(), 6);
    assert!(page.contains("user-error-out-of-stock"));
    assert!(
        page.contains("Argon2id"),
        "says that log-ins are bound by the hash"
    );
    assert!(page.contains("a &lt; b &amp; c") && page.contains("&lt;script&gt;"));
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_and_terminals_get_the_same_figures() {
    let (report, _) = report().await;
    let document: serde_json::Value =
        serde_json::from_str(&json::render(&report).unwrap()).unwrap();
    assert_eq!(document["format"], 1);
    assert_eq!(
        document["measurements"]["latency"]["count"],
        report.measurements.latency.count
    );
    assert_eq!(document["run"]["mode"], "embedded");
    assert_eq!(
        document["verdict"],
        serde_json::to_value(report.verdict).unwrap()
    );
    let summary = text::summary(&report);
    assert!(summary.contains("MISS no errors") && summary.contains("place order (GraphQL)"));
}
