//! Issues access tokens: JWTs of the profile of RFC 9068, verified by
//! [`service_kit::access_token`].

use chrono::{DateTime, TimeDelta, Utc};
use contracts::AccessTokenClaims;
use kernel::{Role, Scope, SessionId, UserId};
use service_kit::access_token::TOKEN_TYPE;
use uuid::Uuid;

use crate::{authentication::Methods, signing_keys::SigningKeys};

/// Our own pages and programs: there are no other clients yet.
pub(crate) const CLIENT_ID: &str = "plumbline";

#[derive(Clone)]
pub(crate) struct AccessTokens {
    pub issuer: String,
    pub audience: String,
    pub lifetime: TimeDelta,
    pub signing_keys: SigningKeys,
}

/// For whom a token is made.
pub(crate) struct Subject {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub role: Role,
    pub authenticated_at: DateTime<Utc>,
    pub methods: Methods,
}

/// A program that a token is made for, in its own name.
pub(crate) struct Program<'a> {
    pub id: UserId,
    pub client_id: &'a str,
    pub audience: &'a str,
    pub scope: &'a Scope,
}

/// Authentication context class of a program: it showed its secret.
const PROGRAM_ASSURANCE: &str = "client";

impl AccessTokens {
    pub(crate) fn issue(
        &self,
        subject: &Subject,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = AccessTokenClaims {
            iss: self.issuer.clone(),
            sub: subject.user_id,
            aud: self.audience.clone(),
            exp: (now + self.lifetime).timestamp(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            jti: Uuid::new_v4(),
            client_id: CLIENT_ID.to_owned(),
            sid: Some(subject.session_id),
            scope: Scope::Everything.to_string(),
            roles: vec![subject.role],
            auth_time: subject.authenticated_at.timestamp(),
            acr: subject.methods.acr().to_owned(),
            amr: subject.methods.amr(),
        };
        self.sign(&claims)
    }

    /// There is no session, and nobody to prove anything (RFC 9068 §2.2).
    pub(crate) fn issue_to_program(
        &self,
        program: &Program<'_>,
        now: DateTime<Utc>,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = AccessTokenClaims {
            iss: self.issuer.clone(),
            sub: program.id,
            aud: program.audience.to_owned(),
            exp: (now + self.lifetime).timestamp(),
            iat: now.timestamp(),
            nbf: now.timestamp(),
            jti: Uuid::new_v4(),
            client_id: program.client_id.to_owned(),
            sid: None,
            scope: program.scope.to_string(),
            roles: vec![Role::Service],
            auth_time: now.timestamp(),
            acr: PROGRAM_ASSURANCE.to_owned(),
            amr: Vec::new(),
        };
        self.sign(&claims)
    }

    fn sign(&self, claims: &AccessTokenClaims) -> Result<String, jsonwebtoken::errors::Error> {
        self.signing_keys.current().sign(TOKEN_TYPE, claims)
    }
}
