use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use kernel::OrderId;
use orders::{
    MAIL_CONSUMER, Order, PaymentNotice, Received, SAGA_CONSUMER, TimelineEntry, TimelineKind,
    domain::OrderStatus,
};
use trace_context::Activity;
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, customer, eur, refunded, succeeded},
};

async fn timeline(shop: &Shop, order: OrderId) -> Vec<TimelineEntry> {
    let mut timelines = shop.orders.timelines_of(&[order]).await.unwrap();
    timelines.remove(&order).unwrap_or_default()
}

async fn placed(shop: &Shop) -> Order {
    let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
    let customer = customer();
    Activity::begin("POST /v1/orders")
        .run(shop.place(&customer, &[(bob, 1)]))
        .await
}

/// The entries of a kind, as (what, detail).
fn of_kind(timeline: &[TimelineEntry], kind: TimelineKind) -> Vec<(&str, Option<&str>)> {
    let entries = timeline.iter().filter(|entry| entry.kind == kind);
    entries
        .map(|entry| (entry.what.as_str(), entry.detail.as_deref()))
        .collect()
}

/// The event that told of the order's first state.
async fn first_event(shop: &Shop, order: OrderId) -> Uuid {
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
    let rows = messaging::outbox::Entity::find()
        .filter(messaging::outbox::Column::AggregateId.eq(order.as_uuid()))
        .order_by_asc(messaging::outbox::Column::Seq)
        .all(shop.database().reader())
        .await
        .unwrap();
    rows[0].id
}

fn receipt(consumer: &'static str, message_id: Uuid) -> Received {
    Received {
        consumer,
        message_id,
    }
}

#[tokio::test]
async fn every_part_of_an_orders_way_is_told_with_its_duration() {
    on_each_database(async |shop| {
        let order = placed(shop).await;
        let told = timeline(shop, order.id).await;
        assert_eq!(
            of_kind(&told, TimelineKind::Request),
            [("POST /v1/orders", None)]
        );
        let waits = Some("not published, taken 0 times");
        assert_eq!(
            of_kind(&told, TimelineKind::Message),
            [("orders.order.placed.v1", waits)]
        );

        shop.clock.advance(TimeDelta::milliseconds(5));
        shop.publish_all().await;
        let event = first_event(shop, order.id).await;
        shop.clock.advance(TimeDelta::milliseconds(7));
        let reserving = shop
            .orders
            .reserve_stock(receipt(SAGA_CONSUMER, event), order.id);
        let step = Activity::begin("process orders.order.placed.v1");
        let _ = step.run(reserving).await.unwrap();
        let mailed = shop.orders.acknowledge(receipt(MAIL_CONSUMER, event));
        let _ = mailed.await.unwrap();
        shop.orders.begin_charge(order.id).await.unwrap();
        shop.clock.advance(TimeDelta::milliseconds(40));
        let _ = shop.settle(order.id, &succeeded(&order)).await;

        let told = timeline(shop, order.id).await;
        assert!(told.is_sorted_by_key(|entry| entry.at), "{told:#?}");
        let only = |kind| {
            let mut entries = told.iter().filter(|entry| entry.kind == kind);
            entries.next().unwrap()
        };
        let took = |kind| only(kind).until.unwrap() - only(kind).at;
        assert_eq!(took(TimelineKind::Message), TimeDelta::milliseconds(5));
        assert_eq!(took(TimelineKind::Payment), TimeDelta::milliseconds(40));
        assert!(took(TimelineKind::Step) >= TimeDelta::zero());
        assert_eq!(
            only(TimelineKind::Step).what,
            "process orders.order.placed.v1"
        );
        assert_eq!(
            of_kind(&told, TimelineKind::Consumed),
            [("PLACED", Some(SAGA_CONSUMER))]
        );
        assert_eq!(
            of_kind(&told, TimelineKind::Notification),
            [("PLACED", Some(MAIL_CONSUMER))]
        );
        let intent = format!("pi_{}", order.id);
        assert_eq!(
            of_kind(&told, TimelineKind::Payment),
            [("succeeded", Some(intent.as_str()))]
        );
        let states = of_kind(&told, TimelineKind::State);
        let states: Vec<_> = states.into_iter().map(|(state, _)| state).collect();
        assert_eq!(
            states,
            ["PLACED", "STOCK_RESERVED", "PAYMENT_PENDING", "PAID"]
        );
    })
    .await;
}

#[tokio::test]
async fn webhooks_and_refunds_belong_to_the_order_of_their_payment() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let (order, other) = (shop.taken_back(bob).await, shop.confirmed(bob).await);
        let _ = shop.settle(order.id, &succeeded(&order)).await;
        let notice = |order: &Order| PaymentNotice {
            provider_event_id: format!("evt_{}", order.id),
            event_type: "payment_intent.succeeded".to_owned(),
            intent_id: format!("pi_{}", order.id),
        };
        for order in [&order, &other] {
            shop.orders
                .receive_payment_notice(&notice(order))
                .await
                .unwrap();
        }
        let told = timeline(shop, order.id).await;
        let event = format!("evt_{}", order.id);
        assert_eq!(
            of_kind(&told, TimelineKind::Webhook),
            [("payment_intent.succeeded", Some(event.as_str()))]
        );
        let refund = of_kind(&told, TimelineKind::Refund);
        assert_eq!(refund.len(), 1, "{told:#?}");
        let open = told.iter().find(|entry| entry.kind == TimelineKind::Refund);
        assert_eq!(open.unwrap().until, None);
        let _ = shop.settle_refund(order.id, &refunded(&order)).await;
        assert_eq!(shop.status(order.id).await, OrderStatus::Refunded);
        let told = timeline(shop, order.id).await;
        assert_eq!(of_kind(&told, TimelineKind::Refund)[0].0, "succeeded");
    })
    .await;
}

#[tokio::test]
async fn many_timelines_take_as_many_statements_as_one() {
    on_each_database(async |shop| {
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(placed(shop).await.id);
        }
        let asked = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&asked);
        let orders = shop.observed(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let orders = orders.await;
        let mut told = Vec::new();
        for ids in [&ids[..1], &ids[..]] {
            asked.store(0, Ordering::Relaxed);
            let timelines = orders.timelines_of(ids).await.unwrap();
            assert_eq!(timelines.len(), ids.len());
            told.push(asked.load(Ordering::Relaxed));
        }
        assert_eq!(told, [6, 6]);
        assert!(orders.timelines_of(&[]).await.unwrap().is_empty());
        let nobodys = OrderId::from(Uuid::now_v7());
        assert_eq!(timeline(shop, nobodys).await, []);
    })
    .await;
}

#[tokio::test]
async fn an_order_is_found_by_its_id_and_by_its_number() {
    on_each_database(async |shop| {
        let order = placed(shop).await;
        let find = async |name: &str| shop.orders.find_order(name).await.unwrap();
        let found = Some(order.clone());
        assert_eq!(find(&order.id.to_string()).await, found);
        assert_eq!(find(&order.number).await, found);
        assert_eq!(find(&order.number.to_ascii_lowercase()).await, found);
        assert_eq!(find(&Uuid::now_v7().to_string()).await, None);
        assert_eq!(find("PL-0").await, None);
    })
    .await;
}
