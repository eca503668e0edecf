//! Our tokens are anybody's to verify: an implementation that is not ours, in a language that is
//! not ours, finds the keys by the published metadata and accepts what we issue.

use std::{path::Path, process::Command};

use auth::{Haste, SigningAlgorithm, SigningKeyConfig};
use testkit::environment;

use crate::harness::{EMAIL, Options, PASSWORD, TestApp, eventually};

#[actix_web::test]
async fn pyjwt_verifies_our_tokens_of_both_algorithms_and_over_a_rotation() {
    let Some(python) = environment::python("the verification by PyJWT") else {
        return;
    };
    for algorithm in [SigningAlgorithm::EdDsa, SigningAlgorithm::Es256] {
        let defaults = Options::default();
        let app = TestApp::start_with(Options {
            signing_keys: SigningKeyConfig {
                algorithm,
                ..defaults.signing_keys
            },
            ..defaults
        })
        .await;
        let session = app.seed_and_log_in().await;
        let keys = app.keys();
        let rotated = keys.rotate(Haste::Now).await.unwrap();
        let published = async || (app.service.jwks().keys[0].kid == rotated.kid).then_some(());
        eventually("the next key signs", published).await;
        let of_next = app.log_in(EMAIL, PASSWORD).await.expect(201);

        let tokens = [&session, &of_next].map(|session| session["access_token"].as_str().unwrap());
        let verified = verify(&python, &app.origin, &tokens).await;
        let me = app.me(&format!("Bearer {}", tokens[0])).await.expect(200);
        let expected = [&session, &of_next].map(|session| {
            let subject = me["id"].as_str().unwrap();
            let session_id = session["session_id"].as_str().unwrap();
            format!("{} {subject} {session_id}", algorithm.as_str())
        });
        assert_eq!(verified.lines().collect::<Vec<_>>(), expected);
        app.finish().await;
    }
}

/// Runs the script, which asks our server meanwhile.
async fn verify(python: &Path, origin: &str, tokens: &[&str]) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/pyjwt.py");
    let mut command = Command::new(python);
    command.arg(script).arg(format!("{origin}/auth"));
    command.arg("plumbline").args(tokens);
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.unwrap().unwrap();
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problems}");
    String::from_utf8(output.stdout).unwrap()
}
