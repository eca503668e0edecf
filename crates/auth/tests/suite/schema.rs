use migrations::{AuthMigrator, MigratorTrait as _};

use crate::harness::Store;

#[actix_web::test]
async fn the_schema_can_be_taken_down_and_put_up_again() {
    let store = Store::create().await;
    let writer = store.database.writer();
    AuthMigrator::down(writer, None).await.unwrap();
    AuthMigrator::up(writer, None).await.unwrap();
    assert_eq!(store.count("users").await, 0);
    store.remove().await;
}
