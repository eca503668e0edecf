//! A log-in, and what ends all sessions of the account at the same moment: whoever's password was
//! right just before gets no session that stays.

use std::{num::NonZeroUsize, time::Duration};

use auth::{HashPoolConfig, HashingParams};
use futures_util::future::join_all;
use kernel::Role;
use sea_orm::ConnectionTrait as _;

use crate::harness::{Answer, EMAIL, Options, PASSWORD, Store, TestApp};

const LIVE_SESSIONS: &str = "SELECT COUNT(*) FROM sessions WHERE revoked_at IS NULL";

async fn app() -> TestApp {
    app_with(HashingParams::default(), Store::with_connections(4).await).await
}

/// One password is checked at a time, in the order of the log-ins.
async fn app_with(hashing: HashingParams, store: Store) -> TestApp {
    let options = Options {
        hashing,
        hash_pool: HashPoolConfig {
            permits: NonZeroUsize::MIN,
            max_queued: 64,
            max_wait: Duration::from_secs(60),
        },
        ..Options::default()
    };
    TestApp::start_on(store, options).await
}

/// Logs in while a transaction has run `statements` and not committed yet. The log-in sees what was
/// before it; by the time it commits, the password has been found right.
async fn log_in_during(app: &TestApp, statements: &[&str]) -> Answer {
    let transaction = app.store.database.begin().await.unwrap();
    for statement in statements {
        transaction.execute_unprepared(statement).await.unwrap();
    }
    let commit = async {
        // Passwords are checked in turn: after some of these, that of the log-in has been.
        for _ in 0..5 {
            app.log_in("nobody@example.com", PASSWORD)
                .await
                .expect_problem(401, "invalid-credentials");
        }
        transaction.commit().await.unwrap();
    };
    let (answer, ()) = tokio::join!(app.log_in(EMAIL, PASSWORD), commit);
    answer
}

/// What a password reset does, with the password of nobody.
const RESET: [&str; 3] = [
    "UPDATE users SET password_hash = \
     '$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'",
    "UPDATE sessions SET revoked_at = created_at",
    "DELETE FROM mfa_challenges",
];

#[actix_web::test]
async fn a_password_that_was_reset_meanwhile_begins_no_session() {
    let app = app().await;
    app.seed_and_log_in().await;
    log_in_during(&app, &RESET)
        .await
        .expect_problem(401, "invalid-credentials");
    assert_eq!(app.store.scalar::<i64>(LIVE_SESSIONS).await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn a_password_that_was_reset_meanwhile_begins_no_challenge() {
    let app = app().await;
    app.seed_with_mfa().await;
    log_in_during(&app, &RESET)
        .await
        .expect_problem(401, "invalid-credentials");
    assert_eq!(app.store.count("mfa_challenges").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn an_account_that_was_disabled_meanwhile_begins_no_session() {
    let app = app().await;
    app.seed(EMAIL, Role::Customer).await;
    log_in_during(&app, &["UPDATE users SET disabled_at = created_at"])
        .await
        .expect_problem(403, "account-disabled");
    assert_eq!(app.store.count("sessions").await, 0);
    app.finish().await;
}

#[actix_web::test]
async fn a_second_factor_that_was_set_up_meanwhile_is_asked_for() {
    let app = app().await;
    app.seed_with_mfa().await;
    app.store
        .execute("UPDATE totp_credentials SET confirmed_at = NULL")
        .await;
    let confirm = [
        // The owner is held first, as by whoever sets it up.
        "UPDATE users SET updated_at = updated_at",
        "UPDATE totp_credentials SET confirmed_at = created_at",
    ];
    log_in_during(&app, &confirm).await.expect(202);
    app.finish().await;
}

#[actix_web::test]
async fn log_ins_at_once_that_renew_the_hash_do_not_hinder_each_other() {
    let old = app().await;
    old.seed(EMAIL, Role::Customer).await;
    let store = old.stop().await;
    let before: String = store.scalar("SELECT password_hash FROM users").await;
    let costlier = HashingParams {
        iterations: 3,
        ..HashingParams::default()
    };
    let app = app_with(costlier, store).await;
    for answer in join_all((0..10).map(|_| app.log_in(EMAIL, PASSWORD))).await {
        answer.expect(201);
    }
    let after: String = app.store.scalar("SELECT password_hash FROM users").await;
    assert_ne!(before, after);
    assert_eq!(app.store.scalar::<i64>(LIVE_SESSIONS).await, 10);
    app.finish().await;
}
