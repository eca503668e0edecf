//! What the client makes of a provider that fails, spoken to over a real socket. Each outcome has
//! to answer whether the customer may have been charged.

use std::{error::Error, time::Duration};

use kernel::{Clock, Currency, Money, OrderId, SystemClock};
use payment::{
    CreateIntent, Failure, Intent, MAX_RESPONSE_BYTES, PaymentError, Stripe, StripeConfig,
    StripeConfigError,
};
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A timeout that no test waits for.
const LONG: Duration = Duration::from_secs(30);

/// What the provider does with the one call it gets.
enum Provider {
    Answers(Vec<u8>),
    Hangs,
    Closes,
}

fn answers(status: u16, body: &str) -> Provider {
    answers_with_length(status, body, body.len())
}

fn answers_with_length(status: u16, body: &str, length: usize) -> Provider {
    Provider::Answers(
        format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nlocation: /\r\n\r\n{body}")
            .into_bytes(),
    )
}

/// Charges once. Also returns the request as the provider saw it.
async fn charge(provider: Provider) -> (Result<Intent, PaymentError>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let serve = async |provider| {
        let (mut connection, _) = listener.accept().await.unwrap();
        let request = read_request(&mut connection).await;
        match provider {
            Provider::Answers(answer) => {
                // The client may hang up on an answer that it has seen enough of.
                let _ = connection.write_all(&answer).await;
                let _ = connection.shutdown().await;
                let _ = connection.read_to_end(&mut Vec::new()).await;
            }
            Provider::Hangs => {
                let _ = connection.read_to_end(&mut Vec::new()).await;
            }
            Provider::Closes => {}
        }
        request
    };
    let stripe = match provider {
        Provider::Hangs => stripe(&address, Duration::from_millis(300)),
        Provider::Answers(_) | Provider::Closes => stripe(&address, LONG),
    };
    let intent = new_intent();
    let call = async {
        let result = stripe.create_intent(&intent).await;
        drop(stripe);
        result
    };
    tokio::join!(call, serve(provider))
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        assert_ne!(connection.read_buf(&mut request).await.unwrap(), 0);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap()
            .parse::<usize>()
            .unwrap();
        if body.len() == length {
            return text.into_owned();
        }
    }
}

fn stripe(address: &str, timeout: Duration) -> Stripe {
    let mut config = StripeConfig::new(address.parse().unwrap(), SecretString::from("sk_test_1"));
    config.timeout = timeout;
    Stripe::new(config).unwrap()
}

fn new_intent() -> CreateIntent {
    CreateIntent {
        amount: Money::new(1250, Currency::EUR),
        payment_method: "pm_card_visa".to_owned(),
        order_id: OrderId::generate(SystemClock.now()),
        idempotency_key: "attempt-1".to_owned(),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    }
}

const DECLINED: &str = r#"{"error":{"type":"card_error","code":"card_declined",
    "decline_code":"insufficient_funds","message":"No.","payment_intent":{"id":"pi_1"}}}"#;

#[tokio::test]
async fn a_call_carries_its_headers_and_an_encoded_form() {
    let (_, request) = charge(answers(500, "")).await;
    for part in [
        "POST /v1/payment_intents HTTP/1.1\r\n",
        "authorization: Bearer sk_test_1\r\n",
        "idempotency-key: attempt-1\r\n",
        "stripe-version: 2025-03-31.basil\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n",
        "amount=1250&currency=eur&payment_method=pm_card_visa&confirm=true",
        "metadata%5Border_id%5D=",
    ] {
        assert!(request.contains(part), "{part:?} is not in {request}");
    }
}

#[tokio::test]
async fn a_refused_card_is_a_definite_decline() {
    let (result, _) = charge(answers(402, DECLINED)).await;
    let Err(PaymentError::Declined {
        code,
        message,
        intent_id,
    }) = result
    else {
        panic!("not declined: {result:?}")
    };
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("insufficient_funds", "No.")
    );
    assert_eq!(intent_id.as_deref(), Some("pi_1"));
}

#[tokio::test]
async fn what_may_have_charged_is_unknown() {
    let longer = MAX_RESPONSE_BYTES + 1;
    let table = [
        ("no answer in time", Provider::Hangs),
        ("connection closed", Provider::Closes),
        ("server error", answers(500, "")),
        ("bad gateway", answers(502, "<html>")),
        ("unavailable", answers(503, "")),
        ("gateway timeout", answers(504, "")),
        ("success that isn't JSON", answers(200, "<html>")),
        ("success without an intent", answers(200, "{}")),
        ("success cut short", answers_with_length(200, "{", 1_000)),
        ("success without end", answers(200, &" ".repeat(longer))),
        ("another success", answers(202, "{}")),
        (
            "the same key under way",
            answers(409, r#"{"error":{"type":"idempotency_error"}}"#),
        ),
        ("a proxy's 402", answers(402, "<html>")),
        (
            "a decline cut short",
            answers_with_length(402, DECLINED, 10_000),
        ),
    ];
    for (what, provider) in table {
        let (result, _) = charge(provider).await;
        assert!(
            matches!(result, Err(PaymentError::Unknown(_))),
            "{what}: {result:?}"
        );
    }
}

#[tokio::test]
async fn what_was_turned_away_unprocessed_is_unavailable() {
    let (result, _) = charge(answers(429, "{}")).await;
    assert!(
        matches!(result, Err(PaymentError::Unavailable(_))),
        "{result:?}"
    );

    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", closed.local_addr().unwrap());
    drop(closed);
    let result = stripe(&address, LONG).create_intent(&new_intent()).await;
    assert!(
        matches!(result, Err(PaymentError::Unavailable(_))),
        "{result:?}"
    );
}

#[tokio::test]
async fn what_is_our_fault_is_rejected() {
    for status in [301, 307, 400, 401, 403, 404, 405, 413, 422] {
        let (result, _) = charge(answers(status, "{}")).await;
        assert!(
            matches!(result, Err(PaymentError::Rejected(_))),
            "{status}: {result:?}"
        );
    }
    let unsendable = CreateIntent {
        idempotency_key: "two\nlines".to_owned(),
        ..new_intent()
    };
    let result = stripe("http://127.0.0.1:9", LONG)
        .create_intent(&unsendable)
        .await;
    assert!(
        matches!(result, Err(PaymentError::Rejected(_))),
        "{result:?}"
    );
}

#[tokio::test]
async fn a_refusal_keeps_the_providers_reason() {
    let body = r#"{"error":{"type":"invalid_request_error","code":"amount_too_small","message":"Too small."}}"#;
    let (result, _) = charge(answers(400, body)).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), Some("amount_too_small"));
    assert_eq!(
        error.source().unwrap().to_string(),
        "status 400 (amount_too_small): Too small."
    );
}

#[tokio::test]
async fn every_failure_keeps_its_cause() {
    let (result, _) = charge(answers(200, &" ".repeat(MAX_RESPONSE_BYTES + 1))).await;
    let Err(PaymentError::Unknown(Failure::TooLarge { limit })) = result else {
        panic!("not too large: {result:?}")
    };
    assert_eq!(limit, MAX_RESPONSE_BYTES);

    let (result, _) = charge(Provider::Hangs).await;
    let Err(PaymentError::Unknown(Failure::Transport(cause))) = result else {
        panic!("no transport failure: {result:?}")
    };
    assert!(cause.is_timeout());
}

#[test]
fn a_configuration_that_can_not_work_is_refused() {
    let new = |address: &str, key: &str| {
        let address = address.parse().unwrap();
        Stripe::new(StripeConfig::new(address, SecretString::from(key)))
    };
    assert!(matches!(
        new("mailto:shop@example.com", "sk"),
        Err(StripeConfigError::Address(_))
    ));
    assert!(matches!(
        new("https://api.stripe.com", "two\nlines"),
        Err(StripeConfigError::SecretKey)
    ));
    let debug = format!("{:?}", new("https://api.stripe.com", "sk_live_1").unwrap());
    assert!(!debug.contains("sk_live_1"), "{debug}");
}
