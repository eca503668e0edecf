use chrono::{DateTime, TimeDelta, Utc};
use payment::signature::{SignatureError, TOLERANCE, sign, verify};
use proptest::prelude::*;
use secrecy::SecretString;

const BODY: &[u8] = br#"{"id":"evt_1"}"#;
/// Computed by another implementation: Python's `hmac`, for `whsec_test` and the time below.
const KNOWN: &str =
    "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

fn check(header: &str, body: &[u8], now: DateTime<Utc>) -> Result<(), SignatureError> {
    verify(header, body, &[secret("whsec_test")], now)
}

#[test]
fn the_signature_is_what_another_implementation_computes() {
    assert_eq!(sign(&[secret("whsec_test")], at(), BODY), KNOWN);
    assert_eq!(check(KNOWN, BODY, at()), Ok(()));
}

#[test]
fn a_signature_holds_for_five_minutes_in_both_directions() {
    let second = TimeDelta::seconds(1);
    let table = [
        (at() - TOLERANCE, Ok(())),
        (at() + TOLERANCE, Ok(())),
        (
            at() + TOLERANCE + second,
            Err(SignatureError::OutsideTolerance),
        ),
        (
            at() - TOLERANCE - second,
            Err(SignatureError::OutsideTolerance),
        ),
        (
            at() + TimeDelta::weeks(1),
            Err(SignatureError::OutsideTolerance),
        ),
    ];
    for (now, expected) in table {
        assert_eq!(check(KNOWN, BODY, now), expected, "at {now}");
    }
}

#[test]
fn a_signature_is_for_one_body_one_time_and_one_secret() {
    let signature = KNOWN.split_once("v1=").unwrap().1;
    let other_time = format!("t=1700000001,v1={signature}");
    // Equal as numbers, but not what was signed.
    let other_text = format!("t=01700000000,v1={signature}");
    let other_secret = sign(&[secret("whsec_other")], at(), BODY);
    let table: [(&str, &[u8]); 6] = [
        (KNOWN, br#"{"id":"evt_2"}"#),
        (KNOWN, br#"{"id": "evt_1"}"#),
        (KNOWN, b""),
        (&other_time, BODY),
        (&other_text, BODY),
        (&other_secret, BODY),
    ];
    for (header, body) in table {
        assert_eq!(
            check(header, body, at()),
            Err(SignatureError::Mismatch),
            "{header} over {body:?}"
        );
    }
}

#[test]
fn an_unsigned_time_says_nothing_so_the_signature_is_judged_first() {
    let old = format!("t=1,v1={}", "00".repeat(32));
    assert_eq!(check(&old, BODY, at()), Err(SignatureError::Mismatch));
}

#[test]
fn while_a_secret_is_rolled_any_pair_that_matches_will_do() {
    let (old, new, other) = (secret("old"), secret("new"), secret("other"));
    let both = [old.clone(), new.clone()];
    let accepted = |signers: &[SecretString], known: &[SecretString]| {
        verify(&sign(signers, at(), BODY), BODY, known, at())
    };
    assert_eq!(accepted(&both, std::slice::from_ref(&old)), Ok(()));
    assert_eq!(accepted(&both, std::slice::from_ref(&new)), Ok(()));
    assert_eq!(accepted(std::slice::from_ref(&new), &both), Ok(()));
    assert_eq!(
        accepted(&[other.clone(), new], &[old.clone(), secret("new")]),
        Ok(())
    );
    assert_eq!(accepted(&[other], &both), Err(SignatureError::Mismatch));
    assert_eq!(accepted(&both, &[]), Err(SignatureError::Mismatch));
}

#[test]
fn schemes_other_than_v1_are_ignored() {
    let with_test_scheme = format!("{KNOWN},v0={}", "ab".repeat(32));
    assert_eq!(check(&with_test_scheme, BODY, at()), Ok(()));
    let downgraded = KNOWN.replace("v1=", "v0=");
    assert_eq!(
        check(&downgraded, BODY, at()),
        Err(SignatureError::Malformed)
    );
}

#[test]
fn a_malformed_header_is_refused() {
    let signature = KNOWN.split_once("v1=").unwrap().1;
    let too_many = format!("t=1700000000{}", format!(",v1={signature}").repeat(9));
    let table = [
        String::new(),
        "nonsense".to_owned(),
        "t=1700000000".to_owned(),
        format!("v1={signature}"),
        format!("t=,v1={signature}"),
        format!("t=soon,v1={signature}"),
        format!("t=1700000000.5,v1={signature}"),
        format!("t=99999999999999999999,v1={signature}"),
        format!("t=9223372036854775807,v1={signature}"),
        format!("t=1700000000,t=1700000000,v1={signature}"),
        "t=1700000000,v1=".to_owned(),
        "t=1700000000,v1=xyz".to_owned(),
        format!("t=1700000000,v1={}", &signature[2..]),
        format!("t=1700000000,v1={signature}00"),
        format!("t=1700000000,v1={signature},"),
        too_many,
    ];
    for header in table {
        assert_eq!(
            check(&header, BODY, at()),
            Err(SignatureError::Malformed),
            "{header:?}"
        );
    }
}

proptest! {
    #[test]
    fn what_is_signed_verifies(body: Vec<u8>, key in "\\PC{0,100}", seconds in 0i64..4_000_000_000) {
        let at = DateTime::from_timestamp(seconds, 0).unwrap();
        let secrets = [secret(&key)];
        prop_assert_eq!(verify(&sign(&secrets, at, &body), &body, &secrets, at), Ok(()));
    }

    #[test]
    fn no_header_panics(header in "\\PC{0,200}") {
        let _ = check(&header, BODY, at());
    }
}
