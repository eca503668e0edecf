//! From a request to the mail: reads the rows that it names, derives the token.

use chrono::{DateTime, Utc};
use kernel::{Email, InvalidEmail};
use sea_orm::DbErr;
use service_kit::mail::{Letter, LetterError, Mail};
use url::Url;
use uuid::Uuid;

use super::{
    MailRequest,
    letters::{self, Facts},
};
use crate::{
    context::Context,
    external::Provider,
    store::{
        email_change, email_verification, external_identity, mail_token, password_reset, user,
    },
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum ComposeError {
    #[error("the stored address is not one")]
    Address(#[from] InvalidEmail),
    #[error("the auth database failed")]
    Database(#[from] DbErr),
    #[error(transparent)]
    Letter(#[from] LetterError),
}

/// A letter and its address.
type Addressed = (String, Letter);

/// `None` if there is nothing to say any more: it was confirmed, has expired, or the account is
/// gone.
///
/// The mail has the id and the time of its request: sent twice, it is the same mail.
pub(super) async fn compose(
    context: &Context,
    public_url: &Url,
    request: MailRequest,
    id: Uuid,
    at: DateTime<Utc>,
) -> Result<Option<Mail>, ComposeError> {
    let facts = Facts { public_url, at };
    let reader = context.database.reader();
    let addressed = match request {
        MailRequest::EmailVerification { verification_id } => {
            email_verification(context, facts, verification_id).await?
        }
        MailRequest::AddressRegistered { user_id } => {
            tell(context, user_id, |name| {
                letters::address_registered(facts, name)
            })
            .await?
        }
        MailRequest::ExternalIdentityLinked { identity_id } => {
            external_identity_linked(context, facts, identity_id).await?
        }
        MailRequest::MfaEnabled { user_id } => {
            tell(context, user_id, |name| letters::mfa_enabled(facts, name)).await?
        }
        MailRequest::MfaDisabled { user_id } => {
            tell(context, user_id, |name| letters::mfa_disabled(facts, name)).await?
        }
        MailRequest::PasskeyAdded { user_id } => {
            tell(context, user_id, |name| letters::passkey_added(facts, name)).await?
        }
        MailRequest::PasskeyDeleted { user_id } => {
            tell(context, user_id, |name| {
                letters::passkey_deleted(facts, name)
            })
            .await?
        }
        MailRequest::RecoveryCodesRenewed { user_id } => {
            tell(context, user_id, |name| {
                letters::recovery_codes_renewed(facts, name)
            })
            .await?
        }
        MailRequest::RecoveryCodeUsed { user_id } => {
            tell(context, user_id, |name| {
                letters::recovery_code_used(facts, name)
            })
            .await?
        }
        MailRequest::SecondFactorLocked { user_id } => {
            tell(context, user_id, |name| {
                letters::second_factor_locked(facts, name)
            })
            .await?
        }
        MailRequest::PasswordReset { reset_id } => password_reset(context, facts, reset_id).await?,
        MailRequest::PasswordChanged { user_id } => {
            tell(context, user_id, |name| {
                letters::password_changed(facts, name)
            })
            .await?
        }
        MailRequest::EmailChangeRequested { change_id } => {
            let pending =
                mail_token::find_pending::<email_change::Entity>(reader, change_id, context.now())
                    .await?;
            pending.map(|(change, user)| {
                let letter = letters::email_change_requested(facts, &user.name, &change.new_email);
                (user.email, letter)
            })
        }
        MailRequest::EmailChange { change_id } => {
            let pending =
                mail_token::find_pending::<email_change::Entity>(reader, change_id, context.now())
                    .await?;
            pending.map(|(change, _)| {
                let token = context.token_secret.email_change(change_id);
                (change.new_email, letters::email_change(facts, &token))
            })
        }
        MailRequest::AddressWanted { user_id } => {
            tell(context, user_id, |name| {
                letters::address_wanted(facts, name)
            })
            .await?
        }
        MailRequest::EmailChanged { user_id, former } => {
            let owner = user::find(reader, user_id.into()).await?;
            owner.map(|user| {
                let letter = letters::email_changed(facts, &user.name, &user.email);
                (former, letter)
            })
        }
        MailRequest::AccountDeleted { email, name } => {
            Some((email, letters::account_deleted(facts, &name)))
        }
        MailRequest::SessionRevoked { user_id } => {
            tell(context, user_id, |name| {
                letters::session_revoked(facts, name)
            })
            .await?
        }
    };
    let Some((to, letter)) = addressed else {
        return Ok(None);
    };
    Ok(Some(letter.into_mail(id, Email::parse(&to)?, at)?))
}

/// To a user, by name.
async fn tell(
    context: &Context,
    user_id: Uuid,
    letter: impl FnOnce(&str) -> Letter,
) -> Result<Option<Addressed>, DbErr> {
    let user = user::find(context.database.reader(), user_id.into()).await?;
    Ok(user.map(|user| {
        let letter = letter(&user.name);
        (user.email, letter)
    }))
}

async fn email_verification(
    context: &Context,
    facts: Facts<'_>,
    id: Uuid,
) -> Result<Option<Addressed>, DbErr> {
    let reader = context.database.reader();
    let pending =
        mail_token::find_pending::<email_verification::Entity>(reader, id, context.now()).await?;
    Ok(pending.map(|(_, user)| {
        let token = context.token_secret.email_verification(id);
        (user.email, letters::email_verification(facts, &token))
    }))
}

async fn external_identity_linked(
    context: &Context,
    facts: Facts<'_>,
    id: Uuid,
) -> Result<Option<Addressed>, DbErr> {
    let reader = context.database.reader();
    let linked = external_identity::find_with_owner(reader, id).await?;
    Ok(linked.map(|(identity, user)| {
        let provider = context.external_providers.get(&identity.provider);
        let provider = provider.map_or(&*identity.provider, Provider::display_name);
        let letter = letters::external_identity_linked(facts, &user.name, provider);
        (user.email, letter)
    }))
}

async fn password_reset(
    context: &Context,
    facts: Facts<'_>,
    id: Uuid,
) -> Result<Option<Addressed>, DbErr> {
    let reader = context.database.reader();
    let pending =
        mail_token::find_pending::<password_reset::Entity>(reader, id, context.now()).await?;
    Ok(pending.map(|(_, user)| {
        let token = context.token_secret.password_reset(id);
        let letter = letters::password_reset(facts, &user.name, &token);
        (user.email, letter)
    }))
}
