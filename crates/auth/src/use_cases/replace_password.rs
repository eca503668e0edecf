//! What every change of a password has in common.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};

use crate::{
    mail::{MailRequest, RequestMailError, request_mail},
    password::PolicyContext,
    store::{
        email_change, mail_token, mfa_challenge, password_reset, session::Which, totp_credential,
        user,
    },
    use_cases::revoke_sessions::{EndedSessions, end_sessions},
};

/// What is asked of a new password of this account.
pub(crate) async fn policy_context<'a>(
    connection: &impl ConnectionTrait,
    user: &'a user::Model,
) -> Result<PolicyContext<'a>, DbErr> {
    Ok(PolicyContext {
        email: &user.email,
        name: &user.name,
        second_factor: totp_credential::is_mfa_enabled(connection, user.user_id()).await?,
    })
}

/// Sets the password when the transaction commits, ends sessions, and tells the owner. Whoever had
/// the account before is shut out: a log-in, a reset or a change of the address that was under way
/// is void.
pub(crate) async fn replace_password(
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    password_hash: &str,
    sessions: Which,
    now: DateTime<Utc>,
) -> Result<EndedSessions, RequestMailError> {
    user::set_password(transaction, user.user_id(), password_hash, now).await?;
    mail_token::delete_of::<password_reset::Entity>(transaction, user.id).await?;
    mail_token::delete_of::<email_change::Entity>(transaction, user.id).await?;
    mfa_challenge::delete_all_of(transaction, user.user_id()).await?;
    let ended = end_sessions(transaction, user.user_id(), sessions, now).await?;
    let request = MailRequest::PasswordChanged { user_id: user.id };
    request_mail(transaction, user.id, request, now).await?;
    Ok(ended)
}
