use kernel::Actor;

use super::{MfaError, account, recovery_codes};
use crate::{
    audit::Action,
    context::Context,
    mail::MailRequest,
    origin::Origin,
    secret::RecoveryCode,
    store::{totp_credential, user},
    use_cases::{credential_change::CredentialChange, second_factor::open_secret},
};

/// Switches the second factor on, as its owner shows that the app makes the right codes, and gives
/// out recovery codes. The code that shows it can't be used for a log-in any more.
pub(crate) async fn confirm_totp(
    context: &Context,
    actor: &Actor,
    code: &str,
    origin: &Origin,
) -> Result<Vec<RecoveryCode>, MfaError> {
    let user_id = account(context, actor).await?.user_id();
    let transaction = context.database.begin().await?;
    // A log-in that has not seen the second factor ends with the others, or comes after it.
    user::find_for_update(&context.database, &transaction, user_id)
        .await?
        .ok_or(MfaError::Gone)?;
    let credential = totp_credential::find_for_update(&context.database, &transaction, user_id)
        .await?
        .ok_or(MfaError::NotEnabled)?;
    if credential.is_confirmed() {
        return Err(MfaError::AlreadyEnabled);
    }
    let now = context.now();
    let step = open_secret(context, &credential)?
        .verify(code, credential.last_step(), now)
        .ok_or(MfaError::WrongCode)?;
    totp_credential::confirm(&transaction, user_id, step, now).await?;
    let codes = recovery_codes::replace(&transaction, user_id).await?;
    let change = CredentialChange {
        actor,
        action: Action::MfaEnabled,
        mail: MailRequest::MfaEnabled {
            user_id: user_id.as_uuid(),
        },
        origin,
    };
    change.commit(context, transaction).await?;
    Ok(codes)
}
