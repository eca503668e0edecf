//! What the system itself wrote down about its orders.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};

use super::BenchOrdersError;

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// The orders' database, only read but for [`Books::analyze`].
pub(super) struct Books(DatabaseConnection);

impl Books {
    pub(super) async fn open(url: &str) -> Result<Self, DbErr> {
        let mut options = ConnectOptions::new(url);
        options.max_connections(2).sqlx_logging(false);
        Ok(Self(Database::connect(options).await?))
    }

    /// Tells the database what its tables hold by now, as its own housekeeping does within minutes:
    /// plans that were made for empty tables are no good for full ones.
    pub(super) async fn analyze(&self) -> Result<(), DbErr> {
        self.0.execute_unprepared("ANALYZE").await.map(drop)
    }

    /// Orders that have work left: those with a deadline.
    pub(super) async fn open_orders(&self) -> Result<u64, DbErr> {
        let count = "SELECT COUNT(*) AS n FROM orders WHERE deadline_at IS NOT NULL";
        self.count(Statement::from_string(self.0.get_database_backend(), count))
            .await
    }

    /// Orders that were confirmed in this span.
    pub(super) async fn confirmed(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<u64, DbErr> {
        let count = "SELECT COUNT(*) AS n FROM order_history \
             WHERE status = 'CONFIRMED' AND at >= $1 AND at < $2";
        self.count(self.within(count, from, to)).await
    }

    /// How long each order that was placed in this span took until it was confirmed.
    pub(super) async fn placed_to_confirmed(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
    ) -> Result<Vec<Duration>, DbErr> {
        let spans = "SELECT placed.at AS placed, confirmed.at AS confirmed \
             FROM order_history AS placed \
             JOIN order_history AS confirmed ON confirmed.order_id = placed.order_id \
             WHERE placed.status = 'PLACED' AND placed.at >= $1 AND placed.at < $2 \
             AND confirmed.status = 'CONFIRMED'";
        let rows = self.0.query_all_raw(self.within(spans, from, to)).await?;
        let took = rows.iter().map(|row| {
            let placed: DateTime<Utc> = row.try_get("", "placed")?;
            let confirmed: DateTime<Utc> = row.try_get("", "confirmed")?;
            Ok((confirmed - placed).to_std().unwrap_or_default())
        });
        took.collect()
    }

    /// Waits until no order has work left.
    pub(super) async fn settled(&self, limit: Duration) -> Result<(), BenchOrdersError> {
        let begun = Instant::now();
        loop {
            let open = self.open_orders().await?;
            if open == 0 {
                return Ok(());
            }
            if begun.elapsed() > limit {
                let seconds = limit.as_secs();
                return Err(BenchOrdersError::NotSettled { open, seconds });
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    fn within(&self, sql: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> Statement {
        let backend = self.0.get_database_backend();
        Statement::from_sql_and_values(backend, sql, [from.into(), to.into()])
    }

    async fn count(&self, statement: Statement) -> Result<u64, DbErr> {
        let row = self.0.query_one_raw(statement).await?;
        let none = || DbErr::RecordNotFound("a count".to_owned());
        let count: i64 = row.ok_or_else(none)?.try_get("", "n")?;
        Ok(count.unsigned_abs())
    }
}
