use std::sync::Once;

use database::Database;
use migrations::{AuthMigrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TryGetable};
use tempfile::TempDir;
use testkit::{
    environment::{MODE, POSTGRES_URL},
    postgres::{FreshDatabase, fresh_database},
    statement::own,
};

/// A migrated database of its own for one test.
pub struct Store {
    pub database: Database,
    place: Place,
}

/// Removes the database when dropped.
enum Place {
    Sqlite {
        _folder: TempDir,
    },
    Postgres {
        _database: FreshDatabase,
    },
    /// Somebody else's.
    Borrowed,
}

impl Store {
    pub async fn create() -> Self {
        Self::with_connections(2).await
    }

    /// With so many connections to PostgreSQL, or readers of SQLite.
    pub async fn with_connections(connections: u32) -> Self {
        let (url, place) = match postgres_url() {
            Some(server) => {
                let database = fresh_database(&server, "auth").await.unwrap();
                let url = database.url().to_owned();
                let place = Place::Postgres {
                    _database: database,
                };
                (url, place)
            }
            None => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}/auth.db", folder.path().display());
                (url, Place::Sqlite { _folder: folder })
            }
        };
        let database = connect(&url, connections).await;
        Self { database, place }
    }

    /// A database on a server of the test's own.
    pub async fn on(url: &str) -> Self {
        Self {
            database: connect(url, 2).await,
            place: Place::Borrowed,
        }
    }

    /// The same database, for another replica.
    pub fn sharing(&self) -> Self {
        Self {
            database: self.database.clone(),
            place: Place::Borrowed,
        }
    }

    pub async fn count(&self, table: &str) -> i64 {
        self.scalar(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    /// The first column of a query's first row.
    pub async fn scalar<T: TryGetable>(&self, query: &str) -> T {
        let statement = Statement::from_string(self.database.backend(), own(query));
        let row = self.database.reader().query_one_raw(statement).await;
        row.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    /// Which tables have a column of this name.
    pub async fn tables_with_column(&self, column: &str) -> Vec<String> {
        let query = match self.database.backend() {
            DbBackend::Postgres => format!(
                "SELECT table_name::text FROM information_schema.columns \
                 WHERE table_schema = 'public' AND column_name = '{column}'"
            ),
            _ => format!(
                "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c \
                 WHERE m.type = 'table' AND c.name = '{column}'"
            ),
        };
        let statement = Statement::from_string(self.database.backend(), own(&query));
        let rows = self.database.reader().query_all_raw(statement).await;
        let rows = rows.unwrap().into_iter();
        rows.map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    /// Runs a statement that arranges a state to which the API has no way.
    pub async fn execute(&self, statement: &str) {
        let writer = self.database.writer();
        writer.execute_unprepared(statement).await.unwrap();
    }

    pub async fn remove(self) {
        self.database.close().await.unwrap();
        drop(self.place);
    }
}

async fn connect(url: &str, connections: u32) -> Database {
    let database = Database::connect(url, connections).await.unwrap();
    AuthMigrator::up(database.writer(), None).await.unwrap();
    database
}

fn postgres_url() -> Option<String> {
    static LEFT_OUT: Once = Once::new();
    if std::env::var(MODE).is_ok_and(|mode| mode == "distributed") {
        return Some(std::env::var(POSTGRES_URL).expect(POSTGRES_URL));
    }
    LEFT_OUT.call_once(|| eprintln!("LEFT OUT: auth on PostgreSQL: run `cargo xtask test`"));
    None
}
