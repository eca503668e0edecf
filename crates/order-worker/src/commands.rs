//! What the worker does when an event asks for it: one declarative table. An event that is not in
//! it makes nothing happen, and a command that services are not granted does not compile.

use contracts::{
    order_event::{OrderEventType, PAYMENT_NOTICE_RECEIVED},
    saga_event::{STEP_OVERDUE, STEP_OVERDUE_V1},
};
use kernel::{Permission, Role};
use orders::domain::OrderStatus;

use crate::mail::TOLD;

/// A step of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    ReserveStock,
    Charge,
    Confirm,
    CancelUnpaid,
    /// Its customer took the order back, perhaps while the provider was being asked.
    Cancel,
    Refund,
}

/// What an event asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Step(Step),
    /// Ask the provider about a payment, because a webhook told that there is news.
    SettleNotice,
    /// Take the step that the order's state asks for.
    TakeUpOverdue,
}

/// A command, as documents and tests want to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredCommand {
    pub name: &'static str,
    /// The type of the event that asks for it.
    pub event_type: &'static str,
    /// What the worker, a service, must be granted.
    pub permission: Permission,
}

macro_rules! commands {
    ($($name:literal = $command:expr, $event_type:expr, $permission:ident;)+) => {
        const DECLARED: &[DeclaredCommand] = &[$(DeclaredCommand {
            name: $name,
            event_type: $event_type,
            permission: Permission::$permission,
        },)+];

        $(const _: () = assert!(Role::Service.grants(Permission::$permission));)+

        const COMMANDS: &[(&str, Command)] = &[$(($event_type, $command),)+];

        /// The events that ask for something: those that the queue takes, and that leave a receipt.
        pub(crate) const RECEIPTED: &[&str] = &[$($event_type,)+];
    };
}

commands! {
    "reserve stock" = Command::Step(Step::ReserveStock), OrderEventType::Placed.as_str(), AdvanceOrders;
    "charge" = Command::Step(Step::Charge), OrderEventType::StockReserved.as_str(), AdvanceOrders;
    "cancel unpaid" = Command::Step(Step::CancelUnpaid), OrderEventType::PaymentFailed.as_str(), AdvanceOrders;
    "cancel as asked" = Command::Step(Step::Cancel), OrderEventType::CancelRequested.as_str(), AdvanceOrders;
    "refund" = Command::Step(Step::Refund), OrderEventType::Refunding.as_str(), AdvanceOrders;
    "settle notice" = Command::SettleNotice, PAYMENT_NOTICE_RECEIVED, AdvanceOrders;
    "take up overdue" = Command::TakeUpOverdue, STEP_OVERDUE, AdvanceOrders;
    "take up overdue, told by an older release" = Command::TakeUpOverdue, STEP_OVERDUE_V1, AdvanceOrders;
}

/// What the queue is bound to: those events in any version, so that one of a later release is set
/// aside with its reason and not passed by.
pub(crate) const BINDINGS: &[&str] = &[
    "orders.order.placed.*",
    "orders.order.stock_reserved.*",
    "orders.order.payment_failed.*",
    "orders.order.cancel_requested.*",
    "orders.order.refunding.*",
    "orders.payment.notice_received.*",
    "orders.saga.step_overdue.*",
];

/// Everything that the worker does, and the permission that it needs.
pub fn declared_commands() -> impl Iterator<Item = DeclaredCommand> {
    let mails = TOLD.iter().map(|event_type| DeclaredCommand {
        name: "write to the customer",
        event_type,
        permission: Permission::LookUpUsers,
    });
    DECLARED.iter().copied().chain(mails)
}

impl Command {
    /// What an event of this type asks for.
    #[must_use]
    pub fn asked_for_by(event_type: &str) -> Option<Self> {
        let asked = COMMANDS.iter().find(|(asking, _)| *asking == event_type);
        asked.map(|(_, command)| *command)
    }
}

impl Step {
    /// What an order in this state waits for.
    #[must_use]
    pub const fn due_in(status: OrderStatus) -> Option<Self> {
        match status {
            OrderStatus::Placed => Some(Self::ReserveStock),
            OrderStatus::StockReserved
            | OrderStatus::PaymentPending
            | OrderStatus::PaymentUnknown => Some(Self::Charge),
            OrderStatus::Paid => Some(Self::Confirm),
            OrderStatus::PaymentFailed => Some(Self::CancelUnpaid),
            OrderStatus::CancelRequested => Some(Self::Cancel),
            OrderStatus::Refunding => Some(Self::Refund),
            OrderStatus::Confirmed
            | OrderStatus::Rejected
            | OrderStatus::Cancelled
            | OrderStatus::Refunded
            | OrderStatus::RefundFailed => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn only_services_may_do_what_the_worker_does() {
        for command in declared_commands() {
            let granted = Role::ALL.map(|role| role.grants(command.permission));
            assert_eq!(granted, [false, false, false, true], "{}", command.name);
        }
    }

    #[test]
    fn exactly_the_states_with_a_deadline_have_a_step_due() {
        for status in OrderStatus::ALL {
            let is_due = Step::due_in(status).is_some();
            assert_eq!(is_due, status.deadline().is_some(), "{status:?}");
        }
    }

    #[test]
    fn an_event_asks_for_one_command_at_most() {
        for (position, event_type) in RECEIPTED.iter().enumerate() {
            assert!(!RECEIPTED[..position].contains(event_type), "{event_type}");
        }
        assert_eq!(Command::asked_for_by("orders.order.confirmed.v1"), None);
    }

    #[test]
    fn the_queue_is_bound_to_every_version_of_what_asks_for_a_command() {
        let any_version = |event_type: &&str| match event_type.rsplit_once('.') {
            Some((name, _)) => format!("{name}.*"),
            None => panic!("{event_type} has no version"),
        };
        let expected: BTreeSet<String> = RECEIPTED.iter().map(any_version).collect();
        let bound: BTreeSet<String> = BINDINGS.iter().map(ToString::to_string).collect();
        assert_eq!(bound, expected);
    }
}
