//! A PostgreSQL database for one test.

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr};
use uuid::Uuid;

/// A database that is dropped with this value, whoever is still connected.
#[derive(Debug)]
pub struct FreshDatabase {
    admin_url: String,
    name: String,
    url: String,
}

/// Creates the empty database `<name_prefix>_<random>` on the server of `admin_url`, which names
/// a superuser and a maintenance database.
///
/// # Errors
/// When the server doesn't answer or refuses.
pub async fn fresh_database(admin_url: &str, name_prefix: &str) -> Result<FreshDatabase, DbErr> {
    let name = format!("{name_prefix}_{}", Uuid::new_v4().simple());
    // template0: nobody can be connected to it, which would make this fail.
    let statement = format!("CREATE DATABASE \"{name}\" TEMPLATE template0");
    execute(admin_url, &statement).await?;
    let server = admin_url
        .rsplit_once('/')
        .map_or(admin_url, |(server, _)| server);
    let url = format!("{server}/{name}");
    Ok(FreshDatabase {
        admin_url: admin_url.to_owned(),
        name,
        url,
    })
}

impl FreshDatabase {
    /// The database's URL, with the rights of the admin URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for FreshDatabase {
    fn drop(&mut self) {
        let statement = format!("DROP DATABASE IF EXISTS \"{}\" WITH (FORCE)", self.name);
        // A thread of its own: this may run inside the test's runtime, which can't be blocked on.
        let dropped = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let runtime = runtime.map_err(|error| error.to_string())?;
                let executed = runtime.block_on(execute(&self.admin_url, &statement));
                executed.map_err(|error| error.to_string())
            });
            thread
                .join()
                .unwrap_or_else(|_| Err("the thread panicked".to_owned()))
        });
        if let Err(error) = dropped {
            eprintln!("database {} was left behind: {error}", self.name);
        }
    }
}

async fn execute(url: &str, statement: &str) -> Result<(), DbErr> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let connection: DatabaseConnection = Database::connect(options).await?;
    let executed = connection.execute_unprepared(statement).await;
    connection.close().await?;
    executed.map(drop)
}
