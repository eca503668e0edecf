//! What money at the payment provider means for an order. Pure, so that the worker, the
//! reconciliation and its dry run judge alike.

use chrono::TimeDelta;
use kernel::Money;

use super::OrderStatus;

/// How often a payment is tried to be given back before it waits for a person.
pub const MAX_REFUND_TRIES: u32 = 5;

/// The pause before the second try of a refund.
const FIRST_REFUND_PAUSE: TimeDelta = TimeDelta::minutes(1);

/// What an order asked the provider for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub status: PaymentStatus,
    /// The provider's name for the payment, once it has told it.
    pub intent_id: Option<String>,
    pub amount: Money,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// The provider has been asked, or is about to be.
    Pending,
    Succeeded,
    Declined,
}

/// What is to be done about a payment that the provider has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is known.
    Known,
    /// Nothing yet: the order has not come so far as to ask for it.
    Early,
    /// It pays for the order.
    Pays,
    /// It is the order's payment, but the order was taken back or given up meanwhile: the order
    /// is refunded.
    TooLate,
    /// It is the order's payment and not what was asked for: the payment has failed, and the money
    /// goes back.
    WrongAmount,
    /// It is none that the order asked for, such as a second one: the money goes back, and the
    /// order stays as it is.
    Stray,
}

/// Judges a payment that the provider has taken for an order in this state. `attempt` is the order's
/// newest one.
#[must_use]
pub fn judge(
    status: OrderStatus,
    attempt: Option<&Attempt>,
    intent_id: &str,
    amount: Money,
) -> Verdict {
    let Some(attempt) = attempt else {
        return match status {
            OrderStatus::Placed | OrderStatus::StockReserved => Verdict::Early,
            OrderStatus::PaymentPending
            | OrderStatus::PaymentUnknown
            | OrderStatus::Paid
            | OrderStatus::Confirmed
            | OrderStatus::Rejected
            | OrderStatus::PaymentFailed
            | OrderStatus::CancelRequested
            | OrderStatus::Cancelled
            | OrderStatus::Refunding
            | OrderStatus::Refunded
            | OrderStatus::RefundFailed => Verdict::Stray,
        };
    };
    let may_be_its_own = attempt
        .intent_id
        .as_deref()
        .is_none_or(|known| known == intent_id);
    if !may_be_its_own {
        return Verdict::Stray;
    }
    let is_right = attempt.amount == amount;
    match attempt.status {
        PaymentStatus::Succeeded => Verdict::Known,
        PaymentStatus::Pending if !is_right => Verdict::WrongAmount,
        PaymentStatus::Declined if !is_right => Verdict::Stray,
        PaymentStatus::Pending | PaymentStatus::Declined => match status {
            OrderStatus::PaymentPending | OrderStatus::PaymentUnknown => Verdict::Pays,
            OrderStatus::CancelRequested | OrderStatus::PaymentFailed | OrderStatus::Cancelled => {
                Verdict::TooLate
            }
            // An attempt is made and settled together with the order's state, so it is none of
            // these; if it ever were, nothing would be kept that nobody owes.
            OrderStatus::Placed
            | OrderStatus::StockReserved
            | OrderStatus::Paid
            | OrderStatus::Confirmed
            | OrderStatus::Rejected
            | OrderStatus::Refunding
            | OrderStatus::Refunded
            | OrderStatus::RefundFailed => Verdict::Stray,
        },
    }
}

/// How long to wait before a refund that has failed this often is tried again: 1, 4, 16, 64
/// minutes. `None`: it waits for a person.
#[must_use]
pub fn refund_pause(failures: u32) -> Option<TimeDelta> {
    if failures >= MAX_REFUND_TRIES {
        return None;
    }
    let quadruplings = failures.saturating_sub(1);
    Some(FIRST_REFUND_PAUSE * 4_i32.pow(quadruplings))
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use proptest::prelude::*;

    use super::*;

    fn eur(amount: i64) -> Money {
        Money::new(amount, Currency::EUR)
    }

    fn attempt(status: PaymentStatus, intent_id: Option<&str>) -> Attempt {
        Attempt {
            status,
            intent_id: intent_id.map(str::to_owned),
            amount: eur(1_000),
        }
    }

    #[test]
    fn the_orders_own_payment_pays_or_goes_back_according_to_its_state() {
        for intent_id in [None, Some("pi_1")] {
            let open = attempt(PaymentStatus::Pending, intent_id);
            for (status, expected) in [
                (OrderStatus::PaymentPending, Verdict::Pays),
                (OrderStatus::PaymentUnknown, Verdict::Pays),
                (OrderStatus::CancelRequested, Verdict::TooLate),
            ] {
                assert_eq!(judge(status, Some(&open), "pi_1", eur(1_000)), expected);
            }
            let declined = attempt(PaymentStatus::Declined, intent_id);
            for status in [OrderStatus::PaymentFailed, OrderStatus::Cancelled] {
                let verdict = judge(status, Some(&declined), "pi_1", eur(1_000));
                assert_eq!(verdict, Verdict::TooLate);
            }
        }
    }

    #[test]
    fn what_is_in_our_books_is_known() {
        let paid = attempt(PaymentStatus::Succeeded, Some("pi_1"));
        for status in OrderStatus::ALL {
            let verdict = judge(status, Some(&paid), "pi_1", eur(1_000));
            assert_eq!(verdict, Verdict::Known);
        }
    }

    #[test]
    fn what_nobody_asked_for_waits_as_long_as_the_order_may_still_ask() {
        for status in OrderStatus::ALL {
            let verdict = judge(status, None, "pi_1", eur(1_000));
            let may_ask = [OrderStatus::Placed, OrderStatus::StockReserved].contains(&status);
            assert_eq!(verdict == Verdict::Early, may_ask, "{status:?}");
        }
    }

    #[test]
    fn pauses_quadruple_and_end() {
        let minutes = (1..=MAX_REFUND_TRIES).map(|failures| {
            let pause = refund_pause(failures)?;
            Some(pause.num_minutes())
        });
        let expected = [Some(1), Some(4), Some(16), Some(64), None];
        assert_eq!(minutes.collect::<Vec<_>>(), expected);
        assert_eq!(refund_pause(u32::MAX), None);
    }

    fn any_attempt() -> impl Strategy<Value = Option<Attempt>> {
        let statuses = prop::sample::select(vec![
            PaymentStatus::Pending,
            PaymentStatus::Succeeded,
            PaymentStatus::Declined,
        ]);
        let intents = prop::sample::select(vec![None, Some("pi_1"), Some("pi_2")]);
        prop::option::of((statuses, intents).prop_map(|(status, intent)| attempt(status, intent)))
    }

    proptest! {
        /// Only the amount that was asked for, by an attempt that is not settled, ever pays; and
        /// never does a payment that the order's attempt does not know.
        #[test]
        fn only_what_was_asked_for_pays(
            status in prop::sample::select(OrderStatus::ALL.to_vec()),
            attempt in any_attempt(),
            amount in prop::sample::select(vec![1_i64, 1_000]),
        ) {
            let verdict = judge(status, attempt.as_ref(), "pi_1", eur(amount));
            if matches!(verdict, Verdict::Pays | Verdict::TooLate) {
                let attempt = attempt.unwrap();
                prop_assert_eq!(attempt.amount, eur(amount));
                prop_assert!(attempt.status != PaymentStatus::Succeeded);
                prop_assert!(attempt.intent_id.is_none_or(|known| known == "pi_1"));
            }
        }

        /// What is kept is in the books of an order: all else goes back, or is waited for.
        #[test]
        fn no_money_is_left_lying(
            status in prop::sample::select(OrderStatus::ALL.to_vec()),
            attempt in any_attempt(),
            amount in prop::sample::select(vec![1_i64, 1_000]),
        ) {
            if judge(status, attempt.as_ref(), "pi_1", eur(amount)) == Verdict::Known {
                let attempt = attempt.unwrap();
                prop_assert_eq!(attempt.status, PaymentStatus::Succeeded);
            }
        }
    }
}
