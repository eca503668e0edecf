//! Money that goes back, as staff wants it or because nobody wants it.

use chrono::TimeDelta;
use kernel::{OrderId, Role};
use orders::{PaymentNotice, domain::OrderStatus};
use payment_double::{Behaviour, RefundBehaviour};

use crate::{
    databases::on_each_database,
    world::{System, World, someone},
};

async fn confirmed(system: &System) -> OrderId {
    let product = system.product("Plumb bob, No. 1").await;
    let order = system.place(product, "pm_card_visa").await;
    system.reaches(order, OrderStatus::Confirmed).await;
    order
}

async fn refund(system: &System, order: OrderId) {
    let admin = someone(Role::Admin);
    system.orders.refund(&admin, order).await.unwrap();
}

/// The money went back once, and nothing is left to do.
async fn assert_refunded_once(world: &World, system: System, order: OrderId) {
    system.reaches(order, OrderStatus::Refunded).await;
    assert_eq!(world.refunds(order).await, 1);
    assert!(system.dead_letters(0).await.is_empty());
    world.assert_audit_is_green(&system.orders).await;
    system.end().await;
}

#[tokio::test]
async fn a_confirmed_order_is_refunded() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let before = system.available(product).await;
        let order = confirmed(&system).await;
        refund(&system, order).await;
        system.reaches(order, OrderStatus::Refunded).await;
        let steps = system.steps(order).await;
        assert_eq!(steps[5..], [OrderStatus::Refunding, OrderStatus::Refunded]);
        assert_eq!(system.available(product).await, before);
        assert_refunded_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_refunds_and_then_times_out_has_refunded_once() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        world.provider_behaves(Behaviour {
            time_out_next: 1,
            ..Behaviour::default()
        });
        refund(&system, order).await;
        assert_refunded_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_outlasts_a_provider_that_is_away_and_a_crash() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        world.provider_behaves(Behaviour {
            fail_next: u32::MAX,
            ..Behaviour::default()
        });
        refund(&system, order).await;
        system.reaches(order, OrderStatus::Refunding).await;
        system.crash().await;

        world.provider_behaves(Behaviour::default());
        let system = world.boot().await;
        world.pass_a_deadline();
        assert_refunded_once(world, system, order).await;
    })
    .await;
}

/// The provider has forgotten the idempotency key by then.
#[tokio::test]
async fn a_refund_that_was_answered_to_nobody_is_found_in_the_books_days_later() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        world.provider_behaves(Behaviour {
            answer_delay_ms: 60_000,
            ..Behaviour::default()
        });
        refund(&system, order).await;
        world.provider_has_refunded(order).await;
        system.crash().await;

        world.provider_behaves(Behaviour::default());
        world.clock.advance(TimeDelta::days(2));
        let system = world.boot().await;
        assert_refunded_once(world, system, order).await;
    })
    .await;
}

fn refunds(behaviour: RefundBehaviour) -> Behaviour {
    Behaviour {
        refunds: behaviour,
        ..Behaviour::default()
    }
}

#[tokio::test]
async fn a_refund_that_fails_is_made_anew() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        world.provider_behaves(refunds(RefundBehaviour {
            fail_next: 1,
            ..RefundBehaviour::default()
        }));
        refund(&system, order).await;
        system
            .passes_time_until(world, order, OrderStatus::Refunded)
            .await;
        assert_eq!(
            world.refunds(order).await,
            2,
            "the failed one and the other"
        );
        assert!(system.dead_letters(0).await.is_empty());
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_for_ever_waits_for_a_person() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let before = system.available(product).await;
        let order = confirmed(&system).await;
        world.provider_behaves(refunds(RefundBehaviour {
            refuse_next: u32::MAX,
            ..RefundBehaviour::default()
        }));
        refund(&system, order).await;
        system
            .passes_time_until(world, order, OrderStatus::RefundFailed)
            .await;
        assert_eq!(world.refunds(order).await, 0);
        let findings = system.orders.audit().await.unwrap();
        let broken = findings.iter().filter(|finding| finding.violations > 0);
        assert!(broken.count() > 0, "the auditor counts it");

        // The person has mended it.
        world.provider_behaves(Behaviour::default());
        refund(&system, order).await;
        system.reaches(order, OrderStatus::Refunded).await;
        assert_eq!(system.available(product).await, before);
        assert_refunded_once(world, system, order).await;
    })
    .await;
}

/// The provider takes back what it said: only a webhook tells.
#[tokio::test]
async fn a_refund_that_fails_after_it_succeeded_is_made_anew() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let order = system.place(product, "pm_card_refundFail").await;
        system.reaches(order, OrderStatus::Confirmed).await;
        refund(&system, order).await;
        system.reaches(order, OrderStatus::Refunded).await;
        world.refund_has_failed(order).await;
        for provider_event_id in ["evt_1", "evt_1", "evt_2"] {
            let notice = PaymentNotice {
                provider_event_id: provider_event_id.to_owned(),
                event_type: "refund.failed".to_owned(),
                intent_id: world.intents(order).await[0].id.clone(),
            };
            system.orders.receive_payment_notice(&notice).await.unwrap();
        }
        system.reaches(order, OrderStatus::Refunding).await;
        let again = async || {
            world.clock.advance(TimeDelta::seconds(10));
            world.refunds(order).await == 2
        };
        crate::world::until("it is tried again", again).await;
        system.reaches(order, OrderStatus::Refunded).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_was_refunded_by_hand_at_the_provider_is_not_refunded_again() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        world.refund_by_hand(order).await;
        refund(&system, order).await;
        assert_refunded_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_webhook_has_the_provider_asked_about_a_refund() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        let intent_id = world.intents(order).await[0].id.clone();
        world.refund_by_hand(order).await;
        // Nobody asked for it here: the order stays as it is, for the audit to tell.
        let notice = PaymentNotice {
            provider_event_id: "evt_1".to_owned(),
            event_type: "refund.created".to_owned(),
            intent_id,
        };
        system.orders.receive_payment_notice(&notice).await.unwrap();
        refund(&system, order).await;
        let again = PaymentNotice {
            provider_event_id: "evt_2".to_owned(),
            ..notice
        };
        system.orders.receive_payment_notice(&again).await.unwrap();
        assert_refunded_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_second_charge_is_given_back_and_the_order_stays_confirmed() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        let intent_id = world.charge_by_hand(order).await;
        for provider_event_id in ["evt_1", "evt_1", "evt_2"] {
            let notice = PaymentNotice {
                provider_event_id: provider_event_id.to_owned(),
                event_type: "payment_intent.succeeded".to_owned(),
                intent_id: intent_id.clone(),
            };
            system.orders.receive_payment_notice(&notice).await.unwrap();
        }
        crate::world::until("the second charge is given back", async || {
            world.refunds(order).await == 1
        })
        .await;
        assert_eq!(world.intents(order).await.len(), 2);
        world.assert_audit_is_green(&system.orders).await;
        let status = system.orders.status(order).await.unwrap();
        assert_eq!(status, Some(OrderStatus::Confirmed));
        system.end().await;
    })
    .await;
}
