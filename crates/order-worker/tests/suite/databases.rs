//! What each test runs over.

use testkit::environment;

use crate::world::World;

/// Runs the test in a world of its own over SQLite, and in another over PostgreSQL if there is one.
pub async fn on_each_database(test: impl AsyncFn(&World)) {
    eprintln!("over SQLite");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("orders.db").display());
    let world = World::create(url).await;
    test(&world).await;
    world.end().await;
    if let Some(admin_url) = postgres_url() {
        eprintln!("over PostgreSQL");
        let fresh = testkit::postgres::fresh_database(&admin_url, "worker").await;
        let fresh = fresh.expect("a fresh database");
        let world = World::create(fresh.url().to_owned()).await;
        test(&world).await;
        world.end().await;
    }
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
