//! The attacks of RFC 8725 as a table: every line is a token that must not be accepted.

use aws_lc_rs::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use kernel::{Clock as _, ManualClock, Role};
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::jwks::{Jwk, JwkSet, LocalKeys};

const ISSUER: &str = "https://shop.example/auth";
const AUDIENCE: &str = "plumbline";

struct Bench {
    clock: ManualClock,
    signer: Ed25519KeyPair,
    jwk: Jwk,
    keys: LocalKeys,
    verifier: Verifier,
}

impl Bench {
    fn new() -> Self {
        let clock = ManualClock::starting_now();
        let signer = Ed25519KeyPair::generate().unwrap();
        let jwk = Jwk::ed25519(signer.public_key().as_ref());
        let config = VerifierConfig {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            clock: Arc::new(clock.clone()),
        };
        let keys = LocalKeys::new(JwkSet {
            keys: vec![jwk.clone()],
        });
        Self {
            verifier: Verifier::new(config, KeySource::local(keys.clone())),
            keys,
            clock,
            signer,
            jwk,
        }
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.jwk.kid})
    }

    fn claims(&self) -> Value {
        let now = self.clock.now().timestamp();
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::nil(), "sid": Uuid::nil(),
            "exp": now + 600, "iat": now, "nbf": now, "jti": Uuid::nil(), "client_id": "web",
            "scope": "plumbline", "roles": ["customer"], "auth_time": now, "acr": "1", "amr": ["pwd"],
        })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = BASE64.encode(self.signer.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        self.sign(&changed(self.header(), name, value), &self.claims())
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        self.sign(&self.header(), &changed(self.claims(), name, value))
    }

    fn valid(&self) -> String {
        self.sign(&self.header(), &self.claims())
    }
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

/// `null` removes the member.
fn changed(mut object: Value, name: &str, value: Value) -> Value {
    let members = object.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    object
}

macro_rules! assert_rejected {
    ($bench:expr, $token:expr, $reason:pat) => {{
        let token = $token;
        let result = $bench.verifier.verify(&token).await;
        assert!(matches!(result, Err($reason)), "{result:?} for {token}");
    }};
}

#[tokio::test]
async fn a_token_of_ours_is_accepted_and_names_its_actor() {
    let bench = Bench::new();
    let verified = bench.verifier.verify(&bench.valid()).await.unwrap();
    assert_eq!(verified.actor.roles, [Role::Customer]);
    assert_eq!(verified.claims.iss, ISSUER);
    let long_form = bench.with_header("typ", json!("application/at+jwt"));
    assert!(bench.verifier.verify(&long_form).await.is_ok());
}

#[tokio::test]
async fn an_unsigned_token_is_refused() {
    let bench = Bench::new();
    for alg in ["none", "None", "NONE", "nOnE"] {
        let header = changed(bench.header(), "alg", json!(alg));
        let unsigned = format!("{}.", message(&header, &bench.claims()));
        assert_rejected!(bench, unsigned, TokenRejected::Malformed(_));
    }
    let stripped = format!("{}.", message(&bench.header(), &bench.claims()));
    assert_rejected!(bench, stripped, TokenRejected::WrongSignature);
}

#[tokio::test]
async fn the_public_key_is_no_hmac_secret() {
    let bench = Bench::new();
    let public_key = BASE64.decode(&bench.jwk.x).unwrap();
    for secret in [public_key.as_slice(), bench.jwk.x.as_bytes()] {
        let message = message(
            &changed(bench.header(), "alg", json!("HS256")),
            &bench.claims(),
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signature = BASE64.encode(hmac::sign(&key, message.as_bytes()));
        let forged = format!("{message}.{signature}");
        assert_rejected!(bench, forged, TokenRejected::WrongAlgorithm);
    }
}

#[tokio::test]
async fn the_algorithm_is_the_keys_and_not_the_headers() {
    let bench = Bench::new();
    for alg in ["RS256", "PS256", "ES256", "ES384", "HS512"] {
        let token = bench.with_header("alg", json!(alg));
        assert_rejected!(bench, token, TokenRejected::WrongAlgorithm);
    }
}

#[tokio::test]
async fn a_token_does_not_bring_its_own_key() {
    let bench = Bench::new();
    let attacker = Ed25519KeyPair::generate().unwrap();
    let jwk = Jwk::ed25519(attacker.public_key().as_ref());
    for (name, value) in [
        ("jwk", json!(jwk)),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["AAAA"])),
    ] {
        for kid in [&bench.jwk.kid, &jwk.kid] {
            let header = changed(
                changed(bench.header(), name, value.clone()),
                "kid",
                json!(kid),
            );
            let message = message(&header, &bench.claims());
            let signature = BASE64.encode(attacker.sign(message.as_bytes()));
            let forged = format!("{message}.{signature}");
            let result = bench.verifier.verify(&forged).await;
            assert!(
                matches!(
                    result,
                    Err(TokenRejected::WrongSignature
                        | TokenRejected::UnknownKey
                        | TokenRejected::Malformed(_))
                ),
                "{result:?}"
            );
        }
    }
    // On a token of ours they change nothing: nobody looks at them.
    let ours = bench.with_header("jku", json!("https://evil.example/jwks.json"));
    assert!(bench.verifier.verify(&ours).await.is_ok());
}

#[tokio::test]
async fn a_kid_is_compared_and_nothing_else() {
    let bench = Bench::new();
    for kid in [
        "",
        "other",
        "../../etc/passwd",
        "' OR 1=1 --",
        "https://evil.example",
    ] {
        let token = bench.with_header("kid", json!(kid));
        assert_rejected!(bench, token, TokenRejected::UnknownKey);
    }
    assert_rejected!(
        bench,
        bench.with_header("kid", Value::Null),
        TokenRejected::UnknownKey
    );
}

#[tokio::test]
async fn another_kind_of_token_is_refused() {
    let bench = Bench::new();
    for typ in ["JWT", "at", "id+jwt", "logout+jwt", "application/jwt", ""] {
        assert_rejected!(
            bench,
            bench.with_header("typ", json!(typ)),
            TokenRejected::WrongType
        );
    }
    assert_rejected!(
        bench,
        bench.with_header("typ", Value::Null),
        TokenRejected::WrongType
    );
    let critical = bench.with_header("crit", json!(["b64"]));
    assert_rejected!(bench, critical, TokenRejected::CriticalHeader);
}

#[tokio::test]
async fn someone_elses_token_is_refused() {
    let bench = Bench::new();
    for issuer in [
        "https://evil.example/auth",
        "https://shop.example/auth/",
        "https://shop.example",
        "",
    ] {
        assert_rejected!(
            bench,
            bench.with_claim("iss", json!(issuer)),
            TokenRejected::WrongIssuer
        );
    }
    for audience in ["plumbline2", "PLUMBLINE", ""] {
        let token = bench.with_claim("aud", json!(audience));
        assert_rejected!(bench, token, TokenRejected::WrongAudience);
    }
}

#[tokio::test]
async fn a_token_without_a_required_claim_is_refused() {
    let bench = Bench::new();
    for claim in ["iss", "aud", "sub", "exp", "nbf", "iat", "jti", "roles"] {
        let token = bench.with_claim(claim, Value::Null);
        assert_rejected!(bench, token, TokenRejected::Malformed(_));
    }
}

#[tokio::test]
async fn claims_of_a_wrong_type_are_refused() {
    let bench = Bench::new();
    for (claim, value) in [
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("nbf", json!([])),
        ("sub", json!("admin")),
        ("sub", json!(1)),
        ("aud", json!([AUDIENCE, "other"])),
        ("iss", json!([ISSUER])),
        ("roles", json!(["root"])),
        ("roles", json!("admin")),
    ] {
        let token = bench.with_claim(claim, value);
        assert_rejected!(bench, token, TokenRejected::Malformed(_));
    }
}

#[tokio::test]
async fn a_token_lives_from_nbf_to_exp_with_five_seconds_leeway() {
    let bench = Bench::new();
    let now = bench.clock.now().timestamp();
    assert_rejected!(
        bench,
        bench.with_claim("exp", json!(now - 5)),
        TokenRejected::Expired
    );
    assert!(
        bench
            .verifier
            .verify(&bench.with_claim("exp", json!(now - 4)))
            .await
            .is_ok()
    );
    for claim in ["nbf", "iat"] {
        let early = bench.with_claim(claim, json!(now + 6));
        assert_rejected!(bench, early, TokenRejected::NotYetValid);
        assert!(
            bench
                .verifier
                .verify(&bench.with_claim(claim, json!(now + 5)))
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_remembered_token_still_expires() {
    let bench = Bench::new();
    let token = bench.valid();
    assert!(bench.verifier.verify(&token).await.is_ok());
    bench.clock.advance(TimeDelta::seconds(604));
    assert!(bench.verifier.verify(&token).await.is_ok());
    bench.clock.advance(TimeDelta::seconds(1));
    assert_rejected!(bench, token, TokenRejected::Expired);
}

#[tokio::test]
async fn a_remembered_token_is_refused_once_its_key_is_withdrawn() {
    let bench = Bench::new();
    let token = bench.valid();
    assert!(bench.verifier.verify(&token).await.is_ok());
    bench.keys.replace(JwkSet { keys: vec![] });
    assert_rejected!(bench, token.clone(), TokenRejected::UnknownKey);
    bench.keys.replace(JwkSet {
        keys: vec![bench.jwk.clone()],
    });
    assert!(bench.verifier.verify(&token).await.is_ok());
}

#[test]
fn the_signature_of_a_remembered_token_is_not_checked_again() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let checked = || {
        let metrics = recorder.handle().render();
        let prefix = "plumbline_access_token_signatures_checked_total ";
        let line = metrics.lines().find_map(|line| line.strip_prefix(prefix));
        line.map_or(0, |count| count.parse::<u64>().unwrap())
    };
    let bench = Bench::new();
    let (token, other) = (bench.valid(), bench.with_claim("acr", json!("2")));
    let verify = |token: &str| {
        let verifying = async { assert!(bench.verifier.verify(token).await.is_ok()) };
        metrics::with_local_recorder(&recorder, || {
            verifying
                .now_or_never()
                .expect("the keys are here, so it need not wait");
        });
    };
    for _ in 0..100 {
        verify(&token);
    }
    assert_eq!(checked(), 1, "one token, shown a hundred times");
    verify(&other);
    assert_eq!(checked(), 2, "another token");
}

#[tokio::test]
async fn a_changed_token_is_refused_though_the_original_is_remembered() {
    let bench = Bench::new();
    let token = bench.valid();
    assert!(bench.verifier.verify(&token).await.is_ok());
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let promoted = changed(bench.claims(), "roles", json!(["admin"]));
    let forged = format!("{}.{signature}", message(&bench.header(), &promoted));
    assert_rejected!(bench, forged, TokenRejected::WrongSignature);
    let other_signature = format!("{signed}.{}", BASE64.encode([0; 64]));
    assert_rejected!(bench, other_signature, TokenRejected::WrongSignature);
}

#[tokio::test]
async fn noise_is_refused() {
    let bench = Bench::new();
    let valid = bench.valid();
    for noise in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a.b.c".to_owned(),
        format!("{valid}."),
        format!(".{valid}"),
        format!("{valid}.{valid}"),
        valid.replace('.', " "),
        format!("{} ", valid),
    ] {
        let result = bench.verifier.verify(&noise).await;
        assert!(result.is_err(), "{noise}");
    }
    assert_rejected!(
        bench,
        "A".repeat(MAX_TOKEN_BYTES + 1),
        TokenRejected::TooLong
    );
}

#[tokio::test]
async fn a_revoked_token_is_refused_although_it_was_accepted_before() {
    let bench = Bench::new();
    let revocations = RevocationList::in_memory(Arc::new(bench.clock.clone()));
    let verifier = bench.verifier.clone();
    let verifier = verifier.with_revocations(revocations.clone());
    let [session, token] = [Uuid::now_v7(), Uuid::now_v7()];
    let of_session = bench.with_claim("sid", json!(session));
    let itself = bench.with_claim("jti", json!(token));
    let until = bench.clock.now() + TimeDelta::minutes(10);
    for (jwt, id) in [(of_session, session), (itself, token)] {
        let verified = verifier.verify(&jwt).await.unwrap();
        let ended = verifier.until_revoked(&verified);
        let (_, ()) = tokio::join!(ended, revocations.revoke(std::slice::from_ref(&id), until));
        let refused = verifier.verify(&jwt).await;
        assert!(
            matches!(refused, Err(TokenRejected::Revoked)),
            "{refused:?}"
        );
    }
    verifier.verify(&bench.valid()).await.unwrap();
}
