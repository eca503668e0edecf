use sea_orm::DbErr;
use service_kit::access_token::Verifier;

use crate::{
    access_tokens::CLIENT_ID,
    audit::{self, Action, By, Event},
    context::Context,
    origin::Origin,
    revocations,
    secret::OpaqueToken,
    store::{refresh_token, session::Which},
    use_cases::revoke_sessions::end_sessions,
};

#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeTokenError {
    #[error("the token was issued to another client")]
    OfAnotherClient,
    #[error(transparent)]
    Database(#[from] DbErr),
}

/// Ends an access token, or, with a refresh token, its whole session (RFC 7009 §2.1). What is no
/// token, or none any more, needs nothing done.
pub(crate) async fn revoke_token(
    context: &Context,
    verifier: &Verifier,
    client_id: &str,
    token: &str,
    origin: &Origin,
) -> Result<(), RevokeTokenError> {
    if let Ok(token) = OpaqueToken::parse(token) {
        return end_session_of(context, client_id, &token, origin).await;
    }
    let Ok(verified) = verifier.examine(token).await else {
        return Ok(());
    };
    if verified.claims.client_id != client_id {
        return Err(RevokeTokenError::OfAnotherClient);
    }
    revocations::announce(context, &[verified.claims.jti]).await;
    Ok(())
}

async fn end_session_of(
    context: &Context,
    client_id: &str,
    token: &OpaqueToken,
    origin: &Origin,
) -> Result<(), RevokeTokenError> {
    let found = refresh_token::find_with_owner(context.database.reader(), token.hash()).await?;
    let Some((presented, owner)) = found else {
        return Ok(());
    };
    if client_id != CLIENT_ID {
        return Err(RevokeTokenError::OfAnotherClient);
    }
    let transaction = context.database.begin().await?;
    let (now, session) = (context.now(), presented.session_id);
    let which = Which::Only(session.into());
    let ended = end_sessions(&transaction, owner.user_id(), which, now).await?;
    if ended.count() > 0 {
        let by = By::Person(owner.user_id());
        let event = Event::new(by, Action::SessionRevoked, owner.user_id(), origin);
        audit::record(&transaction, event.target("session", session), now).await?;
    }
    transaction.commit().await?;
    ended.announce(context).await;
    Ok(())
}
