//! Signatures of Ed25519 (RFC 8032): R, then S, little-endian, below the group's order.

use super::{
    WRONG_SIGNATURE,
    forge::{Forge, Key},
    learn,
};

/// The order of the base point, little-endian (RFC 8032 §5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[tokio::test]
async fn an_ed25519_signature_is_right_in_every_bit_or_wrong() {
    learn(|forge| {
        let with = |change: fn(Vec<u8>) -> Vec<u8>| forge.with_signature(Key::Ed25519, change);
        vec![
            (
                "one bit of R is another",
                with(|s| flipped(s, 0)),
                WRONG_SIGNATURE,
            ),
            (
                "one bit of S is another",
                with(|s| flipped(s, 32)),
                WRONG_SIGNATURE,
            ),
            (
                "the last bit is another",
                with(|s| flipped(s, 63)),
                WRONG_SIGNATURE,
            ),
            (
                "one byte is missing",
                with(|s| s[..63].to_vec()),
                WRONG_SIGNATURE,
            ),
            (
                "the first byte is missing",
                with(|s| s[1..].to_vec()),
                WRONG_SIGNATURE,
            ),
            ("half of it", with(|s| s[..32].to_vec()), WRONG_SIGNATURE),
            (
                "one byte more",
                with(|s| [s, vec![0]].concat()),
                WRONG_SIGNATURE,
            ),
            (
                "one byte before",
                with(|s| [vec![0], s].concat()),
                WRONG_SIGNATURE,
            ),
            ("twice", with(|s| s.repeat(2)), WRONG_SIGNATURE),
            (
                "the halves exchanged",
                with(|s| [&s[32..], &s[..32]].concat()),
                WRONG_SIGNATURE,
            ),
            ("nothing but zeros", with(|_| vec![0; 64]), WRONG_SIGNATURE),
            (
                "nothing but ones",
                with(|_| vec![0xff; 64]),
                WRONG_SIGNATURE,
            ),
            // With R the neutral element, a verifier that lets small orders pass can be fooled.
            (
                "the neutral element, and S zero",
                with(|_| [vec![1], vec![0; 63]].concat()),
                WRONG_SIGNATURE,
            ),
            // The equation holds for it, too: without the bound a signature has many forms.
            (
                "S beyond the group's order",
                with(plus_order),
                WRONG_SIGNATURE,
            ),
            (
                "the signature of another token",
                of_another_token(forge),
                WRONG_SIGNATURE,
            ),
        ]
    })
    .await;
}

fn flipped(mut signature: Vec<u8>, at: usize) -> Vec<u8> {
    signature[at] ^= 1;
    signature
}

fn plus_order(mut signature: Vec<u8>) -> Vec<u8> {
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        [*byte, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "S + order fits into 32 bytes");
    signature
}

fn of_another_token(forge: &Forge) -> String {
    let other = forge.with_claim("acr", serde_json::json!("2"));
    let (_, signature) = other.rsplit_once('.').unwrap();
    let valid = forge.valid(Key::Ed25519);
    let (message, _) = valid.rsplit_once('.').unwrap();
    format!("{message}.{signature}")
}
