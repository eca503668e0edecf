//! The plan of a statement: what PostgreSQL does whatever the parameters are.

use sea_orm::sqlx::{self, AssertSqlSafe, PgConnection, Row as _, raw_sql};
use serde_json::Value;

/// The planner's own defaults, whatever the server's configuration says, and no parallel workers:
/// which of them are free differs from call to call.
const SETTINGS: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET max_parallel_workers_per_gather = 0;
    SET jit = off;
    SET seq_page_cost = 1;
    SET random_page_cost = 4;
    SET effective_cache_size = '4GB';
    SET work_mem = '4MB';
    SET statement_timeout = '10s'";

/// A statement's plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// As `EXPLAIN (COSTS OFF)` prints it, one line each.
    pub lines: Vec<String>,
    /// The root node of `EXPLAIN (FORMAT JSON)`.
    pub root: Value,
    /// The same if sorting were to be avoided at any price: where this sorts, no index has the order.
    pub unsorted: Value,
}

/// Makes the session plan as every other does.
///
/// # Errors
/// When the server refuses.
pub async fn settle(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    raw_sql(SETTINGS).execute(connection).await?;
    Ok(())
}

/// A statement that the session holds prepared, until it is [forgotten](Prepared::forget).
pub struct Prepared<'a> {
    connection: &'a mut PgConnection,
    /// The type of each parameter.
    types: Vec<String>,
}

impl<'a> Prepared<'a> {
    /// Has it prepared. `None`, with what the server says, if it is not understood: it is another
    /// database's.
    ///
    /// # Errors
    /// When the server doesn't answer.
    pub async fn new(
        connection: &'a mut PgConnection,
        statement: &str,
    ) -> Result<Result<Self, String>, sqlx::Error> {
        let prepare = format!("PREPARE gate AS {statement}");
        match raw_sql(AssertSqlSafe(prepare))
            .execute(&mut *connection)
            .await
        {
            Ok(_) => {}
            Err(sqlx::Error::Database(refusal)) => return Ok(Err(refusal.message().to_owned())),
            Err(error) => return Err(error),
        }
        let types = "SELECT parameter_types::text[] FROM pg_prepared_statements \
                     WHERE name = 'gate' AND from_sql";
        let types = sqlx::query_scalar(types)
            .fetch_one(&mut *connection)
            .await?;
        Ok(Ok(Self { connection, types }))
    }

    #[must_use]
    pub fn types(&self) -> &[String] {
        &self.types
    }

    /// The plan for any parameters.
    ///
    /// # Errors
    /// When the server doesn't answer.
    pub async fn plan(&mut self) -> Result<Plan, sqlx::Error> {
        let nulls = vec!["NULL"; self.types.len()].join(", ");
        let lines = self.explain("COSTS OFF", &nulls).await?;
        let root = self.root(&nulls).await?;
        self.replan("SET enable_sort = off").await?;
        let unsorted = self.root(&nulls).await?;
        self.replan("RESET enable_sort").await?;
        Ok(Plan {
            lines,
            root,
            unsorted,
        })
    }

    async fn root(&mut self, arguments: &str) -> Result<Value, sqlx::Error> {
        let json = self.explain("FORMAT JSON", arguments).await?.join("\n");
        let mut json: Value =
            serde_json::from_str(&json).map_err(|error| sqlx::Error::Decode(error.into()))?;
        Ok(json[0]["Plan"].take())
    }

    /// A setting of the planner does not touch the plan that is kept.
    async fn replan(&mut self, setting: &'static str) -> Result<(), sqlx::Error> {
        raw_sql(setting).execute(&mut *self.connection).await?;
        raw_sql("DISCARD PLANS")
            .execute(&mut *self.connection)
            .await?;
        Ok(())
    }

    /// What it really did with these arguments, with buffers and times, all taken back. What went
    /// wrong instead, if it did: the arguments may break a constraint.
    ///
    /// # Errors
    /// When the server doesn't answer.
    pub async fn run(
        &mut self,
        arguments: &[String],
    ) -> Result<Result<Vec<String>, String>, sqlx::Error> {
        raw_sql("BEGIN").execute(&mut *self.connection).await?;
        let outcome = self
            .explain("ANALYZE, BUFFERS, COSTS OFF", &arguments.join(", "))
            .await;
        raw_sql("ROLLBACK").execute(&mut *self.connection).await?;
        match outcome {
            Ok(lines) => Ok(Ok(lines)),
            Err(sqlx::Error::Database(refusal)) => Ok(Err(refusal.message().to_owned())),
            Err(error) => Err(error),
        }
    }

    /// Has the session forget it.
    ///
    /// # Errors
    /// When the server doesn't answer.
    pub async fn forget(self) -> Result<(), sqlx::Error> {
        raw_sql("DEALLOCATE gate").execute(self.connection).await?;
        Ok(())
    }

    async fn explain(
        &mut self,
        options: &str,
        arguments: &str,
    ) -> Result<Vec<String>, sqlx::Error> {
        let arguments = if self.types.is_empty() {
            String::new()
        } else {
            format!("({arguments})")
        };
        let explain = format!("EXPLAIN ({options}) EXECUTE gate{arguments}");
        let rows = raw_sql(AssertSqlSafe(explain))
            .fetch_all(&mut *self.connection)
            .await?;
        // JSON is no text to the driver.
        rows.iter().map(|row| row.try_get_unchecked(0)).collect()
    }
}
