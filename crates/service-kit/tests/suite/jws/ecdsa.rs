//! Signatures of ES256 (RFC 7518 §3.4): r, then s, big-endian, 32 bytes each, both from 1 to n - 1.

use std::sync::Arc;

use kernel::ManualClock;
use service_kit::{
    access_token::{Verifier, VerifierConfig},
    jwks::{JwkSet, KeySource},
};

use super::{
    WRONG_SIGNATURE,
    forge::{AUDIENCE, Forge, ISSUER, Key},
    learn,
};

/// n, the order of P-256's base point, big-endian (SEC 2 §2.4.2).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
const ZERO: [u8; 32] = [0; 32];
const ONES: [u8; 32] = [0xff; 32];

#[tokio::test]
async fn an_es256_signature_is_two_numbers_in_range_and_nothing_else() {
    learn(|forge| {
        let with = |change: fn(Vec<u8>) -> Vec<u8>| forge.with_signature(Key::P256, change);
        vec![
            (
                "r and s zero: a psychic signature (CVE-2022-21449)",
                with(|_| vec![0; 64]),
                WRONG_SIGNATURE,
            ),
            (
                "r zero",
                with(|s| [&ZERO, &s[32..]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "s zero",
                with(|s| [&s[..32], &ZERO].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "r is n",
                with(|s| [&ORDER, &s[32..]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "s is n",
                with(|s| [&s[..32], &ORDER].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "r and s are n",
                with(|_| [ORDER, ORDER].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "r beyond n",
                with(|s| [&ONES, &s[32..]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "s beyond n",
                with(|s| [&s[..32], &ONES].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "r is one",
                with(|s| [&one(), &s[32..]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "s is one",
                with(|s| [&s[..32], &one()].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "r and s exchanged",
                with(|s| [&s[32..], &s[..32]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "the bits of r turned",
                with(|s| {
                    let r: Vec<u8> = s[..32].iter().map(|byte| !byte).collect();
                    [&r, &s[32..]].concat()
                }),
                WRONG_SIGNATURE,
            ),
            ("DER, as X.509 has it", with(der), WRONG_SIGNATURE),
            (
                "DER with a longer length than it needs",
                with(ber),
                WRONG_SIGNATURE,
            ),
            (
                "one byte is missing",
                with(|s| s[..63].to_vec()),
                WRONG_SIGNATURE,
            ),
            ("r alone", with(|s| s[..32].to_vec()), WRONG_SIGNATURE),
            (
                "one byte more",
                with(|s| [s, vec![0]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "each number with a leading zero",
                with(|s| [&[0], &s[..32], &[0], &s[32..]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "as long as one of P-384",
                with(|s| [&ZERO[..16], &s[..32], &ZERO[..16], &s[32..]].concat()),
                WRONG_SIGNATURE,
            ),
        ]
    })
    .await;
}

/// (r, n - s) is as right as (r, s), and RFC 7518 forbids neither: anybody can write a token of
/// ours another way. So nothing may hang on how a token is written, only on what it says.
#[tokio::test]
async fn the_mirrored_signature_makes_the_same_token_and_no_new_one() {
    let clock = ManualClock::starting_now();
    let forge = Forge::new(&clock);
    let config = VerifierConfig {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        clock: Arc::new(clock),
    };
    let keys = JwkSet {
        keys: forge.public_keys(),
    };
    let verifier = Verifier::new(config, KeySource::fixed(keys));
    let token = verifier.verify(&forge.valid(Key::P256)).await.unwrap();
    let mirrored = forge.with_signature(Key::P256, |s| [&s[..32], &order_minus(&s[32..])].concat());
    assert_eq!(verifier.verify(&mirrored).await.unwrap(), token);
}

fn one() -> [u8; 32] {
    let mut one = ZERO;
    one[31] = 1;
    one
}

fn order_minus(s: &[u8]) -> Vec<u8> {
    let mut difference = vec![0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let digit = i16::from(ORDER[at]) - i16::from(s[at]) - borrow;
        [difference[at], _] = digit.to_le_bytes();
        borrow = i16::from(digit < 0);
    }
    difference
}

/// An ASN.1 INTEGER.
fn integer(number: &[u8]) -> Vec<u8> {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(31);
    let mut digits = number[start..].to_vec();
    if digits[0] >= 0x80 {
        digits.insert(0, 0);
    }
    let length = u8::try_from(digits.len()).unwrap();
    [vec![2, length], digits].concat()
}

fn der(signature: Vec<u8>) -> Vec<u8> {
    let numbers = [integer(&signature[..32]), integer(&signature[32..])].concat();
    let length = u8::try_from(numbers.len()).unwrap();
    [vec![0x30, length], numbers].concat()
}

fn ber(signature: Vec<u8>) -> Vec<u8> {
    let mut der = der(signature);
    der.insert(1, 0x81);
    der
}
