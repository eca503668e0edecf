//! `plumbline service-accounts`: programs that call Plumbline in their own name.

use std::{fmt::Write as _, sync::Arc};

use auth::{InvalidServiceAccount, ServiceAccount, ServiceAccountError, ServiceAccountSpec};
use kernel::SystemClock;
use secrecy::ExposeSecret as _;

use crate::{StartError, services::offline_auth, settings::Settings};

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Create an account and print its secret, this once.
    Create {
        /// The client id: lower-case letters, digits and hyphens.
        name: String,
        /// Who its tokens are for, for example plumbline:user-directory.
        #[arg(long)]
        audience: String,
        /// A permission that its tokens may have, for example users:look-up. Repeat it for more.
        #[arg(long = "scope", required = true, value_name = "PERMISSION")]
        scopes: Vec<String>,
    },
    /// List the accounts.
    List,
    /// Disable an account, for good. Its tokens are refused within seconds.
    Disable { name: String },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceAccountFailed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Invalid(#[from] InvalidServiceAccount),
    #[error(transparent)]
    Failed(#[from] ServiceAccountError),
}

pub(crate) async fn run(
    settings: &Settings,
    command: Command,
) -> Result<String, ServiceAccountFailed> {
    let service = offline_auth(settings, Arc::new(SystemClock)).await?;
    Ok(match command {
        Command::Create {
            name,
            audience,
            scopes,
        } => {
            let scopes = scopes.iter().map(String::as_str);
            let spec = ServiceAccountSpec::parse(&name, &audience, scopes)?;
            let (account, secret) = auth::create_service_account(&service, spec).await?;
            let secret = secret.expose_secret();
            format!("client_id     {}\nclient_secret {secret}\n", account.name)
        }
        Command::List => table(&auth::list_service_accounts(&service).await?),
        Command::Disable { name } => {
            auth::disable_service_account(&service, &name).await?;
            format!("{name} is disabled\n")
        }
    })
}

fn table(accounts: &[ServiceAccount]) -> String {
    let mut text = String::new();
    for account in accounts {
        let state = match account.disabled_at {
            Some(_) => "disabled",
            None => "enabled",
        };
        let scopes = account.scopes.join(" ");
        let ServiceAccount { name, audience, .. } = account;
        // Writing to a string can't fail.
        let _ = writeln!(text, "{state:<8} {name:<24} {audience:<32} {scopes}");
    }
    text
}
