use messaging::inbox::{self, Receipt};
use uuid::Uuid;

use crate::backends::{clock, on_each_database};
use kernel::Clock;

#[tokio::test]
async fn a_message_is_fresh_once_for_each_consumer() {
    on_each_database(async |database| {
        let (now, id) = (clock().now(), Uuid::now_v7());
        for (consumer, expected) in [
            ("saga", Receipt::Fresh),
            ("saga", Receipt::Duplicate),
            ("mail", Receipt::Fresh),
        ] {
            let transaction = database.begin().await.unwrap();
            let receipt = inbox::record(&transaction, consumer, id, now)
                .await
                .unwrap();
            transaction.commit().await.unwrap();
            assert_eq!(receipt, expected, "{consumer}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_effect_that_was_rolled_back_takes_its_receipt_along() {
    on_each_database(async |database| {
        let (now, id) = (clock().now(), Uuid::now_v7());
        let transaction = database.begin().await.unwrap();
        assert_eq!(
            inbox::record(&transaction, "saga", id, now).await.unwrap(),
            Receipt::Fresh
        );
        transaction.rollback().await.unwrap();
        let transaction = database.begin().await.unwrap();
        assert_eq!(
            inbox::record(&transaction, "saga", id, now).await.unwrap(),
            Receipt::Fresh
        );
    })
    .await;
}

#[tokio::test]
async fn of_deliveries_at_the_same_time_one_is_fresh() {
    on_each_database(async |database| {
        let (now, id) = (clock().now(), Uuid::now_v7());
        let handlers = (0..8).map(|_| async {
            let transaction = database.begin().await.unwrap();
            let receipt = inbox::record(&transaction, "saga", id, now).await.unwrap();
            transaction.commit().await.unwrap();
            receipt
        });
        let receipts = futures_util::future::join_all(handlers).await;
        let fresh = receipts
            .iter()
            .filter(|receipt| **receipt == Receipt::Fresh);
        assert_eq!(fresh.count(), 1);
    })
    .await;
}
