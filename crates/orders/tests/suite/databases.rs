//! What each test runs over.

use database::Database;
use migrations::{MigratorTrait, OrdersMigrator};
use testkit::{environment, postgres::FreshDatabase};

use crate::shop::Shop;

/// As a service in production on a small machine: what needs more connections at once stalls here.
pub const POOL: u32 = 2;

enum Home {
    Folder(tempfile::TempDir),
    Server(FreshDatabase),
}

impl Home {
    fn url(&self) -> String {
        match self {
            Self::Folder(folder) => {
                format!("sqlite:{}", folder.path().join("orders.db").display())
            }
            Self::Server(fresh) => fresh.url().to_owned(),
        }
    }
}

/// Runs the test in a fresh shop over SQLite, and in another over PostgreSQL if there is one.
pub async fn on_each_database(test: impl AsyncFn(&Shop)) {
    eprintln!("over SQLite");
    let folder = tempfile::tempdir().expect("a temporary folder");
    run(Home::Folder(folder), &test).await;
    if let Some(admin_url) = postgres_url() {
        eprintln!("over PostgreSQL");
        let fresh = testkit::postgres::fresh_database(&admin_url, "orders").await;
        run(Home::Server(fresh.expect("a fresh database")), &test).await;
    }
}

async fn run(home: Home, test: impl AsyncFn(&Shop)) {
    let url = home.url();
    let database = Database::connect(&url, POOL).await.expect("a connection");
    OrdersMigrator::up(database.writer(), None)
        .await
        .expect("the migrations apply");
    let shop = Shop::open(database, url).await;
    test(&shop).await;
    shop.database().close().await.expect("a clean end");
}

fn postgres_url() -> Option<String> {
    let given = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let url = given(environment::MODE)
        .filter(|mode| mode == "distributed")
        .and_then(|_| given(environment::POSTGRES_URL));
    if url.is_none() {
        eprintln!("LEFT OUT: this test over PostgreSQL: run `cargo xtask test`");
    }
    url
}
