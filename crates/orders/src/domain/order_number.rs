use kernel::OrderId;

/// Crockford's base 32: no I, L, O or U, so that a number survives being read out.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DIGITS: u32 = 10;

/// What people call an order: `PL-` and ten digits made of the id's random bits. It tells nobody
/// how many orders there are.
#[must_use]
pub fn order_number(id: OrderId) -> String {
    let bits = id.as_uuid().as_u128();
    let digit = |position: u32| char::from(ALPHABET[(bits >> (5 * position)) as usize % 32]);
    let digits: String = (0..DIGITS).rev().map(digit).collect();
    format!("PL-{digits}")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_number_is_a_prefix_and_ten_digits_of_the_id() {
        assert_eq!(
            order_number(Uuid::from_u128(31 + 32).into()),
            "PL-000000001Z"
        );
    }
}
