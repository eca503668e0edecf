//! Registration. The caller never learns whether the address has an account already: only a mail
//! to that address tells (ASVS 5.0, 6.3.8).

use chrono::{DateTime, Utc};
use kernel::{Email, Role, UserId};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use crate::{
    audit::{self, Action, By, Event},
    context::Context,
    display_name::DisplayName,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    password::{NewPassword, PasswordError},
    store::{
        email_verification,
        user::{self, NewUser},
    },
};

pub(crate) struct Registration {
    pub email: Email,
    pub name: DisplayName,
    pub password: NewPassword,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterUserError {
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Creates an unverified account, or does nothing to an existing one, and sends a mail either way:
/// unless the address has got too many of late, when nothing happens at all.
///
/// As long as nobody has confirmed the address, everyone may register it, each with a password of
/// their own. The mail that is confirmed decides whose password becomes the account's, so that
/// registering another person's address beforehand gains nothing.
pub(crate) async fn register_user(
    context: &Context,
    registration: Registration,
    origin: &Origin,
) -> Result<(), RegisterUserError> {
    if !context.throttle.may_mail(&registration.email).await {
        return Ok(());
    }
    // Hashed in every case, so that all cases take the same time.
    let password_hash = context
        .passwords
        .hash(registration.password.expose())
        .await?;
    let Registration { email, name, .. } = registration;
    let now = context.now();
    let new_user = NewUser {
        id: UserId::generate(now),
        email: &email,
        name: name.as_str(),
        role: Role::Customer,
        password_hash: Some(&password_hash),
        email_verified_at: None,
    };

    let transaction = context.database.begin().await?;
    let user_id = if user::insert_if_absent(&transaction, new_user, now).await? {
        Some(new_user.id.as_uuid())
    } else {
        renew_unverified(&transaction, new_user, now).await?
    };
    match user_id {
        Some(user_id) => {
            let event = Event::new(
                By::Anonymous,
                Action::UserRegistered,
                user_id.into(),
                origin,
            );
            audit::record(&transaction, event, now).await?;
            let registration = (name.as_str(), password_hash.as_str());
            await_confirmation(context, &transaction, user_id, registration, now).await?;
        }
        None => tell_owner(&transaction, &email, now).await?,
    }
    transaction.commit().await?;
    context.relay.wake();
    Ok(())
}

/// Takes over name and password into an account that waits for its confirmation; `None` if the
/// account is past that.
async fn renew_unverified(
    transaction: &impl ConnectionTrait,
    new: NewUser<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Uuid>, DbErr> {
    let Some(existing) = user::find_by_email(transaction, new.email).await? else {
        return Ok(None);
    };
    if existing.email_verified_at.is_some() || existing.disabled_at.is_some() {
        return Ok(None);
    }
    user::replace_unverified(transaction, existing.id, new.name, new.password_hash, now).await?;
    Ok(Some(existing.id))
}

async fn await_confirmation(
    context: &Context,
    transaction: &impl ConnectionTrait,
    user_id: Uuid,
    (name, password_hash): (&str, &str),
    now: DateTime<Utc>,
) -> Result<(), RegisterUserError> {
    let id = Uuid::new_v4();
    let token = context.token_secret.email_verification(id);
    let verification = email_verification::Model {
        id,
        user_id,
        token_hash: token.hash().into(),
        name: name.to_owned(),
        password_hash: password_hash.to_owned(),
        created_at: now,
        expires_at: now + context.email_verification_lifetime,
    };
    email_verification::insert(transaction, verification).await?;
    let request = MailRequest::EmailVerification {
        verification_id: id,
    };
    request_mail(transaction, user_id, request, now).await?;
    Ok(())
}

async fn tell_owner(
    transaction: &impl ConnectionTrait,
    email: &Email,
    now: DateTime<Utc>,
) -> Result<(), RegisterUserError> {
    if let Some(owner) = user::find_by_email(transaction, email).await? {
        let request = MailRequest::AddressRegistered { user_id: owner.id };
        request_mail(transaction, owner.id, request, now).await?;
    }
    Ok(())
}
