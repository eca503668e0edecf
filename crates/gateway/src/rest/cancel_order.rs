use actix_web::{HttpResponse, web};
use contracts::ErrorCode;
use kernel::OrderId;
use orders::ChangeOrderError;
use service_kit::access_token::Authenticated;
use service_kit::problem::{Problem, ProblemBody};

use super::model::OrderBody;
use super::{Context, complete_one, order_problem};

fn cancel_problem(error: ChangeOrderError) -> Problem {
    match error {
        ChangeOrderError::NotFound => Problem::new(ErrorCode::OrderNotFound),
        ChangeOrderError::WrongState(_) => {
            Problem::new(ErrorCode::OrderNotCancellable).detail(error.to_string())
        }
        ChangeOrderError::Order(error) => order_problem(error),
    }
}

/// Cancel an order.
///
/// One's own, as long as it is not paid. It is answered at once, with the order as
/// `CANCEL_REQUESTED`; soon after it is `CANCELLED`. If the payment was under way and went through, it
/// is `REFUNDING` and then `REFUNDED` instead. Asked for again, it answers with the order as it
/// stands. There is no body.
#[utoipa::path(
    post,
    path = "/v1/orders/{id}/cancel",
    operation_id = "cancelOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(("id" = uuid::Uuid, Path, description = "The order's id")),
    responses(
        (status = 200, description = "The order is, or is about to be, cancelled", body = OrderBody),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "`order-not-found`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`order-not-cancellable`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    id: web::Path<String>,
    caller: Authenticated,
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let missing = || Problem::new(ErrorCode::OrderNotFound);
    let id: OrderId = id.parse().map_err(|_| missing())?;
    let cancelled = context.orders.cancel(caller.actor(), id).await;
    let order = complete_one(&context.orders, cancelled.map_err(cancel_problem)?).await?;
    Ok(HttpResponse::Ok().json(order))
}
