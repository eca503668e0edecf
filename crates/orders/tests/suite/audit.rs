//! Each invariant is shown to hold after a full walk, and to be seen when it is broken: every
//! breach made by hand turns one line of the audit red, that one and no other.

use kernel::{Currency, Money, Role};
use orders::{Applied, ChargeOutcome, Order, audit::LedgerCharge};
use sea_orm::Value;

use crate::{
    databases::on_each_database,
    shop::{Shop, counters, customer, eur, message, refunded, someone, succeeded},
};

/// One order for each way through the saga.
struct Walked {
    confirmed: Order,
    cancelled: Order,
    rejected: Order,
}

async fn walk(shop: &Shop) -> Walked {
    let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
    let rule = shop.add_product("Folding rule", eur(990), 2).await;

    let confirmed = shop.place(&customer(), &[(bob, 2), (rule, 1)]).await;
    shop.reserve(confirmed.id).await;
    shop.confirm(&confirmed).await;

    let cancelled = shop.charging(bob).await;
    let declined = ChargeOutcome::Declined { intent_id: None };
    assert_eq!(shop.settle(cancelled.id, &declined).await, Applied::Done);
    let released = shop.orders.cancel_unpaid(message(), cancelled.id).await;
    assert_eq!(released.unwrap(), Applied::Done);

    let rejected = shop
        .place(&someone(Role::Admin), &[(bob, 1), (rule, 2)])
        .await;
    shop.reserve(rejected.id).await;
    shop.publish_all().await;
    assert_eq!(shop.stock(bob).await, counters(8, 0, 2));
    Walked {
        confirmed,
        cancelled,
        rejected,
    }
}

/// Statements that break an invariant, about an order, and those that mend it.
async fn assert_seen(shop: &Shop, invariant: &str, order: &Order, breach: &[&str], mend: &[&str]) {
    let values = |sql: &str| -> Vec<Value> {
        let order_id = order.id.as_uuid().into();
        sql.contains("$1").then_some(order_id).into_iter().collect()
    };
    for sql in breach {
        assert!(
            shop.execute(sql, values(sql)).await > 0,
            "nothing broken: {sql}"
        );
    }
    assert_eq!(shop.breached().await, [invariant], "after {breach:?}");
    for sql in mend {
        shop.execute(sql, values(sql)).await;
    }
    assert_eq!(shop.breached().await, [""; 0], "after {mend:?}");
}

#[tokio::test]
async fn every_invariant_holds_after_a_full_walk() {
    on_each_database(async |shop| {
        walk(shop).await;
        let rope = shop.add_product("Rope", eur(500), 5).await;
        let order = shop.confirmed(rope).await;
        let admin = someone(Role::Admin);
        shop.orders.refund(&admin, order.id).await.unwrap();
        let second = ChargeOutcome::Succeeded {
            intent_id: "pi_second".to_owned(),
            amount: order.total,
        };
        assert_eq!(shop.settle(order.id, &second).await, Applied::Done);
        for intent_id in ["pi_second", &format!("pi_{}", order.id)] {
            let settled = shop.settle_refund_of(intent_id, &refunded(&order)).await;
            assert_eq!(settled, Applied::Done);
        }
        shop.publish_all().await;
        let findings = shop.orders.audit().await.unwrap();
        for finding in &findings {
            assert_eq!(finding.violations, 0, "{finding:?}");
            assert!(finding.checked > 0, "looked at nothing: {finding:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_empty_shop_breaks_nothing() {
    on_each_database(async |shop| assert_eq!(shop.breached().await, [""; 0])).await;
}

#[tokio::test]
async fn an_order_on_its_way_is_seen() {
    on_each_database(async |shop| {
        walk(shop).await;
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        shop.place(&customer(), &[(bob, 1)]).await;
        shop.publish_all().await;
        assert_eq!(shop.breached().await, ["every order reached an end state"]);
    })
    .await;
}

#[tokio::test]
async fn a_step_missing_or_doubled_in_the_history_is_seen() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        let invariant =
            "every order is in the state that its history ends with, each step applied once";
        let step = |version: i32, status: &str| {
            format!(
                "INSERT INTO order_history (order_id, version, status, at)
                    SELECT id, {version}, '{status}', created_at FROM orders WHERE id = $1"
            )
        };
        let remove = |version: i32| {
            format!("DELETE FROM order_history WHERE order_id = $1 AND version = {version}")
        };
        let (missing, mended) = (remove(2), step(2, "STOCK_RESERVED"));
        assert_seen(shop, invariant, &order, &[&missing], &[&mended]).await;
        let (doubled, mended) = (step(6, "CONFIRMED"), remove(6));
        assert_seen(shop, invariant, &order, &[&doubled], &[&mended]).await;
    })
    .await;
}

#[tokio::test]
async fn lines_that_do_not_add_up_are_seen() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        assert_seen(
            shop,
            "every order has lines, and they add up to its total",
            &order,
            &["UPDATE order_lines SET unit_amount = unit_amount + 1 WHERE order_id = $1"],
            &["UPDATE order_lines SET unit_amount = unit_amount - 1 WHERE order_id = $1"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn stock_out_of_nowhere_is_seen() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        assert_seen(
            shop,
            "stock is never negative, and available + reserved + sold is constant",
            &order,
            &["UPDATE stock SET available = available + 1"],
            &["UPDATE stock SET available = available - 1"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_product_without_stock_is_seen() {
    on_each_database(async |shop| {
        let rope = shop.add_product("Rope", eur(100), 5).await;
        let id = || [rope.as_uuid().into()];
        shop.execute("DELETE FROM stock WHERE product_id = $1", id())
            .await;
        assert_eq!(shop.breached().await, ["every product has its stock"]);
    })
    .await;
}

#[tokio::test]
async fn stock_sold_to_nobody_is_seen() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        assert_seen(
            shop,
            "reserved and sold stock is that of the orders' reservations",
            &order,
            &["UPDATE stock SET available = available - 1, sold = sold + 1"],
            &["UPDATE stock SET available = available + 1, sold = sold - 1"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn stock_that_does_not_follow_its_order_is_seen() {
    on_each_database(async |shop| {
        let walked = walk(shop).await;
        let invariant = "every line's stock is where its order's state says";
        let give_back = "UPDATE stock SET available = available + r.quantity, \
                sold = sold - r.quantity \
            FROM stock_reservations r \
            WHERE r.product_id = stock.product_id AND r.order_id = $1";
        let take_again = "UPDATE stock SET available = available - r.quantity, \
                sold = sold + r.quantity \
            FROM stock_reservations r \
            WHERE r.product_id = stock.product_id AND r.order_id = $1";
        let state = |state: &str| {
            format!("UPDATE stock_reservations SET state = '{state}' WHERE order_id = $1")
        };
        let reserve = |state: &str| {
            format!(
                "INSERT INTO stock_reservations (order_id, product_id, quantity, state)
                    SELECT order_id, product_id, quantity, '{state}' FROM order_lines
                    WHERE order_id = $1"
            )
        };
        let forget = "DELETE FROM stock_reservations WHERE order_id = $1";

        // Confirmed, and its stock released.
        let (released, sold) = (state("released"), state("sold"));
        let (breach, mend) = ([give_back, &released], [take_again, &sold]);
        assert_seen(shop, invariant, &walked.confirmed, &breach, &mend).await;
        // Confirmed without stock: oversold.
        let again = reserve("sold");
        let (breach, mend) = ([give_back, forget], [again.as_str(), take_again]);
        assert_seen(shop, invariant, &walked.confirmed, &breach, &mend).await;
        // Cancelled, and its stock sold.
        let (breach, mend) = ([sold.as_str(), take_again], [give_back, &released]);
        assert_seen(shop, invariant, &walked.cancelled, &breach, &mend).await;
        // Rejected, and yet with stock.
        let stray = reserve("released");
        assert_seen(shop, invariant, &walked.rejected, &[&stray], &[forget]).await;
    })
    .await;
}

#[tokio::test]
async fn a_second_charge_is_seen() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        let charge_again = "INSERT INTO payment_attempts
            (id, order_id, intent_id, status, amount, currency, created_at, updated_at)
            SELECT id, id, 'pi_second', 'succeeded', total_amount, total_currency, created_at,
                created_at FROM orders WHERE id = $1";
        assert_seen(
            shop,
            "no order was charged twice",
            &order,
            &[charge_again],
            &["DELETE FROM payment_attempts WHERE id = $1"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_charge_without_its_order_and_an_order_without_its_charge_are_seen() {
    on_each_database(async |shop| {
        let walked = walk(shop).await;
        let invariant = "charged if and only if paid, confirmed or refunded";
        let set = |assignment: &str| {
            format!("UPDATE payment_attempts SET {assignment} WHERE order_id = $1")
        };
        let (succeeded, declined) = (set("status = 'succeeded'"), set("status = 'declined'"));
        let (confirmed, cancelled) = (&walked.confirmed, &walked.cancelled);
        assert_seen(shop, invariant, confirmed, &[&declined], &[&succeeded]).await;
        assert_seen(shop, invariant, cancelled, &[&succeeded], &[&declined]).await;
        // Charged, but something else.
        let (less, more) = (set("amount = amount - 1"), set("amount = amount + 1"));
        assert_seen(shop, invariant, confirmed, &[&less], &[&more]).await;
        let (usd, eur) = (set("currency = 'USD'"), set("currency = 'EUR'"));
        assert_seen(shop, invariant, confirmed, &[&usd], &[&eur]).await;
    })
    .await;
}

#[tokio::test]
async fn an_event_that_was_never_published_is_seen() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        assert_seen(
            shop,
            "the outbox is drained",
            &order,
            &["UPDATE outbox SET published_at = NULL WHERE aggregate_id = $1"],
            &["UPDATE outbox SET published_at = created_at WHERE aggregate_id = $1"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn two_orders_with_one_idempotency_key_are_seen() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        // Nothing but this index keeps them apart.
        shop.execute("DROP INDEX orders_idempotency", []).await;
        assert_seen(
            shop,
            "there is one order for each idempotency key",
            &order,
            &["UPDATE orders SET idempotency_key = 'again',
                customer_id = (SELECT customer_id FROM orders WHERE id = $1)"],
            &["UPDATE orders SET idempotency_key = number"],
        )
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_step_without_its_event_is_seen_until_events_are_pruned() {
    on_each_database(async |shop| {
        let order = walk(shop).await.confirmed;
        let invariant = "every step of an order has its event";
        let rename = |from: &str, to: &str| {
            format!(
                "UPDATE outbox SET event_type = '{to}' WHERE aggregate_id = $1
                    AND event_type = '{from}'"
            )
        };
        let last = "orders.order.confirmed.v1";
        let (lost, found) = (rename(last, "lost"), rename("lost", last));
        assert_seen(shop, invariant, &order, &[&lost], &[&found]).await;
        // The oldest go first.
        shop.execute("DELETE FROM outbox", []).await;
        assert_eq!(shop.breached().await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn steps_without_a_receipt_are_seen() {
    on_each_database(async |shop| {
        walk(shop).await;
        let finding = shop.orders.audit_receipts("a worker").await.unwrap();
        assert_eq!((finding.checked, finding.violations), (3, 3));
        shop.execute(
            "INSERT INTO inbox (consumer, message_id, received_at)
                SELECT 'a worker', id, created_at FROM outbox",
            [],
        )
        .await;
        let finding = shop.orders.audit_receipts("a worker").await.unwrap();
        assert_eq!((finding.checked, finding.violations), (3, 0));
    })
    .await;
}

#[tokio::test]
async fn the_providers_books_are_compared_with_the_orders() {
    on_each_database(async |shop| {
        let walked = walk(shop).await;
        let charge = |order: &Order| LedgerCharge {
            order_id: order.id,
            amount: order.total,
            refunded: 0,
        };
        let violations = async |ledger: &[LedgerCharge]| {
            shop.orders.audit_ledger(ledger).await.unwrap().violations
        };
        let right = charge(&walked.confirmed);
        assert_eq!(violations(std::slice::from_ref(&right)).await, 0);
        // Charged, and the order is cancelled.
        assert_eq!(
            violations(&[right.clone(), charge(&walked.cancelled)]).await,
            1
        );
        // Charged twice.
        assert_eq!(violations(&[right.clone(), right.clone()]).await, 1);
        // Confirmed, and never charged.
        assert_eq!(violations(&[]).await, 1);
        // Another amount, another currency.
        let usd = Currency::parse("USD").unwrap();
        for amount in [eur(1), Money::new(right.amount.amount, usd)] {
            let wrong = LedgerCharge {
                amount,
                ..right.clone()
            };
            assert_eq!(violations(&[wrong]).await, 1);
        }
    })
    .await;
}

#[tokio::test]
async fn orders_on_their_way_break_no_invariant_but_that_they_end() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        shop.place(&customer(), &[(bob, 1)]).await;
        let reserved = shop.place(&customer(), &[(bob, 1)]).await;
        shop.reserve(reserved.id).await;
        shop.charging(bob).await;
        for outcome in [
            |_: &Order| ChargeOutcome::Unknown,
            |_: &Order| ChargeOutcome::Declined { intent_id: None },
            succeeded,
        ] {
            let order = shop.charging(bob).await;
            let settled = shop.settle(order.id, &outcome(&order)).await;
            assert_eq!(settled, Applied::Done);
        }
        shop.publish_all().await;
        assert_eq!(shop.breached().await, ["every order reached an end state"]);
    })
    .await;
}
