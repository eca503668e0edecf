use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HeaderName, LOCATION},
    web,
};
use contracts::ErrorCode;
use orders::domain::{IdempotencyKey, PlaceOrder, RequestedLine};
use orders::{PlaceOrderError, Placed};
use service_kit::access_token::Authenticated;
use service_kit::json::Json;
use service_kit::problem::{FieldError, Problem, ProblemBody};

use super::model::{OrderBody, PlaceOrderBody};
use super::{Context, complete_one, order_problem};

/// IETF draft-ietf-httpapi-idempotency-key-header.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Tells that the answer is about an order of an earlier request.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl PlaceOrderBody {
    fn parse(self, idempotency_key: IdempotencyKey) -> PlaceOrder {
        let lines = self.lines.into_iter().map(|line| RequestedLine {
            product_id: line.product_id.into(),
            quantity: line.quantity,
        });
        let lines = lines.collect();
        PlaceOrder {
            idempotency_key,
            lines,
            payment_method: self.payment_method,
        }
    }
}

fn place_problem(error: PlaceOrderError) -> Problem {
    match error {
        PlaceOrderError::Invalid(fields) => {
            let fields = fields.into_iter().map(|problem| FieldError {
                field: problem.field,
                code: problem.code.to_owned(),
                message: problem.message,
            });
            Problem::new(ErrorCode::Validation).fields(fields)
        }
        PlaceOrderError::IdempotencyKeyReused => Problem::new(ErrorCode::IdempotencyKeyReused),
        PlaceOrderError::Order(error) => order_problem(error),
    }
}

/// Place an order.
///
/// It is answered at once; stock and payment follow, which `GET /v1/orders/{id}` or the GraphQL
/// subscription `orderUpdated` shows. Sent again with the same key and body, the request leads to
/// the same order, and while the first is not answered yet, to 409.
#[utoipa::path(
    post,
    path = "/v1/orders",
    operation_id = "placeOrder",
    tag = "orders",
    security(("bearer" = [])),
    params(
        ("Idempotency-Key" = String, Header, description = "Names this attempt: 1 to 255 visible ASCII characters, for example a UUID", min_length = 1, max_length = 255, example = "8e03978e-40d5-43dd-bc93-6894a57f9324"),
    ),
    request_body = PlaceOrderBody,
    responses(
        (status = 201, description = "The order is accepted", body = OrderBody, headers(
            ("Location" = String, description = "Where the order is"),
            ("Idempotent-Replayed" = Option<String>, description = "`true` when an earlier request placed it"),
        )),
        (status = 400, description = "`malformed-json`, `idempotency-key-missing` or `idempotency-key-invalid`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "`unauthenticated` or `invalid-token`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "`idempotency-key-in-flight`: the first request with this key is not answered yet", body = ProblemBody, content_type = "application/problem+json"),
        (status = 413, description = "`payload-too-large`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported-media-type`", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "`validation`, or `idempotency-key-reused` with another body", body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "`unavailable`", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn handle(
    request: HttpRequest,
    caller: Authenticated,
    context: web::Data<Context>,
    Json(body): Json<PlaceOrderBody>,
) -> Result<HttpResponse, Problem> {
    let order = body.parse(idempotency_key(&request)?);
    let flight = context
        .in_flight
        .begin(caller.actor().user_id, &order.idempotency_key);
    let _flight = flight.ok_or_else(in_flight)?;
    context.limits.order(&caller.0).await?;
    let placed = context
        .orders
        .place(caller.actor(), &order)
        .await
        .map_err(place_problem)?;
    let is_replayed = matches!(placed, Placed::Replayed(_));
    let order = complete_one(&context.orders, placed.into_order()).await?;
    let mut response = HttpResponse::Created();
    response.insert_header((LOCATION, format!("/v1/orders/{}", order.id)));
    if is_replayed {
        response.insert_header((IDEMPOTENT_REPLAYED, "true"));
    }
    Ok(response.json(order))
}

/// The first one is answered in a moment.
fn in_flight() -> Problem {
    let moment = Duration::from_secs(1);
    Problem::new(ErrorCode::IdempotencyKeyInFlight).retry_after(moment)
}

fn idempotency_key(request: &HttpRequest) -> Result<IdempotencyKey, Problem> {
    let missing = || Problem::new(ErrorCode::IdempotencyKeyMissing);
    let value = request.headers().get(IDEMPOTENCY_KEY).ok_or_else(missing)?;
    let key = value.to_str().ok().and_then(|key| key.parse().ok());
    key.ok_or_else(|| Problem::new(ErrorCode::IdempotencyKeyInvalid))
}
