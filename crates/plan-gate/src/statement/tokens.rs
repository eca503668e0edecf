//! As much of SQL's lexical structure as tells parameters from the text of literals
//! (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html>).

/// A piece of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// Blanks and comments.
    Blank,
    /// `$1`.
    Parameter(u32),
    /// A word, a number, a literal, a quoted name or one sign.
    Other(String),
}

impl Token {
    pub(super) fn other(text: &str) -> Self {
        Self::Other(text.to_owned())
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Blank => " ".to_owned(),
            Self::Parameter(number) => format!("${number}"),
            Self::Other(text) => text.clone(),
        }
    }

    pub(super) fn is(&self, sign: &str) -> bool {
        matches!(self, Self::Other(text) if text == sign)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Other(text) if text.eq_ignore_ascii_case(word))
    }
}

/// The pieces of a statement, without blanks at its ends.
pub(crate) fn split(sql: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = sql.trim();
    while let Some(first) = rest.chars().next() {
        let length = length_of_token(rest, first);
        let (text, after) = rest.split_at(length);
        rest = after;
        let token = token(text, first);
        if token == Token::Blank && tokens.last() == Some(&Token::Blank) {
            continue;
        }
        tokens.push(token);
    }
    tokens
}

fn token(text: &str, first: char) -> Token {
    if first.is_whitespace() || text.starts_with("--") || text.starts_with("/*") {
        return Token::Blank;
    }
    let number = text
        .strip_prefix('$')
        .and_then(|digits| digits.parse().ok());
    number.map_or_else(|| Token::other(text), Token::Parameter)
}

/// In bytes, at least one character.
fn length_of_token(text: &str, first: char) -> usize {
    let while_true = |is_part: fn(char) -> bool, from: usize| {
        let end = text[from..].find(|c| !is_part(c));
        end.map_or(text.len(), |end| from + end)
    };
    let through = |end: &str, from: usize| {
        let found = text.get(from..).and_then(|rest| rest.find(end));
        found.map_or(text.len(), |at| from + at + end.len())
    };
    match first {
        ' ' | '\t' | '\n' | '\r' => while_true(char::is_whitespace, 1),
        '\'' | '"' => end_of_quoted(text, first),
        '-' if text.starts_with("--") => through("\n", 2),
        '/' if text.starts_with("/*") => through("*/", 2),
        '$' => while_true(|c| c.is_ascii_digit(), 1),
        first if is_of_word(first) => while_true(is_of_word, first.len_utf8()),
        first => first.len_utf8(),
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

/// A doubled quote stands for one.
fn end_of_quoted(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != quote {
            continue;
        }
        if characters.next_if(|(_, next)| *next == quote).is_none() {
            return at + 1;
        }
    }
    text.len()
}
