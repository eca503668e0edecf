//! The command line.

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use kernel::SystemClock;
use service_kit::{
    config::{ConfigErrors, Loader},
    lifecycle::Signals,
    problem::chain,
    telemetry::{Telemetry, TelemetryError},
};
use url::Url;

use crate::{
    Role, StartError,
    audit::{self, AuditFailed},
    banner,
    dead_letters::{self, DeadLettersFailed},
    documents::{self, DocumentFailed},
    follow::{self, FollowFailed},
    health_check::{self, HealthFailed},
    keys::{self, KeysFailed},
    migrate,
    payment_double::{self, DoubleFailed},
    permissions::{self, Format},
    reconcile::{self, ReconcileFailed},
    running, seed,
    service_accounts::{self, ServiceAccountFailed},
    settings::Settings,
    trusted_documents::{self, TrustedDocumentsFailed},
};

/// The exit status for settings that can't be right.
const INVALID_CONFIGURATION: u8 = 2;

/// A reference backend: auth, GraphQL gateway and order worker. Without a command it runs all of
/// them in one process, with nothing installed.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Settings that override config.default.toml.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The address to listen on.
    #[arg(long, global = true)]
    host: Option<String>,
    #[arg(long, global = true)]
    port: Option<u16>,
    /// Where the embedded mode keeps its files.
    #[arg(long, global = true, value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// Keep everything in a temporary folder that is removed at the end.
    #[arg(long, conflicts_with = "data_dir")]
    ephemeral: bool,
}

#[derive(Clone, Debug, Subcommand)]
enum Command {
    /// Run the auth service alone.
    Auth,
    /// Run the GraphQL gateway alone.
    Gateway,
    /// Run the order worker alone.
    Worker,
    /// Migrate both databases.
    Migrate {
        #[arg(value_enum, default_value_t = migrate::Direction::Up)]
        direction: migrate::Direction,
    },
    /// Fill an empty shop with demo products, and with demo users who have this password.
    Seed {
        #[arg(long)]
        password: String,
    },
    /// List and replace the keys that sign access tokens, while the services run.
    Keys {
        #[command(subcommand)]
        command: keys::Command,
    },
    /// Check that no order was lost, doubled or oversold; exits with 1 if one was.
    Audit,
    /// Settle what the payment provider's books and ours differ in, and take up what stands still;
    /// exits with 1 if anything is left.
    Reconcile(reconcile::Options),
    /// Messages that could not be handled and were set aside.
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Print the way of an order: requests, steps, messages, payments, webhooks, and how long each
    /// took.
    Follow(follow::Options),
    /// Ask a running process whether it is ready; exits with 1 if it is not.
    Health {
        /// What to ask instead of /health/ready on the address of the settings.
        #[arg(long)]
        url: Option<Url>,
    },
    /// Print a published format.
    Schema {
        #[arg(value_enum)]
        document: documents::Document,
    },
    /// Print who may do what: roles, routes, GraphQL fields, commands of the worker.
    Permissions {
        #[arg(long)]
        markdown: bool,
    },
    /// Programs that call Plumbline in their own name, by OAuth client credentials.
    #[command(subcommand)]
    ServiceAccounts(service_accounts::Command),
    /// GraphQL documents that clients may name by their id, see gateway.graphql.trusted_documents.
    #[command(subcommand)]
    TrustedDocuments(trusted_documents::Command),
    /// Run the payment double alone.
    PaymentDouble {
        #[arg(long, default_value = "127.0.0.1:12111")]
        bind: SocketAddr,
        /// Where its webhooks go.
        #[arg(long)]
        webhook_url: Option<Url>,
        /// The file that keeps its ledger over a restart. Without one it is kept in memory.
        #[arg(long, value_name = "FILE")]
        journal: Option<PathBuf>,
    },
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Configuration(#[from] ConfigErrors),
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Keys(#[from] KeysFailed),
    #[error(transparent)]
    Audit(#[from] AuditFailed),
    #[error(transparent)]
    Reconcile(#[from] ReconcileFailed),
    #[error(transparent)]
    DeadLetters(#[from] DeadLettersFailed),
    #[error(transparent)]
    Follow(#[from] FollowFailed),
    #[error(transparent)]
    ServiceAccount(#[from] ServiceAccountFailed),
    #[error(transparent)]
    TrustedDocuments(#[from] TrustedDocumentsFailed),
    #[error(transparent)]
    Health(#[from] HealthFailed),
    #[error(transparent)]
    Double(#[from] DoubleFailed),
    #[error("can't render the document")]
    Document(#[from] DocumentFailed),
    #[error("can't make a temporary folder")]
    TemporaryFolder(#[source] std::io::Error),
    #[error("can't wait for signals")]
    Signals(#[source] std::io::Error),
}

/// Runs the command and reports its errors. The status is 0, 1, or 2 for invalid settings.
pub async fn run(arguments: Arguments) -> ExitCode {
    match dispatch(arguments).await {
        Ok(Output { text, status }) => {
            say(&text);
            ExitCode::from(status)
        }
        Err(Failure::Configuration(errors)) => {
            eprint!("{errors}");
            ExitCode::from(INVALID_CONFIGURATION)
        }
        Err(error) => {
            eprintln!("plumbline: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// Writes to standard output. Nobody may be listening any more, as in `plumbline ... | head`.
fn say(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// What a command has to say at its end.
#[derive(Default)]
struct Output {
    text: String,
    status: u8,
}

impl From<String> for Output {
    fn from(text: String) -> Self {
        Self { text, status: 0 }
    }
}

async fn dispatch(arguments: Arguments) -> Result<Output, Failure> {
    // Kept until the end, when it is removed with everything in it.
    let temporary = if arguments.ephemeral {
        Some(tempfile::tempdir().map_err(Failure::TemporaryFolder)?)
    } else {
        None
    };
    let data_dir = temporary.as_ref().map(|folder| folder.path().to_owned());
    let loader = loader(&arguments, data_dir.or(arguments.data_dir.clone()))?;
    match arguments.command {
        None => serve(loader, Role::All).await,
        Some(Command::Auth) => serve(loader, Role::Auth).await,
        Some(Command::Gateway) => serve(loader, Role::Gateway).await,
        Some(Command::Worker) => serve(loader, Role::Worker).await,
        Some(Command::Migrate { direction }) => {
            let settings = Settings::load(loader, Role::All)?;
            Ok(migrate::run(&settings, direction).await?.into())
        }
        Some(Command::Seed { password }) => {
            let settings = Settings::load(loader, Role::All)?;
            Ok(seed::run(&settings, &password).await?.into())
        }
        Some(Command::Keys { command }) => {
            let settings = Settings::load(loader, Role::All)?;
            let (text, is_done) = keys::run(&settings, command).await?;
            Ok(Output {
                text,
                status: u8::from(!is_done),
            })
        }
        Some(Command::Audit) => {
            let settings = Settings::load(loader, Role::All)?;
            let (text, green) = audit::run(&settings).await?;
            Ok(Output {
                text,
                status: u8::from(!green),
            })
        }
        Some(Command::DeadLetters(command)) => {
            let settings = Settings::load(loader, Role::All)?;
            let (text, is_found) = dead_letters::run(&settings, command).await?;
            Ok(Output {
                text,
                status: u8::from(!is_found),
            })
        }
        Some(Command::Reconcile(options)) => {
            let settings = Settings::load(loader, Role::All)?;
            let (text, is_done) = reconcile::run(&settings, &options).await?;
            Ok(Output {
                text,
                status: u8::from(!is_done),
            })
        }
        Some(Command::Follow(options)) => {
            let settings = Settings::load(loader, Role::All)?;
            Ok(follow::run(&settings, &options).await?.into())
        }
        Some(Command::Health { url }) => {
            let url = match url {
                Some(url) => url,
                None => health_check::own_url(&Settings::load(loader, Role::All)?)?,
            };
            Ok(health_check::run(url).await?.into())
        }
        Some(Command::ServiceAccounts(command)) => {
            let settings = Settings::load(loader, Role::All)?;
            Ok(service_accounts::run(&settings, command).await?.into())
        }
        Some(Command::TrustedDocuments(command)) => {
            let settings = Settings::load(loader, Role::All)?;
            Ok(trusted_documents::run(&settings, &command)?.into())
        }
        Some(Command::Schema { document }) => Ok(documents::render(document)?.into()),
        Some(Command::Permissions { markdown }) => {
            let format = if markdown {
                Format::Markdown
            } else {
                Format::Text
            };
            Ok(permissions::render(format).into())
        }
        Some(Command::PaymentDouble {
            bind,
            webhook_url,
            journal,
        }) => {
            let settings = Settings::load(loader, Role::All)?;
            let _telemetry = Telemetry::start("payment-double", &settings.log.filter)?;
            payment_double::run(&settings, bind, webhook_url, journal).await?;
            Ok(Output::default())
        }
    }
}

/// The default settings, overridden by the file, the environment and the command line.
fn loader(arguments: &Arguments, data_dir: Option<PathBuf>) -> Result<Loader, ConfigErrors> {
    let mut loader = Settings::loader()?;
    if let Some(file) = &arguments.config {
        loader = loader.file(file);
    }
    // A variable that is no Unicode is none of ours.
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    loader = loader.environment(variables);
    let port = arguments.port.map(|port| port.to_string());
    let data_dir = data_dir.map(|folder| folder.display().to_string());
    for (key, value) in [
        ("server.host", arguments.host.as_ref()),
        ("server.port", port.as_ref()),
        ("storage.data_dir", data_dir.as_ref()),
    ] {
        if let Some(value) = value {
            loader = loader.set(key, value);
        }
    }
    Ok(loader)
}

/// Runs a role until a signal asks it to stop.
async fn serve(loader: Loader, role: Role) -> Result<Output, Failure> {
    let settings = Settings::load(loader, role)?;
    let _telemetry = Telemetry::start(role.as_str(), &settings.log.filter)?;
    let mut signals = Signals::listen().map_err(Failure::Signals)?;
    let running = tokio::select! {
        running = running::start(settings.clone(), role, Arc::new(SystemClock)) => running?,
        // Nothing is in hand yet.
        () = signals.next() => return Ok(Output::default()),
    };
    match role {
        Role::All => say(&banner::banner(&running, &settings)),
        Role::Auth | Role::Gateway | Role::Worker => {
            tracing::info!(role = role.as_str(), addr = %running.addr, "ready");
        }
    }
    running.shutdown().signalled(signals).await;
    tracing::info!("stopping");
    running.stop().await;
    Ok(Output::default())
}
