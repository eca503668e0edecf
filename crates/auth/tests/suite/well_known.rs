use crate::harness::TestApp;

#[actix_web::test]
async fn the_published_keys_are_public_and_cacheable() {
    let app = TestApp::start().await;
    let answer = app.get("/auth/.well-known/jwks.json").await;
    let jwks = answer.expect(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let key = jwks["keys"][0].as_object().unwrap();
    let members: Vec<_> = key.keys().map(String::as_str).collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    app.finish().await;
}

#[actix_web::test]
async fn the_metadata_is_true() {
    let app = TestApp::start().await;
    let metadata = app
        .get("/auth/.well-known/oauth-authorization-server")
        .await
        .expect(200);
    assert_eq!(metadata["issuer"], format!("{}/auth", app.origin));
    let by_the_rfc = app
        .get("/.well-known/oauth-authorization-server/auth")
        .await;
    assert_eq!(by_the_rfc.expect(200), metadata);
    for member in ["jwks_uri", "service_documentation"] {
        let url = metadata[member].as_str().unwrap();
        let path = url.strip_prefix(&app.origin).unwrap();
        assert_eq!(app.get(path).await.status, 200, "{url}");
    }
    let members: Vec<_> = metadata.as_object().unwrap().keys().collect();
    assert_eq!(
        members.len(),
        5,
        "a new member needs a check here: {members:?}"
    );
    app.finish().await;
}
