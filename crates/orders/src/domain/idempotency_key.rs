use std::str::FromStr;

/// Names one attempt of a client to do something once, so that a repeated request is recognised
/// (IETF draft-ietf-httpapi-idempotency-key-header). Unique per caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an idempotency key has 1 to {} visible ASCII characters",
    IdempotencyKey::MAX_LENGTH
)]
pub struct InvalidIdempotencyKey;

impl IdempotencyKey {
    pub const MAX_LENGTH: usize = 255;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for IdempotencyKey {
    type Err = InvalidIdempotencyKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = (1..=Self::MAX_LENGTH).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidIdempotencyKey)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_short_and_visible() {
        let long = "k".repeat(256);
        for text in ["", " ", "a b", "ключ", "a\n", &long] {
            assert_eq!(
                text.parse::<IdempotencyKey>(),
                Err(InvalidIdempotencyKey),
                "{text:?}"
            );
        }
        assert!(
            "8e03978e-40d5-43dd-bc93-6894a57f9324"
                .parse::<IdempotencyKey>()
                .is_ok()
        );
    }
}
