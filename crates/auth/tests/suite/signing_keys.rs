use std::sync::Arc;

use auth::{Haste, KeyState, SigningAlgorithm, SigningKeyConfig};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use futures_util::future::join_all;
use kernel::ManualClock;
use serde_json::Value;
use service_kit::{
    access_token::{TokenRejected, Verifier, VerifierConfig},
    jwks::{KeySource, RemoteKeys, RemoteKeysConfig},
};

use crate::harness::{EMAIL, Options, PASSWORD, Store, TestApp, build_on, eventually, keys_of};

impl TestApp {
    /// The published keys, the current one first.
    fn kids(&self) -> Vec<String> {
        let keys = self.service.jwks().keys;
        keys.into_iter().map(|key| key.kid).collect()
    }

    async fn until_current(&self, kid: &str) {
        let current = async || (self.kids()[0] == kid).then_some(());
        eventually("the service signs with another key", current).await;
    }

    async fn access_token(&self) -> String {
        let session = self.log_in(EMAIL, PASSWORD).await.expect(201);
        session["access_token"].as_str().unwrap().to_owned()
    }

    async fn status_with(&self, token: &str) -> u16 {
        self.me(&format!("Bearer {token}")).await.status
    }

    /// As a service in another process verifies.
    fn verifier_elsewhere(&self) -> Verifier {
        let clock: Arc<ManualClock> = Arc::new(self.clock.clone());
        let url = format!("{}/auth/.well-known/jwks.json", self.origin);
        let keys = RemoteKeys::new(RemoteKeysConfig {
            jwks_url: url.parse().unwrap(),
            clock: clock.clone(),
        });
        let config = VerifierConfig {
            issuer: format!("{}/auth", self.origin),
            audience: "plumbline".to_owned(),
            clock,
        };
        Verifier::new(config, KeySource::remote(keys.unwrap()))
    }
}

fn kid_of(token: &str) -> String {
    let header = token.split('.').next().unwrap();
    let header: Value = serde_json::from_slice(&BASE64.decode(header).unwrap()).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

fn with_es256() -> Options {
    let defaults = Options::default();
    Options {
        signing_keys: SigningKeyConfig {
            algorithm: SigningAlgorithm::Es256,
            ..defaults.signing_keys
        },
        ..defaults
    }
}

#[actix_web::test]
async fn the_keys_outlive_the_process_and_are_sealed() {
    let app = TestApp::start().await;
    let before = app.service.jwks();
    let store = app.stop().await;
    let unsealed = "SELECT COUNT(*) FROM signing_keys WHERE private_key NOT LIKE 'v1.test-1.%'";
    assert_eq!(store.scalar::<i64>(unsealed).await, 0);

    let again = build_on(&store.database, Options::default()).await.unwrap();
    assert_eq!(again.jwks(), before);
    store.remove().await;
}

#[actix_web::test]
async fn processes_that_start_at_once_agree_on_the_keys() {
    let store = Store::create().await;
    let builds = (0..4).map(|_| build_on(&store.database, Options::default()));
    let services = join_all(builds).await;
    let jwks = services[0].as_ref().unwrap().jwks();
    for service in &services {
        assert_eq!(service.as_ref().unwrap().jwks(), jwks);
    }
    assert_eq!(store.count("signing_keys").await, 2, "one signs, one waits");
    drop(services);
    store.remove().await;
}

#[actix_web::test]
async fn another_encryption_key_does_not_open_them() {
    let store = Store::create().await;
    build_on(&store.database, Options::default()).await.unwrap();
    let options = Options {
        encryption_key: 9,
        ..Options::default()
    };
    let error = build_on(&store.database, options).await.err().unwrap();
    assert!(error.to_string().contains("auth.encryption_key"), "{error}");
    store.remove().await;
}

#[actix_web::test]
async fn a_private_key_moved_to_another_row_does_not_open() {
    let store = Store::create().await;
    build_on(&store.database, Options::default()).await.unwrap();
    // Whoever can write to the database would like the next key to sign now.
    store
        .execute(
            "UPDATE signing_keys SET private_key =
                 (SELECT private_key FROM signing_keys WHERE status = 'next')
             WHERE status = 'current'",
        )
        .await;
    let error = build_on(&store.database, Options::default()).await;
    let error = error.err().unwrap().to_string();
    assert!(error.contains("can't be decrypted"), "{error}");
    store.remove().await;
}

#[actix_web::test]
async fn a_token_outlives_the_rotation_of_its_key_but_not_its_retirement() {
    let app = TestApp::start().await;
    app.seed_and_log_in().await;
    let old = app.access_token().await;
    let next = app.kids()[1].clone();

    let current = app.keys().rotate(Haste::Now).await.unwrap();
    assert_eq!(current.kid, next);
    app.until_current(&next).await;
    assert_eq!(app.kids().len(), 3, "current, next and previous");
    let new = app.access_token().await;
    assert_eq!(kid_of(&new), next);
    assert_eq!(app.status_with(&old).await, 200);
    assert_eq!(app.status_with(&new).await, 200);

    app.keys().retire(&kid_of(&old)).await.unwrap();
    let refused = async || (app.status_with(&old).await == 401).then_some(());
    eventually("a token of the retired key is refused", refused).await;
    assert_eq!(app.status_with(&new).await, 200);
    app.finish().await;
}

#[actix_web::test]
async fn the_schedule_rotates_every_thirty_days_and_destroys_what_is_over() {
    let app = TestApp::start().await;
    let [first, second] = app.kids().try_into().unwrap();
    app.clock.advance(TimeDelta::days(30));
    app.until_current(&second).await;
    assert_eq!(app.kids()[2], first, "it still verifies");

    app.clock.advance(TimeDelta::minutes(20));
    let gone = async || (app.kids().len() == 2).then_some(());
    eventually("the previous key is retired", gone).await;
    let erased = "SELECT COUNT(*) FROM signing_keys WHERE status = 'retired' AND private_key = ''";
    assert_eq!(app.store.scalar::<i64>(erased).await, 1);
    app.finish().await;
}

#[actix_web::test]
async fn replicas_agree_on_a_rotation() {
    let clock = ManualClock::starting_now();
    let options = || Options {
        clock: clock.clone(),
        ..Options::default()
    };
    let one = TestApp::start_with(options()).await;
    let replicas = join_all((0..3).map(|_| build_on(&one.store.database, options()))).await;
    let shutdown = service_kit::lifecycle::Shutdown::new();
    let replicas: Vec<_> = replicas.into_iter().map(Result::unwrap).collect();
    for replica in &replicas {
        replica.spawn_background(&shutdown).await.unwrap();
    }
    let next = one.kids()[1].clone();
    clock.advance(TimeDelta::days(30));
    one.until_current(&next).await;
    let agree = async || {
        let keys = one.service.jwks();
        replicas
            .iter()
            .all(|replica| replica.jwks() == keys)
            .then_some(())
    };
    eventually("the replicas agree", agree).await;
    assert_eq!(
        one.store.count("signing_keys").await,
        3,
        "they made one key"
    );
    assert!(shutdown.finish(std::time::Duration::from_secs(10)).await);
    one.finish().await;
}

#[actix_web::test]
async fn a_verifier_elsewhere_has_the_next_key_before_it_signs() {
    let app = TestApp::start().await;
    app.seed_and_log_in().await;
    let verifier = app.verifier_elsewhere();
    let old = app.access_token().await;
    verifier.verify(&old).await.unwrap();
    let next = app.kids()[1].clone();
    app.keys().rotate(Haste::Now).await.unwrap();
    app.until_current(&next).await;
    let new = app.access_token().await;
    // The clock stands still: it has not fetched the keys again.
    verifier.verify(&new).await.unwrap();
    verifier.verify(&old).await.unwrap();
    app.finish().await;
}

#[actix_web::test]
async fn a_verifier_elsewhere_fetches_a_key_that_it_does_not_know() {
    let app = TestApp::start().await;
    app.seed_and_log_in().await;
    let verifier = app.verifier_elsewhere();
    verifier.verify(&app.access_token().await).await.unwrap();
    // The next key, which the verifier has, is withdrawn; its successor signs at once.
    app.keys().retire(&app.kids()[1]).await.unwrap();
    let hurried = app.keys().rotate(Haste::Now).await.unwrap();
    app.until_current(&hurried.kid).await;
    let token = app.access_token().await;
    let refused = verifier.verify(&token).await;
    assert!(
        matches!(refused, Err(TokenRejected::UnknownKey)),
        "{refused:?}"
    );
    app.clock.advance(TimeDelta::seconds(30));
    verifier.verify(&token).await.unwrap();
    app.finish().await;
}

#[actix_web::test]
async fn es256_signs_and_verifies_from_end_to_end() {
    let app = TestApp::start_with(with_es256()).await;
    app.seed_and_log_in().await;
    let token = app.access_token().await;
    assert_eq!(app.status_with(&token).await, 200);
    app.verifier_elsewhere().verify(&token).await.unwrap();
    let jwks = app.get("/auth/.well-known/jwks.json").await.expect(200);
    for key in jwks["keys"].as_array().unwrap() {
        assert_eq!((&key["kty"], &key["alg"]), (&"EC".into(), &"ES256".into()));
    }
    app.finish().await;
}

#[actix_web::test]
async fn another_algorithm_takes_over_while_the_old_key_stays_published() {
    let app = TestApp::start().await;
    app.seed_and_log_in().await;
    let eddsa = app.access_token().await;
    let options = Options {
        clock: app.clock.clone(),
        ..with_es256()
    };
    let app = TestApp::start_on(app.stop().await, options).await;
    app.clock.advance(TimeDelta::minutes(12));
    let published = async || {
        let keys = app.service.jwks().keys;
        keys.into_iter().find(|key| key.alg == "ES256")
    };
    let next = eventually("the next key has the new algorithm", published).await;
    app.keys().rotate(Haste::Now).await.unwrap();
    app.until_current(&next.kid).await;
    let es256 = app.access_token().await;
    assert_eq!(kid_of(&es256), next.kid);
    assert_eq!(app.status_with(&es256).await, 200);
    assert!(app.kids().contains(&kid_of(&eddsa)));
    app.finish().await;
}

#[actix_web::test]
async fn a_rotation_in_haste_needs_insistence_and_the_current_key_stays() {
    let store = Store::create().await;
    let options = Options::default();
    build_on(&store.database, Options::default()).await.unwrap();
    let keys = keys_of(&store, &options);
    let too_early = keys.rotate(Haste::WhenPublished).await.unwrap_err();
    assert!(too_early.to_string().contains("--now"), "{too_early}");
    let listed = keys.list().await.unwrap();
    let current = listed.iter().find(|key| key.state == KeyState::Current);
    let refused = keys.retire(&current.unwrap().kid).await.unwrap_err();
    assert!(refused.to_string().contains("the current key"), "{refused}");
    assert_eq!(keys.list().await.unwrap(), listed);
    store.remove().await;
}

#[actix_web::test]
async fn re_encryption_frees_the_former_encryption_key() {
    let store = Store::create().await;
    build_on(&store.database, Options::default()).await.unwrap();
    let with = |encryption_key, former_encryption_keys| Options {
        encryption_key,
        former_encryption_keys,
        ..Options::default()
    };
    let keys = keys_of(&store, &with(2, vec![1]));
    for expected in [(2, 0), (0, 2)] {
        let report = keys.re_encrypt().await.unwrap();
        let signing_keys = &report[0];
        assert_eq!(signing_keys.table, "signing_keys");
        let counts = (signing_keys.re_encrypted, signing_keys.up_to_date);
        assert_eq!(counts, expected);
        assert!(report.iter().all(|column| column.unreadable.is_empty()));
    }
    assert!(build_on(&store.database, with(1, vec![])).await.is_err());
    build_on(&store.database, with(2, vec![])).await.unwrap();

    let without_it = keys_of(&store, &with(3, vec![]));
    let report = without_it.re_encrypt().await.unwrap();
    assert_eq!(report[0].unreadable.len(), 2);
    let (_, why) = &report[0].unreadable[0];
    assert!(why.contains("`test-2`"), "{why}");
    build_on(&store.database, with(2, vec![])).await.unwrap();
    store.remove().await;
}
