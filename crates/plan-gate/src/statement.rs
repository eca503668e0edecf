//! Statements as they are kept: one text for all that differ only in how many rows or values they
//! were asked with.

mod tokens;

use std::collections::HashMap;

pub(crate) use tokens::{Token, split};

/// How many values a list of parameters is given. More than one: `IN ($1)` is planned as `= $1`.
const LISTED: usize = 2;

/// A statement without what differs from call to call: blanks are single, a list of parameters
/// after `IN` has two, `VALUES` has one row, and parameters are
/// numbered in the order in which they appear.
///
/// The result may never have been asked, but it is planned as all those are that were.
#[must_use]
pub fn normalise(sql: &str) -> String {
    let tokens = split(sql);
    let mut fresh = Fresh::above(&tokens);
    let tokens = shorten_rows(tokens);
    let tokens = even_lists(tokens, &mut fresh);
    renumber(tokens).iter().map(Token::text).collect()
}

/// How many rows a page has at most, and a batch about.
const PAGE: &str = "100";

/// A normalised statement as it is explained: a limit is that of a page. PostgreSQL, if it isn't
/// told, expects a tenth of the table; a real connection asks with the value, and keeps the plan
/// that costs less.
#[must_use]
pub fn with_limits(statement: &str) -> String {
    let mut is_limit = false;
    let tokens = split(statement).into_iter().map(|token| match token {
        Token::Parameter(_) if is_limit => Token::other(PAGE),
        Token::Blank => token,
        Token::Parameter(_) | Token::Other(_) => {
            is_limit = token.is_word("LIMIT");
            token
        }
    });
    renumber(tokens.collect()).iter().map(Token::text).collect()
}

/// Whether a recorded statement is the project's and has a plan: not a test's own, a migration's
/// or one of those that define or lock.
#[must_use]
pub fn has_a_plan(sql: &str) -> bool {
    let catalogue = ["seaql_migrations", "information_schema.", "pg_catalog."];
    let first = sql.split_whitespace().next().unwrap_or_default();
    ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"].contains(&first.to_uppercase().as_str())
        && !catalogue.iter().any(|name| sql.contains(name))
}

/// Parameter numbers that the statement doesn't have.
struct Fresh(u32);

impl Fresh {
    fn above(tokens: &[Token]) -> Self {
        let numbers = tokens.iter().filter_map(|token| match token {
            Token::Parameter(number) => Some(*number),
            Token::Blank | Token::Other(_) => None,
        });
        Self(numbers.max().unwrap_or(0))
    }

    fn next(&mut self) -> u32 {
        self.0 = self.0.saturating_add(1);
        self.0
    }
}

fn renumber(tokens: Vec<Token>) -> Vec<Token> {
    let mut numbers = HashMap::new();
    let renumbered = tokens.into_iter().map(|token| match token {
        Token::Parameter(old) => {
            let next = u32::try_from(numbers.len() + 1).unwrap_or(u32::MAX);
            Token::Parameter(*numbers.entry(old).or_insert(next))
        }
        Token::Blank | Token::Other(_) => token,
    });
    renumbered.collect()
}

/// `VALUES (..), (..)` keeps the first row, if all have the same shape.
fn shorten_rows(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        kept.push(token.clone());
        rest = after;
        if !token.is_word("VALUES") {
            continue;
        }
        let Some((row, mut after)) = group(rest) else {
            continue;
        };
        kept.extend_from_slice(row);
        while let Some((next, beyond)) = comma(after).and_then(group)
            && shape(next) == shape(row)
        {
            after = beyond;
        }
        rest = after;
    }
    kept
}

/// `IN (..)` gets [`LISTED`] items, if it lists parameters, or tuples of them, of one shape.
fn even_lists(tokens: Vec<Token>, fresh: &mut Fresh) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        kept.push(token.clone());
        rest = after;
        if !token.is_word("IN") {
            continue;
        }
        let Some((list, after)) = group(rest) else {
            continue;
        };
        let Some(item) = repeated_item(list) else {
            continue;
        };
        kept.extend([Token::Blank, Token::other("(")]);
        for position in 0..LISTED {
            if position > 0 {
                kept.extend([Token::other(","), Token::Blank]);
            }
            kept.extend(item.iter().map(|token| match token {
                Token::Parameter(_) => Token::Parameter(fresh.next()),
                Token::Blank | Token::Other(_) => token.clone(),
            }));
        }
        kept.push(Token::other(")"));
        rest = after;
    }
    kept
}

/// What a list in parentheses repeats, if that is a parameter or a tuple of some.
fn repeated_item(list: &[Token]) -> Option<&[Token]> {
    let start = list.iter().position(|token| token.is("("))? + 1;
    let inner = list.get(start..list.len().checked_sub(1)?)?;
    let mut depth = 0_usize;
    let items = inner.split(|token| {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.saturating_sub(1);
        }
        depth == 0 && token.is(",")
    });
    let mut items = items.map(trim);
    let first = items.next()?;
    let is_of_parameters = first.iter().all(|token| match token {
        Token::Parameter(_) | Token::Blank => true,
        Token::Other(text) => ["(", ")", ","].contains(&text.as_str()),
    });
    let has_one = first
        .iter()
        .any(|token| matches!(token, Token::Parameter(_)));
    let shape_of_first = shape(first);
    (is_of_parameters && has_one && items.all(|item| shape(item) == shape_of_first))
        .then_some(first)
}

fn trim(tokens: &[Token]) -> &[Token] {
    let is_text = |token: &Token| !matches!(token, Token::Blank);
    let Some(start) = tokens.iter().position(is_text) else {
        return &[];
    };
    let end = tokens
        .iter()
        .rposition(is_text)
        .map_or(start, |last| last + 1);
    &tokens[start..end]
}

/// The tokens without blanks and without what tells one parameter from another.
fn shape(tokens: &[Token]) -> Vec<String> {
    let texts = tokens.iter().filter_map(|token| match token {
        Token::Parameter(_) => Some("$".to_owned()),
        Token::Other(text) => Some(text.clone()),
        Token::Blank => None,
    });
    texts.collect()
}

/// A group in parentheses, with the blanks before it, and what comes after.
fn group(tokens: &[Token]) -> Option<(&[Token], &[Token])> {
    let start = tokens.iter().position(|t| !matches!(t, Token::Blank))?;
    if !tokens.get(start)?.is("(") {
        return None;
    }
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate() {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(tokens.split_at(position + 1));
            }
        }
    }
    None
}

/// What comes after a comma.
fn comma(tokens: &[Token]) -> Option<&[Token]> {
    let start = tokens.iter().position(|t| !matches!(t, Token::Blank))?;
    tokens
        .get(start)?
        .is(",")
        .then_some(tokens.get(start + 1..)?)
}

#[cfg(test)]
mod tests;
