//! Whatever was missed, the reconciliation finds and mends it; a dry run only tells.

use std::time::Duration;

use chrono::TimeDelta;
use kernel::{OrderId, Role};
use order_worker::reconcile::Mode;
use orders::{
    Applied, ChargeOutcome, DiscrepancyKind, Received, RefundOutcome,
    domain::{OrderStatus, Verdict},
};
use payment_double::Behaviour;
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    world::{SCHEDULE, Schedule, System, World, someone},
};

/// Every call fails in a way that may have charged.
fn broken() -> Behaviour {
    Behaviour {
        fail_next: u32::MAX,
        fail_status: 500,
        ..Behaviour::default()
    }
}

async fn confirmed(system: &System) -> OrderId {
    let product = system.product("Plumb bob, No. 1").await;
    let order = system.place(product, "pm_card_visa").await;
    system.reaches(order, OrderStatus::Confirmed).await;
    order
}

/// An order whose payment is unknown, and of which the provider knows nothing.
async fn unknown(world: &World, system: &System) -> OrderId {
    world.provider_behaves(broken());
    let product = system.product("Plumb bob, No. 1").await;
    let order = system.place(product, "pm_card_visa").await;
    system.reaches(order, OrderStatus::PaymentUnknown).await;
    world.provider_behaves(Behaviour::default());
    order
}

fn message() -> Received {
    Received {
        consumer: "test",
        message_id: Uuid::now_v7(),
    }
}

/// An order and its payment, which the provider would never give back.
async fn refund_given_up(world: &World, system: &System) -> (OrderId, String) {
    let orders = &system.orders;
    let product = system.product("Plumb bob, No. 1").await;
    let order = system.place(product, "pm_card_visa").await;
    let reserved = orders.reserve_stock(message(), order).await.unwrap();
    assert_eq!(reserved, Applied::Done);
    let charge = orders.begin_charge(order).await.unwrap().unwrap();
    let intent_id = "pi_1".to_owned();
    let paid = ChargeOutcome::Succeeded {
        intent_id: intent_id.clone(),
        amount: charge.amount,
    };
    let settled = orders.settle_charge(message(), order, &paid).await;
    assert_eq!(settled.unwrap(), Applied::Done);
    orders.refund(&someone(Role::Admin), order).await.unwrap();
    let failed = RefundOutcome::Failed {
        provider_refund_id: None,
        reason: "the bank refused".to_owned(),
    };
    while let Some(refund) = orders.refund_of(&intent_id).await.unwrap() {
        let settled = orders.settle_refund(message(), refund.id, &failed).await;
        assert_eq!(settled.unwrap(), Applied::Done);
        world.clock.advance(TimeDelta::hours(2));
    }
    let status = orders.status(order).await.unwrap();
    assert_eq!(status, Some(OrderStatus::RefundFailed));
    (order, intent_id)
}

/// Found by a dry run, which changes nothing; mended by the next run; then there is nothing left.
async fn assert_mended(world: &World, system: &System, order: OrderId, expected: Verdict) {
    world.clock.advance(TimeDelta::seconds(61));
    let before = system.steps(order).await;
    for (mode, left) in [(Mode::DryRun, 1), (Mode::DryRun, 1), (Mode::Mend, 0)] {
        assert_eq!(system.steps(order).await, before, "a dry run changed it");
        let (found, sum) = world.reconcile(&system.orders, mode).await;
        let [found] = found.as_slice() else {
            panic!("not one discrepancy: {found:?}");
        };
        assert_eq!(found.order_id, order);
        let DiscrepancyKind::Charged { verdict, .. } = found.kind else {
            panic!("{found:?}");
        };
        assert_eq!(verdict, expected, "{found}");
        assert_eq!((sum.found, sum.left), (1, left));
    }
    let (found, _) = world.reconcile(&system.orders, Mode::Mend).await;
    assert_eq!(found, [], "mended");
}

#[tokio::test]
async fn a_charge_that_nobody_heard_of_pays_its_order() {
    on_each_database(async |world| {
        let system = world.boot_without_sweep().await;
        let order = unknown(world, &system).await;
        world.charge_by_hand(order).await;
        assert_mended(world, &system, order, Verdict::Pays).await;
        system.reaches(order, OrderStatus::Confirmed).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_of_an_order_that_has_ended_unpaid_goes_back() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let product = system.product("Plumb bob, No. 1").await;
        let order = system.place(product, "pm_card_chargeDeclined").await;
        system.reaches(order, OrderStatus::Cancelled).await;
        world.charge_by_hand(order).await;
        assert_mended(world, &system, order, Verdict::Stray).await;
        world.gives_back(order, 1).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_second_charge_goes_back_and_the_order_stays_confirmed() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let order = confirmed(&system).await;
        world.charge_by_hand(order).await;
        assert_mended(world, &system, order, Verdict::Stray).await;
        world.gives_back(order, 1).await;
        world.assert_audit_is_green(&system.orders).await;
        let status = system.orders.status(order).await.unwrap();
        assert_eq!(status, Some(OrderStatus::Confirmed));
        system.end().await;
    })
    .await;
}

/// The customer took the order back while nobody knew; the charge was on its way all the time.
#[tokio::test]
async fn a_charge_that_comes_after_the_cancellation_refunds_the_order() {
    on_each_database(async |world| {
        let system = world.boot().await;
        let customer = someone(Role::Customer);
        world.provider_behaves(broken());
        let product = system.product("Plumb bob, No. 1").await;
        let order = system.place_as(&customer, product, "pm_card_visa").await;
        system.reaches(order, OrderStatus::PaymentUnknown).await;
        system.orders.cancel(&customer, order).await.unwrap();
        world.provider_behaves(Behaviour::default());
        world.pass_a_deadline();
        system.reaches(order, OrderStatus::Cancelled).await;
        world.charge_by_hand(order).await;
        assert_mended(world, &system, order, Verdict::TooLate).await;
        system.reaches(order, OrderStatus::Refunded).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}

/// No sweep runs and no message is left: the reconciliation alone finds the order.
#[tokio::test]
async fn an_unknown_payment_and_an_overdue_order_are_taken_up() {
    on_each_database(async |world| {
        let system = world.boot_without_sweep().await;
        let order = unknown(world, &system).await;
        system.all_is_published().await;
        world.clock.advance(TimeDelta::seconds(61));
        let (found, sum) = world.reconcile(&system.orders, Mode::DryRun).await;
        assert!(
            matches!(found[..], [ref it] if matches!(it.kind, DiscrepancyKind::PaymentUnknown { .. })),
            "{found:?}"
        );
        assert_eq!((sum.found, sum.left), (1, 1));
        world.reconcile(&system.orders, Mode::Mend).await;
        system.reaches(order, OrderStatus::Confirmed).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;

        let system = world.boot_without_worker().await;
        let product = system.product("Plumb bob, No. 1").await;
        let stale = system.place(product, "pm_card_visa").await;
        system.all_is_published().await;
        world.clock.advance(TimeDelta::minutes(5));
        let (found, _) = world.reconcile(&system.orders, Mode::DryRun).await;
        let overdue = |kind: &DiscrepancyKind| {
            let placed = OrderStatus::Placed;
            matches!(kind, DiscrepancyKind::Overdue { status, .. } if *status == placed)
        };
        assert!(matches!(found[..], [ref it] if it.order_id == stale && overdue(&it.kind)));
        system.crash().await;
    })
    .await;
}

#[tokio::test]
async fn a_refund_that_can_not_be_made_is_left_to_a_person() {
    on_each_database(async |world| {
        let system = world.boot_without_worker().await;
        let (order, intent_id) = refund_given_up(world, &system).await;
        for _ in 0..2 {
            let (found, sum) = world.reconcile(&system.orders, Mode::Mend).await;
            let given_up = DiscrepancyKind::RefundGivenUp {
                intent_id: intent_id.clone(),
                reason: "the bank refused".to_owned(),
            };
            let [found] = found.as_slice() else {
                panic!("{found:?}");
            };
            assert_eq!((found.order_id, &found.kind), (order, &given_up));
            assert_eq!((sum.found, sum.left), (1, 1));
        }
        system.crash().await;
    })
    .await;
}

/// Each run begins where the last one has ended, and looks at what was still moving then.
#[tokio::test]
async fn what_was_compared_is_not_compared_for_ever() {
    on_each_database(async |world| {
        let system = world.boot().await;
        confirmed(&system).await;
        let compared = async |mode| world.reconcile(&system.orders, mode).await.1.compared;
        assert_eq!(compared(Mode::DryRun).await, 1);
        assert_eq!(compared(Mode::Mend).await, 1);
        world.clock.advance(TimeDelta::minutes(9));
        assert_eq!(compared(Mode::Mend).await, 1, "it may still move");
        world.clock.advance(TimeDelta::minutes(9));
        assert_eq!(compared(Mode::Mend).await, 1);
        world.clock.advance(TimeDelta::days(2));
        confirmed(&system).await;
        assert_eq!(compared(Mode::Mend).await, 1, "the new one alone");
        system.end().await;
    })
    .await;
}

/// Three workers, and each discrepancy is mended once, without anybody asking for it.
#[tokio::test]
async fn the_workers_reconcile_on_a_schedule() {
    on_each_database(async |world| {
        let system = world.boot_without_worker().await;
        let schedule = Schedule {
            reconcile_every: Duration::from_millis(30),
            ..SCHEDULE
        };
        for _ in 0..3 {
            world.start_worker(&system, schedule);
        }
        let order = confirmed(&system).await;
        world.charge_by_hand(order).await;
        let tick = async || {
            world.clock.advance(TimeDelta::milliseconds(30));
            world.refunds(order).await == 1
        };
        crate::world::until("the second charge is given back", tick).await;
        world.assert_audit_is_green(&system.orders).await;
        system.end().await;
    })
    .await;
}
