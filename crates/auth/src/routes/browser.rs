//! Refresh tokens of browsers: in a cookie that no script can read, so that a script that got into
//! a page can't take the session along. The access token goes into a cookie, too, for WebSockets.
//!
//! A browser adds the cookies to whatever request, so the routes that take one make sure that a page
//! of ours sent it ([`OwnOrigin`]), besides `SameSite=Strict` and bodies in JSON, which no form can
//! send.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse, HttpResponseBuilder,
    cookie::{Cookie, SameSite, time},
    dev::Payload,
    http::header::{HeaderValue, SET_COOKIE},
    web,
};
use contracts::{ACCESS_TOKEN_COOKIE, ErrorCode};
use serde::Deserialize;
use service_kit::{browser::OwnOrigin, problem::Problem};

use super::{SessionAnswer, secret_answer};
use crate::{context::Context, use_cases::begin_session::SessionTokens};

/// A name with this prefix is accepted only with `Secure`, `Path=/` and no `Domain`: no other host
/// of the domain can set it (RFC 6265bis §4.1.3.2).
const REFRESH_COOKIE: &str = "__Host-plumbline_refresh";

/// How a client keeps its refresh token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::routes) enum RefreshTokenTransport {
    /// In the answer: for programs.
    #[default]
    Body,
    /// In a `__Host-` cookie: for pages of this origin. The access token, which is in the answer,
    /// goes into one as well, for their WebSockets.
    Cookie,
}

impl RefreshTokenTransport {
    /// Hands out the tokens of a session.
    pub(in crate::routes) fn answer(
        self,
        context: &Context,
        response: HttpResponseBuilder,
        tokens: SessionTokens,
    ) -> HttpResponse {
        let lifetime = context.access_tokens.lifetime;
        let mut answer = SessionAnswer::new(tokens, lifetime);
        let taken = match self {
            Self::Body => None,
            Self::Cookie => answer.refresh_token.take(),
        };
        let mut response = secret_answer(response, &answer);
        if let Some(refresh_token) = taken {
            let idle = context.refresh_policy.idle;
            for (name, token, lifetime) in [
                (REFRESH_COOKIE, refresh_token, idle),
                (ACCESS_TOKEN_COOKIE, answer.access_token.clone(), lifetime),
            ] {
                set(&mut response, &cookie(name, token, lifetime.num_seconds()));
            }
        }
        response
    }
}

/// What a browser says about its request.
pub(in crate::routes) struct Browser {
    refresh_token: Option<String>,
    is_own_page: bool,
}

impl Browser {
    /// The refresh token of the cookie, if a page of ours sent it; `None` without a cookie.
    pub(in crate::routes) fn refresh_token(self) -> Result<Option<String>, Problem> {
        if self.refresh_token.is_some() {
            self.require_own_page()?;
        }
        Ok(self.refresh_token)
    }

    /// Lets only pages of ours log in with a cookie: another site could log its victim in as
    /// somebody else.
    pub(in crate::routes) fn check(&self, transport: RefreshTokenTransport) -> Result<(), Problem> {
        match transport {
            RefreshTokenTransport::Body => Ok(()),
            RefreshTokenTransport::Cookie => self.require_own_page(),
        }
    }

    fn require_own_page(&self) -> Result<(), Problem> {
        if self.is_own_page {
            Ok(())
        } else {
            Err(Problem::new(ErrorCode::CrossSiteRequest))
        }
    }
}

impl FromRequest for Browser {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let own = request.app_data::<web::Data<OwnOrigin>>();
        ready(Ok(Self {
            refresh_token: request
                .cookie(REFRESH_COOKIE)
                .map(|cookie| cookie.value().to_owned()),
            is_own_page: own.is_some_and(|own| own.sent(request)),
        }))
    }
}

/// Ends the cookies of a session that has ended.
pub(in crate::routes) fn forget(mut response: HttpResponse) -> HttpResponse {
    for cookie in ended() {
        set(&mut response, &cookie);
    }
    response
}

/// As [`forget`], with an error.
pub(in crate::routes) fn forget_with(problem: Problem) -> Problem {
    ended().iter().fold(problem, |problem, cookie| {
        match HeaderValue::from_str(&cookie.to_string()) {
            Ok(value) => problem.header(SET_COOKIE, value),
            Err(_) => problem,
        }
    })
}

fn ended() -> [Cookie<'static>; 2] {
    [REFRESH_COOKIE, ACCESS_TOKEN_COOKIE].map(|name| cookie(name, String::new(), 0))
}

fn cookie(name: &'static str, token: String, seconds: i64) -> Cookie<'static> {
    Cookie::build(name, token)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(time::Duration::seconds(seconds))
        .finish()
}

fn set(response: &mut HttpResponse, cookie: &Cookie<'static>) {
    // Base64url and names of ours are always a header's value.
    if let Ok(value) = HeaderValue::from_str(&cookie.to_string()) {
        response.headers_mut().append(SET_COOKIE, value);
    }
}
