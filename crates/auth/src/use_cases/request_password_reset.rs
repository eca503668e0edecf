//! Asks for the mail with which a forgotten password can be replaced. The caller never learns
//! whether the address has an account (ASVS 5.0, 6.3.8): nobody's request runs the same statements.

use chrono::TimeDelta;
use kernel::Email;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    store::{password_reset, user},
};

/// How long the link in the mail works.
const LIFETIME: TimeDelta = TimeDelta::minutes(30);

#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestPasswordResetError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Voids the links of earlier mails. An account that is unverified or disabled gets no mail; one
/// without a password does, and has one afterwards.
pub(crate) async fn request_password_reset(
    context: &Context,
    email: &Email,
    origin: &Origin,
) -> Result<(), RequestPasswordResetError> {
    let may_mail = context.throttle.may_mail(email).await;
    let transaction = context.database.begin().await?;
    let now = context.now();
    // Held, so that of two requests at once only the later one's link works.
    let user = user::find_by_email_for_update(&context.database, &transaction, email).await?;
    let owner = user.as_ref().filter(|user| may_mail && user.is_active());
    let user_id = owner.map_or_else(Uuid::new_v4, |owner| owner.id);
    let reset_id = Uuid::new_v4();
    let reset = password_reset::Model {
        id: reset_id,
        user_id,
        token_hash: context.token_secret.password_reset(reset_id).hash().into(),
        created_at: now,
        expires_at: now + LIFETIME,
    };
    password_reset::replace(&transaction, reset).await?;
    request_mail(
        &transaction,
        user_id,
        MailRequest::PasswordReset { reset_id },
        now,
    )
    .await?;
    let event = Event::of_address(Action::PasswordResetRequested, user.as_ref(), origin)
        .refused_if(owner.is_none());
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    context.relay.wake();
    Ok(())
}
