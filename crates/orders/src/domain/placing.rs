use std::collections::HashSet;

use kernel::ProductId;
use serde::Serialize;

use super::IdempotencyKey;

pub const MAX_LINES: usize = 50;
pub const MAX_QUANTITY: i64 = 1_000;
/// In minor units of any currency: what a payment provider charges at most
/// (<https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts>).
pub const MAX_TOTAL: i64 = 99_999_999;
const MAX_PAYMENT_METHOD: usize = 100;

/// A customer's wish, as it came in.
#[derive(Clone, Debug)]
pub struct PlaceOrder {
    pub idempotency_key: IdempotencyKey,
    pub lines: Vec<RequestedLine>,
    /// The payment provider's token for a card; card numbers never come here.
    pub payment_method: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct RequestedLine {
    pub product_id: ProductId,
    pub quantity: i64,
}

/// Why one field of a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// For example `lines[0].quantity`.
    pub field: String,
    /// A stable code, for example `out_of_range`.
    pub code: &'static str,
    pub message: String,
}

impl InvalidField {
    pub(crate) fn new(
        field: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        Self {
            field: field.into(),
            code,
            message: message.into(),
        }
    }
}

impl PlaceOrder {
    /// Everything that is wrong with the request by itself, before the catalogue is asked.
    #[must_use]
    pub fn problems(&self) -> Vec<InvalidField> {
        let mut problems = Vec::new();
        if !(1..=MAX_LINES).contains(&self.lines.len()) {
            let message = format!("an order has 1 to {MAX_LINES} lines");
            problems.push(InvalidField::new("lines", "out_of_range", message));
        }
        let mut seen = HashSet::new();
        for (index, line) in self.lines.iter().take(MAX_LINES).enumerate() {
            if !(1..=MAX_QUANTITY).contains(&line.quantity) {
                let field = format!("lines[{index}].quantity");
                let message = format!("the quantity is 1 to {MAX_QUANTITY}");
                problems.push(InvalidField::new(field, "out_of_range", message));
            }
            if !seen.insert(line.product_id) {
                let field = format!("lines[{index}].product_id");
                let message = "this product is in an earlier line: add the quantities up";
                problems.push(InvalidField::new(field, "duplicate", message));
            }
        }
        if !is_token(&self.payment_method) {
            let message = "a payment method is the provider's token, for example pm_card_visa";
            problems.push(InvalidField::new("payment_method", "invalid", message));
        }
        problems
    }
}

fn is_token(text: &str) -> bool {
    (1..=MAX_PAYMENT_METHOD).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn request(lines: &[(u128, i64)]) -> PlaceOrder {
        PlaceOrder {
            idempotency_key: "key".parse().unwrap(),
            lines: lines
                .iter()
                .map(|&(id, quantity)| RequestedLine {
                    product_id: Uuid::from_u128(id).into(),
                    quantity,
                })
                .collect(),
            payment_method: "pm_card_visa".into(),
        }
    }

    fn refused(request: &PlaceOrder) -> Vec<(String, &'static str)> {
        request
            .problems()
            .into_iter()
            .map(|problem| (problem.field, problem.code))
            .collect()
    }

    #[test]
    fn a_proper_request_has_no_problems() {
        assert_eq!(refused(&request(&[(1, 1), (2, MAX_QUANTITY)])), []);
    }

    #[test]
    fn every_problem_is_told_with_its_field() {
        let mut bad = request(&[(1, 0), (2, -1), (1, MAX_QUANTITY + 1)]);
        bad.payment_method = "4242 4242 4242 4242".into();
        assert_eq!(
            refused(&bad),
            [
                ("lines[0].quantity".into(), "out_of_range"),
                ("lines[1].quantity".into(), "out_of_range"),
                ("lines[2].quantity".into(), "out_of_range"),
                ("lines[2].product_id".into(), "duplicate"),
                ("payment_method".into(), "invalid"),
            ]
        );
    }

    #[test]
    fn an_order_has_one_to_fifty_lines() {
        let many: Vec<_> = (0..=MAX_LINES as u128).map(|id| (id, 1)).collect();
        for lines in [&[][..], &many] {
            assert_eq!(refused(&request(lines)), [("lines".into(), "out_of_range")]);
        }
    }
}
