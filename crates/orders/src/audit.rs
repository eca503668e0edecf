//! The invariants that hold under any crash and any load, checked by SQL (design: "Invariants").

use std::collections::{HashMap, HashSet};

use kernel::{Currency, Money, OrderId};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{OrderError, Orders, domain::OrderStatus};

/// One invariant: how many things were looked at, and how many break it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub invariant: &'static str,
    pub checked: i64,
    pub violations: i64,
}

/// A charge in the payment provider's own books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerCharge {
    pub order_id: OrderId,
    pub amount: Money,
    /// What of it was given back, in the same currency's minor units.
    pub refunded: i64,
}

struct Check {
    invariant: &'static str,
    checked: &'static str,
    violations: &'static str,
}

/// Plain SQL that both databases read alike, so that anyone can run a line of it by hand.
const CHECKS: &[Check] = &[
    Check {
        invariant: "every order reached an end state",
        checked: "SELECT COUNT(*) FROM orders",
        violations: "SELECT COUNT(*) FROM orders
            WHERE status NOT IN ('CONFIRMED', 'REJECTED', 'CANCELLED', 'REFUNDED',
                'REFUND_FAILED')",
    },
    Check {
        invariant: "every order is in the state that its history ends with, each step applied once",
        checked: "SELECT COUNT(*) FROM orders",
        violations: "SELECT COUNT(*) FROM orders o WHERE
            o.version <> (SELECT COUNT(*) FROM order_history h WHERE h.order_id = o.id)
            OR NOT EXISTS (SELECT 1 FROM order_history h
                WHERE h.order_id = o.id AND h.version = o.version AND h.status = o.status)",
    },
    Check {
        invariant: "there is one order for each idempotency key",
        checked: "SELECT COUNT(*) FROM orders",
        violations: "SELECT COUNT(*) FROM (SELECT customer_id, idempotency_key FROM orders
            GROUP BY customer_id, idempotency_key HAVING COUNT(*) > 1) twice",
    },
    Check {
        invariant: "every order has lines, and they add up to its total",
        checked: "SELECT COUNT(*) FROM orders",
        violations:
            "SELECT COUNT(*) FROM orders o WHERE o.total_amount <> COALESCE(
            (SELECT SUM(l.quantity * l.unit_amount) FROM order_lines l WHERE l.order_id = o.id), 0)",
    },
    Check {
        invariant: "stock is never negative, and available + reserved + sold is constant",
        checked: "SELECT COUNT(*) FROM stock",
        violations: "SELECT COUNT(*) FROM stock WHERE available < 0 OR reserved < 0 OR sold < 0
            OR total <> available + reserved + sold",
    },
    Check {
        invariant: "every product has its stock",
        checked: "SELECT COUNT(*) FROM products",
        violations: "SELECT COUNT(*) FROM products p LEFT JOIN stock s ON s.product_id = p.id
            WHERE s.product_id IS NULL",
    },
    Check {
        invariant: "reserved and sold stock is that of the orders' reservations",
        checked: "SELECT COUNT(*) FROM stock",
        violations: "SELECT COUNT(*) FROM stock s LEFT JOIN (
                SELECT product_id,
                    SUM(CASE WHEN state = 'reserved' THEN quantity ELSE 0 END) AS reserved,
                    SUM(CASE WHEN state = 'sold' THEN quantity ELSE 0 END) AS sold
                FROM stock_reservations GROUP BY product_id
            ) r ON r.product_id = s.product_id
            WHERE s.reserved <> COALESCE(r.reserved, 0) OR s.sold <> COALESCE(r.sold, 0)",
    },
    Check {
        invariant: "every line's stock is where its order's state says",
        checked: "SELECT COUNT(*) FROM order_lines",
        violations: "SELECT COUNT(*) FROM order_lines l JOIN orders o ON o.id = l.order_id
            LEFT JOIN stock_reservations r
                ON r.order_id = l.order_id AND r.product_id = l.product_id
            WHERE r.quantity <> l.quantity
                OR (o.status IN ('PLACED', 'REJECTED') AND r.state IS NOT NULL)
                OR (o.status IN ('STOCK_RESERVED', 'PAYMENT_PENDING', 'PAYMENT_UNKNOWN', 'PAID',
                        'PAYMENT_FAILED') AND COALESCE(r.state, 'none') <> 'reserved')
                OR (o.status = 'CONFIRMED' AND COALESCE(r.state, 'none') <> 'sold')
                OR (o.status IN ('REFUNDING', 'REFUND_FAILED') AND r.state IS NULL)
                OR (o.status = 'REFUNDED' AND COALESCE(r.state, 'none') <> 'released')
                OR (o.status = 'CANCEL_REQUESTED' AND r.state <> 'reserved')
                OR (o.status = 'CANCELLED' AND r.state <> 'released')",
    },
    Check {
        invariant: "no order was charged twice",
        checked: "SELECT COUNT(*) FROM payment_attempts WHERE status = 'succeeded'",
        violations: "SELECT COUNT(*) FROM (SELECT order_id FROM payment_attempts
            WHERE status = 'succeeded' GROUP BY order_id HAVING COUNT(*) > 1) twice",
    },
    Check {
        invariant: "charged if and only if paid, confirmed or refunded",
        checked: "SELECT COUNT(*) FROM orders",
        violations: "SELECT COUNT(*) FROM orders o WHERE
            (o.status IN ('PAID', 'CONFIRMED', 'REFUNDING', 'REFUNDED', 'REFUND_FAILED')) <> EXISTS (
                SELECT 1 FROM payment_attempts p WHERE p.order_id = o.id
                    AND p.status = 'succeeded' AND p.amount = o.total_amount
                    AND p.currency = o.total_currency)",
    },
    Check {
        invariant: "refunded in full, and once, if and only if the order says so",
        checked: "SELECT COUNT(*) FROM orders",
        violations: "SELECT COUNT(*) FROM orders o
            WHERE (o.status = 'REFUNDED') <> EXISTS (
                SELECT 1 FROM refunds r JOIN payment_attempts p ON p.intent_id = r.intent_id
                WHERE r.order_id = o.id AND p.order_id = o.id
                    AND r.status = 'succeeded' AND p.status = 'succeeded'
                    AND r.amount = o.total_amount AND r.currency = o.total_currency)
            OR (o.status = 'REFUNDING') <> EXISTS (
                SELECT 1 FROM refunds r JOIN payment_attempts p ON p.intent_id = r.intent_id
                WHERE r.order_id = o.id AND p.order_id = o.id
                    AND r.status = 'open' AND p.status = 'succeeded')",
    },
    Check {
        invariant: "every payment beside an order's own was given back",
        checked: "SELECT COUNT(DISTINCT r.intent_id) FROM refunds r WHERE NOT EXISTS (
            SELECT 1 FROM payment_attempts p
            WHERE p.intent_id = r.intent_id AND p.status = 'succeeded')",
        violations: "SELECT COUNT(*) FROM refunds r WHERE r.status = 'open' AND NOT EXISTS (
            SELECT 1 FROM payment_attempts p
            WHERE p.intent_id = r.intent_id AND p.status = 'succeeded')",
    },
    Check {
        invariant: "no refund has failed for good and waits for a person",
        checked: "SELECT COUNT(DISTINCT intent_id) FROM refunds",
        violations: "SELECT COUNT(*) FROM (SELECT intent_id FROM refunds GROUP BY intent_id
            HAVING COUNT(*) = SUM(CASE WHEN status = 'failed' THEN 1 ELSE 0 END)) given_up",
    },
    // Of orders whose events have not been pruned yet: their first one is there, or older ones are.
    // The events are counted once for all orders: no index finds those of one.
    Check {
        invariant: "every step of an order has its event",
        checked: "SELECT COUNT(*) FROM orders o WHERE
            o.id IN (SELECT m.aggregate_id FROM outbox m
                WHERE m.event_type = 'orders.order.placed.v1')
            OR o.created_at > (SELECT MIN(m.published_at) FROM outbox m)",
        violations: "SELECT COUNT(*) FROM orders o LEFT JOIN (
                SELECT m.aggregate_id, COUNT(DISTINCT m.id) AS events FROM outbox m
                WHERE m.event_type LIKE 'orders.order.%' GROUP BY m.aggregate_id
            ) told ON told.aggregate_id = o.id WHERE
            (o.id IN (SELECT m.aggregate_id FROM outbox m
                WHERE m.event_type = 'orders.order.placed.v1')
            OR o.created_at > (SELECT MIN(m.published_at) FROM outbox m))
            AND o.version > COALESCE(told.events, 0)",
    },
    Check {
        invariant: "the outbox is drained",
        checked: "SELECT COUNT(*) FROM outbox",
        violations: "SELECT COUNT(*) FROM outbox WHERE published_at IS NULL",
    },
];

impl Orders {
    /// Checks every invariant against the database.
    pub async fn audit(&self) -> Result<Vec<Finding>, OrderError> {
        let mut findings = Vec::with_capacity(CHECKS.len());
        for check in CHECKS {
            findings.push(Finding {
                invariant: check.invariant,
                checked: self.count(check.checked).await?,
                violations: self.count(check.violations).await?,
            });
        }
        Ok(findings)
    }

    /// Compares the provider's books with ours: each order that counts as paid is charged once, by
    /// its total; what was given back is all of a refunded order's money, and nothing of any
    /// other's; and what was charged besides is all given back.
    pub async fn audit_ledger(&self, ledger: &[LedgerCharge]) -> Result<Finding, OrderError> {
        let mut paid = self.paid_orders().await?;
        let checked = paid.len().max(ledger.len());
        let mut wrong = Vec::new();
        for charge in ledger {
            let is_its_own = paid
                .get(&charge.order_id)
                .is_some_and(|order| order.agrees_with(charge));
            if is_its_own {
                paid.remove(&charge.order_id);
            } else if charge.refunded != charge.amount.amount {
                wrong.push(charge.order_id);
            }
        }
        let told: HashSet<_> = wrong.iter().collect();
        let missing = paid.keys().filter(|order_id| !told.contains(order_id));
        let violations = wrong.len() + missing.count();
        Ok(Finding {
            invariant: "the payment provider's ledger agrees with the orders",
            checked: i64::try_from(checked).unwrap_or(i64::MAX),
            violations: i64::try_from(violations).unwrap_or(i64::MAX),
        })
    }

    /// Looks for orders that were taken a step further, and for which this consumer, which takes
    /// the steps, has no receipt: messages that come twice would then take effect twice.
    pub async fn audit_receipts(&self, consumer: &'static str) -> Result<Finding, OrderError> {
        let moved_on = "SELECT COUNT(*) FROM orders o WHERE o.version > 1
            AND o.id IN (SELECT m.aggregate_id FROM outbox m)";
        let without = format!(
            "{moved_on} AND o.id NOT IN (SELECT m.aggregate_id FROM outbox m
                JOIN inbox i ON i.message_id = m.id WHERE i.consumer = '{consumer}')"
        );
        Ok(Finding {
            invariant: "every message that took an order further left its receipt",
            checked: self.count(moved_on).await?,
            violations: self.count(&without).await?,
        })
    }

    async fn paid_orders(&self) -> Result<HashMap<OrderId, PaidOrder>, OrderError> {
        let sql = "SELECT id, total_amount, total_currency, status FROM orders
            WHERE status IN ('PAID', 'CONFIRMED', 'REFUNDING', 'REFUNDED', 'REFUND_FAILED')";
        let rows = self
            .database
            .reader()
            .query_all_raw(self.statement(sql))
            .await?;
        let paid = rows.into_iter().map(|row| {
            let id: uuid::Uuid = row.try_get_by_index(0)?;
            let currency: String = row.try_get_by_index(2)?;
            let status: String = row.try_get_by_index(3)?;
            let order = PaidOrder {
                total: Money::new(row.try_get_by_index(1)?, Currency::parse(&currency)?),
                status: status.parse()?,
            };
            Ok((id.into(), order))
        });
        paid.collect()
    }

    async fn count(&self, sql: &str) -> Result<i64, DbErr> {
        match self
            .database
            .reader()
            .query_one_raw(self.statement(sql))
            .await?
        {
            Some(row) => row.try_get_by_index(0),
            None => Ok(0),
        }
    }

    fn statement(&self, sql: &str) -> Statement {
        Statement::from_string(self.database.backend(), sql)
    }
}

/// An order whose money the provider took.
struct PaidOrder {
    total: Money,
    status: OrderStatus,
}

impl PaidOrder {
    fn agrees_with(&self, charge: &LedgerCharge) -> bool {
        let all = charge.refunded == self.total.amount;
        let nothing = charge.refunded == 0;
        let refund_agrees = match self.status {
            OrderStatus::Refunded => all,
            // The provider may have answered a moment ago, or think better of it.
            OrderStatus::Refunding | OrderStatus::RefundFailed => all || nothing,
            OrderStatus::Placed
            | OrderStatus::StockReserved
            | OrderStatus::PaymentPending
            | OrderStatus::PaymentUnknown
            | OrderStatus::Paid
            | OrderStatus::Confirmed
            | OrderStatus::Rejected
            | OrderStatus::PaymentFailed
            | OrderStatus::CancelRequested
            | OrderStatus::Cancelled => nothing,
        };
        charge.amount == self.total && refund_agrees
    }
}
