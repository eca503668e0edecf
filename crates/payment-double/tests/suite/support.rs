use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use kernel::{Clock, Currency, ManualClock, Money, OrderId};
use payment::{CreateIntent, CreateRefund, Stripe, StripeConfig, WebhookEvent, signature};
use payment_double::{DoubleConfig, PaymentDouble, RetryPolicy, Running, StartError, TestToken};
use secrecy::SecretString;
use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const SECRET_KEY: &str = "sk_test_double";
const WEBHOOK_SECRET: &str = "whsec_double";

/// A limit that only a broken test reaches.
const PATIENCE: Duration = Duration::from_secs(20);

/// A started double and a client of it. Stops when dropped.
pub struct Provider {
    pub running: Option<Running>,
    pub base_url: String,
    pub stripe: Stripe,
    pub clock: ManualClock,
    pub http: reqwest::Client,
    cancel: CancellationToken,
}

impl Provider {
    pub fn start(configure: impl FnOnce(&mut DoubleConfig)) -> Self {
        Self::try_start(ManualClock::starting_now(), configure).unwrap()
    }

    /// Starts over the journal that another one left behind.
    pub fn start_over(journal: &Path, configure: impl FnOnce(&mut DoubleConfig)) -> Self {
        Self::start(|config| {
            config.journal = Some(journal.to_owned());
            configure(config);
        })
    }

    pub fn try_start(
        clock: ManualClock,
        configure: impl FnOnce(&mut DoubleConfig),
    ) -> Result<Self, StartError> {
        let mut config = DoubleConfig::new(
            "127.0.0.1:0".parse().unwrap(),
            SecretString::from(SECRET_KEY),
            SecretString::from(WEBHOOK_SECRET),
        );
        config.settle_after = Duration::from_millis(1);
        config.webhook_retry = RetryPolicy {
            first: Duration::from_millis(1),
            longest: Duration::from_millis(20),
            attempts: 10_000,
        };
        configure(&mut config);
        let cancel = CancellationToken::new();
        let running = PaymentDouble::start(config, Arc::new(clock.clone()), cancel.clone())?;
        let base_url = running.base_url();
        Ok(Self {
            stripe: client(&base_url, PATIENCE),
            running: Some(running),
            base_url,
            clock,
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            cancel,
        })
    }

    /// Charges and gives up waiting once the double has the charge in its ledger.
    pub async fn charge_and_hang_up(&self, request: &CreateIntent) {
        let charged = async || self.charges_of(request.order_id).await.len() == 1;
        tokio::select! {
            result = self.stripe.create_intent(request) => panic!("answered: {result:?}"),
            () = self.until(charged) => {}
        }
    }

    /// A client that gives up soon.
    pub fn impatient(&self) -> Stripe {
        client(&self.base_url, Duration::from_millis(300))
    }

    pub fn intent(&self, token: TestToken) -> CreateIntent {
        CreateIntent {
            amount: Money::new(1250, Currency::EUR),
            payment_method: token.as_str().to_owned(),
            order_id: OrderId::generate(self.clock.now()),
            idempotency_key: Uuid::new_v4().to_string(),
            traceparent: None,
        }
    }

    /// Sets the switches over HTTP.
    pub async fn behave(&self, behaviour: Value) {
        let answer = self.post_behaviour(&behaviour).await;
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    }

    pub async fn post_behaviour(&self, behaviour: &Value) -> reqwest::Response {
        let url = format!("{}/double/behaviour", self.base_url);
        let request = self.http.post(url).bearer_auth(SECRET_KEY);
        request.json(behaviour).send().await.unwrap()
    }

    pub async fn get(&self, path: &str) -> Value {
        let url = format!("{}{path}", self.base_url);
        let request = self.http.get(url).bearer_auth(SECRET_KEY);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// The intents that the double's own ledger has for an order.
    pub async fn charges_of(&self, order: OrderId) -> Vec<Value> {
        let ledger = self.get(&format!("/double/ledger?order_id={order}")).await;
        ledger["intents"].as_array().unwrap().clone()
    }

    pub async fn webhook_counts(&self) -> Value {
        self.get("/double/ledger").await["webhooks"].clone()
    }

    /// Asks the double until it is so.
    pub async fn until(&self, is_so: impl AsyncFn() -> bool) {
        let asking = async {
            while !is_so().await {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, asking).await.expect("it never was so");
    }

    pub async fn stop(mut self) {
        self.cancel.cancel();
        let running = self.running.take().unwrap();
        timeout(PATIENCE, running.stopped()).await.unwrap();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

fn client(base_url: &str, patience: Duration) -> Stripe {
    let mut config = StripeConfig::new(base_url.parse().unwrap(), SecretString::from(SECRET_KEY));
    config.timeout = patience;
    Stripe::new(config).unwrap()
}

pub fn refund(intent_id: &str) -> CreateRefund {
    CreateRefund {
        intent_id: intent_id.to_owned(),
        idempotency_key: Uuid::new_v4().to_string(),
        traceparent: None,
    }
}

/// A webhook as it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub signature: String,
    pub body: Vec<u8>,
}

impl Received {
    /// The event, its signature checked.
    pub fn verified(&self, clock: &ManualClock) -> WebhookEvent {
        let secrets = [SecretString::from(WEBHOOK_SECRET)];
        signature::verify(&self.signature, &self.body, &secrets, clock.now()).unwrap();
        WebhookEvent::parse(&self.body).unwrap()
    }
}

/// The shop's end of the webhooks.
pub struct Receiver {
    pub url: String,
    received: mpsc::Receiver<Received>,
    server: ServerHandle,
}

impl Receiver {
    /// Takes every webhook with a 204.
    pub fn start() -> Self {
        Self::answering([])
    }

    /// Answers these statuses first.
    pub fn answering(answers: impl IntoIterator<Item = u16>) -> Self {
        let answers = Mutex::new(VecDeque::from_iter(answers));
        let (sender, received) = mpsc::channel(1_000);
        let state = web::Data::new((answers, sender));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .route("/webhooks", web::post().to(receive))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}/webhooks", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self {
            url,
            received,
            server: handle,
        }
    }

    pub async fn next(&mut self) -> Received {
        timeout(PATIENCE, self.received.recv())
            .await
            .expect("no webhook came")
            .unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Only asks it to stop; nobody has to wait for it.
        drop(self.server.stop(false));
    }
}

type ReceiverState = (Mutex<VecDeque<u16>>, mpsc::Sender<Received>);

async fn receive(
    state: web::Data<ReceiverState>,
    request: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let (answers, sender) = state.get_ref();
    let signature = request.headers().get(signature::HEADER).unwrap();
    let received = Received {
        signature: signature.to_str().unwrap().to_owned(),
        body: body.to_vec(),
    };
    let status = answers.lock().unwrap().pop_front().unwrap_or(204);
    sender.send(received).await.unwrap();
    HttpResponse::build(status.try_into().unwrap()).finish()
}
