/// What a person wants to be called: 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DisplayName(String);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must have 1 to {} characters and no control characters",
    DisplayName::MAX_CHARS
)]
pub(crate) struct InvalidDisplayName;

impl DisplayName {
    pub(crate) const MAX_CHARS: usize = 100;

    pub(crate) fn parse(text: &str) -> Result<Self, InvalidDisplayName> {
        let text = text.trim();
        let chars = text.chars().count();
        if (1..=Self::MAX_CHARS).contains(&chars) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidDisplayName)
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded() {
        assert_eq!(
            DisplayName::parse("  Ада Лавлейс ").unwrap().as_str(),
            "Ада Лавлейс"
        );
        for text in ["", "   ", "Ada\nBcc: x", "\u{0}", &"é".repeat(101)] {
            assert_eq!(
                DisplayName::parse(text),
                Err(InvalidDisplayName),
                "{text:?}"
            );
        }
        assert!(DisplayName::parse(&"é".repeat(100)).is_ok());
    }
}
