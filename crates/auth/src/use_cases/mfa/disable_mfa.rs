use kernel::Actor;

use super::{MfaError, account};
use crate::{
    audit::Action,
    context::Context,
    mail::MailRequest,
    origin::Origin,
    store::{mfa_challenge, recovery_code, totp_credential},
    use_cases::credential_change::CredentialChange,
};

/// Switches the second factor off, and forgets its secret and its recovery codes.
pub(crate) async fn disable_mfa(
    context: &Context,
    actor: &Actor,
    origin: &Origin,
) -> Result<(), MfaError> {
    let user_id = account(context, actor).await?.user_id();
    let transaction = context.database.begin().await?;
    mfa_challenge::delete_all_of(&transaction, user_id).await?;
    totp_credential::find_for_update(&context.database, &transaction, user_id)
        .await?
        .filter(totp_credential::Model::is_confirmed)
        .ok_or(MfaError::NotEnabled)?;
    totp_credential::delete(&transaction, user_id).await?;
    recovery_code::delete(&transaction, user_id).await?;
    let change = CredentialChange {
        actor,
        action: Action::MfaDisabled,
        mail: MailRequest::MfaDisabled {
            user_id: user_id.as_uuid(),
        },
        origin,
    };
    change.commit(context, transaction).await?;
    Ok(())
}
