//! Service accounts, as admins and operators manage them.

use kernel::{Actor, Permission};
use sea_orm::DbErr;
use serde_json::json;
use uuid::Uuid;

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    origin::Origin,
    revocations,
    secret::OpaqueToken,
    service_account::{ServiceAccount, ServiceAccountSpec},
    store::service_account,
};

/// More are not listed.
const MAX_LISTED: u64 = 1000;

#[derive(Debug, thiserror::Error)]
pub enum ServiceAccountError {
    #[error("the actor may not manage service accounts")]
    Forbidden,
    #[error("the name is taken")]
    Exists,
    #[error("there is no such account")]
    Unknown,
    #[error("no randomness for a secret")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// On whose behalf accounts are managed.
#[derive(Clone, Copy)]
pub(crate) enum Manager<'a> {
    Admin(&'a Actor),
    /// Whoever runs the program at its command line, with the database's password.
    Operator,
}

impl Manager<'_> {
    fn check(self) -> Result<(), ServiceAccountError> {
        match self {
            Self::Admin(actor) if !actor.may(Permission::ManageServiceAccounts) => {
                Err(ServiceAccountError::Forbidden)
            }
            Self::Admin(_) | Self::Operator => Ok(()),
        }
    }

    fn event(self, action: Action, id: Uuid, origin: &Origin) -> Event<'_> {
        let by = match self {
            Self::Admin(actor) => By::from(actor),
            Self::Operator => By::Operator,
        };
        Event::new(by, action, id.into(), origin).target("service_account", id)
    }
}

/// A new account and its secret, which nobody can tell later.
pub(crate) async fn create_service_account(
    context: &Context,
    manager: Manager<'_>,
    origin: &Origin,
    spec: ServiceAccountSpec,
) -> Result<(ServiceAccount, OpaqueToken), ServiceAccountError> {
    manager.check()?;
    let secret = OpaqueToken::random()?;
    let now = context.now();
    let row = spec.into_row(&secret, now);
    let transaction = context.database.begin().await?;
    if !service_account::insert_if_absent(&transaction, row.clone()).await? {
        return Err(ServiceAccountError::Exists);
    }
    let details = json!({"name": row.name, "audience": row.audience, "scopes": row.scopes});
    let event = manager.event(Action::ServiceAccountCreated, row.id, origin);
    audit::record(&transaction, event.details(details), now).await?;
    transaction.commit().await?;
    Ok((row.into(), secret))
}

/// By name.
pub(crate) async fn list_service_accounts(
    context: &Context,
    manager: Manager<'_>,
) -> Result<Vec<ServiceAccount>, ServiceAccountError> {
    manager.check()?;
    let rows = service_account::list(context.database.reader(), MAX_LISTED).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// For good: the name stays taken, so that nobody takes the account for another in the audit log.
/// Tokens that it has are refused within a second.
pub(crate) async fn disable_service_account(
    context: &Context,
    manager: Manager<'_>,
    origin: &Origin,
    id: Uuid,
) -> Result<(), ServiceAccountError> {
    manager.check()?;
    let now = context.now();
    let transaction = context.database.begin().await?;
    if service_account::disable(&transaction, id, now).await? {
        let event = manager.event(Action::ServiceAccountDisabled, id, origin);
        audit::record(&transaction, event, now).await?;
        transaction.commit().await?;
    } else if service_account::find(&transaction, id).await?.is_none() {
        return Err(ServiceAccountError::Unknown);
    }
    revocations::announce(context, &[id]).await;
    Ok(())
}
