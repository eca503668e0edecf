//! What must hold whatever happens; the auditor checks the same of a real system
//! (`plumbline audit`).

use orders::domain::OrderStatus;

use crate::{
    ledger::{OrderRow, Reservation, STOCK},
    message::{MessageId, OrderNumber},
    world::World,
};

/// An invariant that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    #[error("stock is negative")]
    NegativeStock,
    #[error("pieces came to be or were lost: the counters do not add up")]
    StockDoesNotAddUp,
    #[error("order #{0} was charged twice")]
    ChargedTwice(OrderNumber),
    #[error("order #{order} went from {} to {}", .from.as_str(), .to.as_str())]
    IllegalTransition {
        order: OrderNumber,
        from: OrderStatus,
        to: OrderStatus,
    },
    #[error("the message `{0}` took effect twice")]
    AppliedTwice(MessageId),
    #[error("order #{order} stays {} for ever", .status.as_str())]
    NeverEnds {
        order: OrderNumber,
        status: OrderStatus,
    },
    #[error("order #{order} ended {} and was {}", .status.as_str(), if *.charged { "charged" } else { "not charged" })]
    MoneyDisagrees {
        order: OrderNumber,
        status: OrderStatus,
        charged: bool,
    },
    #[error("nobody was told that order #{order} became {}", .status.as_str())]
    Untold {
        order: OrderNumber,
        status: OrderStatus,
    },
}

impl World {
    /// What must hold at every moment.
    pub(crate) fn breach_now(&self) -> Option<Breach> {
        let stock = self.ledger.stock;
        if stock.available < 0 || stock.reserved < 0 || stock.sold < 0 {
            return Some(Breach::NegativeStock);
        }
        let held = |state| {
            let rows = self.ledger.orders.iter().flatten();
            let held = rows.filter(move |row| row.reservation == Some(state));
            held.map(|row| row.quantity).sum::<i64>()
        };
        if stock.available + stock.reserved + stock.sold != STOCK
            || stock.reserved != held(Reservation::Reserved)
            || stock.sold != held(Reservation::Sold)
        {
            return Some(Breach::StockDoesNotAddUp);
        }
        let twice = self.ledger.effects.iter().find(|(_, times)| **times > 1);
        if let Some((message, _)) = twice {
            return Some(Breach::AppliedTwice(*message));
        }
        self.rows().find_map(|(order, row)| {
            if self.provider.charges_of(order).count() > 1 {
                return Some(Breach::ChargedTwice(order));
            }
            let mut steps = row.history.windows(2);
            steps.find_map(|step| match step {
                [from, to] if !from.successors().contains(to) => Some(Breach::IllegalTransition {
                    order,
                    from: *from,
                    to: *to,
                }),
                _ => None,
            })
        })
    }

    /// What must hold once everything that was begun has had its time.
    pub(crate) fn breach_at_the_end(&self) -> Option<Breach> {
        self.rows().find_map(|(order, row)| {
            let status = row.status;
            if !status.is_end_state() {
                return Some(Breach::NeverEnds { order, status });
            }
            let mut charges = self.provider.charges_of(order);
            let keeps_money = charges.any(|charge| !charge.refunded);
            if keeps_money != (status == OrderStatus::Confirmed) {
                return Some(Breach::MoneyDisagrees {
                    order,
                    status,
                    charged: keeps_money,
                });
            }
            self.untold(order, row)
        })
    }

    fn untold(&self, order: OrderNumber, row: &OrderRow) -> Option<Breach> {
        let was_told = |status: &OrderStatus| {
            self.published.contains(&MessageId {
                order,
                event_type: status.event_type().as_str(),
                nth: 0,
            })
        };
        let untold = row.history.iter().find(|status| !was_told(status))?;
        Some(Breach::Untold {
            order,
            status: *untold,
        })
    }

    fn rows(&self) -> impl Iterator<Item = (OrderNumber, &OrderRow)> {
        let rows = self.ledger.orders.iter().enumerate();
        rows.filter_map(|(order, row)| Some((order, row.as_ref()?)))
    }
}
