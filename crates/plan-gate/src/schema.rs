//! The tables of a database as PostgreSQL's catalogue tells them.

use std::collections::BTreeMap;

use sea_orm::sqlx::{self, PgConnection, Row as _, raw_sql};

/// Every table but the list of migrations, by name.
pub type Schema = BTreeMap<String, Vec<Column>>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// As `format_type` has it, for example `timestamp with time zone`.
    pub kind: String,
    pub is_nullable: bool,
    /// The database fills it: a serial or an identity.
    pub is_counted: bool,
    /// The table that it refers to by a foreign key of its own.
    pub refers_to: Option<String>,
}

const COLUMNS: &str = "
    SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
        NOT a.attnotnull,
        a.attidentity <> '' OR a.attgenerated <> ''
            OR COALESCE(pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%', FALSE),
        (SELECT f.confrelid::regclass::text FROM pg_constraint f
            WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum] LIMIT 1)
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r'
        AND c.relname <> 'seaql_migrations'
    ORDER BY c.relname, a.attnum";

/// Reads it.
///
/// # Errors
/// When the database doesn't answer.
pub async fn read(connection: &mut PgConnection) -> Result<Schema, sqlx::Error> {
    let mut schema = Schema::new();
    for row in raw_sql(COLUMNS).fetch_all(connection).await? {
        let column = Column {
            name: row.try_get(1)?,
            kind: row.try_get(2)?,
            is_nullable: row.try_get(3)?,
            is_counted: row.try_get(4)?,
            refers_to: row.try_get(5)?,
        };
        schema.entry(row.try_get(0)?).or_default().push(column);
    }
    Ok(schema)
}

/// Foreign keys of tables with at least `big` rows that no index begins with: deleting or changing
/// what they refer to reads the whole table, which no plan shows.
const UNINDEXED_REFERENCES: &str = "
    SELECT f.conrelid::regclass::text || '.' || a.attname
    FROM pg_constraint f
    JOIN pg_class c ON c.oid = f.conrelid
    JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
    WHERE f.contype = 'f' AND c.relnamespace = 'public'::regnamespace AND c.reltuples >= $1
        AND NOT EXISTS (SELECT 1 FROM pg_index i
            WHERE i.indrelid = f.conrelid AND i.indkey[0] = f.conkey[1] AND i.indpred IS NULL)
    ORDER BY 1";

/// `table.column` of each such foreign key.
///
/// # Errors
/// When the database doesn't answer.
pub async fn unindexed_references(
    connection: &mut PgConnection,
    big: u64,
) -> Result<Vec<String>, sqlx::Error> {
    // PostgreSQL counts in reals.
    let big = u32::try_from(big).map_or(f64::MAX, f64::from);
    let query = sqlx::query_scalar(UNINDEXED_REFERENCES).bind(big);
    query.fetch_all(connection).await
}
