use std::{future::Future, pin::Pin, sync::Arc};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE},
    web,
};
use contracts::ErrorCode;
use kernel::Actor;

use super::{VerifiedToken, Verifier};
use crate::problem::Problem;

/// A handler that takes this answers 401 to whoever has no valid access token. Needs a
/// `web::Data<Verifier>`.
pub struct Authenticated(pub Arc<VerifiedToken>);

impl Authenticated {
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.0.actor
    }
}

impl FromRequest for Authenticated {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let verifier = request.app_data::<web::Data<Verifier>>().cloned();
        let token = bearer_token(request).map(str::to_owned);
        Box::pin(async move {
            let verifier =
                verifier.ok_or_else(|| Problem::internal("no token verifier is set up"))?;
            let token = token.ok_or_else(unauthenticated)?;
            Ok(Self(verifier.verify(&token).await?))
        })
    }
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
