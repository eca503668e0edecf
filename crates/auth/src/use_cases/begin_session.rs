//! What every way to log in ends with: a session, its first refresh token, an access token.

use kernel::{SessionId, UnknownRole};
use sea_orm::{ConnectionTrait, DbErr};
use serde_json::json;

use crate::{
    access_tokens::Subject,
    audit::{self, Action, By, Event},
    authentication::Methods,
    context::Context,
    origin::Origin,
    refresh_chain::RefreshChain,
    secret::OpaqueToken,
    store::{
        refresh_token,
        session::{self, NewSession},
        user,
    },
};

/// What a client gets for a log-in or a refresh.
pub(crate) struct SessionTokens {
    pub session_id: SessionId,
    pub access_token: String,
    pub refresh_token: OpaqueToken,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BeginSessionError {
    #[error(transparent)]
    Database(#[from] DbErr),
    #[error("no randomness for a token")]
    Random(#[from] aws_lc_rs::error::Unspecified),
    #[error("the access token can't be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Role(#[from] UnknownRole),
}

/// Someone has just proved to be `user`, by `methods`. The transaction holds the user's row, read
/// by [`user::find_for_update`]: whoever ends all sessions holds it, too, and must not miss one that
/// begins. Commit the transaction afterwards.
pub(crate) async fn begin_session(
    context: &Context,
    transaction: &impl ConnectionTrait,
    user: &user::Model,
    methods: Methods,
    origin: &Origin,
) -> Result<SessionTokens, BeginSessionError> {
    let now = context.now();
    let session_id = SessionId::generate(now);
    let chain = RefreshChain::begin(context.refresh_policy, now);
    let new_session = NewSession {
        id: session_id,
        user_id: user.user_id(),
        methods: &methods,
        origin,
    };
    session::insert(transaction, new_session, chain, now).await?;
    let refresh_token = OpaqueToken::random()?;
    let hash = refresh_token.hash();
    refresh_token::insert(transaction, hash, session_id, chain.generation).await?;
    let by = By::Person(user.user_id());
    let event = Event::new(by, Action::SessionCreated, user.user_id(), origin)
        .target("session", session_id)
        .details(json!({"amr": methods.amr()}));
    audit::record(transaction, event, now).await?;

    let subject = Subject {
        user_id: user.user_id(),
        session_id,
        role: user.role()?,
        authenticated_at: now,
        methods,
    };
    Ok(SessionTokens {
        session_id,
        access_token: context.access_tokens.issue(&subject, now)?,
        refresh_token,
    })
}
