//! `plumbline trusted-documents`, and the server that knows them afterwards.

use serde_json::{Value, json};
use testkit::http::Client;

use crate::harness::{Server, run, setting};

#[tokio::test]
async fn a_registered_document_is_listed_and_executed_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = vec![setting("storage.data_dir", folder.path().display())];
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let shelf = file(
        "shelf.graphql",
        "query Shelf { products(first: 1) { edges { node { id } } } }",
    );
    let wrong = file("wrong.graphql", "{ nonsense }");
    let deep = file("deep.graphql", &("{ a ".repeat(30) + &"}".repeat(30)));

    for bad in [&wrong, &deep] {
        let refused = run(&["trusted-documents", "add", bad], &settings)
            .await
            .expect_code(1);
        assert!(
            refused.stderr.contains("is not executed by this gateway"),
            "{}",
            refused.stderr
        );
    }
    let added = run(&["trusted-documents", "add", &shelf], &settings)
        .await
        .expect_code(0);
    let id = added.stdout.split_whitespace().next().unwrap().to_owned();
    let listed = run(&["trusted-documents", "list"], &settings)
        .await
        .expect_code(0);
    assert_eq!(listed.stdout, format!("{id}  Shelf\n"));

    settings.push(setting("gateway.graphql.trusted_documents", "only"));
    let mut server = Server::new("plumbline", &[], &settings, folder.path());
    server.start("/health/ready").await;
    let client = Client::new(server.url());
    let ask = async |body: Value| client.post("/graphql", &body).await.json::<Value>();
    let known = ask(json!({ "documentId": id })).await;
    assert!(
        known["data"]["products"]["edges"][0]["node"]["id"].is_string(),
        "{known}"
    );
    let other = ask(json!({"query": "{ __typename }"})).await;
    assert_eq!(
        other["errors"][0]["extensions"]["code"],
        "PERSISTED_DOCUMENT_REQUIRED"
    );
    server.stop().await;

    let digits = id.strip_prefix("sha256:").unwrap();
    let registered = folder
        .path()
        .join(format!("trusted-documents/{digits}.graphql"));
    std::fs::write(registered, "{ __typename }").unwrap();
    let altered = run(&["trusted-documents", "list"], &settings)
        .await
        .expect_code(1);
    assert!(
        altered.stderr.contains("does not hold the document"),
        "{}",
        altered.stderr
    );
}
