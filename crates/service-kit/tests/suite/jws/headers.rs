//! The header belongs to whoever made the token: it selects one of our keys and nothing else.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as BASE64},
};
use serde_json::{Value, json};
use service_kit::jwks::Jwk;

use super::{
    Accepted, MALFORMED, Refused, UNKNOWN_KEY, Vector, WRONG_ALGORITHM, WRONG_SIGNATURE,
    forge::{BOTH, Key, changed, followed_by, message, preceded_by},
    learn,
};

#[tokio::test]
async fn a_token_says_which_key_and_the_key_says_which_algorithm() {
    learn(|forge| {
        let alg = |key, alg: Value| forge.with_header(key, "alg", alg);
        let (ed, ec) = (Key::Ed25519, Key::P256);
        vec![
            ("EdDSA as we sign it", forge.valid(ed), Accepted),
            ("ES256 as we sign it", forge.valid(ec), Accepted),
            (
                "the other key's algorithm",
                alg(ed, json!("ES256")),
                WRONG_ALGORITHM,
            ),
            (
                "the other key's algorithm",
                alg(ec, json!("EdDSA")),
                WRONG_ALGORITHM,
            ),
            (
                "a longer algorithm of the same family",
                alg(ec, json!("ES384")),
                WRONG_ALGORITHM,
            ),
            (
                "another curve's algorithm",
                alg(ec, json!("ES256K")),
                MALFORMED,
            ),
            ("another family", alg(ed, json!("RS256")), WRONG_ALGORITHM),
            ("another family", alg(ec, json!("PS256")), WRONG_ALGORITHM),
            (
                "a family without keys",
                alg(ec, json!("HS256")),
                WRONG_ALGORITHM,
            ),
            (
                "the name of RFC 9864, which we do not use",
                alg(ed, json!("Ed25519")),
                MALFORMED,
            ),
            ("names have capitals", alg(ed, json!("eddsa")), MALFORMED),
            ("names have no blanks", alg(ec, json!("ES256 ")), MALFORMED),
            ("an empty name", alg(ed, json!("")), MALFORMED),
            ("no algorithm", alg(ed, Value::Null), MALFORMED),
            ("a number for a name", alg(ed, json!(7)), MALFORMED),
            (
                "a list of names",
                alg(ec, json!(["ES256", "none"])),
                MALFORMED,
            ),
            (
                "a key-encryption algorithm",
                alg(ec, json!("ECDH-ES")),
                MALFORMED,
            ),
            (
                "the key of one algorithm, named by the other's token",
                forge.with_header(ed, "kid", json!(forge.jwk(ec).kid)),
                WRONG_ALGORITHM,
            ),
        ]
    })
    .await;
}

#[tokio::test]
async fn an_unsigned_token_proves_nothing() {
    learn(|forge| {
        let mut vectors: Vec<Vector> = Vec::new();
        for key in BOTH {
            for none in ["none", "None", "NONE", "nOnE", "none ", "\u{0}none"] {
                let header = changed(forge.header(key), "alg", json!(none)).to_string();
                let unsigned = message(&header, &forge.claims().to_string());
                vectors.push((
                    "alg none without a signature",
                    format!("{unsigned}."),
                    MALFORMED,
                ));
                let signed = forge.with_header(key, "alg", json!(none));
                vectors.push(("alg none with a right signature", signed, MALFORMED));
            }
            let emptied = forge.with_signature(key, |_| Vec::new());
            vectors.push(("the signature left out", emptied, WRONG_SIGNATURE));
        }
        vectors
    })
    .await;
}

#[tokio::test]
async fn a_public_key_is_no_hmac_secret() {
    learn(|forge| {
        let mut vectors: Vec<Vector> = Vec::new();
        for key in BOTH {
            let jwk = forge.jwk(key);
            let point = forge.public_key(key);
            let pem = format!(
                "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
                STANDARD.encode(spki(key, point))
            );
            let header = changed(forge.header(key), "alg", json!("HS256"));
            for (lesson, secret) in [
                ("the bare key as secret", point.to_vec()),
                ("its base64url as secret", jwk.x.clone().into_bytes()),
                ("its JWK as secret", json!(jwk).to_string().into_bytes()),
                ("its DER as secret", spki(key, point)),
                ("its PEM as secret", pem.clone().into_bytes()),
                ("an empty secret", Vec::new()),
            ] {
                vectors.push((lesson, forge.with_hmac(&header, &secret), WRONG_ALGORITHM));
                let honest = forge.with_hmac(&forge.header(key), &secret);
                vectors.push((lesson, honest, WRONG_SIGNATURE));
            }
        }
        vectors
    })
    .await;
}

/// SubjectPublicKeyInfo (RFC 8410, RFC 5480).
fn spki(key: Key, public_key: &[u8]) -> Vec<u8> {
    let prefix = match key {
        Key::Ed25519 => "302a300506032b6570032100",
        Key::P256 => "3059301306072a8648ce3d020106082a8648ce3d030107034200",
    };
    let digits = prefix.as_bytes().chunks(2);
    let byte = |digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
    digits.map(byte).chain(public_key.iter().copied()).collect()
}

#[tokio::test]
async fn a_token_does_not_bring_its_own_key() {
    learn(|forge| {
        let stranger = Ed25519KeyPair::generate().unwrap();
        let theirs = Jwk::ed25519(stranger.public_key().as_ref());
        let ours = forge.jwk(Key::Ed25519);
        let signed_by_the_stranger = |name: &str, value: &Value, kid: &str| {
            let header = changed(forge.header(Key::Ed25519), name, value.clone());
            let header = changed(header, "kid", json!(kid)).to_string();
            let message = message(&header, &forge.claims().to_string());
            let signature = BASE64.encode(stranger.sign(message.as_bytes()));
            format!("{message}.{signature}")
        };
        let mut vectors: Vec<Vector> = Vec::new();
        for (lesson, name, value) in [
            (
                "a jku of the stranger's",
                "jku",
                json!("https://evil.example/jwks.json"),
            ),
            (
                "a jku inside our network",
                "jku",
                json!("http://169.254.169.254/latest"),
            ),
            (
                "an x5u of the stranger's",
                "x5u",
                json!("https://evil.example/key.pem"),
            ),
            (
                "an x5c of the stranger's",
                "x5c",
                json!([STANDARD.encode(spki(Key::Ed25519, stranger.public_key().as_ref()))]),
            ),
            ("an x5t of the stranger's", "x5t", json!(theirs.kid)),
        ] {
            vectors.push((
                lesson,
                signed_by_the_stranger(name, &value, &ours.kid),
                WRONG_SIGNATURE,
            ));
            vectors.push((
                lesson,
                signed_by_the_stranger(name, &value, &theirs.kid),
                UNKNOWN_KEY,
            ));
            let ours = forge.with_header(Key::Ed25519, name, value);
            vectors.push(("nobody looks at it on a token of ours", ours, Accepted));
        }
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": theirs.x});
        let lesson = "an embedded key (CVE-2018-0114)";
        vectors.push((
            lesson,
            signed_by_the_stranger("jwk", &jwk, &ours.kid),
            WRONG_SIGNATURE,
        ));
        vectors.push((
            lesson,
            signed_by_the_stranger("jwk", &jwk, &theirs.kid),
            UNKNOWN_KEY,
        ));
        vectors
    })
    .await;
}

#[tokio::test]
async fn a_kid_is_compared_whole_and_looked_up_nowhere_else() {
    learn(|forge| {
        let key = Key::P256;
        let ours = forge.jwk(key).kid;
        let kid = |kid: Value| forge.with_header(key, "kid", kid);
        vec![
            ("no kid", kid(Value::Null), UNKNOWN_KEY),
            ("an empty kid", kid(json!("")), UNKNOWN_KEY),
            ("a kid of nobody's", kid(json!("other")), UNKNOWN_KEY),
            (
                "the beginning of ours",
                kid(json!(&ours[..42])),
                UNKNOWN_KEY,
            ),
            (
                "ours and a blank",
                kid(json!(format!("{ours} "))),
                UNKNOWN_KEY,
            ),
            (
                "ours and a zero byte",
                kid(json!(format!("{ours}\0"))),
                UNKNOWN_KEY,
            ),
            (
                "ours in other capitals",
                kid(json!(swap_case(&ours))),
                UNKNOWN_KEY,
            ),
            ("a path", kid(json!("../../../dev/null")), UNKNOWN_KEY),
            (
                "a query",
                kid(json!("' UNION SELECT 'key' --")),
                UNKNOWN_KEY,
            ),
            ("a command", kid(json!("$(id)|id")), UNKNOWN_KEY),
            (
                "an address",
                kid(json!("https://evil.example/jwks.json")),
                UNKNOWN_KEY,
            ),
            ("a number", kid(json!(0)), MALFORMED),
            ("a list", kid(json!([ours])), MALFORMED),
            ("an object", kid(json!({ "kid": ours })), MALFORMED),
        ]
    })
    .await;
}

fn swap_case(text: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    text.chars().map(swap).collect()
}

#[tokio::test]
async fn what_must_be_understood_and_is_not_is_refused() {
    learn(|forge| {
        let key = Key::Ed25519;
        let critical = Refused("CriticalHeader");
        let crit = |value: Value| forge.with_header(key, "crit", value);
        let with_b64 = |crit: Value| {
            let header = changed(forge.header(key), "b64", json!(false));
            changed(header, "crit", crit).to_string()
        };
        let claims = forge.claims().to_string();
        // RFC 7797: the payload is signed as it is.
        let unencoded = |header: &str| {
            let message = format!("{}.{claims}", BASE64.encode(header));
            let signature = forge.signature(key, &message);
            format!("{message}.{}", BASE64.encode(signature))
        };
        vec![
            ("an unknown extension", crit(json!(["lottery"])), critical),
            (
                "a known header that must not be listed",
                crit(json!(["exp", "alg"])),
                critical,
            ),
            ("an empty list", crit(json!([])), critical),
            ("no list", crit(json!("b64")), MALFORMED),
            (
                "b64=false, listed, and a payload that is encoded all the same",
                forge.sign(key, &with_b64(json!(["b64"])), &claims),
                critical,
            ),
            (
                "b64=false, listed",
                unencoded(&with_b64(json!(["b64"]))),
                MALFORMED,
            ),
            (
                "b64=false, not listed: to us the payload is not base64url",
                unencoded(&with_b64(Value::Null)),
                MALFORMED,
            ),
            (
                "b64=false, not listed, and the payload encoded: nobody looks at it",
                forge.sign(key, &with_b64(Value::Null), &claims),
                Accepted,
            ),
            (
                "an unknown header that need not be understood",
                forge.with_header(key, "colour", json!("red")),
                Accepted,
            ),
        ]
    })
    .await;
}

#[tokio::test]
async fn a_member_that_stands_twice_means_nothing() {
    learn(|forge| {
        let key = Key::Ed25519;
        let (header, claims) = (forge.header(key), forge.claims());
        let twice_in_header = |text: String| forge.sign(key, &text, &claims.to_string());
        let twice_in_claims = |text: String| forge.sign(key, &header.to_string(), &text);
        let kid = format!(r#""kid":"{}""#, forge.jwk(Key::P256).kid);
        vec![
            (
                "alg none, then the right one",
                twice_in_header(preceded_by(&header, r#""alg":"none""#)),
                MALFORMED,
            ),
            (
                "two algorithms that both exist",
                twice_in_header(preceded_by(&header, r#""alg":"HS256""#)),
                MALFORMED,
            ),
            (
                "the right algorithm twice",
                twice_in_header(followed_by(&header, r#""alg":"EdDSA""#)),
                MALFORMED,
            ),
            (
                "the second written with an escape",
                twice_in_header(followed_by(&header, r#""\u0061lg":"EdDSA""#)),
                MALFORMED,
            ),
            (
                "two keys",
                twice_in_header(preceded_by(&header, &kid)),
                MALFORMED,
            ),
            (
                "two types",
                twice_in_header(preceded_by(&header, r#""typ":"JWT""#)),
                MALFORMED,
            ),
            (
                "two expiries",
                twice_in_claims(followed_by(&claims, r#""exp":9999999999"#)),
                MALFORMED,
            ),
            (
                "two audiences",
                twice_in_claims(preceded_by(&claims, r#""aud":"other""#)),
                MALFORMED,
            ),
            (
                "two lists of roles",
                twice_in_claims(followed_by(&claims, r#""roles":["admin"]"#)),
                MALFORMED,
            ),
            (
                "two subjects, one written with an escape",
                twice_in_claims(followed_by(
                    &claims,
                    r#""su\u0062":"00000000-0000-0000-0000-000000000001""#,
                )),
                MALFORMED,
            ),
        ]
    })
    .await;
}
