//! What a caller gets wrong: refused with Stripe's error object, and nothing written.

use payment::{PaymentError, Stripe, StripeConfig};
use payment_double::TestToken;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

use crate::support::{Provider, SECRET_KEY};

const VALID: &str = "amount=100&currency=eur&payment_method=pm_card_visa&confirm=true";

async fn call(provider: &Provider, method: Method, path: &str, form: &str) -> (u16, Value) {
    let url = format!("{}{path}", provider.base_url);
    let request = provider.http.request(method, url).bearer_auth(SECRET_KEY);
    let answer = request.body(form.to_owned()).send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (
        status,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

#[tokio::test]
async fn a_wrong_charge_is_refused_and_nothing_is_written() {
    let provider = Provider::start(|_| {});
    let table = [
        ("", "currency"),
        (
            "currency=eur&payment_method=pm_card_visa&confirm=true",
            "amount",
        ),
        (
            "amount=100&payment_method=pm_card_visa&confirm=true",
            "currency",
        ),
        ("amount=100&currency=eur&confirm=true", "payment_method"),
        (
            "amount=100&currency=eur&payment_method=pm_card_visa",
            "confirm",
        ),
        (&VALID.replace("100", "0"), "amount"),
        (&VALID.replace("100", "-100"), "amount"),
        (&VALID.replace("100", "1.5"), "amount"),
        (&VALID.replace("100", "100000000"), "amount"),
        (&VALID.replace("100", "99999999999999999999"), "amount"),
        (&VALID.replace("eur", "EUR"), "currency"),
        (&VALID.replace("eur", "euro"), "currency"),
        (
            &VALID.replace("pm_card_visa", "pm_card_amex"),
            "payment_method",
        ),
        (&VALID.replace("true", "false"), "confirm"),
        (&format!("{VALID}&amount=100"), "amount"),
        (&format!("{VALID}&surprise=1"), "surprise"),
        (&format!("{VALID}&metadata=1"), "metadata"),
        (
            &format!("{VALID}&automatic_payment_methods[enabled]=false"),
            "automatic_payment_methods[enabled]",
        ),
        (
            &format!("{VALID}&metadata[note]={}", "x".repeat(501)),
            "metadata",
        ),
    ];
    for (form, param) in table {
        let param = if form.is_empty() { "amount" } else { param };
        let (status, answer) = call(&provider, Method::POST, "/v1/payment_intents", form).await;
        assert_eq!(status, 400, "{form}: {answer}");
        assert_eq!(answer["error"]["type"], "invalid_request_error", "{form}");
        assert_eq!(answer["error"]["param"], param, "{form}");
    }
    let ledger = provider.get("/double/ledger").await;
    assert_eq!(ledger["intents"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn a_wrong_list_or_refund_is_refused() {
    let provider = Provider::start(|_| {});
    let table = [
        (Method::GET, "/v1/payment_intents?limit=0", 400),
        (Method::GET, "/v1/payment_intents?limit=101", 400),
        (Method::GET, "/v1/payment_intents?limit=ten", 400),
        (Method::GET, "/v1/payment_intents?created[gte]=today", 400),
        (Method::GET, "/v1/payment_intents?ending_before=pi_1", 400),
        (Method::GET, "/v1/refunds?limit=0", 400),
        (Method::GET, "/v1/refunds?starting_after=re_1", 400),
        (Method::GET, "/v1/refunds?charge=ch_1", 400),
        (Method::GET, "/v1/refunds?payment_intent=pi_1", 404),
        (Method::POST, "/v1/refunds", 400),
        (Method::GET, "/v1/customers", 404),
        (Method::GET, "/v1/payment_intents/pi_1", 404),
        (Method::GET, "/double/ledger?limit=-1", 400),
        (Method::GET, "/double/ledger?orders=1", 400),
        (Method::GET, "/double/nothing", 404),
    ];
    for (method, path, expected) in table {
        let (status, answer) = call(&provider, method, path, "").await;
        assert_eq!(status, expected, "{path}: {answer}");
        assert_eq!(answer["error"]["type"], "invalid_request_error", "{path}");
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let provider = Provider::start(|_| {});
    let form = format!("{VALID}&metadata[note]={}", "x".repeat(70_000));
    let (status, _) = call(&provider, Method::POST, "/v1/payment_intents", &form).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn a_key_that_is_too_long_is_refused() {
    let provider = Provider::start(|_| {});
    let mut request = provider.intent(TestToken::Visa);
    request.idempotency_key = "k".repeat(255);
    provider.stripe.create_intent(&request).await.unwrap();
    request.idempotency_key = "k".repeat(256);
    let refused = provider.stripe.create_intent(&request).await;
    assert!(
        matches!(refused, Err(PaymentError::Rejected(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn without_the_secret_key_nothing_answers_but_health() {
    let provider = Provider::start(|_| {});
    let status = async |path: &str, authorization: Option<&str>| {
        let mut request = provider.http.get(format!("{}{path}", provider.base_url));
        if let Some(value) = authorization {
            request = request.header("Authorization", value);
        }
        request.send().await.unwrap().status().as_u16()
    };
    for path in ["/v1/payment_intents", "/double/ledger", "/double/behaviour"] {
        assert_eq!(status(path, None).await, 401, "{path}");
        for wrong in [
            "Bearer sk_test_other",
            "Bearer ",
            "sk_test_double",
            "Basic !!",
            "Basic c2s=",
        ] {
            assert_eq!(status(path, Some(wrong)).await, 401, "{path} {wrong}");
        }
        assert_eq!(
            status(path, Some("Bearer sk_test_double")).await,
            200,
            "{path}"
        );
        // `curl -u sk_test_double:`
        assert_eq!(
            status(path, Some("Basic c2tfdGVzdF9kb3VibGU6")).await,
            200,
            "{path}"
        );
    }
    assert_eq!(status("/health/live", None).await, 200);

    let address = provider.base_url.parse().unwrap();
    let stripe = Stripe::new(StripeConfig::new(address, SecretString::from("sk_wrong"))).unwrap();
    let refused = stripe
        .create_intent(&provider.intent(TestToken::Visa))
        .await;
    assert!(
        matches!(refused, Err(PaymentError::Rejected(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_taken_port_is_a_clear_refusal() {
    let provider = Provider::start(|_| {});
    let addr = provider.running.as_ref().unwrap().addr;
    let second = Provider::try_start(provider.clock.clone(), |config| config.bind = addr);
    let Err(error) = second else {
        panic!("two listen on {addr}")
    };
    assert_eq!(
        error.to_string(),
        format!("the payment double can't listen on {addr}")
    );
}
