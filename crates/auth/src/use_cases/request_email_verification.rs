//! Sends the mail of a registration again. The caller never learns whether the address has an
//! account, or what has become of it (ASVS 5.0, 6.3.8).

use kernel::Email;
use sea_orm::DbErr;
use uuid::Uuid;

use crate::{
    audit::{self, Action, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    store::{email_verification, user},
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestEmailVerificationError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// The new mail confirms the last registration. Earlier mails work on: each confirms the
/// registration that it belongs to.
pub(crate) async fn request_email_verification(
    context: &Context,
    email: &Email,
    origin: &Origin,
) -> Result<(), RequestEmailVerificationError> {
    let may_mail = context.throttle.may_mail(email).await;
    let transaction = context.database.begin().await?;
    let now = context.now();
    let user = user::find_by_email(&transaction, email).await?;
    let registered = user.as_ref().filter(|_| may_mail);
    let registered = registered.and_then(awaiting_confirmation);
    let (user_id, name, password_hash) =
        registered.unwrap_or_else(|| (Uuid::new_v4(), "nobody", "none"));
    let id = Uuid::new_v4();
    let verification = email_verification::Model {
        id,
        user_id,
        token_hash: context.token_secret.email_verification(id).hash().into(),
        name: name.to_owned(),
        password_hash: password_hash.to_owned(),
        created_at: now,
        expires_at: now + context.email_verification_lifetime,
    };
    email_verification::insert_if_user_exists(&transaction, verification).await?;
    let request = MailRequest::EmailVerification {
        verification_id: id,
    };
    request_mail(&transaction, user_id, request, now).await?;
    let event = Event::of_address(Action::EmailVerificationRequested, user.as_ref(), origin)
        .refused_if(registered.is_none());
    audit::record(&transaction, event, now).await?;
    transaction.commit().await?;
    context.relay.wake();
    Ok(())
}

/// Who registered, with which name and password; `None` if there is nothing to confirm.
fn awaiting_confirmation(user: &user::Model) -> Option<(Uuid, &str, &str)> {
    if user.email_verified_at.is_some() || user.disabled_at.is_some() {
        return None;
    }
    Some((user.id, &user.name, user.password_hash.as_deref()?))
}
