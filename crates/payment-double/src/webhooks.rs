//! What happens after an answer: bank debits settle, and events are delivered at least once.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use kernel::SharedClock;
use payment::signature;
use reqwest::{StatusCode, Url, redirect};
use secrecy::SecretString;
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tokio_util::sync::CancellationToken;

use crate::{RetryPolicy, double::Double, http::ApiError, ledger::Event};

/// How many jobs wait to be taken up, and how many are then under way (most of them pausing).
pub(crate) const MAX_WAITING_JOBS: usize = 5_000;
const MAX_RUNNING_JOBS: usize = 5_000;

/// How many webhooks are on the wire at once.
const MAX_CONCURRENT_POSTS: usize = 16;
const POST_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest that an event waits for others to be reordered with.
const MAX_HOLD: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) enum Job {
    Settle { intent_id: String },
    SettleRefund { intent_id: String },
    Deliver(Event),
}

pub(crate) struct Worker {
    pub double: Arc<Double>,
    pub settle_after: Duration,
    /// `None` sends no webhooks.
    pub sender: Option<Arc<Sender>>,
}

pub(crate) struct Sender {
    http: reqwest::Client,
    url: Url,
    secret: SecretString,
    retry: RetryPolicy,
    clock: SharedClock,
    wire: Semaphore,
}

impl Worker {
    /// Works until cancelled. What is then unfinished is in the journal, for the next start.
    pub async fn run(self, mut jobs: mpsc::Receiver<Job>, cancel: CancellationToken) {
        let mut backlog = VecDeque::from(self.double.unfinished());
        let mut running = JoinSet::new();
        let mut held = Vec::new();
        let mut held_until = Instant::now();
        loop {
            let job = async {
                match backlog.pop_front() {
                    Some(job) => Some(job),
                    None => jobs.recv().await,
                }
            };
            tokio::select! {
                biased;
                () = cancel.cancelled() => return,
                Some(_) = running.join_next() => {}
                () = sleep_until(held_until), if !held.is_empty() => {
                    self.deliver(&mut running, std::mem::take(&mut held));
                }
                Some(job) = job, if running.len() < MAX_RUNNING_JOBS => match job {
                    Job::Settle { intent_id } => {
                        self.settle(&mut running, intent_id, Double::settle);
                    }
                    Job::SettleRefund { intent_id } => {
                        self.settle(&mut running, intent_id, Double::settle_refund);
                    }
                    Job::Deliver(event) => {
                        if held.is_empty() {
                            held_until = Instant::now() + MAX_HOLD;
                        }
                        held.push(event);
                        if held.len() >= usize::from(self.double.behaviour().webhooks.reorder) {
                            held.reverse();
                            self.deliver(&mut running, std::mem::take(&mut held));
                        }
                    }
                },
            }
        }
    }

    fn settle(
        &self,
        running: &mut JoinSet<()>,
        intent_id: String,
        settle: fn(&Double, &str) -> Result<(), ApiError>,
    ) {
        let (double, settle_after) = (Arc::clone(&self.double), self.settle_after);
        running.spawn(async move {
            sleep(settle_after).await;
            if let Err(error) = settle(&double, &intent_id) {
                tracing::warn!(intent_id, %error, "it could not be settled");
            }
        });
    }

    fn deliver(&self, running: &mut JoinSet<()>, events: Vec<Event>) {
        let Some(sender) = self.sender.clone() else {
            return;
        };
        let double = Arc::clone(&self.double);
        running.spawn(async move { sender.deliver(&double, events).await });
    }
}

impl Sender {
    pub fn new(
        url: Url,
        secret: SecretString,
        retry: RetryPolicy,
        clock: SharedClock,
    ) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(POST_TIMEOUT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            url,
            secret,
            retry,
            clock,
            wire: Semaphore::new(MAX_CONCURRENT_POSTS),
        })
    }

    /// Sends the events one after another, and those that were not taken again and again.
    async fn deliver(&self, double: &Double, mut events: Vec<Event>) {
        let delay = events.iter().map(|event| event.delay_ms).max();
        sleep(Duration::from_millis(delay.unwrap_or_default().into())).await;
        for attempt in 0..self.retry.attempts {
            let mut refused = Vec::new();
            for event in events {
                if self.send(&event).await {
                    double.event_delivered(&event.id);
                } else {
                    refused.push(event);
                }
            }
            if refused.is_empty() {
                return;
            }
            events = refused;
            sleep(self.retry.pause(attempt)).await;
        }
        for event in events {
            tracing::warn!(event_id = event.id, "a webhook is given up");
            double.event_given_up(&event.id);
        }
    }

    /// Whether the receiver took every copy.
    async fn send(&self, event: &Event) -> bool {
        for _ in 0..event.copies {
            match self.post(event).await {
                Ok(status) if status.is_success() => {}
                Ok(status) => {
                    tracing::debug!(event_id = event.id, %status, "a webhook was refused");
                    return false;
                }
                Err(error) => {
                    tracing::debug!(event_id = event.id, %error, "a webhook did not arrive");
                    return false;
                }
            }
        }
        true
    }

    async fn post(&self, event: &Event) -> reqwest::Result<StatusCode> {
        // Never closed, so this waits for its turn and no more.
        let _turn = self.wire.acquire().await;
        let signature = signature::sign(
            std::slice::from_ref(&self.secret),
            self.clock.now(),
            event.body.as_bytes(),
        );
        let response = self
            .http
            .post(self.url.clone())
            .header(signature::HEADER, signature)
            .header("Content-Type", "application/json; charset=utf-8")
            .body(event.body.clone())
            .send()
            .await?;
        Ok(response.status())
    }
}
