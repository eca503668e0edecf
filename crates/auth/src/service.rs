use std::{net::TcpListener, sync::Arc, time::Duration};

use actix_web::web::ServiceConfig;
use cache::RedisLink;
use chrono::{DateTime, Utc};
use database::Database;
use kernel::SharedClock;
use messaging::{
    Broker, QueueSpec, Relay, RelayConfig, RelayWaker, UnknownQueue,
    consumer::{Consumer, ConsumerConfig, ConsumerDeps, RetryPolicy},
    outbox,
};
use sea_orm::DbErr;
use service_kit::{
    access_token::{ApiKeys, Verifier, VerifierConfig},
    health::Readiness,
    jwks::JwkSet,
    lifecycle::Shutdown,
    mail::Mailer,
    rate_limit::Subjects,
    revocation::RevocationList,
};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use url::Url;
use user_directory::{IssuedToken, ServiceTokens, TokenError};

use crate::{
    access_tokens::AccessTokens,
    config::AuthConfig,
    context::Context,
    external::{ExternalProviders, ExternalProvidersError},
    grpc,
    mail::{self, MailConsumer},
    passkeys::RelyingParty,
    password::{InvalidHashingParams, Passwords},
    revocations, routes,
    secret::{Keyring, TokenSecret},
    service_account::ConfiguredServiceAccount,
    signing_keys::{KeyStore, SigningKeyError, SigningKeys},
    store::{self, expiring::delete_expired},
    throttle::Throttle,
    use_cases::{
        authenticate_client::{ClientCredentials, authenticate_client},
        issue_service_token::{Narrowing, issue_service_token},
        resolve_api_key::resolve_api_key,
    },
};

/// How often what has expired is deleted.
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(60 * 60);

pub struct AuthDeps {
    /// Migrated by `migrations::AuthMigrator`.
    pub database: Database,
    /// Connected with [`queues`] among its queues.
    pub broker: Broker,
    pub clock: SharedClock,
    pub mailer: Mailer,
    /// The one of whoever verifies this service's tokens; [`RevocationList::run`] is at work on it.
    pub revocations: RevocationList,
    /// Where rate limits are counted; without it, in this process.
    pub redis: Option<RedisLink>,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error(transparent)]
    Hashing(#[from] InvalidHashingParams),
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    #[error(transparent)]
    ExternalProviders(#[from] ExternalProvidersError),
    #[error("the auth database failed")]
    Database(#[from] DbErr),
    /// The broker was connected without [`queues`].
    #[error(transparent)]
    Queue(#[from] UnknownQueue),
}

/// The identity context, ready to serve. Clones share everything.
#[derive(Clone)]
pub struct AuthService {
    context: Arc<Context>,
    verifier: Verifier,
    directory: Routes,
    broker: Broker,
    mailer: Mailer,
    public_url: Url,
    signing_key_poll: Duration,
    retries: RetryPolicy,
}

/// The queues that the broker must know.
#[must_use]
pub fn queues() -> Vec<QueueSpec> {
    vec![mail::QUEUE]
}

impl AuthService {
    /// Reads the signing keys, or makes the first ones.
    pub async fn build(config: AuthConfig, deps: AuthDeps) -> Result<Self, AuthError> {
        let AuthDeps {
            database,
            broker,
            clock,
            mailer,
            revocations,
            redis,
        } = deps;
        let passwords = Passwords::new(config.hashing, config.hash_pool)?;
        let keyring = Keyring::of(&config);
        let key_store = KeyStore {
            database: database.clone(),
            keyring: keyring.clone(),
            policy: config.signing_keys.policy(config.access_token_lifetime),
        };
        let signing_keys = SigningKeys::load(key_store, clock.now()).await?;
        let access_tokens = AccessTokens {
            issuer: config.issuer.clone(),
            audience: config.audience.clone(),
            lifetime: config.access_token_lifetime,
            signing_keys: signing_keys.clone(),
        };
        let verifier_of = |audience: &str| {
            let config = VerifierConfig {
                issuer: config.issuer.clone(),
                audience: audience.to_owned(),
                clock: Arc::clone(&clock),
            };
            Verifier::new(config, signing_keys.source()).with_revocations(revocations.clone())
        };
        let verifier = verifier_of(&config.audience);
        let directory_verifier = verifier_of(user_directory::AUDIENCE);
        register(&database, config.service_accounts, clock.now()).await?;
        let callback = routes::external_login_callback(&config.public_url);
        let external_providers = ExternalProviders::new(config.external_login, callback, &clock)?;
        let token_secret = TokenSecret::new(&config.token_secret);
        let (secret, now) = (token_secret.for_rate_limits(), Arc::clone(&clock));
        let subjects = match redis {
            Some(redis) => Subjects::over(redis, &config.redis_namespace, &secret, now),
            None => Subjects::in_memory(&secret, now),
        };
        let context = Context {
            database,
            clock,
            passwords,
            relying_party: RelyingParty::new(&config.public_url),
            access_tokens,
            keyring,
            token_secret,
            refresh_policy: config.refresh,
            revocations,
            throttle: Throttle::new(config.limits, subjects),
            email_verification_lifetime: config.email_verification_lifetime,
            external_providers,
            relay: RelayWaker::default(),
        };
        let context = Arc::new(context);
        revocations::restore(&context).await?;
        Ok(Self {
            directory: grpc::services(Arc::clone(&context), directory_verifier),
            verifier: verifier.with_api_keys(api_keys(&context)),
            context,
            broker,
            mailer,
            public_url: config.public_url,
            signing_key_poll: config.signing_keys.poll_every,
            retries: config.retries,
        })
    }

    /// Adds the routes under `/auth`.
    pub fn configure(&self, config: &mut ServiceConfig) {
        routes::configure(self, config);
    }

    /// Starts the relay, the mail consumer, the rotation of the signing keys and the deletion of
    /// what has expired. First it brings back the mail requests that the in-process broker of an
    /// earlier process forgot.
    pub async fn spawn_background(&self, shutdown: &Shutdown) -> Result<(), AuthError> {
        if matches!(self.broker, Broker::InProcess(_)) {
            let events = [mail::MAIL_REQUESTED];
            let database = &self.context.database;
            outbox::requeue_unconsumed(database, mail::QUEUE.name, &events).await?;
        }
        let relay = Relay::new(
            self.context.database.clone(),
            self.broker.clone(),
            Arc::clone(&self.context.clock),
            RelayConfig::default(),
            self.context.relay.clone(),
        );
        let stop = shutdown.soft();
        shutdown.spawn("auth relay", async move { relay.run(stop).await });

        let config = ConsumerConfig {
            queue: mail::QUEUE,
            prefetch: mail::PREFETCH,
            retries: self.retries,
        };
        let deps = ConsumerDeps {
            broker: &self.broker,
            database: &self.context.database,
            clock: Arc::clone(&self.context.clock),
        };
        let consumer = Consumer::new(config, deps)?;
        let mails = MailConsumer {
            context: Arc::clone(&self.context),
            mailer: self.mailer.clone(),
            public_url: self.public_url.clone(),
        };
        shutdown.spawn("auth mail", consumer.run(mails, shutdown.soft()));

        let signing_keys = self.context.access_tokens.signing_keys.clone();
        let clock = Arc::clone(&self.context.clock);
        shutdown.spawn(
            "auth signing keys",
            signing_keys.keep_up_to_date(clock, self.signing_key_poll, shutdown.soft()),
        );

        let context = Arc::clone(&self.context);
        shutdown.spawn("auth clean-up", clean_up(context, shutdown.soft()));

        let context = Arc::clone(&self.context);
        let keep = revocations::keep(context, shutdown.soft());
        shutdown.spawn("auth revocations", keep);
        Ok(())
    }

    /// The user directory, to be called in the same process.
    #[must_use]
    pub fn directory(&self) -> Routes {
        self.directory.clone()
    }

    /// Serves the user directory and `grpc.health.v1` until `shutdown`.
    ///
    /// # Errors
    /// If the listener can't be used.
    pub fn serve_grpc(
        &self,
        listener: TcpListener,
        readiness: Arc<Readiness>,
        shutdown: &Shutdown,
    ) -> std::io::Result<()> {
        grpc::serve(self.directory(), listener, readiness, shutdown)
    }

    /// Tokens of a service account, for its program in the same process.
    #[must_use]
    pub fn service_tokens(&self, client_id: &str, client_secret: &str) -> ServiceTokens {
        let credentials = Arc::new(ClientCredentials {
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
        });
        let context = Arc::clone(&self.context);
        let issue = move || issue_in_process(Arc::clone(&context), Arc::clone(&credentials));
        ServiceTokens::new(Arc::clone(&self.context.clock), issue)
    }

    /// Verifies the access tokens of this service, for others in the same process.
    #[must_use]
    pub fn verifier(&self) -> &Verifier {
        &self.verifier
    }

    /// The public keys that are published now.
    #[must_use]
    pub fn jwks(&self) -> JwkSet {
        self.context.access_tokens.signing_keys.jwks()
    }

    pub(crate) fn public_url(&self) -> &Url {
        &self.public_url
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.context.access_tokens.issuer
    }

    pub(crate) fn context(&self) -> Arc<Context> {
        Arc::clone(&self.context)
    }
}

/// Those of this service's own database.
fn api_keys(context: &Arc<Context>) -> ApiKeys {
    let context = Arc::clone(context);
    ApiKeys::new(move |key| {
        let context = Arc::clone(&context);
        async move { Ok(resolve_api_key(&context, &key).await?) }
    })
}

/// What the token endpoint does.
async fn issue_in_process(
    context: Arc<Context>,
    credentials: Arc<ClientCredentials>,
) -> Result<IssuedToken, TokenError> {
    let account = authenticate_client(&context, &credentials).await;
    let account = account.map_err(|error| TokenError::InProcess(Box::new(error)))?;
    let token = issue_service_token(&context, &account, Narrowing::default())
        .map_err(|error| TokenError::InProcess(Box::new(error)))?;
    Ok(IssuedToken {
        access_token: token.access_token.into(),
        expires_in: context.access_tokens.lifetime.to_std().unwrap_or_default(),
    })
}

async fn register(
    database: &Database,
    accounts: Vec<ConfiguredServiceAccount>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    for ConfiguredServiceAccount { spec, secret } in accounts {
        let row = spec.into_row(&secret.0, now);
        store::service_account::register(database.writer(), row).await?;
    }
    Ok(())
}

async fn clean_up(context: Arc<Context>, stop: CancellationToken) {
    let mut interval = tokio::time::interval(CLEAN_UP_INTERVAL);
    while stop.run_until_cancelled(interval.tick()).await.is_some() {
        if let Err(error) = clean_up_once(&context).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "what has expired could not be deleted"
            );
        }
    }
}

async fn clean_up_once(context: &Context) -> Result<(), DbErr> {
    let (writer, now) = (context.database.writer(), context.now());
    let sessions = delete_expired::<store::session::Entity>(writer, now).await?;
    let verifications = delete_expired::<store::email_verification::Entity>(writer, now).await?;
    let logins = delete_expired::<store::external_login::Entity>(writer, now).await?;
    let ceremonies = delete_expired::<store::passkey_ceremony::Entity>(writer, now).await?;
    let challenges = delete_expired::<store::mfa_challenge::Entity>(writer, now).await?;
    let resets = delete_expired::<store::password_reset::Entity>(writer, now).await?;
    let changes = delete_expired::<store::email_change::Entity>(writer, now).await?;
    tracing::debug!(
        sessions,
        verifications,
        logins,
        ceremonies,
        challenges,
        resets,
        changes,
        "deleted what has expired"
    );
    Ok(())
}
