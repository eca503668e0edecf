//! What the payment provider may do to an order.

use chrono::TimeDelta;
use kernel::OrderId;
use messaging::outbox;
use orders::{PaymentNotice, domain::OrderStatus};
use payment_double::Behaviour;
use sea_orm::{EntityTrait, QueryFilter, entity::prelude::*};

use crate::{
    databases::on_each_database,
    world::{System, World},
};

/// Every call fails in a way that may have charged.
fn broken() -> Behaviour {
    Behaviour {
        fail_next: u32::MAX,
        fail_status: 500,
        ..Behaviour::default()
    }
}

async fn place(system: &System, payment_method: &str) -> OrderId {
    let product = system.product("Plumb bob, No. 1").await;
    system.place(product, payment_method).await
}

/// The order was charged once and nothing is left to do.
async fn assert_charged_once(world: &World, system: System, order: OrderId) {
    system.reaches(order, OrderStatus::Confirmed).await;
    assert_eq!(world.intents(order).await.len(), 1);
    world.assert_audit_is_green(&system.orders).await;
    system.end().await;
}

#[tokio::test]
async fn a_provider_that_charges_and_then_times_out_has_charged_once() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = place(&system, "pm_double_timeoutAfterCharge").await;
        assert_charged_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn an_outcome_that_stays_unknown_is_asked_for_again_at_the_deadline() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(broken());
        let order = place(&system, "pm_card_visa").await;
        system.reaches(order, OrderStatus::PaymentUnknown).await;
        world.provider_behaves(Behaviour::default());
        world.pass_a_deadline();
        assert_charged_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_the_provider_does_not_take_for_now_is_put_off_and_made_once() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(Behaviour {
            fail_status: 429,
            ..broken()
        });
        let order = place(&system, "pm_card_visa").await;
        let put_off = outbox::Entity::find().filter(outbox::Column::FailedAttempts.gt(0));
        crate::world::until("the step is put off", async || {
            let database = system.orders.database();
            put_off
                .clone()
                .one(database.reader())
                .await
                .unwrap()
                .is_some()
        })
        .await;
        world.provider_behaves(Behaviour::default());
        // The longest of the first delays.
        world.clock.advance(TimeDelta::seconds(1));
        assert_charged_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_token_that_the_provider_does_not_know_ends_the_order() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = place(&system, "pm_card_unheard_of").await;
        system.reaches(order, OrderStatus::Cancelled).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_bank_debit_is_settled_by_its_webhook_however_often_it_comes() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = place(&system, "pm_usBankAccount_success").await;
        let intent_id = settled_intent(world, order).await;
        for provider_event_id in ["evt_1", "evt_1", "evt_2"] {
            let notice = PaymentNotice {
                provider_event_id: provider_event_id.to_owned(),
                event_type: "payment_intent.succeeded".to_owned(),
                intent_id: intent_id.clone(),
            };
            system.orders.receive_payment_notice(&notice).await.unwrap();
        }
        assert_charged_once(world, system, order).await;
    })
    .await;
}

/// The same call again would only repeat its first answer, `processing`, for ever.
#[tokio::test]
async fn a_bank_debit_whose_webhook_never_comes_is_settled_at_the_deadline() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = place(&system, "pm_usBankAccount_success").await;
        settled_intent(world, order).await;
        world.pass_a_deadline();
        assert_charged_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_bank_debit_that_bounces_cancels_the_order() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = place(&system, "pm_usBankAccount_accountClosed").await;
        settled_intent(world, order).await;
        world.pass_a_deadline();
        system.reaches(order, OrderStatus::Cancelled).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

/// The provider has forgotten the idempotency key by then: the call again would charge again.
#[tokio::test]
async fn a_charge_that_was_answered_to_nobody_is_found_in_the_books_days_later() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(Behaviour {
            answer_delay_ms: 60_000,
            ..Behaviour::default()
        });
        let order = place(&system, "pm_card_visa").await;
        world.provider_has(order, 1).await;
        system.crash().await;

        world.provider_behaves(Behaviour::default());
        world.clock.advance(TimeDelta::days(2));
        let system = world.boot().await;
        assert_charged_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_that_never_happened_is_made_days_later() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(broken());
        let order = place(&system, "pm_card_visa").await;
        system.reaches(order, OrderStatus::PaymentUnknown).await;
        system.crash().await;

        world.provider_behaves(Behaviour::default());
        world.clock.advance(TimeDelta::days(2));
        let system = world.boot().await;
        assert_charged_once(world, system, order).await;
    })
    .await;
}

#[tokio::test]
async fn a_webhook_about_no_order_of_ours_is_only_acknowledged() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let notice = PaymentNotice {
            provider_event_id: "evt_1".to_owned(),
            event_type: "payment_intent.succeeded".to_owned(),
            intent_id: "pi_of_somebody_else".to_owned(),
        };
        system.orders.receive_payment_notice(&notice).await.unwrap();
        let order = place(&system, "pm_card_visa").await;
        assert_charged_once_and_no_dead_letter(world, system, order).await;
    })
    .await;
}

async fn assert_charged_once_and_no_dead_letter(world: &World, system: System, order: OrderId) {
    system.reaches(order, OrderStatus::Confirmed).await;
    assert!(system.dead_letters(0).await.is_empty());
    assert_charged_once(world, system, order).await;
}

/// Waits until the provider has settled the order's bank debit, and names it.
async fn settled_intent(world: &World, order: OrderId) -> String {
    world.provider_has(order, 1).await;
    world.bank_has_answered(order).await;
    world.intents(order).await[0].id.clone()
}
