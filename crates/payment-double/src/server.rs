use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::{App, HttpServer, web};
use kernel::SharedClock;
use tokio::{sync::mpsc, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    Behaviour, DoubleConfig, InvalidBehaviour, JournalError,
    double::Double,
    http::{self, Access},
    journal::Journal,
    ledger::Ledger,
    state::Storage,
    webhooks::{MAX_WAITING_JOBS, Sender, Worker},
};

const MAX_CONNECTIONS: usize = 1_024;

/// Longer than clients keep an idle connection, so that none is closed under a request.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

pub struct PaymentDouble;

/// A started double. It stops when its token is cancelled; dropping this doesn't stop it.
pub struct Running {
    pub addr: SocketAddr,
    double: Arc<Double>,
    task: JoinHandle<()>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the payment double can't listen on {addr}")]
    Bind {
        addr: SocketAddr,
        #[source]
        source: io::Error,
    },
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Behaviour(#[from] InvalidBehaviour),
    #[error("the webhook sender can't be built")]
    WebhookSender(#[source] reqwest::Error),
}

impl PaymentDouble {
    /// Starts on the present tokio runtime, and answers once this returns. Reads the journal first,
    /// which blocks for as long as that takes.
    ///
    /// `clock` stamps what is made and signed; pauses between attempts are real time.
    pub fn start(
        config: DoubleConfig,
        clock: SharedClock,
        cancel: CancellationToken,
    ) -> Result<Running, StartError> {
        config.behaviour.validate()?;
        let ledger = Ledger::new(config.max_intents);
        let stored = match &config.journal {
            Some(path) => {
                let (journal, ledger) = Journal::open(path, ledger)?;
                (Storage::Journal(journal), ledger)
            }
            None => (Storage::Memory, ledger),
        };
        let sender = match config.webhook_url {
            Some(url) => Some(
                Sender::new(
                    url,
                    config.webhook_secret,
                    config.webhook_retry,
                    Arc::clone(&clock),
                )
                .map_err(StartError::WebhookSender)?,
            ),
            None => None,
        };
        let (job_sender, jobs) = mpsc::channel(MAX_WAITING_JOBS);
        let double = Arc::new(Double::new(
            clock,
            sender.is_some(),
            config.behaviour,
            stored,
            job_sender,
        ));
        let worker = Worker {
            double: Arc::clone(&double),
            settle_after: config.settle_after,
            sender: sender.map(Arc::new),
        };

        let stop = cancel.child_token();
        let state = web::Data::from(Arc::clone(&double));
        let access = web::Data::new(Access {
            secret_key: config.secret_key,
            stop: stop.clone(),
        });
        let server = HttpServer::new(move || {
            App::new()
                .app_data(state.clone())
                .app_data(access.clone())
                .configure(http::routes)
        })
        .workers(1)
        .max_connections(MAX_CONNECTIONS)
        .keep_alive(KEEP_ALIVE)
        .shutdown_timeout(1)
        .disable_signals()
        .bind(config.bind)
        .map_err(|source| StartError::Bind {
            addr: config.bind,
            source,
        })?;
        // `bind` succeeded for one address, so there is one.
        let addr = server.addrs().first().copied().unwrap_or(config.bind);
        let server = server.run();
        let handle = server.handle();

        let task = tokio::spawn({
            let double = Arc::clone(&double);
            async move {
                let serve = async {
                    if let Err(error) = server.await {
                        tracing::error!(%error, "the payment double's server failed");
                    }
                    stop.cancel();
                };
                let stop_serving = async {
                    stop.cancelled().await;
                    handle.stop(true).await;
                };
                tokio::join!(serve, stop_serving, worker.run(jobs, stop.clone()));
                double.close();
            }
        });
        Ok(Running { addr, double, task })
    }
}

impl Running {
    /// Where it answers, as an address for [`payment::StripeConfig`].
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Turns all switches at once, as `POST /double/behaviour` does.
    pub fn set_behaviour(&self, behaviour: Behaviour) -> Result<(), InvalidBehaviour> {
        behaviour.validate()?;
        self.double.set_behaviour(behaviour);
        Ok(())
    }

    /// Returns once it has stopped and let go of its journal.
    pub async fn stopped(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the payment double ended badly");
        }
    }
}
