use chrono::{DateTime, Utc};
use kernel::Actor;

use super::{MfaError, account};
use crate::{
    context::Context,
    store::{recovery_code, totp_credential},
};

pub(crate) struct MfaStatus {
    /// `None` while a log-in asks for no second factor.
    pub enabled_at: Option<DateTime<Utc>>,
    pub recovery_codes_left: u64,
}

pub(crate) async fn read_mfa(context: &Context, actor: &Actor) -> Result<MfaStatus, MfaError> {
    let user_id = account(context, actor).await?.user_id();
    let reader = context.database.reader();
    let credential = totp_credential::find(reader, user_id).await?;
    Ok(MfaStatus {
        enabled_at: credential.and_then(|credential| credential.confirmed_at),
        recovery_codes_left: recovery_code::count_left(reader, user_id).await?,
    })
}
