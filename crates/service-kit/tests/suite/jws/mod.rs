//! What Wycheproof's suites for JWS cover, for the tokens and keys that we accept: a table of
//! tokens, each with the lesson that it teaches. Every one is made with the right keys, so that
//! nothing but its own flaw can be the reason to refuse it.

mod base64url;
mod ecdsa;
mod eddsa;
mod forge;
mod headers;
mod serialisation;

use std::sync::Arc;

use kernel::ManualClock;
use service_kit::{
    access_token::{Verifier, VerifierConfig},
    jwks::{JwkSet, KeySource},
};

use forge::Forge;

/// What must become of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Accepted,
    /// With this variant of `TokenRejected`.
    Refused(&'static str),
}

use Verdict::{Accepted, Refused};

/// The token is malformed.
const MALFORMED: Verdict = Refused("Malformed");
const WRONG_SIGNATURE: Verdict = Refused("WrongSignature");
const WRONG_ALGORITHM: Verdict = Refused("WrongAlgorithm");
const UNKNOWN_KEY: Verdict = Refused("UnknownKey");

/// A lesson, a token, and what must become of it.
type Vector = (&'static str, String, Verdict);

/// Shows every token to a fresh verifier, and fails naming each lesson that was not learnt.
async fn learn(make: impl Fn(&Forge) -> Vec<Vector>) {
    let clock = ManualClock::starting_now();
    let forge = Forge::new(&clock);
    let config = VerifierConfig {
        issuer: forge::ISSUER.to_owned(),
        audience: forge::AUDIENCE.to_owned(),
        clock: Arc::new(clock),
    };
    let keys = JwkSet {
        keys: forge.public_keys(),
    };
    let mut failures = Vec::new();
    for (lesson, token, expected) in make(&forge) {
        let verifier = Verifier::new(config.clone(), KeySource::fixed(keys.clone()));
        let result = verifier.verify(&token).await;
        let is_right = match (&result, expected) {
            (Ok(_), Accepted) => true,
            (Err(rejected), Refused(variant)) => {
                let debug = format!("{rejected:?}");
                debug.split('(').next() == Some(variant)
            }
            _ => false,
        };
        if !is_right {
            let result = result.map(|_| "accepted");
            failures.push(format!(
                "{lesson}: {result:?}, not {expected:?}\n  {token:.300}"
            ));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
