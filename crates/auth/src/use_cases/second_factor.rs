//! Judges a second factor, wherever one is asked for: in a log-in and in a step-up.
//!
//! Six digits can be guessed, so wrong answers are counted over all challenges and step-ups of an
//! account: every tenth in a row locks its authenticator app, for a quarter of an hour at first and
//! twice as long each time, up to a day. While it is locked, a right code and a wrong one get the
//! same answer. A recovery code can't be guessed: it lets its owner in all the same, so that
//! whoever knows a password can't lock its owner out with it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::{
    audit::{self, Action, By, Event},
    authentication::Method,
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    secret::{RecoveryCode, SealedColumn, UnsealError},
    store::{recovery_code, totp_credential},
    totp::{DamagedSecret, Step, TotpSecret},
};

/// So many wrong answers in a row lock the app, and so many more lock it again.
const FAILURES_TO_LOCK: u32 = 10;
const FIRST_LOCK: TimeDelta = TimeDelta::minutes(15);
const LONGEST_LOCK: TimeDelta = TimeDelta::days(1);

/// What somebody gives to prove that they are the owner of an account.
#[derive(Clone)]
pub(crate) enum SecondFactor {
    /// Of the authenticator app.
    Totp(String),
    RecoveryCode(String),
}

/// What came of it. It is recorded in the transaction: commit in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted(Method),
    Refused,
    /// It was not looked at.
    Locked {
        retry_after: Duration,
    },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum SecondFactorError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("the TOTP secret can't be opened")]
    Unseal(#[from] UnsealError),
    #[error(transparent)]
    Damaged(#[from] DamagedSecret),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

/// Judges one answer, and uses it up if it is right. The credential must have been read for
/// update, and be confirmed. Wake the relay after committing.
pub(crate) async fn judge(
    context: &Context,
    transaction: &impl ConnectionTrait,
    credential: &totp_credential::Model,
    answer: &SecondFactor,
    origin: &Origin,
) -> Result<Verdict, SecondFactorError> {
    let attempt = Attempt {
        context,
        transaction,
        credential,
        origin,
        now: context.now(),
    };
    let verdict = match answer {
        SecondFactor::Totp(code) => attempt.totp(code).await?,
        SecondFactor::RecoveryCode(code) => attempt.recovery_code(code).await?,
    };
    let outcome = match verdict {
        Verdict::Accepted(_) => "ok",
        Verdict::Refused => "refused",
        Verdict::Locked { .. } => "locked",
    };
    metrics::counter!("plumbline_second_factors_total", "outcome" => outcome).increment(1);
    Ok(verdict)
}

/// The secret that the account's app knows.
pub(crate) fn open_secret(
    context: &Context,
    credential: &totp_credential::Model,
) -> Result<TotpSecret, SecondFactorError> {
    let row = credential.user_id().to_string();
    let place = SealedColumn::TotpSecret.of(&row);
    let secret = context.keyring.open(place, &credential.secret)?;
    Ok(TotpSecret::from_bytes(secret.expose_secret())?)
}

struct Attempt<'a, C> {
    context: &'a Context,
    transaction: &'a C,
    credential: &'a totp_credential::Model,
    origin: &'a Origin,
    now: DateTime<Utc>,
}

impl<C: ConnectionTrait> Attempt<'_, C> {
    async fn totp(&self, code: &str) -> Result<Verdict, SecondFactorError> {
        let wait = self.credential.locked_until.map(|until| until - self.now);
        if let Some(wait) = wait.and_then(|wait| wait.to_std().ok())
            && !wait.is_zero()
        {
            return Ok(Verdict::Locked { retry_after: wait });
        }
        let secret = open_secret(self.context, self.credential)?;
        match secret.verify(code, self.credential.last_step(), self.now) {
            Some(step) => self.accept(Method::Totp, Some(step)).await,
            None => self.refuse(Method::Totp).await,
        }
    }

    async fn recovery_code(&self, code: &str) -> Result<Verdict, SecondFactorError> {
        let user_id = self.credential.user_id();
        let is_right = match RecoveryCode::parse(code) {
            Ok(code) => {
                recovery_code::take(self.transaction, user_id, code.hash(), self.now).await?
            }
            Err(_) => false,
        };
        if !is_right {
            return self.refuse(Method::RecoveryCode).await;
        }
        let left = recovery_code::count_left(self.transaction, user_id).await?;
        let event = Event::new(
            By::Person(user_id),
            Action::RecoveryCodeUsed,
            user_id,
            self.origin,
        )
        .details(json!({"left": left}));
        audit::record(self.transaction, event, self.now).await?;
        self.tell_owner(MailRequest::RecoveryCodeUsed {
            user_id: user_id.as_uuid(),
        })
        .await?;
        self.accept(Method::RecoveryCode, None).await
    }

    async fn accept(
        &self,
        method: Method,
        step: Option<Step>,
    ) -> Result<Verdict, SecondFactorError> {
        totp_credential::record_success(self.transaction, self.credential.user_id(), step).await?;
        Ok(Verdict::Accepted(method))
    }

    async fn refuse(&self, method: Method) -> Result<Verdict, SecondFactorError> {
        let user_id = self.credential.user_id();
        let failures = self.credential.failed_attempts.unsigned_abs() + 1;
        let lock = lock_after(failures);
        let locked_until = lock
            .map(|lock| self.now + lock)
            .or(self.credential.locked_until);
        totp_credential::record_failure(self.transaction, user_id, failures, locked_until).await?;
        let event = Event::new(
            By::Anonymous,
            Action::SecondFactorRefused,
            user_id,
            self.origin,
        )
        .details(json!({"method": method.as_str(), "failures": failures}))
        .refused();
        audit::record(self.transaction, event, self.now).await?;
        if let Some(lock) = lock {
            let event = Event::new(By::System, Action::SecondFactorLocked, user_id, self.origin)
                .details(json!({"minutes": lock.num_minutes()}));
            audit::record(self.transaction, event, self.now).await?;
            self.tell_owner(MailRequest::SecondFactorLocked {
                user_id: user_id.as_uuid(),
            })
            .await?;
        }
        Ok(Verdict::Refused)
    }

    async fn tell_owner(&self, request: MailRequest) -> Result<(), RequestMailError> {
        request_mail(self.transaction, self.credential.user_id, request, self.now).await
    }
}

/// How long the app is locked after so many wrong answers in a row.
fn lock_after(failures: u32) -> Option<TimeDelta> {
    if failures == 0 || !failures.is_multiple_of(FAILURES_TO_LOCK) {
        return None;
    }
    let doublings = (failures / FAILURES_TO_LOCK - 1).min(10);
    Some((FIRST_LOCK * (1 << doublings)).min(LONGEST_LOCK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tenth_failure_locks_for_twice_as_long_up_to_a_day() {
        let locks: Vec<_> = (0..=100)
            .filter_map(|failures| Some((failures, lock_after(failures)?.num_minutes())))
            .collect();
        let expected = [
            (10, 15),
            (20, 30),
            (30, 60),
            (40, 120),
            (50, 240),
            (60, 480),
            (70, 960),
            (80, 1440),
            (90, 1440),
            (100, 1440),
        ];
        assert_eq!(locks, expected);
        assert_eq!(lock_after(u32::MAX / 10 * 10), Some(LONGEST_LOCK));
    }
}
