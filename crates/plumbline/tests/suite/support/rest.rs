//! Whether a system has nothing left to do, as its databases tell.

use database::Database;
use plumbline::settings::Settings;
use sea_orm::{ConnectionTrait, Statement};

const UNPUBLISHED: &str = "SELECT COUNT(*) AS n FROM outbox WHERE published_at IS NULL";
const UNFINISHED: &str = "SELECT COUNT(*) AS n FROM orders
    WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'REFUNDED')";

/// Every event is published and every order has ended.
pub async fn is_at_rest(settings: &Settings) -> bool {
    let auth = Database::connect(&settings.auth.database_url, 1)
        .await
        .unwrap();
    let orders = Database::connect(&settings.orders.database_url, 1)
        .await
        .unwrap();
    let left = count(&auth, UNPUBLISHED).await
        + count(&orders, UNPUBLISHED).await
        + count(&orders, UNFINISHED).await;
    auth.close().await.unwrap();
    orders.close().await.unwrap();
    left == 0
}

async fn count(database: &Database, sql: &str) -> i64 {
    let statement = Statement::from_string(database.backend(), sql);
    let row = database.reader().query_one_raw(statement).await.unwrap();
    row.unwrap().try_get("", "n").unwrap()
}
