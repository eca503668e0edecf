//! What the mails say.

use chrono::{DateTime, Utc};
use contracts::order_event::OrderEventType;
use orders::{Notification, domain::OrderStatus};
use service_kit::mail::Letter;

const IF_NOT_YOU: &str = "If it was not you who ordered, choose a new password at once and log out \
                          everywhere.";

/// The letter about an order that has come to this end. `None`: it is no end, and nobody is told.
pub(super) fn letter(
    event_type: OrderEventType,
    told: &Notification,
    name: &str,
    site: &str,
    at: DateTime<Utc>,
) -> Option<Letter> {
    let number = &told.order.number;
    let when = at.format("%-d %B %Y at %H:%M UTC");
    let order = format!("your order {number} at Plumbline ({site})");
    let (subject, happened) = match event_type {
        OrderEventType::Confirmed => (
            format!("Your order {number} is confirmed"),
            format!("On {when} {order} was paid and confirmed."),
        ),
        OrderEventType::Rejected => (
            format!("Your order {number} could not be accepted"),
            format!(
                "On {when} {order} had to be turned down: there was not enough left of what you \
                 ordered. Nothing was charged."
            ),
        ),
        OrderEventType::Cancelled => (
            format!("Your order {number} is cancelled"),
            format!("On {when} {order} was cancelled, {}", why_cancelled(told)),
        ),
        OrderEventType::Refunded => (
            format!("The money for your order {number} was given back"),
            format!(
                "On {when} all that was paid for {order} was given back: {}. Until it shows, your \
                 bank may take some days.",
                told.order.total
            ),
        ),
        OrderEventType::Placed
        | OrderEventType::StockReserved
        | OrderEventType::PaymentPending
        | OrderEventType::PaymentUnknown
        | OrderEventType::PaymentFailed
        | OrderEventType::Paid
        | OrderEventType::CancelRequested
        | OrderEventType::Refunding
        | OrderEventType::RefundFailed => return None,
    };
    let mut paragraphs = vec![happened];
    paragraphs.extend(told.lines.iter().map(|line| {
        let (quantity, product, total) = (line.quantity, &line.product_name, line.total);
        format!("{quantity} × {product}: {total}")
    }));
    paragraphs.push(format!("Total: {}", told.order.total));
    Some(Letter {
        subject: subject.into(),
        name: Some(name.to_owned()),
        paragraphs,
        action: None,
        otherwise: IF_NOT_YOU.to_owned(),
        site: site.to_owned(),
    })
}

fn why_cancelled(told: &Notification) -> &'static str {
    let passed = |status| told.history.iter().any(|entry| entry.status == status);
    if passed(OrderStatus::CancelRequested) {
        "as you asked. Nothing was charged."
    } else {
        "because its payment was declined. Nothing was charged: you can order again with another \
         card."
    }
}
