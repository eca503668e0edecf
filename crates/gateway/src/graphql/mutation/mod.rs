//! What can be changed, by subject. Failures that a person can mend are data: `userErrors`.

mod catalogue;
mod change_order;
mod orders;

use async_graphql::{MergedObject, SimpleObject};
use contracts::ErrorCode;

/// The root of all mutations.
#[derive(MergedObject, Default)]
pub struct Mutation(
    orders::OrderMutations,
    change_order::ChangeOrder,
    catalogue::CatalogueMutations,
);

/// Something that can be mended by another input.
#[derive(SimpleObject)]
struct UserError {
    /// Stable, for programs.
    code: &'static str,
    /// For people.
    message: String,
    /// The place in the input, for example `lines[0].quantity`.
    field: Option<String>,
}

impl UserError {
    /// An entry of the common table.
    fn of(code: ErrorCode, field: Option<&'static str>) -> Self {
        Self {
            code: code.as_str(),
            message: code.title().to_owned(),
            field: field.map(str::to_owned),
        }
    }

    fn at(field: impl Into<String>, code: &'static str, message: impl ToString) -> Self {
        Self {
            code,
            message: message.to_string(),
            field: Some(field.into()),
        }
    }
}

/// `lines[0].product_id`, as REST has it, becomes `lines[0].productId`.
fn camel_case(field: &str) -> String {
    let mut camel = String::with_capacity(field.len());
    let mut follows_underscore = false;
    for letter in field.chars() {
        if letter == '_' {
            follows_underscore = true;
        } else if std::mem::take(&mut follows_underscore) {
            camel.push(letter.to_ascii_uppercase());
        } else {
            camel.push(letter);
        }
    }
    camel
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_named_as_in_the_input() {
        assert_eq!(camel_case("lines[0].product_id"), "lines[0].productId");
        assert_eq!(camel_case("payment_method"), "paymentMethod");
    }
}
