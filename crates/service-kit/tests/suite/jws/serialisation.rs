//! An access token is a JWS in compact form: three parts, the outer two JSON objects.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use super::{
    Accepted, MALFORMED, Refused, WRONG_SIGNATURE,
    forge::{Key, changed},
    learn,
};

#[tokio::test]
async fn a_token_has_three_parts_and_nothing_around_them() {
    learn(|forge| {
        let valid = forge.valid(Key::P256);
        let [header, claims, signature]: [&str; 3] =
            valid.split('.').collect::<Vec<_>>().try_into().unwrap();
        let too_long = Refused("TooLong");
        vec![
            ("nothing", String::new(), MALFORMED),
            ("dots", "..".to_owned(), MALFORMED),
            ("one part", header.to_owned(), MALFORMED),
            ("two parts", format!("{header}.{claims}"), MALFORMED),
            (
                "an empty header",
                format!(".{claims}.{signature}"),
                MALFORMED,
            ),
            (
                "empty claims: a detached payload (RFC 7515, appendix F)",
                format!("{header}..{signature}"),
                WRONG_SIGNATURE,
            ),
            ("four parts", format!("{valid}."), MALFORMED),
            (
                "five parts: a JWE",
                format!("{header}.AAAA.AAAA.{claims}.{signature}"),
                MALFORMED,
            ),
            ("a dot before", format!(".{valid}"), MALFORMED),
            ("a blank before", format!(" {valid}"), MALFORMED),
            ("a blank behind", format!("{valid} "), MALFORMED),
            ("a line break behind", format!("{valid}\n"), MALFORMED),
            (
                "a blank at a dot",
                format!("{header}. {claims}.{signature}"),
                WRONG_SIGNATURE,
            ),
            ("commas for dots", valid.replace('.', ","), MALFORMED),
            ("quoted", format!("\"{valid}\""), MALFORMED),
            ("two tokens", format!("{valid},{valid}"), MALFORMED),
            (
                "longer than any of ours",
                format!("{valid}{}", "A".repeat(4096)),
                too_long,
            ),
            ("a million dots", ".".repeat(1_000_000), too_long),
        ]
    })
    .await;
}

#[tokio::test]
async fn other_serialisations_are_not_taken() {
    learn(|forge| {
        let key = Key::Ed25519;
        let valid = forge.valid(key);
        let [protected, payload, signature]: [&str; 3] =
            valid.split('.').collect::<Vec<_>>().try_into().unwrap();
        let flattened = json!({"protected": protected, "payload": payload, "signature": signature});
        let general = json!({"payload": payload, "signatures": [
            {"protected": protected, "signature": signature},
        ]});
        let sign = |header: Value, claims: &str| forge.sign(key, &header.to_string(), claims);
        let nested = changed(forge.header(key), "cty", json!("JWT"));
        let encrypted = changed(forge.header(key), "enc", json!("A256GCM"));
        vec![
            (
                "flattened JSON (RFC 7515 §7.2.2)",
                flattened.to_string(),
                MALFORMED,
            ),
            (
                "general JSON (RFC 7515 §7.2.1)",
                general.to_string(),
                MALFORMED,
            ),
            (
                "JSON in base64url",
                BASE64.encode(flattened.to_string()),
                MALFORMED,
            ),
            ("a token inside a token", sign(nested, &valid), MALFORMED),
            (
                "a token inside a token, as a JSON text",
                sign(forge.header(key), &json!(valid).to_string()),
                MALFORMED,
            ),
            (
                "the header of a JWE over claims that are not encrypted: nobody looks at it",
                sign(encrypted, &forge.claims().to_string()),
                Accepted,
            ),
        ]
    })
    .await;
}

#[tokio::test]
async fn header_and_claims_are_json_objects() {
    learn(|forge| {
        let key = Key::Ed25519;
        let (header, claims) = (forge.header(key).to_string(), forge.claims().to_string());
        let with_header = |text: &str| forge.sign(key, text, &claims);
        let with_claims = |text: &str| forge.sign(key, &header, text);
        let pretty = |text: &str| {
            let value: Value = serde_json::from_str(text).unwrap();
            serde_json::to_string_pretty(&value).unwrap()
        };
        let deep = format!("{}{}", "[".repeat(1000), "]".repeat(1000));
        let deep_acr = format!(r#""acr":{deep}"#);
        let with_deep = format!(r#"{},"x":{deep}}}"#, &claims[..claims.len() - 1]);
        vec![
            (
                "blanks and line breaks inside are JSON's own affair",
                forge.sign(key, &pretty(&header), &pretty(&claims)),
                Accepted,
            ),
            (
                "so are escapes",
                with_header(&header.replace("\"alg\"", r#""\u0061lg""#)),
                Accepted,
            ),
            (
                "a header that is a text",
                with_header(r#""at+jwt""#),
                MALFORMED,
            ),
            ("a header that is null", with_header("null"), MALFORMED),
            ("an empty header", with_header("{}"), MALFORMED),
            (
                "a header in single quotes",
                with_header(&header.replace('"', "'")),
                MALFORMED,
            ),
            (
                "a header that ends early",
                with_header(&header[..header.len() - 1]),
                MALFORMED,
            ),
            (
                "something behind the header",
                with_header(&format!("{header}x")),
                MALFORMED,
            ),
            (
                "two headers",
                with_header(&format!("{header}{header}")),
                MALFORMED,
            ),
            (
                "a byte order mark",
                with_header(&format!("\u{feff}{header}")),
                MALFORMED,
            ),
            (
                "a comment",
                with_header(&format!("/* */{header}")),
                MALFORMED,
            ),
            ("claims that are a list", with_claims("[]"), MALFORMED),
            ("claims that are null", with_claims("null"), MALFORMED),
            ("claims that are empty", with_claims("{}"), MALFORMED),
            ("no claims", with_claims(""), MALFORMED),
            (
                "claims with a comma too many",
                with_claims(&claims.replace('}', ",}")),
                MALFORMED,
            ),
            (
                "claims that end early",
                with_claims(&claims[..claims.len() - 1]),
                MALFORMED,
            ),
            (
                "something behind the claims",
                with_claims(&format!("{claims}{{}}")),
                MALFORMED,
            ),
            (
                "an unknown claim so deep that a recursive reader would end: it is passed over",
                with_claims(&with_deep),
                Accepted,
            ),
            (
                "a known one",
                with_claims(&claims.replace(r#""acr":"1""#, &deep_acr)),
                MALFORMED,
            ),
            (
                "no number",
                with_claims(&claims.replace("\"exp\":", "\"exp\":NaN,\"x\":")),
                MALFORMED,
            ),
            (
                "a number beyond all",
                with_claims(&claims.replace("\"exp\":", "\"exp\":9")),
                Accepted,
            ),
            (
                "a number beyond 64 bits",
                with_claims(&claims.replace("\"exp\":", "\"exp\":99999999999")),
                MALFORMED,
            ),
        ]
    })
    .await;
}

#[tokio::test]
async fn text_that_is_not_unicode_is_refused() {
    learn(|forge| {
        let key = Key::Ed25519;
        let sign = |header: &[u8], claims: &[u8]| {
            let message = format!("{}.{}", BASE64.encode(header), BASE64.encode(claims));
            let signature = BASE64.encode(forge.signature(key, &message));
            format!("{message}.{signature}")
        };
        let (header, claims) = (forge.header(key).to_string(), forge.claims().to_string());
        let spoilt = |text: &str, bytes: &[u8]| {
            let (before, after) = text.split_at(text.find(':').unwrap() + 2);
            [before.as_bytes(), bytes, after.as_bytes()].concat()
        };
        vec![
            (
                "a lone continuation byte",
                sign(&spoilt(&header, b"\x80"), claims.as_bytes()),
                MALFORMED,
            ),
            (
                "an overlong slash",
                sign(header.as_bytes(), &spoilt(&claims, b"\xc0\xaf")),
                MALFORMED,
            ),
            (
                "half a surrogate pair",
                sign(header.as_bytes(), &spoilt(&claims, br"\ud800")),
                MALFORMED,
            ),
            (
                "UTF-16",
                sign(
                    &header
                        .encode_utf16()
                        .flat_map(u16::to_le_bytes)
                        .collect::<Vec<_>>(),
                    claims.as_bytes(),
                ),
                MALFORMED,
            ),
            (
                "a raw control character",
                sign(header.as_bytes(), &spoilt(&claims, b"\0")),
                MALFORMED,
            ),
        ]
    })
    .await;
}
