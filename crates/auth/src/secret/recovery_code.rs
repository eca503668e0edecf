//! Codes for the day the phone is lost: written down by people, and used once.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};

use super::TokenHash;

/// Crockford's base32: no I, L, O and U, which people misread or mind.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BITS_PER_CHAR: usize = 5;
/// 120 bits: nobody guesses these.
const CHARS: usize = 24;
const _: () = assert!(CHARS * BITS_PER_CHAR >= 112);
const GROUP: usize = 4;

/// A code as its owner holds it. Neither shown by `Debug` nor stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RecoveryCode([u8; CHARS]);

/// The text is not a code that we could have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a recovery code")]
pub(crate) struct MalformedRecoveryCode;

impl RecoveryCode {
    /// # Errors
    /// If the operating system has no randomness to give.
    pub(crate) fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0; CHARS];
        SystemRandom::new().fill(&mut bytes)?;
        // 256 is a multiple of 32: every character is as likely as any other.
        Ok(Self(bytes.map(|byte| ALPHABET[usize::from(byte % 32)])))
    }

    /// As people type it: hyphens, spaces and case do not count, an O is a zero, an I and an L are
    /// a one.
    pub(crate) fn parse(text: &str) -> Result<Self, MalformedRecoveryCode> {
        let chars = text.chars().filter(|c| *c != '-' && !c.is_whitespace());
        let chars: Option<Vec<u8>> = chars.take(CHARS + 1).map(read).collect();
        let chars = chars.ok_or(MalformedRecoveryCode)?;
        chars
            .try_into()
            .map(Self)
            .map_err(|_| MalformedRecoveryCode)
    }

    /// Six groups of four, with hyphens between.
    pub(crate) fn expose(&self) -> String {
        let groups: Vec<_> = self.0.chunks(GROUP).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

fn read(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        c => c,
    };
    let byte = u8::try_from(c).ok()?;
    ALPHABET.contains(&byte).then_some(byte)
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_code_survives_being_written_down() {
        let code = RecoveryCode(*b"0123456789ABCDEFGHJKMNPQ");
        assert_eq!(code.expose(), "0123-4567-89AB-CDEF-GHJK-MNPQ");
        for text in [
            "0123-4567-89AB-CDEF-GHJK-MNPQ",
            " o l23456789abcdefghjkmnpq\n",
            "OI234567 89ABCDEF GHJKMNPQ",
        ] {
            assert_eq!(RecoveryCode::parse(text), Ok(code.clone()), "{text}");
        }
        for text in [
            "",
            "0123",
            "U123-4567-89AB-CDEF-GHJK-MNPQ",
            &"0".repeat(25),
            "é",
        ] {
            assert_eq!(
                RecoveryCode::parse(text),
                Err(MalformedRecoveryCode),
                "{text}"
            );
        }
        assert!(!format!("{code:?}").contains("0123"));
    }

    proptest! {
        #[test]
        fn random_codes_round_trip_and_nothing_panics(text in ".{0,60}") {
            let code = RecoveryCode::random().unwrap();
            prop_assert_eq!(RecoveryCode::parse(&code.expose()), Ok(code));
            let _ = RecoveryCode::parse(&text);
        }
    }
}
