//! Where a shop's orders are kept: SQLite in a temporary folder or, in the distributed run, a
//! database of its own on PostgreSQL.

use std::sync::{Arc, Mutex};

use database::Database;
use migrations::{MigratorTrait, OrdersMigrator};
use tempfile::TempDir;
use testkit::environment::{MODE, POSTGRES_URL};
use testkit::postgres::{FreshDatabase, fresh_database};

/// Removes the database when dropped.
pub enum Home {
    Sqlite(TempDir),
    Postgres(FreshDatabase),
}

impl Home {
    pub async fn new() -> Self {
        if std::env::var(MODE).is_ok_and(|mode| mode == "distributed") {
            let server = std::env::var(POSTGRES_URL).expect(POSTGRES_URL);
            return Self::Postgres(fresh_database(&server, "gateway").await.unwrap());
        }
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// Its database with all its tables.
    pub async fn database(&self) -> Database {
        let url = match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("orders.db").display()),
            Self::Postgres(database) => database.url().to_owned(),
        };
        let database = Database::connect(&url, 2).await.unwrap();
        OrdersMigrator::up(database.writer(), None).await.unwrap();
        database
    }
}

/// The statements that were asked since one looked last.
#[derive(Clone, Default)]
pub struct Statements(Arc<Mutex<Vec<String>>>);

impl Statements {
    pub fn observe(&self, database: Database) -> Database {
        let statements = self.0.clone();
        database.observed(move |statement| statements.lock().unwrap().push(statement.to_owned()))
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
