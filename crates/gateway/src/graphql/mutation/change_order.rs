//! Orders that are taken back.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use contracts::ErrorCode;
use kernel::OrderId;
use orders::{ChangeOrderError, Orders};

use super::UserError;
use crate::graphql::access::ByTable;
use crate::graphql::failure::{caller, order_failure};
use crate::graphql::model::Order;

#[derive(Default)]
pub(super) struct ChangeOrder;

#[Object(guard = "ByTable(\"Mutation\")")]
impl ChangeOrder {
    /// Cancels one of one's own orders, as long as it is not paid. If its payment was under way and
    /// went through, the money goes back. Asked for again, it answers with the order as it stands.
    async fn cancel_order(
        &self,
        context: &Context<'_>,
        input: CancelOrderInput,
    ) -> Result<CancelOrderPayload, Error> {
        let changed = match order_id(&input.order_id) {
            Ok(id) => {
                let actor = &caller(context)?.actor;
                context.data::<Orders>()?.cancel(actor, id).await
            }
            Err(error) => Err(error),
        };
        let (order, user_errors) = outcome(changed, ErrorCode::OrderNotCancellable)?;
        Ok(CancelOrderPayload { order, user_errors })
    }

    /// Begins to give all of an order's money back; its pieces can be ordered again then. Asked for
    /// again, it answers with the order as it stands.
    async fn refund_order(
        &self,
        context: &Context<'_>,
        input: RefundOrderInput,
    ) -> Result<RefundOrderPayload, Error> {
        let changed = match order_id(&input.order_id) {
            Ok(id) => {
                let actor = &caller(context)?.actor;
                context.data::<Orders>()?.refund(actor, id).await
            }
            Err(error) => Err(error),
        };
        let (order, user_errors) = outcome(changed, ErrorCode::OrderNotRefundable)?;
        Ok(RefundOrderPayload { order, user_errors })
    }
}

/// An order to be cancelled.
#[derive(InputObject)]
struct CancelOrderInput {
    order_id: ID,
}

/// An order whose money is to be given back.
#[derive(InputObject)]
struct RefundOrderInput {
    order_id: ID,
}

/// What became of an order that was to be cancelled: the order, or why it was not.
#[derive(SimpleObject)]
struct CancelOrderPayload {
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

/// What became of an order that was to be refunded: the order, or why it was not.
#[derive(SimpleObject)]
struct RefundOrderPayload {
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

/// What is no id is the id of no order.
fn order_id(id: &ID) -> Result<OrderId, ChangeOrderError> {
    id.parse().map_err(|_| ChangeOrderError::NotFound)
}

fn outcome(
    changed: Result<orders::Order, ChangeOrderError>,
    wrong_state: ErrorCode,
) -> Result<(Option<Order>, Vec<UserError>), Error> {
    let code = match changed {
        Ok(order) => return Ok((Some(order.into()), Vec::new())),
        Err(ChangeOrderError::NotFound) => ErrorCode::OrderNotFound,
        Err(ChangeOrderError::WrongState(_)) => wrong_state,
        Err(ChangeOrderError::Order(error)) => return Err(order_failure(&error)),
    };
    let error = UserError::at("orderId", code.as_str(), code.title());
    Ok((None, vec![error]))
}
