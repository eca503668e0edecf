//! Which passwords are accepted: NIST SP 800-63B-4 §3.1.1.2. Length and a blocklist count;
//! there are no composition rules and no expiry.

use std::{collections::HashSet, sync::LazyLock};

/// In Unicode characters.
const MIN_CHARS: usize = 15;
/// Of a password that is not enough by itself to log in.
const MIN_CHARS_WITH_SECOND_FACTOR: usize = 8;
/// In Unicode characters. A longer password is refused, never truncated.
const MAX_CHARS: usize = 128;

/// Of a password that contains a context word, this much must remain without it.
const MIN_CHARS_BESIDE_CONTEXT: usize = 8;
/// Shorter words, such as the name "Ann", occur in good passwords by chance.
const MIN_CONTEXT_WORD_CHARS: usize = 4;
/// "abcabcabcabcabc" is no better than "abc".
const MAX_TRIVIAL_UNIT_CHARS: usize = 4;
const PRODUCT: &str = "plumbline";

/// The 3,000 most common of the list that Django ships (by Royce Williams, from leaks), one a
/// line, lower-case, most common first.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());

/// What an attacker who knows the account would try first, and what else protects it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PolicyContext<'a> {
    pub email: &'a str,
    pub name: &'a str,
    /// Whether one is asked for at a log-in.
    pub second_factor: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PolicyViolation {
    #[error("must have at least {min} characters")]
    TooShort { min: usize },
    #[error("must have at most {MAX_CHARS} characters")]
    TooLong,
    #[error("is one of the most common passwords, or repeats one")]
    Common,
    #[error("is little more than the e-mail address, the name or the product's name")]
    Context,
}

impl PolicyViolation {
    /// The field error's stable code.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::TooShort { .. } => "too-short",
            Self::TooLong => "too-long",
            Self::Common => "too-common",
            Self::Context => "too-predictable",
        }
    }
}

/// A password that may be set for an account.
#[derive(Clone)]
pub(crate) struct NewPassword(String);

impl NewPassword {
    pub(crate) fn parse(
        password: String,
        context: PolicyContext<'_>,
    ) -> Result<Self, PolicyViolation> {
        check(&password, context)?;
        Ok(Self(password))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

fn check(password: &str, context: PolicyContext<'_>) -> Result<(), PolicyViolation> {
    let chars = password.chars().count();
    let min = if context.second_factor {
        MIN_CHARS_WITH_SECOND_FACTOR
    } else {
        MIN_CHARS
    };
    if chars < min {
        return Err(PolicyViolation::TooShort { min });
    }
    if chars > MAX_CHARS {
        return Err(PolicyViolation::TooLong);
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        return Err(PolicyViolation::Common);
    }
    if is_mostly_context(&lower, context) {
        return Err(PolicyViolation::Context);
    }
    Ok(())
}

fn is_common(password: &str) -> bool {
    let unit = repeated_unit(password);
    let trivial = unit.len() < password.len() && unit.chars().count() <= MAX_TRIVIAL_UNIT_CHARS;
    trivial || COMMON.contains(unit) || COMMON.contains(password)
}

/// The shortest prefix of which the whole is a repetition, the last one perhaps cut short.
fn repeated_unit(password: &str) -> &str {
    password
        .char_indices()
        .skip(1)
        .map(|(end, _)| password.split_at(end))
        .find(|(unit, rest)| {
            rest.bytes()
                .zip(unit.bytes().cycle())
                .all(|(byte, expected)| byte == expected)
        })
        // A cut-short repetition must hold the unit twice at least, or any word would be one.
        .filter(|(unit, _)| unit.len() * 2 <= password.len())
        .map_or(password, |(unit, _)| unit)
}

fn is_mostly_context(password: &str, context: PolicyContext<'_>) -> bool {
    let email = context.email.to_lowercase();
    let name = context.name.to_lowercase();
    let mut words: Vec<&str> = std::iter::once(email.as_str())
        .chain(email.split(|c: char| !c.is_alphanumeric()))
        .chain(name.split(|c: char| !c.is_alphanumeric()))
        .chain(std::iter::once(PRODUCT))
        .filter(|word| word.chars().count() >= MIN_CONTEXT_WORD_CHARS)
        .collect();
    words.sort_unstable_by_key(|word| std::cmp::Reverse(word.len()));

    let mut remainder = password.to_owned();
    for word in words {
        remainder = remainder.replace(word, "");
    }
    remainder.len() < password.len() && remainder.chars().count() < MIN_CHARS_BESIDE_CONTEXT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTEXT: PolicyContext<'_> = PolicyContext {
        email: "ada.lovelace@example.com",
        name: "Ada King",
        second_factor: false,
    };
    const TOO_SHORT: PolicyViolation = PolicyViolation::TooShort { min: MIN_CHARS };

    fn verdict(password: &str) -> Result<(), PolicyViolation> {
        check(password, CONTEXT)
    }

    #[test]
    fn length_is_counted_in_characters_and_any_alphabet_will_do() {
        assert_eq!(verdict("Tr0ub4dor&3"), Err(TOO_SHORT));
        assert_eq!(verdict("correct horse battery staple"), Ok(()));
        assert_eq!(verdict("żółty kot śpi dziś"), Ok(()));
        assert_eq!(verdict("жёлтый кот"), Err(TOO_SHORT));
        assert_eq!(verdict(&"ab1 ".repeat(33)), Err(PolicyViolation::TooLong));
    }

    #[test]
    fn eight_characters_are_enough_beside_a_second_factor() {
        let context = PolicyContext {
            second_factor: true,
            ..CONTEXT
        };
        assert_eq!(check("Tr0ub4d&", context), Ok(()));
        let too_short = PolicyViolation::TooShort { min: 8 };
        assert_eq!(check("Tr0ub4d", context), Err(too_short));
        assert_eq!(check("password", context), Err(PolicyViolation::Common));
    }

    #[test]
    fn common_passwords_and_their_repetitions_are_refused() {
        for password in [
            "passwordpassword",
            "PasswordPassword",
            "qwertyqwertyqwerty",
            "aaaaaaaaaaaaaaa",
            "123412341234123",
            "passwordpasswordpass",
        ] {
            assert_eq!(
                verdict(password),
                Err(PolicyViolation::Common),
                "{password}"
            );
        }
    }

    #[test]
    fn the_list_has_three_thousand_lower_case_entries() {
        assert_eq!(COMMON.len(), 3000);
        assert!(COMMON.iter().all(|word| **word == word.to_lowercase()));
    }

    #[test]
    fn passwords_made_of_what_everyone_knows_are_refused() {
        for password in [
            "ada.lovelace@example.com",
            "Lovelace-Example",
            "plumbline-ada-1",
            "PlumblinePlumbline1",
        ] {
            assert_eq!(
                verdict(password),
                Err(PolicyViolation::Context),
                "{password}"
            );
        }
        assert_eq!(verdict("plumbline hangs straight"), Ok(()));
    }

    proptest! {
        #[test]
        fn any_text_gets_a_verdict(password in ".{0,200}", email in ".{0,40}", name in ".{0,40}") {
            let verdict = check(&password, PolicyContext { email: &email, name: &name, second_factor: false });
            if password.chars().count() < MIN_CHARS {
                prop_assert_eq!(verdict, Err(TOO_SHORT));
            }
        }

        #[test]
        fn a_repeated_unit_is_found(unit in "[a-z]{1,6}", times in 2usize..6) {
            let whole = unit.repeat(times);
            prop_assert!(repeated_unit(&whole).len() <= unit.len());
        }
    }
}
