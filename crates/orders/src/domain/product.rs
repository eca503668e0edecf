use kernel::{Money, ProductId};
use serde::Serialize;

use super::{IdempotencyKey, InvalidField, MAX_TOTAL};

/// In characters.
pub const MAX_NAME: usize = 200;
/// In characters.
pub const MAX_DESCRIPTION: usize = 2_000;
/// In pieces, of one product at once; every API's integer holds it.
pub const MAX_STOCK: i64 = 1_000_000_000;

/// A product to be sold, as it came in.
#[derive(Clone, Debug, Serialize)]
pub struct CreateProduct {
    #[serde(skip)]
    pub idempotency_key: IdempotencyKey,
    pub name: String,
    pub description: String,
    pub price: Money,
    /// In pieces.
    pub stock: i64,
}

/// A change of a product; what is `None` stays as it is.
#[derive(Clone, Debug)]
pub struct UpdateProduct {
    pub product_id: ProductId,
    /// The version that was looked at.
    pub version: i32,
    pub name: Option<String>,
    pub description: Option<String>,
    pub price: Option<Money>,
}

/// Pieces that came in, or are gone.
#[derive(Clone, Debug, Serialize)]
pub struct AdjustStock {
    #[serde(skip)]
    pub idempotency_key: IdempotencyKey,
    pub product_id: ProductId,
    /// Below zero: so many are gone.
    pub delta: i64,
}

impl CreateProduct {
    /// Everything that is wrong with the request by itself.
    #[must_use]
    pub fn problems(&self) -> Vec<InvalidField> {
        let mut problems = Vec::new();
        problems.extend(of_name(&self.name));
        problems.extend(of_description(&self.description));
        problems.extend(of_price(self.price));
        if !(0..=MAX_STOCK).contains(&self.stock) {
            let message = format!("the stock is 0 to {MAX_STOCK}");
            problems.push(InvalidField::new("stock", "out_of_range", message));
        }
        problems
    }
}

impl UpdateProduct {
    /// Everything that is wrong with the request by itself.
    #[must_use]
    pub fn problems(&self) -> Vec<InvalidField> {
        let Self {
            product_id: _,
            version: _,
            name,
            description,
            price,
        } = self;
        if name.is_none() && description.is_none() && price.is_none() {
            let message = "give a name, a description or a price";
            return vec![InvalidField::new("name", "required", message)];
        }
        let mut problems = Vec::new();
        problems.extend(name.as_deref().and_then(of_name));
        problems.extend(description.as_deref().and_then(of_description));
        problems.extend(price.and_then(of_price));
        problems
    }
}

impl AdjustStock {
    /// Everything that is wrong with the request by itself.
    #[must_use]
    pub fn problems(&self) -> Vec<InvalidField> {
        let is_possible = self.delta != 0 && (-MAX_STOCK..=MAX_STOCK).contains(&self.delta);
        let message = || format!("the change is at most {MAX_STOCK} up or down, and not 0");
        let problem = || InvalidField::new("delta", "out_of_range", message());
        (!is_possible).then(problem).into_iter().collect()
    }
}

fn of_name(name: &str) -> Option<InvalidField> {
    let is_valid = (1..=MAX_NAME).contains(&name.chars().count())
        && name.trim() == name
        && !name.chars().any(char::is_control);
    let message =
        || format!("a name has 1 to {MAX_NAME} printable characters, without spaces around them");
    (!is_valid).then(|| InvalidField::new("name", "invalid", message()))
}

fn of_description(description: &str) -> Option<InvalidField> {
    let is_odd = |letter: char| letter.is_control() && letter != '\n';
    let is_valid = description.chars().count() <= MAX_DESCRIPTION && !description.contains(is_odd);
    let message =
        || format!("a description has at most {MAX_DESCRIPTION} characters, printable ones");
    (!is_valid).then(|| InvalidField::new("description", "invalid", message()))
}

/// One piece must fit into an order.
fn of_price(price: Money) -> Option<InvalidField> {
    let message = || format!("a price is 1 to {MAX_TOTAL} minor units");
    let is_valid = (1..=MAX_TOTAL).contains(&price.amount);
    (!is_valid).then(|| InvalidField::new("price.amount", "out_of_range", message()))
}

#[cfg(test)]
mod tests {
    use kernel::Currency;
    use uuid::Uuid;

    use super::*;

    fn new_product() -> CreateProduct {
        CreateProduct {
            idempotency_key: "key".parse().unwrap(),
            name: "Plumb bob".to_owned(),
            description: String::new(),
            price: Money::new(1, Currency::EUR),
            stock: 0,
        }
    }

    fn fields(problems: Vec<InvalidField>) -> Vec<(String, &'static str)> {
        let told = |problem: InvalidField| (problem.field, problem.code);
        problems.into_iter().map(told).collect()
    }

    #[test]
    fn the_least_and_the_most_are_accepted() {
        assert_eq!(new_product().problems(), []);
        let largest = CreateProduct {
            name: "ä".repeat(MAX_NAME),
            description: "two\nlines ".repeat(MAX_DESCRIPTION / 10),
            price: Money::new(MAX_TOTAL, Currency::EUR),
            stock: MAX_STOCK,
            ..new_product()
        };
        assert_eq!(largest.problems(), []);
    }

    #[test]
    fn every_field_is_judged() {
        let odd = CreateProduct {
            name: " ".to_owned(),
            description: "\0".to_owned(),
            price: Money::new(0, Currency::EUR),
            stock: -1,
            ..new_product()
        };
        let expected = [
            ("name".to_owned(), "invalid"),
            ("description".to_owned(), "invalid"),
            ("price.amount".to_owned(), "out_of_range"),
            ("stock".to_owned(), "out_of_range"),
        ];
        assert_eq!(fields(odd.problems()), expected);
        let change = UpdateProduct {
            product_id: Uuid::nil().into(),
            version: 1,
            name: Some(odd.name),
            description: Some(odd.description),
            price: Some(odd.price),
        };
        assert_eq!(fields(change.problems()), expected[..3]);
    }

    #[test]
    fn names_are_short_and_printable() {
        for name in ["", " a", "a ", "a\nb", "a\u{7f}", &"x".repeat(MAX_NAME + 1)] {
            assert!(of_name(name).is_some(), "{name:?}");
        }
        assert!(of_description(&"x".repeat(MAX_DESCRIPTION + 1)).is_some());
        assert!(of_price(Money::new(MAX_TOTAL + 1, Currency::EUR)).is_some());
    }

    #[test]
    fn a_change_of_nothing_is_none() {
        let change = UpdateProduct {
            product_id: Uuid::nil().into(),
            version: 1,
            name: None,
            description: None,
            price: None,
        };
        assert_eq!(fields(change.problems()), [("name".to_owned(), "required")]);
        for (delta, is_refused) in [
            (0, true),
            (1, false),
            (-1, false),
            (MAX_STOCK, false),
            (-MAX_STOCK, false),
            (MAX_STOCK + 1, true),
            (i64::MIN, true),
        ] {
            let change = AdjustStock {
                idempotency_key: "key".parse().unwrap(),
                product_id: Uuid::nil().into(),
                delta,
            };
            assert_eq!(!change.problems().is_empty(), is_refused, "{delta}");
        }
    }
}
