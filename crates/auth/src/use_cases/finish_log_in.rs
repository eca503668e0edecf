use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use crate::{
    authentication::Methods,
    context::Context,
    origin::Origin,
    secret::OpaqueToken,
    store::{mfa_challenge, totp_credential::is_mfa_enabled, user},
    use_cases::begin_session::{BeginSessionError, SessionTokens, begin_session},
};

/// How long a second factor is awaited.
pub(crate) const CHALLENGE_LIFETIME: TimeDelta = TimeDelta::minutes(5);

/// What a log-in comes to.
pub(crate) enum LoggedIn {
    Session(SessionTokens),
    /// The account has a second factor: no session exists before
    /// [`super::answer_challenge`] has seen it.
    SecondFactorRequired(OpaqueToken),
}

/// Ends the first step of every way to log in that proves one factor, by password or at another
/// provider: somebody has just proved by `methods` to be `user`, who may log in and whom the
/// transaction holds. Commit it afterwards, whichever it is. A passkey proves two factors at once and has no second
/// step.
pub(crate) async fn finish_log_in(
    context: &Context,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    methods: Methods,
    origin: &Origin,
) -> Result<LoggedIn, BeginSessionError> {
    if is_mfa_enabled(transaction, user.user_id()).await? {
        let challenge = challenge(transaction, user, &methods, context.now()).await?;
        return Ok(LoggedIn::SecondFactorRequired(challenge));
    }
    let tokens = begin_session(context, transaction, user, methods, origin).await?;
    Ok(LoggedIn::Session(tokens))
}

async fn challenge(
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    methods: &Methods,
    now: DateTime<Utc>,
) -> Result<OpaqueToken, BeginSessionError> {
    let token = OpaqueToken::random()?;
    let row = mfa_challenge::Model {
        token_hash: token.hash().into(),
        user_id: user.id,
        amr: methods.to_string(),
        attempts: 0,
        created_at: now,
        expires_at: now + CHALLENGE_LIFETIME,
    };
    mfa_challenge::insert(transaction, row).await?;
    Ok(token)
}
