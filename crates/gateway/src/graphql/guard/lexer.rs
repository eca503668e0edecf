//! Splits a GraphQL document into tokens, one at a time, in one pass and without recursion.
//!
//! Follows section 2.1 of the GraphQL specification (October 2021). Where the library's own grammar
//! is more lenient than the specification (`queryName {`, `[00]`), this lexer is strict, so that
//! no document means one thing here and another thing there.

use super::{Position, Refusal};

/// One lexical token. Strings keep no text: nothing in the guard depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'d> {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Punctuator(u8),
    /// `...`
    Spread,
    Name(&'d str),
    Int(&'d str),
    Float,
    String,
    End,
}

pub(super) struct Lexer<'d> {
    document: &'d str,
    bytes: &'d [u8],
    offset: usize,
    tokens: usize,
    token_limit: usize,
}

impl<'d> Lexer<'d> {
    pub(super) fn new(document: &'d str, token_limit: usize) -> Self {
        Self {
            document,
            bytes: document.as_bytes(),
            offset: 0,
            tokens: 0,
            token_limit,
        }
    }

    /// Reads the next token; [`Token::End`] for ever once the document is used up.
    pub(super) fn next(&mut self) -> Result<Token<'d>, Refusal> {
        self.skip_ignored();
        let Some(&first) = self.bytes.get(self.offset) else {
            return Ok(Token::End);
        };
        self.tokens += 1;
        if self.tokens > self.token_limit {
            return Err(Refusal::TooManyTokens {
                limit: self.token_limit,
            });
        }
        match first {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|'
            | b'}' => {
                self.offset += 1;
                Ok(Token::Punctuator(first))
            }
            b'.' if self.bytes[self.offset..].starts_with(b"...") => {
                self.offset += 3;
                Ok(Token::Spread)
            }
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => Ok(self.name()),
            b'-' | b'0'..=b'9' => self.number(),
            b'"' if self.bytes[self.offset..].starts_with(b"\"\"\"") => self.block_string(),
            b'"' => self.string(),
            _ => Err(self.unexpected("a character that starts no token")),
        }
    }

    /// How many tokens were read.
    pub(super) fn tokens(&self) -> usize {
        self.tokens
    }

    /// A syntax error at the place reached so far.
    pub(super) fn unexpected(&self, what: &'static str) -> Refusal {
        Refusal::Syntax {
            what,
            position: position_of(self.document, self.offset),
        }
    }

    fn skip_ignored(&mut self) {
        while let Some(&byte) = self.bytes.get(self.offset) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.offset += 1,
                b'#' => self.skip_comment(),
                // The byte order mark, U+FEFF.
                0xEF if self.bytes[self.offset..].starts_with(&[0xEF, 0xBB, 0xBF]) => {
                    self.offset += 3;
                }
                _ => return,
            }
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.bytes[self.offset..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        self.offset += length.unwrap_or(rest.len());
    }

    fn name(&mut self) -> Token<'d> {
        let start = self.offset;
        self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
        Token::Name(&self.document[start..self.offset])
    }

    fn number(&mut self) -> Result<Token<'d>, Refusal> {
        let start = self.offset;
        self.skip_one(b"-");
        let integer_start = self.offset;
        let digits = self.skip_while(|byte| byte.is_ascii_digit());
        if digits == 0 || (digits > 1 && self.bytes[integer_start] == b'0') {
            return Err(self.unexpected("a malformed number"));
        }
        let integer_end = self.offset;
        if self.skip_one(b".") && self.skip_while(|byte| byte.is_ascii_digit()) == 0 {
            return Err(self.unexpected("a malformed number"));
        }
        if self.skip_one(b"eE") {
            self.skip_one(b"+-");
            if self.skip_while(|byte| byte.is_ascii_digit()) == 0 {
                return Err(self.unexpected("a malformed number"));
            }
        }
        match self.bytes.get(self.offset) {
            Some(b'_' | b'.' | b'a'..=b'z' | b'A'..=b'Z') => {
                Err(self.unexpected("a malformed number"))
            }
            _ if self.offset == integer_end => Ok(Token::Int(&self.document[start..self.offset])),
            _ => Ok(Token::Float),
        }
    }

    fn string(&mut self) -> Result<Token<'d>, Refusal> {
        self.offset += 1;
        loop {
            match self.bytes.get(self.offset) {
                Some(b'"') => {
                    self.offset += 1;
                    return Ok(Token::String);
                }
                Some(b'\\') => self.offset += 2,
                None | Some(b'\n' | b'\r') => return Err(self.unexpected("an unfinished string")),
                Some(_) => self.offset += 1,
            }
        }
    }

    fn block_string(&mut self) -> Result<Token<'d>, Refusal> {
        self.offset += 3;
        loop {
            let rest = self.bytes.get(self.offset..).unwrap_or_default();
            if rest.is_empty() {
                return Err(self.unexpected("an unfinished block string"));
            } else if rest.starts_with(b"\\\"\"\"") {
                self.offset += 4;
            } else if rest.starts_with(b"\"\"\"") {
                self.offset += 3;
                return Ok(Token::String);
            } else {
                self.offset += 1;
            }
        }
    }

    /// Skips one byte if it is one of `set`.
    fn skip_one(&mut self, set: &[u8]) -> bool {
        let found = self
            .bytes
            .get(self.offset)
            .is_some_and(|byte| set.contains(byte));
        self.offset += usize::from(found);
        found
    }

    /// Skips bytes while `accept` holds and returns how many.
    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) -> usize {
        let start = self.offset;
        while self
            .bytes
            .get(self.offset)
            .is_some_and(|&byte| accept(byte))
        {
            self.offset += 1;
        }
        self.offset - start
    }
}

/// Line and column (both from 1, the column in characters) of a byte offset.
fn position_of(document: &str, offset: usize) -> Position {
    let before = String::from_utf8_lossy(&document.as_bytes()[..offset.min(document.len())]);
    let line = before.matches('\n').count() + 1;
    let last_line = before.rsplit('\n').next().unwrap_or_default();
    Position {
        line,
        column: last_line.chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(document: &str) -> Result<Vec<Token<'_>>, Refusal> {
        let mut lexer = Lexer::new(document, 100);
        let mut found = Vec::new();
        loop {
            match lexer.next()? {
                Token::End => return Ok(found),
                token => found.push(token),
            }
        }
    }

    #[test]
    fn commas_comments_and_byte_order_marks_are_ignored() {
        let found = tokens("\u{feff}{ # {{{{\n a,,b }").unwrap();
        assert_eq!(
            found,
            [
                Token::Punctuator(b'{'),
                Token::Name("a"),
                Token::Name("b"),
                Token::Punctuator(b'}')
            ]
        );
    }

    #[test]
    fn brackets_inside_strings_are_not_brackets() {
        assert_eq!(tokens(r#" "{{ \" {{" "#).unwrap(), [Token::String]);
        assert_eq!(tokens(r#" """ {{ \""" "{ """ "#).unwrap(), [Token::String]);
    }

    #[test]
    fn numbers_follow_the_specification() {
        assert_eq!(tokens("-12").unwrap(), [Token::Int("-12")]);
        assert_eq!(tokens("1.5e-3").unwrap(), [Token::Float]);
        for malformed in ["00", "01", "1.", "1e", "-", "1a", "1.2.3"] {
            assert!(tokens(malformed).is_err(), "{malformed}");
        }
    }

    #[test]
    fn an_error_says_where() {
        let Err(Refusal::Syntax { position, .. }) = tokens("{\n  a ?") else {
            panic!("accepted");
        };
        assert_eq!(position, Position { line: 2, column: 5 });
    }

    #[test]
    fn unfinished_strings_are_refused() {
        for unfinished in ["\"abc", "\"abc\n\"", "\"\"\"abc\"", "\"abc\\"] {
            assert!(tokens(unfinished).is_err(), "{unfinished}");
        }
    }
}
