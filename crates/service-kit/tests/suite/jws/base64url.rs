//! There is one way to write bytes in base64url (RFC 7515 §2, RFC 4648 §3.5 and §5): a verifier that
//! takes others too takes one token for many.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::json;

use super::{
    MALFORMED, WRONG_SIGNATURE,
    forge::{Forge, Key},
    learn,
};

#[tokio::test]
async fn bytes_are_written_in_one_way() {
    learn(|forge| {
        let token = token_with_both_special_characters(forge);
        let [header, claims, signature] = parts(&token);
        let padded = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
            URL_SAFE.encode(bytes)
        };
        let standard = |part: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
            STANDARD_NO_PAD.encode(bytes)
        };
        let with = |signature: String| format!("{header}.{claims}.{signature}");
        vec![
            (
                "the signature with padding",
                with(padded(signature)),
                MALFORMED,
            ),
            ("one = of two", with(format!("{signature}=")), MALFORMED),
            (
                "the standard alphabet",
                with(standard(signature)),
                MALFORMED,
            ),
            (
                "bits behind the last byte",
                with(with_spare_bits(signature)),
                MALFORMED,
            ),
            (
                "one character more, which makes no byte",
                with(format!("{signature}AAA")),
                MALFORMED,
            ),
            (
                "a line break inside",
                with(broken(signature, "\n")),
                MALFORMED,
            ),
            (
                "a carriage return",
                with(broken(signature, "\r\n")),
                MALFORMED,
            ),
            ("a blank inside", with(broken(signature, " ")), MALFORMED),
            ("a tab inside", with(broken(signature, "\t")), MALFORMED),
            (
                "a zero byte inside",
                with(broken(signature, "\0")),
                MALFORMED,
            ),
            (
                "a character that is percent-encoded",
                with(broken(signature, "%41")),
                MALFORMED,
            ),
            (
                "a character that is none of ASCII",
                with(broken(signature, "é")),
                MALFORMED,
            ),
            (
                "a letter that looks like another",
                with(broken(signature, "а")),
                MALFORMED,
            ),
            (
                "one character less",
                with(signature[..85].to_owned()),
                MALFORMED,
            ),
            (
                "two characters less",
                with(signature[..84].to_owned()),
                WRONG_SIGNATURE,
            ),
        ]
    })
    .await;
}

/// Signed as it is written, and still not base64url.
#[tokio::test]
async fn a_right_signature_does_not_mend_a_wrong_encoding() {
    learn(|forge| {
        let key = Key::Ed25519;
        let header = forge.header(key).to_string();
        let claims = forge.claims().to_string();
        let sign = |message: String| {
            let signature = URL_SAFE_NO_PAD.encode(forge.signature(key, &message));
            format!("{message}.{signature}")
        };
        let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
        // A blank at the end of an object changes nothing but its length.
        let unaligned = |text: &str| match text.len() % 3 {
            0 => format!("{text} "),
            _ => text.to_owned(),
        };
        let (short_header, short_claims) = (unaligned(&header), unaligned(&claims));
        vec![
            (
                "a header with padding",
                sign(format!(
                    "{}.{}",
                    URL_SAFE.encode(&short_header),
                    encode(&claims)
                )),
                MALFORMED,
            ),
            (
                "claims with padding",
                sign(format!(
                    "{}.{}",
                    encode(&header),
                    URL_SAFE.encode(&short_claims)
                )),
                MALFORMED,
            ),
            (
                "a header with bits behind its last byte",
                sign(format!(
                    "{}.{}",
                    with_spare_bits(&encode(&short_header)),
                    encode(&claims)
                )),
                MALFORMED,
            ),
            (
                "claims with bits behind their last byte",
                sign(format!(
                    "{}.{}",
                    encode(&header),
                    with_spare_bits(&encode(&short_claims))
                )),
                MALFORMED,
            ),
            (
                "a header that is not encoded",
                sign(format!("{header}.{}", encode(&claims))),
                MALFORMED,
            ),
            (
                "claims that are not encoded",
                sign(format!("{}.{claims}", encode(&header))),
                MALFORMED,
            ),
            (
                "claims that are encoded twice",
                sign(format!("{}.{}", encode(&header), encode(&encode(&claims)))),
                MALFORMED,
            ),
        ]
    })
    .await;
}

fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

/// A token whose signature has a `-` and a `_`, so that the alphabets differ.
fn token_with_both_special_characters(forge: &Forge) -> String {
    (0..)
        .map(|number| forge.with_claim("acr", json!(number.to_string())))
        .find(|token| {
            let [_, _, signature] = parts(token);
            signature.contains('-') && signature.contains('_')
        })
        .unwrap()
}

/// The same bytes, with a bit set that belongs to none of them.
fn with_spare_bits(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (last, rest) = text.as_bytes().split_last().unwrap();
    let digit = ALPHABET.iter().position(|letter| letter == last).unwrap();
    assert_eq!(digit & 1, 0, "there is a spare bit, and it is not set");
    let last = char::from(ALPHABET[digit | 1]);
    format!("{}{last}", std::str::from_utf8(rest).unwrap())
}

/// With something in its middle.
fn broken(text: &str, by: &str) -> String {
    let (before, after) = text.split_at(text.len() / 2);
    format!("{before}{by}{after}")
}
