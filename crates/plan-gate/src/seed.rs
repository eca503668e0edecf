//! A large data set, made by SQL from the schema itself: a new table or column needs nothing here
//! unless its values must look like something.

use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, raw_sql};

use crate::schema::{Column, Schema};

/// Rows of a table that [`ROWS`] doesn't name.
const USUAL_ROWS: u64 = 20_000;

/// How many rows a table has.
const ROWS: &[(&str, u64)] = &[
    // Ordering.
    ("products", 10_000),
    ("stock", 10_000),
    ("orders", 100_000),
    ("order_lines", 200_000),
    ("order_history", 300_000),
    ("stock_reservations", 200_000),
    ("payment_attempts", 100_000),
    ("payment_notices", 100_000),
    // Identity.
    ("users", 50_000),
    ("sessions", 100_000),
    ("refresh_tokens", 100_000),
    ("recovery_codes", 100_000),
    ("audit_events", 100_000),
    // Few, however large the shop.
    ("signing_keys", 5),
    ("service_accounts", 10),
    // Both.
    ("outbox", 100_000),
    ("inbox", 100_000),
];

/// Values that matter to plans: what few rows have, and what refers to another table without a
/// foreign key. `i` counts the rows from 0; `plan_id(table, n)` is the id of a table's n-th row.
const VALUES: &[(&str, &str, &str)] = &[
    (
        "orders",
        "customer_id",
        "plan_id('users', (i * 7919) % 50000)",
    ),
    (
        "orders",
        "status",
        "(ARRAY['CONFIRMED', 'CONFIRMED', 'CONFIRMED', 'CONFIRMED', 'CONFIRMED', 'CONFIRMED', \
         'CONFIRMED', 'CANCELLED', 'REJECTED', 'REFUNDED'])[1 + i % 10]",
    ),
    (
        "orders",
        "deadline_at",
        "CASE WHEN i >= 99900 THEN plan_time(i) END",
    ),
    ("orders", "total_currency", "'EUR'"),
    ("order_history", "version", "1 + i % 3"),
    (
        "order_history",
        "status",
        "(ARRAY['PLACED', 'STOCK_RESERVED', 'CONFIRMED'])[1 + i % 3]",
    ),
    (
        "order_lines",
        "product_id",
        "plan_id('products', (i * 31) % 10000)",
    ),
    (
        "stock_reservations",
        "product_id",
        "plan_id('products', (i * 31) % 10000)",
    ),
    (
        "stock_reservations",
        "state",
        "(ARRAY['sold', 'sold', 'sold', 'released'])[1 + i % 4]",
    ),
    ("stock", "total", "1000"),
    ("stock", "available", "700"),
    ("stock", "reserved", "100"),
    ("stock", "sold", "200"),
    (
        "payment_attempts",
        "status",
        "(ARRAY['succeeded', 'succeeded', 'succeeded', 'failed'])[1 + i % 4]",
    ),
    ("payment_attempts", "intent_id", "'pi_' || md5(i::text)"),
    (
        "users",
        "role",
        "CASE WHEN i % 5000 = 0 THEN 'admin' ELSE 'customer' END",
    ),
    (
        "sessions",
        "amr",
        "(ARRAY['pwd', 'pwd otp mfa', 'ext'])[1 + i % 3]",
    ),
    (
        "audit_events",
        "actor_id",
        "plan_id('users', (i * 7919) % 50000)",
    ),
    (
        "audit_events",
        "target_id",
        "plan_id('users', (i * 104729) % 50000)::text",
    ),
    ("audit_events", "action", "'action-' || i % 40"),
    ("audit_events", "outcome", "'success'"),
    ("audit_events", "actor_kind", "'user'"),
    ("audit_events", "target_kind", "'user'"),
    // All but the last hundred are published.
    (
        "outbox",
        "published_at",
        "CASE WHEN i < 99900 THEN plan_time(i) END",
    ),
    ("outbox", "locked_until", "NULL"),
    ("outbox", "event_type", "'event-' || i % 10"),
    ("outbox", "aggregate_type", "'order'"),
    ("outbox", "aggregate_id", "plan_id('orders', i)"),
    // Few are tried again.
    (
        "outbox",
        "retry_of",
        "CASE WHEN i % 1000 = 0 THEN plan_id('outbox', i) END",
    ),
    (
        "outbox",
        "queue",
        "CASE WHEN i % 1000 = 0 THEN 'consumer-' || i % 2 END",
    ),
    ("outbox", "failed_attempts", "0"),
    ("dead_letters", "queue", "'consumer-' || i % 2"),
    ("inbox", "consumer", "'consumer-' || i % 2"),
];

/// Ids in the order of time, as UUIDv7 are. Single immutable expressions: PostgreSQL inlines them.
const FUNCTIONS: &str = "
    CREATE FUNCTION plan_id(relation text, n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS $$
        SELECT (lpad(to_hex(1700000000000 + n * 1000), 12, '0') || '70008'
            || substr(md5(relation || n::text), 1, 15))::uuid
    $$;
    CREATE FUNCTION plan_time(n bigint) RETURNS timestamptz IMMUTABLE LANGUAGE sql AS
        $$ SELECT to_timestamp(1767225600 + n) $$;";

const MERGE_PENDING: &str = "SELECT gin_clean_pending_list(c.oid) FROM pg_class c \
    JOIN pg_am m ON m.oid = c.relam WHERE m.amname = 'gin' AND c.relkind = 'i'";

/// Fills every table, and gathers statistics over all rows, so that they are the same each time.
///
/// # Errors
/// When a row is refused: a column then needs a line in [`VALUES`].
pub async fn fill(
    connection: &mut PgConnection,
    schema: &Schema,
    rows_of: impl Fn(&str) -> u64,
) -> Result<(), sqlx::Error> {
    // No foreign keys to look up and no triggers: the rows agree with each other as they are.
    let settings = "SET session_replication_role = replica; SET synchronous_commit = off;";
    raw_sql(settings).execute(&mut *connection).await?;
    raw_sql(FUNCTIONS).execute(&mut *connection).await?;
    for (table, columns) in schema {
        // Nothing may gather other statistics meanwhile.
        let manual = format!("ALTER TABLE \"{table}\" SET (autovacuum_enabled = off)");
        execute(connection, manual).await?;
        execute(connection, insert(table, columns, &rows_of)).await?;
    }
    raw_sql("SET session_replication_role = DEFAULT")
        .execute(&mut *connection)
        .await?;
    // What is not merged into such an index yet makes it look dear.
    raw_sql(MERGE_PENDING).execute(&mut *connection).await?;
    // 300 rows are looked at for each unit of the target: all of them. No VACUUM: which pages it
    // finds visible to all depends on who else is connected, and plans on that.
    let most = schema.keys().map(|table| rows_of(table)).max().unwrap_or(0);
    let target = (most / 300 + 1).min(10_000);
    execute(
        connection,
        format!("SET default_statistics_target = {target}"),
    )
    .await?;
    raw_sql("ANALYZE").execute(&mut *connection).await?;
    raw_sql("RESET default_statistics_target")
        .execute(connection)
        .await?;
    Ok(())
}

/// How many rows a table of the large data set has.
#[must_use]
pub fn rows(table: &str) -> u64 {
    let named = ROWS.iter().find(|(name, _)| *name == table);
    named.map_or(USUAL_ROWS, |(_, rows)| *rows)
}

async fn execute(connection: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

fn insert(table: &str, columns: &[Column], rows_of: impl Fn(&str) -> u64) -> String {
    let rows = rows_of(table);
    let columns = columns.iter().filter(|column| !column.is_counted);
    let (names, values): (Vec<_>, Vec<_>) = columns
        .map(|column| {
            let name = format!("\"{}\"", column.name);
            (name, value(table, column, rows, &rows_of))
        })
        .unzip();
    let (names, values) = (names.join(", "), values.join(", "));
    format!(
        "INSERT INTO \"{table}\" ({names}) SELECT {values} \
         FROM generate_series(0::bigint, {rows} - 1) AS i"
    )
}

fn value(table: &str, column: &Column, rows: u64, rows_of: impl Fn(&str) -> u64) -> String {
    let name = column.name.as_str();
    let given = VALUES
        .iter()
        .find(|(of, called, _)| *of == table && *called == name);
    if let Some((_, _, value)) = given {
        return (*value).to_owned();
    }
    if let Some(other) = &column.refers_to {
        // What belongs to one row stands together.
        return format!("plan_id('{other}', i * {} / {rows})", rows_of(other));
    }
    let value = usual_value(table, column);
    if column.is_nullable {
        return format!("CASE WHEN i % 10 = 0 THEN {value} END");
    }
    value
}

fn usual_value(table: &str, column: &Column) -> String {
    let name = column.name.as_str();
    match column.kind.as_str() {
        "uuid" if name == "id" => format!("plan_id('{table}', i)"),
        // A key that is only that of another table.
        "uuid" => format!("plan_id('{table}.{name}', i)"),
        "text" | "character varying" => format!("'{name}-' || i"),
        "timestamp with time zone" => "plan_time(i)".to_owned(),
        "bytea" => "decode(md5(i::text) || md5((i + 1)::text), 'hex')".to_owned(),
        "boolean" => "i % 2 = 0".to_owned(),
        "json" | "jsonb" => "'{}'".to_owned(),
        "smallint" | "integer" | "bigint" => "1 + i % 1000".to_owned(),
        // The server says what is wrong with it.
        _ => format!("i::text::{}", column.kind),
    }
}
