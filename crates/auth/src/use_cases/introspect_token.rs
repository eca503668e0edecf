use contracts::AccessTokenClaims;
use kernel::{Permission, Scope};
use service_kit::access_token::{TokenRejected, Verifier};

use crate::store::service_account::Model;

#[derive(Debug, thiserror::Error)]
pub(crate) enum IntrospectError {
    #[error("the account may not introspect tokens")]
    Forbidden,
    #[error("it can't be told now what the token is")]
    Unavailable(#[source] TokenRejected),
    #[error("it can't be told now what was revoked")]
    RevocationsUnavailable,
}

/// What an access token says, if it is valid now; a program is told of tokens for its own audience
/// only (RFC 7662 §4).
pub(crate) async fn introspect_token(
    verifier: &Verifier,
    account: &Model,
    token: &str,
) -> Result<Option<AccessTokenClaims>, IntrospectError> {
    if !Scope::of_claim(&account.scopes).includes(Permission::IntrospectTokens) {
        return Err(IntrospectError::Forbidden);
    }
    if !verifier.revocations().is_current() {
        return Err(IntrospectError::RevocationsUnavailable);
    }
    match verifier.examine(token).await {
        Ok(verified) if verified.claims.aud == account.audience => Ok(Some(verified.claims)),
        Ok(_) => Ok(None),
        Err(rejected) if rejected.is_unavailable() => Err(IntrospectError::Unavailable(rejected)),
        Err(_) => Ok(None),
    }
}
