//! A person's own second factor: an authenticator app, and recovery codes for the day it is lost.
//! One use-case a file. Every change is told to the owner by mail.

mod confirm_totp;
mod disable_mfa;
mod enrol_totp;
mod read_mfa;
mod recovery_codes;

use kernel::{Actor, Permission};
use sea_orm::DbErr;

use crate::{
    context::Context,
    secret::UnsealError,
    store::user,
    use_cases::{credential_change::CredentialChangeError, second_factor::SecondFactorError},
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
    Change(#[from] CredentialChangeError),
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
