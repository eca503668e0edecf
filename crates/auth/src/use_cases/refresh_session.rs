//! Exchanges a refresh token for its successor and a new access token; see [`RefreshChain`].

use chrono::{DateTime, Utc};
use kernel::UnknownRole;
use sea_orm::{DatabaseTransaction, DbErr};

use crate::{
    access_tokens::Subject,
    audit::{self, Action, By, Event},
    context::Context,
    mail::{MailRequest, RequestMailError, request_mail},
    origin::Origin,
    refresh_chain::{RefreshChain, Verdict},
    revocations,
    secret::OpaqueToken,
    store::{refresh_token, session},
    use_cases::begin_session::SessionTokens,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshSessionError {
    #[error("the refresh token is unknown, or its session has ended")]
    Invalid,
    #[error("the refresh token was used before: the session is revoked")]
    Reused,
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("the access token can't be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Role(#[from] UnknownRole),
    #[error(transparent)]
    Mail(#[from] RequestMailError),
}

pub(crate) async fn refresh_session(
    context: &Context,
    token: &str,
    origin: &Origin,
) -> Result<SessionTokens, RefreshSessionError> {
    let token = OpaqueToken::parse(token).map_err(|_| RefreshSessionError::Invalid)?;
    // Before the transaction, so that noise takes no lock.
    let found = refresh_token::find_with_owner(context.database.reader(), token.hash()).await?;
    let (presented, owner) = found.ok_or(RefreshSessionError::Invalid)?;
    if owner.disabled_at.is_some() {
        return Err(RefreshSessionError::Invalid);
    }
    let successor = context.token_secret.successor_of(&token);
    let session = advance(context, &presented, &successor, origin).await?;
    let subject = Subject {
        user_id: owner.user_id(),
        session_id: session.session_id(),
        role: owner.role()?,
        authenticated_at: session.authenticated_at,
        methods: session.methods(),
    };
    Ok(SessionTokens {
        session_id: session.session_id(),
        access_token: context.access_tokens.issue(&subject, context.now())?,
        refresh_token: successor,
    })
}

/// Presents the token to its session's chain. The session is locked meanwhile, so that of many
/// refreshes at once one rotates and the others see that it did.
async fn advance(
    context: &Context,
    presented: &refresh_token::Model,
    successor: &OpaqueToken,
    origin: &Origin,
) -> Result<session::Model, RefreshSessionError> {
    let transaction = context.database.begin().await?;
    let session_id = presented.session_id;
    let session = session::find_for_update(&context.database, &transaction, session_id)
        .await?
        .ok_or(RefreshSessionError::Invalid)?;
    let now = context.now();
    let mut chain = session.chain();
    let verdict = chain.present(presented.generation(), context.refresh_policy, now);
    record(verdict);
    match verdict {
        Verdict::Rotated => {
            let generation = chain.generation;
            let id = session.session_id();
            refresh_token::insert(&transaction, successor.hash(), id, generation).await?;
        }
        Verdict::Repeated => {}
        Verdict::Reused => {
            revoke(transaction, &session, chain, origin, now).await?;
            revocations::announce(context, &[session_id]).await;
            context.relay.wake();
            return Err(RefreshSessionError::Reused);
        }
        Verdict::Revoked | Verdict::Expired => return Err(RefreshSessionError::Invalid),
    }
    session::update_chain(&transaction, session_id, chain, origin, now).await?;
    transaction.commit().await?;
    Ok(session)
}

/// Somebody else has the token too: the session ends, and its owner is told.
async fn revoke(
    transaction: DatabaseTransaction,
    session: &session::Model,
    chain: RefreshChain,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<(), RefreshSessionError> {
    tracing::warn!(
        session_id = %session.id,
        user_id = %session.user_id,
        "a refresh token was used twice: the session is revoked"
    );
    session::update_chain(&transaction, session.id, chain, origin, now).await?;
    let owner = session.user_id.into();
    let event = Event::new(By::Anonymous, Action::RefreshReused, owner, origin)
        .target("session", session.id)
        .refused();
    audit::record(&transaction, event, now).await?;
    let user_id = session.user_id;
    request_mail(
        &transaction,
        user_id,
        MailRequest::SessionRevoked { user_id },
        now,
    )
    .await?;
    transaction.commit().await?;
    Ok(())
}

fn record(verdict: Verdict) {
    let outcome = match verdict {
        Verdict::Rotated => "rotated",
        Verdict::Repeated => "repeated",
        Verdict::Reused => "reused",
        Verdict::Revoked => "revoked",
        Verdict::Expired => "expired",
    };
    metrics::counter!("plumbline_refreshes_total", "outcome" => outcome).increment(1);
}
