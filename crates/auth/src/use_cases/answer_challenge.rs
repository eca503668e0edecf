//! The second step of a log-in: see [`finish_log_in`](super::finish_log_in) for the first.

use std::time::Duration;

use kernel::UserId;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    authentication::Method,
    context::Context,
    origin::Origin,
    secret::OpaqueToken,
    store::{mfa_challenge, totp_credential, user},
    use_cases::{
        begin_session::{BeginSessionError, SessionTokens, begin_session},
        second_factor::{SecondFactor, SecondFactorError, Verdict, judge},
    },
};

/// Wrong answers that end a challenge.
const MAX_ATTEMPTS: i32 = 5;

#[derive(Debug, thiserror::Error)]
pub(crate) enum AnswerChallengeError {
    #[error("the challenge is unknown, answered, expired, or was tried too often")]
    InvalidChallenge,
    #[error("the code is wrong, was used, or has expired")]
    WrongCode,
    #[error("the account's authenticator app is locked after too many wrong codes")]
    Locked { retry_after: Duration },
    #[error(transparent)]
    SecondFactor(#[from] SecondFactorError),
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error(transparent)]
    Begin(#[from] BeginSessionError),
}

/// Exchanges a challenge and a second factor for a session. Both work once, however many present
/// them at the same time.
pub(crate) async fn answer_challenge(
    context: &Context,
    challenge: &str,
    answer: &SecondFactor,
    origin: &Origin,
) -> Result<SessionTokens, AnswerChallengeError> {
    let token =
        OpaqueToken::parse(challenge).map_err(|_| AnswerChallengeError::InvalidChallenge)?;
    // Before the transaction, so that noise takes no lock.
    let found = mfa_challenge::find(context.database.reader(), token.hash()).await?;
    let found = found.ok_or(AnswerChallengeError::InvalidChallenge)?;
    let transaction = context.database.begin().await?;
    let pending = Pending::read(context, &transaction, &token, found.user_id()).await?;
    let verdict = judge(context, &transaction, &pending.credential, answer, origin).await?;
    let result = match verdict {
        Verdict::Accepted(method) => Ok(pending
            .log_in(context, &transaction, method, origin)
            .await?),
        Verdict::Refused => {
            pending.count_attempt(&transaction).await?;
            Err(AnswerChallengeError::WrongCode)
        }
        Verdict::Locked { retry_after } => Err(AnswerChallengeError::Locked { retry_after }),
    };
    transaction.commit().await?;
    context.relay.wake();
    result
}

/// A challenge that may be answered, with whose it is.
struct Pending {
    challenge: mfa_challenge::Model,
    user: user::Model,
    credential: totp_credential::Model,
}

impl Pending {
    async fn read(
        context: &Context,
        transaction: &DatabaseTransaction,
        token: &OpaqueToken,
        user_id: UserId,
    ) -> Result<Self, AnswerChallengeError> {
        let database = &context.database;
        // The user first, as everywhere, so that nobody waits for each other.
        let user = user::find_for_update(database, transaction, user_id)
            .await?
            .filter(|user| user.disabled_at.is_none())
            .ok_or(AnswerChallengeError::InvalidChallenge)?;
        let challenge = mfa_challenge::find_for_update(database, transaction, token.hash())
            .await?
            .filter(|challenge| challenge.expires_at > context.now())
            .ok_or(AnswerChallengeError::InvalidChallenge)?;
        let credential = totp_credential::find_for_update(database, transaction, user_id)
            .await?
            .filter(totp_credential::Model::is_confirmed)
            .ok_or(AnswerChallengeError::InvalidChallenge)?;
        Ok(Self {
            challenge,
            user,
            credential,
        })
    }

    async fn log_in(
        &self,
        context: &Context,
        transaction: &DatabaseTransaction,
        method: Method,
        origin: &Origin,
    ) -> Result<SessionTokens, AnswerChallengeError> {
        mfa_challenge::delete(transaction, &self.challenge).await?;
        let methods = self.challenge.methods().and(method);
        let user = &self.user;
        Ok(begin_session(context, transaction, user, methods, origin).await?)
    }

    async fn count_attempt(&self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        if self.challenge.attempts + 1 >= MAX_ATTEMPTS {
            mfa_challenge::delete(transaction, &self.challenge).await
        } else {
            mfa_challenge::count_attempt(transaction, &self.challenge).await
        }
    }
}
