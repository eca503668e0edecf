//! Whether a system has nothing left to do, as its databases tell.

use database::Database;
use plumbline::settings::Settings;
use sea_orm::{ConnectionTrait, Statement};
use testkit::statement::own;

use super::patience::eventually;

const UNPUBLISHED: &str = "SELECT COUNT(*) AS n FROM outbox WHERE published_at IS NULL";
const UNFINISHED: &str = "SELECT COUNT(*) AS n FROM orders
    WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'REFUNDED')";

/// Waits until every event is published and every order has ended.
pub async fn wait(settings: &Settings) {
    let open = |url| Database::connect(url, 1);
    let auth = open(&settings.auth.database_url).await.unwrap();
    let orders = open(&settings.orders.database_url).await.unwrap();
    eventually("every event published, every order ended", async || {
        let left = count(&auth, UNPUBLISHED).await
            + count(&orders, UNPUBLISHED).await
            + count(&orders, UNFINISHED).await;
        (left == 0).then_some(())
    })
    .await;
    auth.close().await.unwrap();
    orders.close().await.unwrap();
}

async fn count(database: &Database, sql: &str) -> i64 {
    let statement = Statement::from_string(database.backend(), own(sql));
    let row = database.reader().query_one_raw(statement).await.unwrap();
    row.unwrap().try_get("", "n").unwrap()
}
