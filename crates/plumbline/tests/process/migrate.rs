//! `plumbline migrate`, and what asks for it.

use crate::harness::{Distributed, Settings, run, services, setting};

/// The number of migrations with this status, as `plumbline migrate` lists them.
async fn count(settings: &Settings, direction: &str, status: &str) -> usize {
    let ended = run(&["migrate", direction], settings).await.expect_code(0);
    let lines = ended.stdout.lines();
    lines
        .filter(|line| line.split_whitespace().nth(1) == Some(status))
        .count()
}

/// Up, all the way down one by one, and up again.
async fn there_and_back(settings: &Settings) {
    let pending = count(settings, "status", "pending").await;
    assert!(pending >= 4);
    for _ in 0..2 {
        assert_eq!(count(settings, "up", "applied").await, pending);
    }
    assert_eq!(count(settings, "status", "applied").await, pending);
    // The last one of each database at a time.
    let mut left = pending;
    while left > 0 {
        let applied = count(settings, "down", "applied").await;
        assert!(applied < left, "{applied}");
        left = applied;
    }
    assert_eq!(count(settings, "up", "applied").await, pending);
}

#[tokio::test]
async fn sqlite_migrates_up_and_down_and_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![setting("storage.data_dir", folder.path().display())];
    there_and_back(&settings).await;
}

#[tokio::test]
async fn postgresql_migrates_up_and_down_and_up_again() {
    let Some(urls) = services("migrations of PostgreSQL") else {
        return;
    };
    let distributed = Distributed::new(&urls).await;
    there_and_back(&distributed.settings).await;
}

#[tokio::test]
async fn the_auditor_asks_for_a_migration_first() {
    let folder = tempfile::tempdir().unwrap();
    let settings = vec![setting("storage.data_dir", folder.path().display())];
    let ended = run(&["audit"], &settings).await.expect_code(1);
    assert!(
        ended.stderr.contains("run `plumbline migrate up`"),
        "{}",
        ended.stderr
    );
}
