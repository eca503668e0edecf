use std::{future::Ready, future::ready, sync::Arc};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    web,
};
use contracts::ErrorCode;
use kernel::Actor;

use super::{VerifiedToken, Verifier};
use crate::problem::Problem;

/// The caller of a route whose [`crate::routes::Access`] asks for one.
#[derive(Clone)]
pub struct Authenticated(pub Arc<VerifiedToken>);

impl Authenticated {
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }

    /// Verifies the bearer token of a request, unless a middleware has done so and left the caller
    /// in the request's extensions. Needs a `web::Data<Verifier>`.
    pub async fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let known = request.extensions().get::<Self>().cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let verifier = verifier(request)?;
        let token = bearer_token(request).ok_or_else(unauthenticated)?;
        Ok(Self(verifier.verify(token).await?))
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Problem::internal("this route is declared without a caller")))
    }
}

pub(crate) fn verifier(request: &HttpRequest) -> Result<&Verifier, Problem> {
    request
        .app_data::<web::Data<Verifier>>()
        .map(|verifier| verifier.get_ref())
        .ok_or_else(|| Problem::internal("no token verifier is set up"))
}

/// RFC 6750 §2.1; the scheme's name is case-insensitive (RFC 9110 §11.1).
fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_matches(' '))
}

fn unauthenticated() -> Problem {
    Problem::new(ErrorCode::Unauthenticated)
        .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}
