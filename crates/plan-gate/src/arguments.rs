//! Arguments for a statement, out of the data: an id that is there, a time in the middle.

use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, Row as _, raw_sql};

use crate::schema::Schema;
use crate::statement::{Token, split};

/// A literal for each parameter, whose types are given.
///
/// # Errors
/// When the server doesn't answer.
pub async fn sample(
    connection: &mut PgConnection,
    schema: &Schema,
    statement: &str,
    types: &[String],
) -> Result<Vec<String>, sqlx::Error> {
    let tokens = split(statement);
    let mut arguments = Vec::with_capacity(types.len());
    for (number, kind) in (1..).zip(types) {
        let argument = match compared_with(schema, &tokens, number, kind) {
            Some((table, column)) => middle(connection, &table, &column, kind).await?,
            None => None,
        };
        arguments.push(argument.unwrap_or_else(|| any(kind)));
    }
    Ok(arguments)
}

/// The column that a parameter is compared with: the nearest one before it that has its type.
fn compared_with(
    schema: &Schema,
    tokens: &[Token],
    number: u32,
    kind: &str,
) -> Option<(String, String)> {
    let is_insert = tokens.first()?.is_word("INSERT");
    let at = tokens.iter().position(|t| *t == Token::Parameter(number))?;
    let before = tokens.get(..at)?;
    if is_insert {
        return None;
    }
    let names = before.iter().rev().filter_map(quoted);
    for name in names {
        let tables = schema.iter().filter(|(table, _)| {
            tokens
                .iter()
                .any(|token| quoted(token) == Some(table.as_str()))
        });
        for (table, columns) in tables {
            if columns.iter().any(|c| c.name == name && c.kind == kind) {
                return Some((table.clone(), name.to_owned()));
            }
        }
    }
    None
}

fn quoted(token: &Token) -> Option<&str> {
    let Token::Other(text) = token else {
        return None;
    };
    text.strip_prefix('"')?.strip_suffix('"')
}

/// The value of the row in the middle of a table.
async fn middle(
    connection: &mut PgConnection,
    table: &str,
    column: &str,
    kind: &str,
) -> Result<Option<String>, sqlx::Error> {
    let value = format!(
        "SELECT quote_literal(\"{column}\"::text) || '::{kind}' FROM \"{table}\" \
         WHERE \"{column}\" IS NOT NULL \
         OFFSET (SELECT count(\"{column}\") / 2 FROM \"{table}\") LIMIT 1"
    );
    let row = raw_sql(AssertSqlSafe(value))
        .fetch_optional(connection)
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

fn any(kind: &str) -> String {
    match kind {
        "smallint" | "integer" | "bigint" | "numeric" | "double precision" => "20".to_owned(),
        "uuid" => "gen_random_uuid()".to_owned(),
        "text" | "character varying" => "md5(random()::text)".to_owned(),
        "timestamp with time zone" => "now()".to_owned(),
        "bytea" => "decode(md5(random()::text), 'hex')".to_owned(),
        "json" | "jsonb" => format!("'{{}}'::{kind}"),
        _ => format!("NULL::{kind}"),
    }
}
