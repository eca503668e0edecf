//! Orders.

use async_graphql::{Context, Error, ID, InputObject, Object, SimpleObject};
use contracts::ErrorCode;
use orders::domain::{PlaceOrder, RequestedLine};
use orders::{Orders, PlaceOrderError};

use super::{UserError, camel_case};
use crate::graphql::access::ByTable;
use crate::graphql::failure::{caller, order_failure, too_many_failure};
use crate::graphql::model::Order;
use crate::limits::Limits;

#[derive(Default)]
pub(super) struct OrderMutations;

#[Object(guard = "ByTable(\"Mutation\")")]
impl OrderMutations {
    /// Places an order. It is answered at once; `orderUpdated` tells how it goes on.
    async fn place_order(
        &self,
        context: &Context<'_>,
        input: PlaceOrderInput,
    ) -> Result<PlaceOrderPayload, Error> {
        let actor = &caller(context)?.actor;
        let request = match input.parse() {
            Ok(request) => request,
            Err(user_errors) => return Ok(PlaceOrderPayload::refused(user_errors)),
        };
        let counted = context.data::<Limits>()?.order(caller(context)?).await;
        counted.map_err(|too_many| too_many_failure(&too_many))?;
        match context.data::<Orders>()?.place(actor, &request).await {
            Ok(placed) => Ok(PlaceOrderPayload {
                order: Some(placed.into_order().into()),
                user_errors: Vec::new(),
            }),
            Err(error) => refusal(error).map(PlaceOrderPayload::refused),
        }
    }
}

/// An order to be placed.
#[derive(InputObject)]
struct PlaceOrderInput {
    /// Names this attempt: sent again with the same input, it leads to the same order. 1 to 255
    /// visible ASCII characters, for example a UUID.
    idempotency_key: String,
    /// What is ordered, at most 50 products.
    lines: Vec<OrderLineInput>,
    /// The payment provider's token, for example `pm_card_visa`.
    payment_method: String,
}

/// One product of an order to be placed.
#[derive(InputObject)]
struct OrderLineInput {
    product_id: ID,
    /// 1 to 1,000.
    quantity: i32,
}

/// What became of an order that was to be placed: the order, or the reasons why there is none.
#[derive(SimpleObject)]
struct PlaceOrderPayload {
    order: Option<Order>,
    user_errors: Vec<UserError>,
}

impl PlaceOrderInput {
    fn parse(self) -> Result<PlaceOrder, Vec<UserError>> {
        let mut errors = Vec::new();
        let key = self.idempotency_key.parse();
        if let Err(error) = &key {
            let code = ErrorCode::IdempotencyKeyInvalid.as_str();
            errors.push(UserError::at("idempotencyKey", code, error));
        }
        let mut lines = Vec::with_capacity(self.lines.len());
        for (index, line) in self.lines.iter().enumerate() {
            match line.product_id.parse() {
                Ok(product_id) => {
                    lines.push(RequestedLine {
                        product_id,
                        quantity: line.quantity.into(),
                    });
                }
                Err(error) => {
                    let field = format!("lines[{index}].productId");
                    errors.push(UserError::at(field, "invalid", error));
                }
            }
        }
        match key {
            Ok(idempotency_key) if errors.is_empty() => Ok(PlaceOrder {
                idempotency_key,
                lines,
                payment_method: self.payment_method,
            }),
            _ => Err(errors),
        }
    }
}

impl PlaceOrderPayload {
    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            order: None,
            user_errors,
        }
    }
}

/// What the person can mend, or the error that they can't.
fn refusal(error: PlaceOrderError) -> Result<Vec<UserError>, Error> {
    match error {
        PlaceOrderError::Invalid(fields) => {
            let errors = fields.into_iter().map(|problem| {
                UserError::at(camel_case(&problem.field), problem.code, problem.message)
            });
            Ok(errors.collect())
        }
        PlaceOrderError::IdempotencyKeyReused => {
            let code = ErrorCode::IdempotencyKeyReused;
            Ok(vec![UserError::at(
                "idempotencyKey",
                code.as_str(),
                code.title(),
            )])
        }
        PlaceOrderError::Order(error) => Err(order_failure(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(idempotency_key: &str, product_id: &str) -> PlaceOrderInput {
        PlaceOrderInput {
            idempotency_key: idempotency_key.to_owned(),
            lines: vec![OrderLineInput {
                product_id: product_id.into(),
                quantity: 1,
            }],
            payment_method: "pm_card_visa".to_owned(),
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_in_the_input() {
        let errors = input("two words", "nonsense").parse().unwrap_err();
        let places: Vec<_> = errors
            .iter()
            .map(|error| error.field.as_deref().unwrap())
            .collect();
        assert_eq!(places, ["idempotencyKey", "lines[0].productId"]);
        assert!(
            input("key", "0198c0de-0000-7000-8000-000000000000")
                .parse()
                .is_ok()
        );
    }
}
