use futures_util::future::join_all;

use crate::harness::{Options, Store, TestApp, build_on};

#[actix_web::test]
async fn the_key_outlives_the_process_and_is_sealed() {
    let app = TestApp::start().await;
    let session = app.seed_and_log_in().await;
    let before = app.service.jwks();
    let store = app.stop().await;
    let sealed: String = store.scalar("SELECT private_key FROM signing_keys").await;
    assert!(sealed.starts_with("v1.test."), "{sealed}");

    let again = build_on(&store.database, Options::default()).await.unwrap();
    assert_eq!(again.jwks(), before);
    assert!(session["access_token"].is_string());
    store.remove().await;
}

#[actix_web::test]
async fn processes_that_start_at_once_agree_on_one_key() {
    let store = Store::create().await;
    let builds = (0..4).map(|_| build_on(&store.database, Options::default()));
    let services = join_all(builds).await;
    let jwks = services[0].as_ref().unwrap().jwks();
    for service in &services {
        assert_eq!(service.as_ref().unwrap().jwks(), jwks);
    }
    assert_eq!(store.count("signing_keys").await, 1);
    drop(services);
    store.remove().await;
}

#[actix_web::test]
async fn another_encryption_key_does_not_open_it() {
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
