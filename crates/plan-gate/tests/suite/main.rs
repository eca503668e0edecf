//! The gate on a real PostgreSQL, over databases just large enough.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use plan_gate::{BIG, Gate, GateError, Ledger};
use tempfile::TempDir;
use testkit::environment::POSTGRES_URL;

const BY_ID: &str = r#"SELECT "number" FROM "orders" WHERE "id" = $1"#;
const BY_PAYMENT: &str = r#"SELECT "number" FROM "orders" WHERE "payment_method" = $1"#;
const DEAREST: &str = r#"SELECT "id" FROM "orders" WHERE "customer_id" IN ($1, $2)
    ORDER BY "total_amount" DESC LIMIT $3"#;

fn rows_of(table: &str) -> u64 {
    if table == "orders" { BIG } else { 10 }
}

/// Plans on file, and what was recorded.
struct Files {
    folder: TempDir,
    server: String,
}

impl Files {
    fn new(test: &str) -> Option<Self> {
        let Ok(server) = std::env::var(POSTGRES_URL) else {
            testkit::environment::left_out(test, "PostgreSQL");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        Some(Self { folder, server })
    }

    fn plans(&self) -> PathBuf {
        self.folder.path().join("plans")
    }

    fn orders(&self) -> PathBuf {
        self.plans().join("orders.sql")
    }

    async fn gate(&self, recorded: &[&str]) -> Gate {
        let mut gate = Gate::open(&self.server, &self.plans(), rows_of)
            .await
            .unwrap();
        let file = self.folder.path().join("recorded");
        let statements = recorded.iter().map(|sql| format!("{sql}\0"));
        fs::write(&file, statements.collect::<String>()).unwrap();
        gate.add_recorded(&file).await.unwrap();
        gate
    }
}

fn refused(outcome: Result<(), GateError>) -> usize {
    match outcome {
        Err(GateError::Refused(findings)) => findings,
        other => panic!("not refused: {other:?}"),
    }
}

fn ledger(file: &Path) -> Ledger {
    Ledger::parse(&fs::read_to_string(file).unwrap())
}

#[tokio::test]
async fn a_new_statement_is_refused_until_its_plan_is_on_file() {
    let Some(files) = Files::new("a_new_statement_is_refused_until_its_plan_is_on_file") else {
        return;
    };
    let mut gate = files
        .gate(&[BY_ID, "/* test */ SELECT 1", "LOCK TABLE orders"])
        .await;
    assert_eq!(refused(gate.check()), 1);
    gate.write(false).unwrap();
    let plan = &ledger(&files.orders()).entries[BY_ID].plan;
    assert_eq!(plan[0], "Index Scan using orders_pkey on orders");
    files.gate(&[BY_ID]).await.check().unwrap();
}

#[tokio::test]
async fn a_scan_and_a_sort_need_a_reason() {
    let Some(files) = Files::new("a_scan_and_a_sort_need_a_reason") else {
        return;
    };
    let mut gate = files.gate(&[BY_PAYMENT, DEAREST]).await;
    assert_eq!(refused(gate.write(false)), 2);
    let gate = files.gate(&[BY_PAYMENT, DEAREST]).await;
    assert_eq!(refused(gate.check()), 2);
    let text = fs::read_to_string(files.orders()).unwrap();
    let text = text.replace("\nSELECT", "\n-- Accepted: a report, once a day\nSELECT");
    fs::write(files.orders(), text).unwrap();
    let mut gate = files.gate(&[BY_PAYMENT, DEAREST]).await;
    gate.check().unwrap();
    // A reason stays with its statement.
    gate.write(true).unwrap();
    files.gate(&[BY_PAYMENT]).await.check().unwrap();
}

#[tokio::test]
async fn another_plan_than_on_file_and_a_statement_of_no_database_are_refused() {
    let test = "another_plan_than_on_file_and_a_statement_of_no_database_are_refused";
    let Some(files) = Files::new(test) else {
        return;
    };
    files.gate(&[BY_ID]).await.write(false).unwrap();
    let text = fs::read_to_string(files.orders()).unwrap();
    fs::write(files.orders(), text.replace("orders_pkey", "orders_other")).unwrap();
    let absent = "SELECT 1 FROM absent";
    assert_eq!(refused(files.gate(&[BY_ID, absent]).await.check()), 2);
}

#[tokio::test]
async fn statements_that_were_not_asked_stay_on_file_until_pruned() {
    let Some(files) = Files::new("statements_that_were_not_asked_stay_on_file_until_pruned") else {
        return;
    };
    let mut gate = files.gate(&[BY_ID, BY_PAYMENT]).await;
    assert_eq!(refused(gate.write(false)), 1);
    assert_eq!(refused(files.gate(&[BY_ID]).await.write(false)), 1);
    assert_eq!(ledger(&files.orders()).entries.len(), 2);
    files.gate(&[BY_ID]).await.write(true).unwrap();
    assert_eq!(ledger(&files.orders()).entries.len(), 1);
}
