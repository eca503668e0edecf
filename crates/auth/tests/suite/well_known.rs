use auth::ServiceAccountSpec;
use serde_json::{Value, json};

use crate::harness::{GATEWAY, GATEWAY_SECRET, TestApp};

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
    check_token_endpoint(&app, &metadata).await;
    for endpoint in ["introspection_endpoint", "revocation_endpoint"] {
        let url = metadata[endpoint].as_str().unwrap();
        let path = url.strip_prefix(&app.origin).unwrap();
        let answer = app.form(path, Some((GATEWAY, "wrong")), &[("token", "a")]);
        assert_eq!(answer.await.expect(401)["error"], "invalid_client");
    }
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    let scopes = scopes.iter().map(|scope| scope.as_str().unwrap());
    assert!(ServiceAccountSpec::parse("program", "a", scopes).is_ok());
    assert_eq!(metadata["response_types_supported"], json!([]));
    let members: Vec<_> = metadata.as_object().unwrap().keys().collect();
    assert_eq!(
        members.len(),
        12,
        "a new member needs a check here: {members:?}"
    );
    app.finish().await;
}

/// Every grant with every way to authenticate.
async fn check_token_endpoint(app: &TestApp, metadata: &Value) {
    let endpoint = metadata["token_endpoint"].as_str().unwrap();
    let path = endpoint.strip_prefix(&app.origin).unwrap();
    let all = |member: &str| metadata[member].as_array().unwrap().clone();
    for grant in all("grant_types_supported") {
        let grant = ("grant_type", grant.as_str().unwrap());
        for method in all("token_endpoint_auth_methods_supported") {
            let answer = match method.as_str().unwrap() {
                "client_secret_basic" => {
                    let credentials = Some((GATEWAY, GATEWAY_SECRET));
                    app.form(path, credentials, &[grant]).await
                }
                "client_secret_post" => {
                    let (id, secret) = (("client_id", GATEWAY), ("client_secret", GATEWAY_SECRET));
                    app.form(path, None, &[grant, id, secret]).await
                }
                other => panic!("{other} needs a check here"),
            };
            answer.expect(200);
        }
    }
}
