use database::Database;
use migrations::{AuthMigrator, MigratorTrait as _};
use sea_orm::{ConnectionTrait as _, Statement};
use tempfile::TempDir;
use uuid::Uuid;

const POSTGRES_URL: &str = "PLUMBLINE_TEST_POSTGRES_URL";
const MODE: &str = "PLUMBLINE_TEST_MODE";

/// A migrated database of its own for one test.
pub struct Store {
    pub database: Database,
    place: Place,
}

enum Place {
    Sqlite(TempDir),
    Postgres { server: String, name: String },
}

impl Store {
    pub async fn create() -> Self {
        let distributed = std::env::var(MODE).is_ok_and(|mode| mode == "distributed");
        let store = match std::env::var(POSTGRES_URL) {
            Ok(server) if distributed => Self::create_postgres(server).await,
            _ => Self::create_sqlite().await,
        };
        AuthMigrator::up(store.database.writer(), None)
            .await
            .unwrap();
        store
    }

    async fn create_sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("auth.db").display());
        Self {
            database: Database::connect(&url, 2).await.unwrap(),
            place: Place::Sqlite(folder),
        }
    }

    async fn create_postgres(server: String) -> Self {
        let name = format!("auth_test_{}", Uuid::new_v4().simple());
        administer(&server, &format!("CREATE DATABASE {name}")).await;
        let (base, _) = server.rsplit_once('/').unwrap();
        let url = format!("{base}/{name}");
        Self {
            database: Database::connect(&url, 2).await.unwrap(),
            place: Place::Postgres { server, name },
        }
    }

    pub async fn count(&self, table: &str) -> i64 {
        self.scalar(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    pub async fn scalar<T: sea_orm::TryGetable>(&self, query: &str) -> T {
        let backend = self.database.backend();
        let row = self
            .database
            .reader()
            .query_one_raw(Statement::from_string(backend, query))
            .await
            .unwrap();
        row.unwrap().try_get_by_index(0).unwrap()
    }

    pub async fn remove(self) {
        self.database.close().await.unwrap();
        match self.place {
            Place::Sqlite(folder) => folder.close().unwrap(),
            Place::Postgres { server, name } => {
                administer(&server, &format!("DROP DATABASE {name}")).await;
            }
        }
    }
}

async fn administer(server: &str, statement: &str) {
    let maintenance = Database::connect(server, 1).await.unwrap();
    maintenance
        .writer()
        .execute_unprepared(statement)
        .await
        .unwrap();
    maintenance.close().await.unwrap();
}
