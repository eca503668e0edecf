//! The committed AsyncAPI document, as the specification's own parser judges it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Prints every error and warning, and fails if there is one. Advice is left out.
const SCRIPT: &str = r#"
import { createRequire } from "node:module";
const { Parser, fromFile } = createRequire(process.argv[1] + "/")("@asyncapi/parser");
const WARNING = 1;
const { diagnostics } = await fromFile(new Parser(), process.argv[2]).parse();
const found = diagnostics.filter(({ severity }) => severity <= WARNING);
for (const { message, path } of found) {
  console.log(`${path.join(".")}: ${message}`);
}
process.exit(found.length === 0 ? 0 : 1);
"#;

fn judge(modules: &Path, document: &Path) -> Output {
    let mut node = Command::new("node");
    node.args(["--input-type=module", "--eval", SCRIPT]);
    node.arg(modules).arg(document).output().unwrap()
}

fn modules() -> Option<PathBuf> {
    testkit::environment::node_modules("the AsyncAPI document under its parser")
}

#[test]
fn the_document_and_the_schemas_that_it_names_are_valid() {
    let Some(modules) = modules() else {
        return;
    };
    let document = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api/asyncapi.json");
    let output = judge(&modules, Path::new(document));
    let report = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report}{errors}");
}

/// Without this, the other test would not notice a parser that finds nothing.
#[test]
fn what_is_not_valid_is_noticed() {
    let Some(modules) = modules() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("asyncapi.json");
    let message = |payload: &str| {
        format!(
            r##"{{"asyncapi": "3.0.0", "info": {{"title": "T", "version": "1"}},
            "channels": {{"c": {{"messages": {{"m": {{"payload": {payload}}}}}}}}}}}"##
        )
    };
    let missing_file = message(r#"{"$ref": "./none.schema.json"}"#);
    let bad_schema = message(r#"{"type": "sting"}"#);
    for broken in [&missing_file, &bad_schema, r#"{"asyncapi": "3.0.0"}"#] {
        std::fs::write(&path, broken).unwrap();
        let output = judge(&modules, &path);
        let report = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{broken}");
        assert!(!report.is_empty(), "{broken}");
    }
}
