use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// An amount in the currency's minor units (cents for EUR). Never a floating-point number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    pub amount: i64,
    pub currency: Currency,
}

/// An ISO 4217 currency code: three upper-case letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("the amount does not fit")]
    Overflow,
    #[error("the currencies differ")]
    CurrencyMismatch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an ISO 4217 currency code (three upper-case letters)")]
pub struct InvalidCurrency;

impl Money {
    #[must_use]
    pub const fn new(amount: i64, currency: Currency) -> Self {
        Self { amount, currency }
    }

    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch);
        }
        let amount = self
            .amount
            .checked_add(other.amount)
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }

    pub fn checked_mul(self, factor: u32) -> Result<Self, MoneyError> {
        let amount = self
            .amount
            .checked_mul(i64::from(factor))
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { amount, ..self })
    }
}

impl fmt::Display for Money {
    /// For people: `12.50 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.currency.minor_digits();
        let sign = if self.amount < 0 { "-" } else { "" };
        let amount = self.amount.unsigned_abs();
        if digits == 0 {
            return write!(f, "{sign}{amount} {}", self.currency);
        }
        let unit = 10u64.pow(digits);
        let (whole, rest) = (amount / unit, amount % unit);
        let width = digits as usize;
        write!(f, "{sign}{whole}.{rest:0width$} {}", self.currency)
    }
}

impl Currency {
    pub const EUR: Self = Self(*b"EUR");

    /// How many decimals the minor unit is (ISO 4217, list one).
    const fn minor_digits(self) -> u32 {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG"
            | b"RWF" | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    pub fn parse(code: &str) -> Result<Self, InvalidCurrency> {
        match <[u8; 3]>::try_from(code.as_bytes()) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_uppercase) => Ok(Self(bytes)),
            _ => Err(InvalidCurrency),
        }
    }

    #[must_use]
    pub fn code(&self) -> &str {
        // Both constructors admit ASCII letters only, so this is always valid UTF-8.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Currency {
    type Err = InvalidCurrency;

    fn from_str(code: &str) -> Result<Self, Self::Err> {
        Self::parse(code)
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidCurrency;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        Self::parse(&code)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn currencies_do_not_mix() {
        let usd = Currency::parse("USD").unwrap();
        let sum = Money::new(1, Currency::EUR).checked_add(Money::new(1, usd));
        assert_eq!(sum, Err(MoneyError::CurrencyMismatch));
    }

    #[test]
    fn people_read_amounts_with_the_decimals_of_their_currency() {
        for (amount, code, expected) in [
            (1250, "EUR", "12.50 EUR"),
            (5, "EUR", "0.05 EUR"),
            (-1999, "USD", "-19.99 USD"),
            (700, "JPY", "700 JPY"),
            (1001, "KWD", "1.001 KWD"),
            (i64::MIN, "EUR", "-92233720368547758.08 EUR"),
        ] {
            let money = Money::new(amount, Currency::parse(code).unwrap());
            assert_eq!(money.to_string(), expected);
        }
    }

    #[test]
    fn a_currency_is_three_upper_case_letters() {
        for code in ["", "eur", "EU", "EURO", "E1R", "€€€"] {
            assert_eq!(Currency::parse(code), Err(InvalidCurrency), "{code:?}");
        }
        assert_eq!(Currency::parse("EUR"), Ok(Currency::EUR));
    }

    proptest! {
        #[test]
        fn multiplying_is_repeated_adding(amount in -1_000_000i64..1_000_000, factor in 0u32..50) {
            let unit = Money::new(amount, Currency::EUR);
            let sum = (0..factor).try_fold(Money::new(0, Currency::EUR), |sum, _| sum.checked_add(unit));
            prop_assert_eq!(unit.checked_mul(factor), sum);
        }

        #[test]
        fn overflow_is_an_error_and_never_wraps(amount in (i64::MAX / 2 + 1)..i64::MAX) {
            prop_assert_eq!(Money::new(amount, Currency::EUR).checked_mul(2), Err(MoneyError::Overflow));
        }
    }
}
