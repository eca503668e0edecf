//! OpenID Connect Core 1.0 §3.1.3.7. The library checks issuer, audience, signature, expiry and
//! nonce; what it leaves to the caller is here.

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AccessToken, AccessTokenHash, ClaimsVerificationError, ClientId, IdTokenVerifier, Nonce,
    SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenClaims, CoreJsonWebKey, CoreJwsSigningAlgorithm},
};

use super::metadata::Metadata;

/// How far the provider's clock may be ahead of ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(60);

/// What signs with a key that only the provider has. Neither `none` nor HMAC, for which the
/// client's secret would be the key: a key set and a secret must not be mixed up (RFC 8725 §3.1).
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

#[derive(Debug, thiserror::Error)]
pub(crate) enum IdTokenError {
    #[error("a claim or the signature is not valid")]
    Claims(#[from] ClaimsVerificationError),
    #[error("it was issued to another client")]
    AuthorizedParty,
    #[error("the access token beside it is another one")]
    AccessToken,
}

impl IdTokenError {
    /// Whether the provider's keys may have changed since they were fetched.
    pub(super) fn is_unknown_key(&self) -> bool {
        matches!(
            self,
            Self::Claims(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey
            ))
        )
    }
}

/// What an ID token must agree with.
pub(super) struct Expected<'a> {
    pub client_id: &'a ClientId,
    pub nonce: &'a Nonce,
    /// That came with it.
    pub access_token: &'a AccessToken,
    pub now: DateTime<Utc>,
}

/// The claims, if they are the provider's, for this client, and for this log-in.
pub(super) fn verify(
    token: &CoreIdToken,
    metadata: &Metadata,
    expected: &Expected<'_>,
) -> Result<CoreIdTokenClaims, IdTokenError> {
    let now = expected.now;
    let advertised = metadata.id_token_signing_alg_values_supported();
    let algorithms = ALGORITHMS
        .into_iter()
        .filter(|algorithm| advertised.contains(algorithm));
    // A public client's verifier knows no secret with which an HMAC could be checked.
    let verifier = IdTokenVerifier::new_public_client(
        expected.client_id.clone(),
        metadata.issuer().clone(),
        metadata.jwks().clone(),
    )
    .set_allowed_algs(algorithms)
    .set_time_fn(move || now)
    .set_issue_time_verifier_fn(move |issued| {
        if issued <= now + CLOCK_SKEW {
            Ok(())
        } else {
            Err("issued in the future".to_owned())
        }
    });
    let claims = token.claims(&verifier, expected.nonce)?;
    // The library accepts no audience but this client, so that `azp` can name no other either.
    if claims
        .authorized_party()
        .is_some_and(|party| party != expected.client_id)
    {
        return Err(IdTokenError::AuthorizedParty);
    }
    verify_access_token(token, claims, &verifier, expected.access_token)?;
    Ok(claims.clone())
}

/// §3.1.3.8, if the hash is there.
fn verify_access_token(
    token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
    verifier: &IdTokenVerifier<'_, CoreJsonWebKey>,
    access_token: &AccessToken,
) -> Result<(), IdTokenError> {
    let Some(hash) = claims.access_token_hash() else {
        return Ok(());
    };
    let algorithm = token
        .signing_alg()
        .map_err(ClaimsVerificationError::SignatureVerification)?;
    let key = token
        .signing_key(verifier)
        .map_err(ClaimsVerificationError::SignatureVerification)?;
    let actual = AccessTokenHash::from_token(access_token, algorithm, key)
        .map_err(|_| IdTokenError::AccessToken)?;
    if actual == *hash {
        Ok(())
    } else {
        Err(IdTokenError::AccessToken)
    }
}
