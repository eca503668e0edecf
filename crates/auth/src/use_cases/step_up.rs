//! Proves again who one is, within a session (RFC 9470): what asks for a recent proof lets one in
//! then.

use std::time::Duration;

use kernel::{Actor, Email, InvalidEmail, Permission, SessionId, UnknownRole};
use sea_orm::{DatabaseTransaction, DbErr};
use serde_json::json;
use service_kit::rate_limit::TooMany;

use crate::{
    access_tokens::Subject,
    audit::{self, Action, By, Event},
    authentication::{Method, Methods},
    context::Context,
    origin::Origin,
    password::{PasswordError, Verified},
    store::{session, totp_credential, user},
    use_cases::second_factor::{SecondFactor, SecondFactorError, Verdict, judge},
};

/// What the caller proves it with: everything that its account has.
pub(crate) struct Proof {
    pub password: Option<String>,
    pub second_factor: Option<SecondFactor>,
}

/// The same session, with a new token.
pub(crate) struct SteppedUp {
    pub session_id: SessionId,
    pub access_token: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StepUpError {
    #[error("the actor has no session")]
    Forbidden,
    #[error("the actor's session has ended, or its account is gone or disabled")]
    Gone,
    #[error("the password is wrong")]
    WrongPassword,
    #[error("the account has a second factor, and none was given")]
    SecondFactorMissing,
    #[error("a second factor was given, and the account has none")]
    SecondFactorUnknown,
    #[error("the code is wrong, was used, or has expired")]
    WrongCode,
    #[error("the account's authenticator app is locked after too many wrong codes")]
    Locked { retry_after: Duration },
    #[error(transparent)]
    TooMany(#[from] TooMany),
    #[error("the stored address is not one")]
    Address(#[from] InvalidEmail),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("the access token can't be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Role(#[from] UnknownRole),
}

/// Asks for the password, and for the second factor where there is one. An account that has no
/// password proves itself by the second factor alone; one that has neither logs in anew.
pub(crate) async fn step_up(
    context: &Context,
    actor: &Actor,
    proof: Proof,
    origin: &Origin,
) -> Result<SteppedUp, StepUpError> {
    let session_id = actor
        .session_id()
        .filter(|_| actor.may(Permission::ManageOwnSessions))
        .ok_or(StepUpError::Forbidden)?;
    let user = user::find(context.database.reader(), actor.user_id)
        .await?
        .filter(|user| user.disabled_at.is_none())
        .ok_or(StepUpError::Gone)?;
    let is_mfa_enabled =
        totp_credential::is_mfa_enabled(context.database.reader(), user.user_id()).await?;
    match (is_mfa_enabled, &proof.second_factor) {
        (true, None) => return Err(StepUpError::SecondFactorMissing),
        (false, Some(_)) => return Err(StepUpError::SecondFactorUnknown),
        (true, Some(_)) | (false, None) => {}
    }
    let password = check_password(context, &user, &proof).await?;
    let attempt = Attempt {
        context,
        user: &user,
        session_id,
        origin,
    };
    attempt.finish(password, proof.second_factor).await
}

/// `None` if the account has no password, and something else to go by. A wrong one counts as a
/// failed log-in: who has got hold of a session has no more tries than anybody.
async fn check_password(
    context: &Context,
    user: &user::Model,
    proof: &Proof,
) -> Result<Option<Method>, StepUpError> {
    let stored = user.password_hash.as_deref();
    if stored.is_none() && proof.password.is_none() && proof.second_factor.is_some() {
        return Ok(None);
    }
    let email = Email::parse(&user.email)?;
    context.throttle.log_in(&email).await?;
    let password = proof.password.as_deref().unwrap_or_default();
    match context.passwords.verify(password, stored).await? {
        Verified::No => {
            context.throttle.log_in_failed(&email).await;
            return Err(StepUpError::WrongPassword);
        }
        Verified::Yes => {}
        Verified::Rehashed(hash) => {
            user::rehash(context.database.writer(), user, &hash).await?;
        }
    }
    context.throttle.log_in_succeeded(&email).await;
    Ok(Some(Method::Password))
}

struct Attempt<'a> {
    context: &'a Context,
    user: &'a user::Model,
    session_id: SessionId,
    origin: &'a Origin,
}

impl Attempt<'_> {
    /// The first factor is right.
    async fn finish(
        &self,
        password: Option<Method>,
        second_factor: Option<SecondFactor>,
    ) -> Result<SteppedUp, StepUpError> {
        let transaction = self.context.database.begin().await?;
        let result = match second_factor {
            None => Ok(None),
            Some(answer) => self.judge(&transaction, &answer).await?.map(Some),
        };
        let result = match result {
            Ok(second) => {
                let methods = Methods::from_iter(password.into_iter().chain(second));
                Ok(self.record(&transaction, methods).await?)
            }
            Err(refused) => Err(refused),
        };
        transaction.commit().await?;
        self.context.relay.wake();
        result
    }

    /// The inner result is what the caller is told after the transaction was committed.
    async fn judge(
        &self,
        transaction: &DatabaseTransaction,
        answer: &SecondFactor,
    ) -> Result<Result<Method, StepUpError>, StepUpError> {
        let Self {
            context,
            user,
            origin,
            ..
        } = self;
        let credential =
            totp_credential::find_for_update(&context.database, transaction, user.user_id())
                .await?
                .filter(totp_credential::Model::is_confirmed)
                .ok_or(StepUpError::SecondFactorUnknown)?;
        let verdict = judge(context, transaction, &credential, answer, origin).await?;
        Ok(match verdict {
            Verdict::Accepted(method) => Ok(method),
            Verdict::Refused => Err(StepUpError::WrongCode),
            Verdict::Locked { retry_after } => Err(StepUpError::Locked { retry_after }),
        })
    }

    async fn record(
        &self,
        transaction: &DatabaseTransaction,
        methods: Methods,
    ) -> Result<SteppedUp, StepUpError> {
        let (user_id, now) = (self.user.user_id(), self.context.now());
        let session_id = self.session_id;
        if !session::step_up(transaction, session_id, user_id, &methods, now).await? {
            return Err(StepUpError::Gone);
        }
        let by = By::Person(user_id);
        let event = Event::new(by, Action::SteppedUp, user_id, self.origin)
            .target("session", session_id)
            .details(json!({"amr": methods.amr()}));
        audit::record(transaction, event, now).await?;
        let subject = Subject {
            user_id,
            session_id,
            role: self.user.role()?,
            authenticated_at: now,
            methods,
        };
        Ok(SteppedUp {
            session_id,
            access_token: self.context.access_tokens.issue(&subject, now)?,
        })
    }
}
