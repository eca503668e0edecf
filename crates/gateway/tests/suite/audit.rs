//! The audit of npm `graphql-http`, the reference for GraphQL over HTTP: all of it must pass.

use std::process::Command;

use crate::support::Server;

const SCRIPT: &str = r#"
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
const require = createRequire(process.argv[1] + "/");
const { auditServer } = await import(pathToFileURL(require.resolve("graphql-http")));
const results = await auditServer({ url: process.argv[2] });
const failed = results.filter((result) => result.status !== "ok");
for (const result of failed) {
  console.log(result.id, result.status, result.name, result.reason);
}
console.log(`${results.length - failed.length} of ${results.length} ok`);
process.exit(failed.length === 0 ? 0 : 1);
"#;

#[actix_web::test]
async fn the_whole_audit_of_graphql_http_passes() {
    let Some(modules) = testkit::environment::node_modules("the audit of npm graphql-http") else {
        return;
    };
    let server = Server::start().await;
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", SCRIPT])
        .arg(modules)
        .arg(server.graphql_url());
    let output = actix_web::web::block(move || node.output())
        .await
        .unwrap()
        .unwrap();
    let report = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}{errors}");
    println!("{report}");
}
