//! Single reading statements, on PostgreSQL over connections of their own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::time::Duration;

use database::Database;
use sea_orm::{ConnectionTrait, Statement};
use testkit::postgres::{FreshDatabase, fresh_database};
use testkit::statement::own;
use tokio::time::timeout;

/// Half of them read.
const CONNECTIONS: u32 = 4;

async fn postgres() -> Option<(FreshDatabase, Database)> {
    let services = testkit::environment::distributed("reading from PostgreSQL")?;
    let fresh = fresh_database(&services.postgres, "reading").await.unwrap();
    let database = Database::connect(fresh.url(), CONNECTIONS).await.unwrap();
    Some((fresh, database))
}

async fn number(database: &Database, sql: &str) -> Result<i64, sea_orm::DbErr> {
    let statement = Statement::from_string(database.backend(), own(sql));
    let row = database.reader().query_one_raw(statement).await?;
    row.unwrap().try_get_by_index(0)
}

const PID: &str = "SELECT pg_backend_pid()::bigint";

#[tokio::test]
async fn a_connection_is_used_again_also_after_a_refused_statement() {
    let Some((_fresh, database)) = postgres().await else {
        return;
    };
    let first = number(&database, PID).await.unwrap();
    assert!(number(&database, "SELECT 1/0").await.is_err());
    assert!(number(&database, "SELECT nonsense").await.is_err());
    assert_eq!(number(&database, PID).await.unwrap(), first);
}

/// Its answer may still be on the way: nobody else must get it.
#[tokio::test]
async fn a_connection_whose_caller_went_away_is_not_used_again() {
    let Some((_fresh, database)) = postgres().await else {
        return;
    };
    let first = number(&database, PID).await.unwrap();
    let slow = number(&database, "SELECT 7::bigint FROM pg_sleep(0.2)");
    assert!(timeout(Duration::from_millis(20), slow).await.is_err());
    for expected in 1..=20_i64 {
        let sql = format!("SELECT {expected}::bigint");
        assert_eq!(number(&database, &sql).await.unwrap(), expected);
    }
    assert_ne!(number(&database, PID).await.unwrap(), first);
}

#[tokio::test]
async fn readers_are_bounded_and_wait_for_each_other() {
    let Some((_fresh, database)) = postgres().await else {
        return;
    };
    let sql = "SELECT pg_backend_pid()::bigint FROM pg_sleep(0.01)";
    let reads = (0..40).map(|_| number(&database, sql));
    let pids = futures_util::future::try_join_all(reads).await.unwrap();
    let different: std::collections::BTreeSet<_> = pids.into_iter().collect();
    assert!(
        different.len() <= (CONNECTIONS / 2) as usize,
        "{different:?}"
    );
}

#[tokio::test]
async fn a_connection_that_the_server_ended_is_replaced() {
    let Some((_fresh, database)) = postgres().await else {
        return;
    };
    let pid = number(&database, PID).await.unwrap();
    let end = own(&format!("SELECT pg_terminate_backend({pid}::int)"));
    let statement = Statement::from_string(database.backend(), end);
    database.writer().execute_raw(statement).await.unwrap();
    // The first may still meet the ended one; none after it does.
    let _ = number(&database, "SELECT 1::bigint").await;
    assert_ne!(number(&database, PID).await.unwrap(), pid);
}

#[tokio::test]
async fn nobody_reads_after_the_end() {
    let Some((_fresh, database)) = postgres().await else {
        return;
    };
    number(&database, PID).await.unwrap();
    database.close().await.unwrap();
    assert!(number(&database, PID).await.is_err());
}
