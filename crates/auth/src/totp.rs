//! Time-based one-time passwords (RFC 6238) as every authenticator app makes them: HMAC-SHA-1 over
//! the number of the 30-second step, six digits. Pure: the caller brings the time, and stores which
//! step was accepted last.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use chrono::{DateTime, Utc};
use totp_rs::{Builder, Totp, TotpError};

/// RFC 4226 §4 recommends 160 bits.
const SECRET_BYTES: usize = 20;
const PERIOD_SECONDS: u64 = 30;
/// What apps show above the code.
const ISSUER: &str = "Plumbline";

/// What the server and the app share.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TotpSecret([u8; SECRET_BYTES]);

/// The number of a 30-second period since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step(pub i64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a TOTP secret has {SECRET_BYTES} bytes")]
pub(crate) struct DamagedSecret;

impl TotpSecret {
    /// # Errors
    /// If the operating system has no randomness to give.
    pub(crate) fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut bytes = [0; SECRET_BYTES];
        SystemRandom::new().fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// Reads what [`Self::expose`] gave.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, DamagedSecret> {
        bytes.try_into().map(Self).map_err(|_| DamagedSecret)
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Base32 without padding, to be typed into an app.
    pub(crate) fn to_base32(&self) -> String {
        totp_rs::Secret::from(self.0).to_base32()
    }

    /// The `otpauth:` URI that apps read from a QR code (the Key URI Format of Google
    /// Authenticator).
    ///
    /// # Errors
    /// If the account's name has a colon.
    pub(crate) fn uri(&self, account: &str) -> Result<String, TotpError> {
        let builder = self.builder().with_issuer(Some(ISSUER));
        builder.with_account_name(account).build()?.to_url()
    }

    /// The step of which `code` is, if that is the current one or its predecessor, and later than
    /// `last`: no step is accepted twice (RFC 6238 §5.2), and none ahead of time. Spaces in the code
    /// do not count. The time that this takes does not depend on the digits.
    pub(crate) fn verify(
        &self,
        code: &str,
        last: Option<Step>,
        now: DateTime<Utc>,
    ) -> Option<Step> {
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let totp = self.totp();
        let current = u64::try_from(now.timestamp()).ok()? / PERIOD_SECONDS;
        let matches = [current.checked_sub(1), Some(current)]
            .map(|step| totp.check(&code, step?.checked_mul(PERIOD_SECONDS)?));
        // The later one, if both have this code, so that it is used up in both.
        let step = matches.into_iter().flatten().max()?;
        let step = Step(i64::try_from(step).ok()?);
        (last < Some(step)).then_some(step)
    }

    fn totp(&self) -> Totp {
        // It skips checks that these parameters pass: six digits, a secret of 128 bits or more.
        self.builder().build_noncompliant()
    }

    /// SHA-1, six digits and 30 seconds are the library's defaults, and what every app can do.
    fn builder(&self) -> Builder {
        Builder::new()
            .with_secret(self.0)
            .with_step_duration(PERIOD_SECONDS)
            .with_skew(0)
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6238, appendix B.
    const RFC_SECRET: TotpSecret = TotpSecret(*b"12345678901234567890");

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    fn code(secret: &TotpSecret, seconds: i64) -> String {
        let seconds = seconds.try_into().unwrap();
        secret.totp().generate(seconds).to_string()
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238_appendix_b() {
        for (seconds, eight_digits) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let six_digits = &eight_digits[2..];
            assert_eq!(code(&RFC_SECRET, seconds), six_digits);
            let step = RFC_SECRET.verify(six_digits, None, at(seconds));
            assert_eq!(step, Some(Step(seconds / 30)));
        }
    }

    #[test]
    fn what_is_no_code_is_refused_and_spaces_do_not_matter() {
        for text in [
            "",
            "28708",
            "2870820",
            "28708x",
            "+28708",
            "２８７０８２",
            "\u{0}",
        ] {
            assert_eq!(RFC_SECRET.verify(text, None, at(59)), None, "{text}");
        }
        assert!(RFC_SECRET.verify(" 287 082 ", None, at(59)).is_some());
        assert_eq!(RFC_SECRET.verify("287082", None, at(-59)), None);
    }

    #[test]
    fn the_uri_and_the_text_are_what_apps_read() {
        assert_eq!(RFC_SECRET.to_base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            RFC_SECRET.uri("ada+1@example.com").unwrap(),
            "otpauth://totp/Plumbline:ada%2B1%40example.com\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Plumbline"
        );
    }

    #[test]
    fn debug_output_keeps_the_secret_and_a_damaged_one_is_refused() {
        assert_eq!(format!("{RFC_SECRET:?}"), "TotpSecret([redacted])");
        assert_eq!(TotpSecret::from_bytes(&[0; 19]), Err(DamagedSecret));
    }

    proptest! {
        #[test]
        fn a_code_works_in_its_step_and_the_next_and_once(
            secret: [u8; SECRET_BYTES],
            made_at in 0_i64..100_000_000_000,
            later in -90_i64..150,
        ) {
            let secret = TotpSecret(secret);
            let now = (made_at + later).max(0);
            let age = now / 30 - made_at / 30;
            let step = secret.verify(&code(&secret, made_at), None, at(now));
            if age == 0 || age == 1 {
                let step = step.unwrap();
                prop_assert!(step >= Step(made_at / 30));
                let again = secret.verify(&code(&secret, made_at), Some(step), at(now));
                prop_assert_eq!(again, None);
            } else {
                // Another step has the same code once in a million times.
                prop_assert!(step.is_none_or(|step| code(&secret, step.0 * 30) == code(&secret, made_at)));
            }
        }
    }
}
