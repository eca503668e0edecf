use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use auth::{HashPoolConfig, HashingParams};
use futures_util::future::join_all;
use kernel::Role;
use service_kit::{
    access_token::{Verifier, VerifierConfig},
    jwks::{KeySource, RemoteKeys, RemoteKeysConfig},
};

use crate::harness::{EMAIL, Options, PASSWORD, TestApp};

#[actix_web::test]
async fn the_access_token_verifies_elsewhere_with_the_published_keys() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Support).await;
    let answer = app.log_in(EMAIL, PASSWORD).await;
    let session = answer.expect(201);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(session["token_type"], "Bearer");
    assert_eq!(session["expires_in"], 600);

    let clock: kernel::SharedClock = Arc::new(app.clock.clone());
    let keys = RemoteKeys::new(RemoteKeysConfig {
        jwks_url: format!("{}/auth/.well-known/jwks.json", app.origin)
            .parse()
            .unwrap(),
        clock: Arc::clone(&clock),
    })
    .unwrap();
    let config = VerifierConfig {
        issuer: format!("{}/auth", app.origin),
        audience: "plumbline".to_owned(),
        clock,
    };
    let verifier = Verifier::new(config, KeySource::remote(keys));
    let token = session["access_token"].as_str().unwrap();
    let verified = verifier.verify(token).await.unwrap();
    assert_eq!(verified.actor.roles, [Role::Support]);
    assert_eq!(
        session["session_id"],
        verified.claims.sid.unwrap().to_string()
    );
    assert_eq!(verified.claims.exp - verified.claims.iat, 600);
    assert_eq!(verified.claims.amr, ["pwd"]);
    app.finish().await;
}

#[actix_web::test]
async fn a_disabled_account_shows_that_only_to_whoever_knows_its_password() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    app.store
        .execute("UPDATE users SET disabled_at = created_at")
        .await;
    app.log_in(EMAIL, PASSWORD)
        .await
        .expect_problem(403, "account-disabled");
    app.log_in(EMAIL, "wrong")
        .await
        .expect_problem(401, "invalid-credentials");
    app.finish().await;
}

#[actix_web::test]
async fn a_log_in_renews_a_hash_of_older_parameters() {
    let app = TestApp::start().await;
    app.seed(EMAIL, Role::Customer).await;
    let store = app.stop().await;
    let hash = "SELECT password_hash FROM users";
    let old: String = store.scalar(hash).await;

    let hashing = HashingParams {
        iterations: 3,
        ..HashingParams::default()
    };
    let options = Options {
        hashing,
        ..Options::default()
    };
    let app = TestApp::start_on(store, options).await;
    app.log_in(EMAIL, "wrong")
        .await
        .expect_problem(401, "invalid-credentials");
    assert_eq!(app.store.scalar::<String>(hash).await, old);
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    let new: String = app.store.scalar(hash).await;
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=3,p=1$"), "{new}");
    app.log_in(EMAIL, PASSWORD).await.expect(201);
    assert_eq!(app.store.scalar::<String>(hash).await, new);
    app.finish().await;
}

#[actix_web::test]
async fn a_flood_of_log_ins_is_bounded_and_stops_nothing_else() {
    let hash_pool = HashPoolConfig {
        permits: NonZeroUsize::MIN,
        max_queued: 4,
        max_wait: Duration::from_secs(60),
    };
    let options = Options {
        hash_pool,
        ..Options::default()
    };
    let app = TestApp::start_with(options).await;
    let session = app.seed_and_log_in().await;
    let flood = join_all((0..100).map(|_| app.log_in(EMAIL, PASSWORD)));
    let refresh = app.refresh(session["refresh_token"].as_str().unwrap());
    let (answers, refreshed) = tokio::join!(flood, refresh);
    refreshed.expect(200);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.expect_problem(503, "hash-capacity");
        assert_eq!(answer.header("retry-after"), "2");
    }
    let served = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((5..100).contains(&served), "{served} served");
    app.finish().await;
}
