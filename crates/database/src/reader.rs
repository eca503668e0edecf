//! Where single reading statements go.

use std::{fmt, sync::Arc};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    prelude::async_trait::async_trait,
};

use crate::{
    lane::Lane,
    statements::{Observer, Recording, tell},
};

/// For queries outside a transaction. What it reads has been committed.
#[derive(Clone)]
pub struct Reader {
    pool: DatabaseConnection,
    /// On PostgreSQL, if there are connections enough for both.
    lane: Option<Arc<Lane>>,
    /// Of the lane: the pool tells its own.
    recording: Option<Recording>,
    observer: Option<Observer>,
}

impl Reader {
    pub(crate) fn new(
        pool: DatabaseConnection,
        lane: Option<Lane>,
        recording: Option<Recording>,
    ) -> Self {
        Self {
            pool,
            lane: lane.map(Arc::new),
            recording,
            observer: None,
        }
    }

    pub(crate) fn pool_mut(&mut self) -> &mut DatabaseConnection {
        &mut self.pool
    }

    pub(crate) fn observe(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.pool.ping().await
    }

    pub(crate) async fn close(&self) -> Result<(), DbErr> {
        if let Some(lane) = &self.lane {
            lane.close().await;
        }
        self.pool.close_by_ref().await
    }

    fn tell<T>(&self, statement: &Statement, outcome: &Result<T, DbErr>) {
        let failed = outcome.is_err();
        tell(
            &statement.sql,
            failed,
            self.recording.as_ref(),
            self.observer.as_ref(),
        );
    }
}

#[async_trait]
impl ConnectionTrait for Reader {
    fn get_database_backend(&self) -> DbBackend {
        self.pool.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.pool.execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.pool.execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let Some(lane) = &self.lane else {
            return self.pool.query_one_raw(statement).await;
        };
        let outcome = lane.one(&statement).await;
        self.tell(&statement, &outcome);
        outcome
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let Some(lane) = &self.lane else {
            return self.pool.query_all_raw(statement).await;
        };
        let outcome = lane.all(&statement).await;
        self.tell(&statement, &outcome);
        outcome
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}
