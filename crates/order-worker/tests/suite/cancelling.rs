//! Orders that their customers take back: before the payment, and while it is under way.

use futures_util::StreamExt;
use kernel::Role;
use orders::{ChangeOrderError, PaymentNotice, domain::OrderStatus};
use payment_double::Behaviour;

use crate::{databases::on_each_database, world::someone};

/// Whoever is first: the order ends, what it held is free again, and no money is kept for it.
#[tokio::test]
async fn an_order_that_is_cancelled_while_it_is_worked_on_ends() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let before = system.available(product).await;
        let mut sold = 0;
        for _ in 0..20 {
            let customer = someone(Role::Customer);
            let order = system.place_as(&customer, product, "pm_card_visa").await;
            match system.orders.cancel(&customer, order).await {
                Ok(_) => {
                    system.ends(order).await;
                    let kept = world.intents(order).await.len() - world.refunds(order).await;
                    assert_eq!(kept, 0, "nothing is kept");
                }
                Err(ChangeOrderError::WrongState(_)) => {
                    system.reaches(order, OrderStatus::Confirmed).await;
                    sold += 1;
                }
                Err(error) => panic!("{error}"),
            }
        }
        assert_eq!(system.available(product).await, before - sold);
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

/// The provider has the charge and has not answered it yet.
#[tokio::test]
async fn an_order_that_is_cancelled_while_it_is_charged_is_refunded() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(Behaviour {
            answer_delay_ms: 200,
            ..Behaviour::default()
        });
        let product = system.product("Plumb bob, No. 1").await;
        let before = system.available(product).await;
        let customer = someone(Role::Customer);
        let order = system.place_as(&customer, product, "pm_card_visa").await;
        world.provider_has(order, 1).await;
        let asked = system.orders.cancel(&customer, order).await.unwrap();
        assert_eq!(asked.status, OrderStatus::CancelRequested);
        system.reaches(order, OrderStatus::Refunded).await;
        assert_eq!(system.available(product).await, before);
        assert!(!system.steps(order).await.contains(&OrderStatus::Paid));
        system.reaches(order, OrderStatus::Refunded).await;
        assert_eq!(world.refunds(order).await, 1);
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

/// A bank takes its time to say that it has the money, or that it has not.
#[tokio::test]
async fn an_order_that_is_cancelled_while_the_bank_works_on_it_ends_as_the_bank_says() {
    on_each_database(async |world| {
        for (token, expected) in [
            ("pm_usBankAccount_success", OrderStatus::Refunded),
            ("pm_usBankAccount_accountClosed", OrderStatus::Cancelled),
        ] {
            let system = world.boot().await;
            let product = system.product("Plumb bob, No. 1").await;
            let before = system.available(product).await;
            let customer = someone(Role::Customer);
            let order = system.place_as(&customer, product, token).await;
            world.provider_has(order, 1).await;
            system.orders.cancel(&customer, order).await.unwrap();
            world.bank_has_answered(order).await;
            world.pass_a_deadline();
            system.reaches(order, expected).await;
            assert_eq!(system.available(product).await, before);
            world.assert_audit_is_green(&system.orders).await;
            system.end().await;
        }
    })
    .await;
}

/// The provider is away: it may have charged, so the order waits for what its books say. It is not
/// charged for that.
#[tokio::test]
async fn an_order_that_is_cancelled_while_its_payment_is_unknown_is_not_charged_any_more() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(Behaviour {
            fail_next: u32::MAX,
            fail_status: 500,
            ..Behaviour::default()
        });
        let product = system.product("Plumb bob, No. 1").await;
        let customer = someone(Role::Customer);
        let order = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(order, OrderStatus::PaymentUnknown).await;
        system.orders.cancel(&customer, order).await.unwrap();
        world.provider_behaves(Behaviour::default());
        world.pass_a_deadline();
        system.reaches(order, OrderStatus::Cancelled).await;
        assert!(world.intents(order).await.is_empty());
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

/// The books are asked too early, and the charge comes after the order has ended.
#[tokio::test]
async fn a_charge_that_comes_after_the_cancellation_goes_back_by_its_webhook() {
    on_each_database(async |world| {
        let system = world.boot().await;
        world.provider_behaves(Behaviour {
            fail_next: u32::MAX,
            fail_status: 500,
            ..Behaviour::default()
        });
        let product = system.product("Plumb bob, No. 1").await;
        let customer = someone(Role::Customer);
        let order = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(order, OrderStatus::PaymentUnknown).await;
        system.orders.cancel(&customer, order).await.unwrap();
        world.provider_behaves(Behaviour::default());
        world.pass_a_deadline();
        system.reaches(order, OrderStatus::Cancelled).await;

        let intent_id = world.charge_by_hand(order).await;
        let notice = PaymentNotice {
            provider_event_id: "evt_late".to_owned(),
            event_type: "payment_intent.succeeded".to_owned(),
            intent_id,
        };
        system.orders.receive_payment_notice(&notice).await.unwrap();
        system.reaches(order, OrderStatus::Refunded).await;
        assert_eq!(world.refunds(order).await, 1);
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_cancellation_survives_a_crash() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let customer = someone(Role::Customer);
        let mut events = system.broker.broadcast("orders.order.placed.v1");
        let order = system.place_as(&customer, product, "pm_card_visa").await;
        let cancelled = system.orders.cancel(&customer, order).await;
        events.next().await.expect("the broker is there");
        system.crash().await;

        let system = world.boot().await;
        world.pass_a_deadline();
        match cancelled {
            Ok(_) => system.ends(order).await,
            Err(_) => system.reaches(order, OrderStatus::Confirmed).await,
        }
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}
