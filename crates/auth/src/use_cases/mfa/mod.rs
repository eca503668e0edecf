//! A person's own second factor: an authenticator app, and recovery codes for the day it is lost.
//! One use-case a file. Every change is told to the owner by mail.

mod confirm_totp;
mod disable_mfa;
mod enrol_totp;
mod read_mfa;
mod recovery_codes;

use kernel::{Actor, Permission};
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    secret::UnsealError,
    store::{session::Which, user},
    use_cases::{revoke_sessions::end_sessions, second_factor::SecondFactorError},
};

pub(crate) use confirm_totp::confirm_totp;
pub(crate) use disable_mfa::disable_mfa;
pub(crate) use enrol_totp::{Enrolment, enrol_totp};
pub(crate) use read_mfa::{MfaStatus, read_mfa};
pub(crate) use recovery_codes::renew_recovery_codes;

#[derive(Debug, thiserror::Error)]
pub(crate) enum MfaError {
    #[error("the actor may not change its credentials")]
    Forbidden,
    #[error("the actor's account is gone or disabled")]
    Gone,
    #[error("a second factor is set up already")]
    AlreadyEnabled,
    #[error("no second factor is set up")]
    NotEnabled,
    #[error("the code is not the app's")]
    WrongCode,
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("no randomness for a secret")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    #[error("the secret can't be sealed")]
    Seal(#[from] UnsealError),
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorError),
    #[error("the secret can't be written as a URI")]
    Uri(#[source] totp_rs::TotpError),
    #[error("the URI can't be drawn as a QR code")]
    QrCode(#[from] qrcode::types::QrError),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// The actor's account.
async fn account(context: &Context, actor: &Actor) -> Result<user::Model, MfaError> {
    if !actor.may(Permission::ManageOwnCredentials) {
        return Err(MfaError::Forbidden);
    }
    user::find(context.database.reader(), actor.user_id)
        .await?
        .filter(|user| user.disabled_at.is_none())
        .ok_or(MfaError::Gone)
}

/// A change of a person's second factor.
struct Change<'a> {
    actor: &'a Actor,
    action: Action,
    mail: MailRequest,
    origin: &'a Origin,
}

impl Change<'_> {
    /// Commits it with a line in the audit log and a mail to the owner, and ends the owner's other
    /// sessions: somebody else may have one.
    async fn commit(
        self,
        context: &Context,
        transaction: DatabaseTransaction,
    ) -> Result<(), MfaError> {
        let (user_id, now) = (self.actor.user_id, context.now());
        let event = Event::new(By::from(self.actor), self.action, user_id, self.origin);
        audit::record(&transaction, event, now).await?;
        request_mail(&transaction, user_id.as_uuid(), self.mail, now).await?;
        let others = self.actor.session_id().map_or(Which::All, Which::AllBut);
        let ended = end_sessions(&transaction, user_id, others, now).await?;
        transaction.commit().await?;
        ended.announce(context).await;
        context.relay.wake();
        Ok(())
    }
}
