use kernel::{Actor, UserId};
use sea_orm::ConnectionTrait;

use super::{MfaError, account};
use crate::{
    audit::Action,
    context::Context,
    mail::MailRequest,
    origin::Origin,
    secret::RecoveryCode,
    store::{recovery_code, totp_credential},
    use_cases::credential_change::CredentialChange,
};

/// Of a set.
const RECOVERY_CODES: usize = 10;

/// A new set of recovery codes: those of before work no more.
pub(crate) async fn renew_recovery_codes(
    context: &Context,
    actor: &Actor,
    origin: &Origin,
) -> Result<Vec<RecoveryCode>, MfaError> {
    let user_id = account(context, actor).await?.user_id();
    let transaction = context.database.begin().await?;
    totp_credential::find_for_update(&context.database, &transaction, user_id)
        .await?
        .filter(totp_credential::Model::is_confirmed)
        .ok_or(MfaError::NotEnabled)?;
    let codes = replace(&transaction, user_id).await?;
    let change = CredentialChange {
        actor,
        action: Action::RecoveryCodesRenewed,
        mail: MailRequest::RecoveryCodesRenewed {
            user_id: user_id.as_uuid(),
        },
        origin,
    };
    change.commit(context, transaction).await?;
    Ok(codes)
}

/// The account's second factor must be locked, so that of two sets at once one stays.
pub(super) async fn replace(
    transaction: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<Vec<RecoveryCode>, MfaError> {
    let codes: Result<Vec<_>, _> = std::iter::repeat_with(RecoveryCode::random)
        .take(RECOVERY_CODES)
        .collect();
    let codes = codes?;
    let hashes = codes.iter().map(RecoveryCode::hash);
    recovery_code::replace(transaction, user_id, hashes).await?;
    Ok(codes)
}
