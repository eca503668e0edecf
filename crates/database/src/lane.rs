//! Reading from PostgreSQL over connections of its own, without the pool's ping.
//!
//! sqlx's pool asks the server for a sign of life each time a connection comes back to it, so that
//! one whose caller was cancelled halfway is found. For a statement that takes a tenth of a
//! millisecond that is half of the work. Here a connection comes back only after a statement that
//! has ended; any other is closed.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use sea_orm::{
    DbErr, QueryResult, RuntimeErr, Statement,
    sqlx::{
        self, AssertSqlSafe, Connection as _, PgConnection, Postgres,
        postgres::{PgConnectOptions, PgDatabaseError, PgSeverity},
        query::Query,
    },
};
use sea_query_sqlx::SqlxValues;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{ACQUIRE_TIMEOUT, TEST_IF_IDLE_FOR};

/// After this long a connection is replaced: behind a balancer, its like may be elsewhere by then.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

pub(crate) struct Lane {
    options: PgConnectOptions,
    /// The one used last is taken first.
    idle: Mutex<Vec<Open>>,
    permits: Semaphore,
}

struct Open {
    connection: PgConnection,
    since: Instant,
    last_used: Instant,
}

/// A connection in use. Unless it is given back, it is closed.
struct Taken<'l> {
    lane: &'l Lane,
    open: Open,
    _permit: SemaphorePermit<'l>,
}

impl Lane {
    /// Opens up to `connections`, each when it is first needed.
    pub(crate) fn new(options: PgConnectOptions, connections: u32) -> Self {
        let connections = usize::try_from(connections).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            options,
            idle: Mutex::default(),
            permits: Semaphore::new(connections),
        }
    }

    pub(crate) async fn all(&self, statement: &Statement) -> Result<Vec<QueryResult>, DbErr> {
        let mut taken = self.take().await?;
        let rows = query(statement).fetch_all(&mut taken.open.connection).await;
        let rows = taken.settle(rows)?;
        Ok(rows.into_iter().map(QueryResult::from).collect())
    }

    pub(crate) async fn one(&self, statement: &Statement) -> Result<Option<QueryResult>, DbErr> {
        let mut taken = self.take().await?;
        let row = query(statement)
            .fetch_optional(&mut taken.open.connection)
            .await;
        Ok(taken.settle(row)?.map(QueryResult::from))
    }

    pub(crate) async fn close(&self) {
        self.permits.close();
        let idle = std::mem::take(&mut *self.lock());
        for open in idle {
            // The server notices, too, when it is not told.
            let _ = open.connection.close().await;
        }
    }

    async fn take(&self) -> Result<Taken<'_>, DbErr> {
        let permit = timeout(ACQUIRE_TIMEOUT, self.permits.acquire()).await;
        let permit = match permit {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) => return Err(failed(sqlx::Error::PoolClosed)),
            Err(_) => return Err(failed(sqlx::Error::PoolTimedOut)),
        };
        let open = match self.idle_one().await {
            Some(open) => open,
            None => self.open().await?,
        };
        Ok(Taken {
            lane: self,
            open,
            _permit: permit,
        })
    }

    /// A connection that a restarted server has closed is found before it is used.
    async fn idle_one(&self) -> Option<Open> {
        loop {
            let mut open = self.lock().pop()?;
            if open.since.elapsed() > LIFETIME {
                continue;
            }
            if open.last_used.elapsed() < TEST_IF_IDLE_FOR {
                return Some(open);
            }
            let ping = timeout(ACQUIRE_TIMEOUT, open.connection.ping());
            if matches!(ping.await, Ok(Ok(()))) {
                return Some(open);
            }
        }
    }

    async fn open(&self) -> Result<Open, DbErr> {
        let connecting = PgConnection::connect_with(&self.options);
        let connected = timeout(ACQUIRE_TIMEOUT, connecting).await;
        let connection = connected
            .map_err(|_| failed(sqlx::Error::PoolTimedOut))?
            .map_err(failed)?;
        let now = Instant::now();
        Ok(Open {
            connection,
            since: now,
            last_used: now,
        })
    }

    /// Nothing panics while the lock is held.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Open>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken<'_> {
    /// Gives the connection back if it can be used again.
    fn settle<T>(mut self, outcome: Result<T, sqlx::Error>) -> Result<T, DbErr> {
        let is_usable = match &outcome {
            Ok(_) => true,
            // What the server refuses is a statement, unless it ends the connection with it.
            Err(sqlx::Error::Database(refused)) => refused
                .try_downcast_ref::<PgDatabaseError>()
                .is_some_and(|refused| refused.severity() == PgSeverity::Error),
            Err(_) => false,
        };
        if is_usable {
            self.open.last_used = Instant::now();
            self.lane.lock().push(self.open);
        }
        outcome.map_err(|error| DbErr::Query(RuntimeErr::SqlxError(error.into())))
    }
}

fn query(statement: &Statement) -> Query<'_, Postgres, SqlxValues> {
    let values = statement.values.clone();
    let values = values.unwrap_or(sea_orm::Values(Vec::new()));
    // Built by sea-query: the values are apart.
    sqlx::query_with(AssertSqlSafe(statement.sql.as_str()), SqlxValues(values))
}

fn failed(error: sqlx::Error) -> DbErr {
    match error {
        sqlx::Error::PoolTimedOut => DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout),
        sqlx::Error::PoolClosed => {
            DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::ConnectionClosed)
        }
        error => DbErr::Conn(RuntimeErr::SqlxError(error.into())),
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").finish_non_exhaustive()
    }
}
