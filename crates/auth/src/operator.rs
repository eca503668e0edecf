//! What an operator does at the command line.

use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    origin::Origin,
    service::AuthService,
    service_account::{ServiceAccount, ServiceAccountSpec},
    store::service_account,
    use_cases::service_accounts::{self, Manager, ServiceAccountError},
};

/// The account, and its secret, which nobody can tell later.
pub async fn create_service_account(
    service: &AuthService,
    spec: ServiceAccountSpec,
) -> Result<(ServiceAccount, SecretString), ServiceAccountError> {
    let (context, origin) = (service.context(), Origin::default());
    let created =
        service_accounts::create_service_account(&context, Manager::Operator, &origin, spec);
    let (account, secret) = created.await?;
    Ok((account, secret.expose().into()))
}

pub async fn list_service_accounts(
    service: &AuthService,
) -> Result<Vec<ServiceAccount>, ServiceAccountError> {
    service_accounts::list_service_accounts(&service.context(), Manager::Operator).await
}

/// Disables the account of this name, for good.
pub async fn disable_service_account(
    service: &AuthService,
    name: &str,
) -> Result<(), ServiceAccountError> {
    let (context, origin) = (service.context(), Origin::default());
    let found = service_account::find_by_name(context.database.reader(), name).await?;
    let id: Uuid = found.ok_or(ServiceAccountError::Unknown)?.id;
    service_accounts::disable_service_account(&context, Manager::Operator, &origin, id).await
}
