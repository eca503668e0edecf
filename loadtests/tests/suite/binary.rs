//! The command: its exit status and its files.

use std::path::Path;
use std::process::Output;

use tokio::process::Command;

use super::stub::{Behaviour, Stub};

async fn loadtests(arguments: &[&str], report_dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadtests"))
        .arg("run")
        .args(arguments)
        .arg("--report-dir")
        .arg(report_dir)
        .output()
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exit_status_is_the_verdict_and_both_reports_are_written() {
    for graphql_errors in [false, true] {
        let stub = Stub::start(Behaviour {
            graphql_errors,
            ..Behaviour::default()
        });
        let directory = tempfile::tempdir().unwrap();
        let url = stub.url().to_string();
        let pids = format!("suite={}", std::process::id());
        let arguments = [
            "smoke",
            "--auth-url",
            &url,
            "--gateway-url",
            &url,
            "--duration",
            "2",
            "--pids",
            &pids,
        ];
        let output = loadtests(&arguments, directory.path()).await;

        assert!(directory.path().join("smoke-embedded.html").exists());
        let text = std::fs::read_to_string(directory.path().join("smoke-embedded.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&text).unwrap();
        // On a machine that is busy with other things the honest verdict may be another.
        let status = match report["verdict"].as_str().unwrap() {
            "passed" => 0,
            "threshold-missed" => 1,
            "generator-late" => 3,
            other => panic!("{other}"),
        };
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(report["processes"][0]["name"], "suite");
        if graphql_errors {
            assert_ne!(status, 0);
        }
    }
}

#[tokio::test]
async fn a_system_that_cannot_be_reached_is_exit_status_2() {
    let directory = tempfile::tempdir().unwrap();
    let output = loadtests(
        &["smoke", "--gateway-url", "http://127.0.0.1:9"],
        directory.path(),
    )
    .await;
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("cannot read the catalogue at http://127.0.0.1:9/"),
        "{message}"
    );
}

#[tokio::test]
async fn a_wrong_command_line_is_exit_status_2() {
    let directory = tempfile::tempdir().unwrap();
    for arguments in [
        &["nosuch"][..],
        &["smoke", "--rate", "0"],
        &["smoke", "--rate", "fast"],
    ] {
        let output = loadtests(arguments, directory.path()).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
