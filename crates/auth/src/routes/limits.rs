//! Limits by client, before a request is read: every route that changes something has one.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
};
use service_kit::{client_address::ClientAddress, problem::Problem};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::{context::Context, throttle::Kind};

/// Middleware around all routes.
pub(super) async fn enforce(
    context: Arc<Context>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    if let Some(kind) = kind(request.method(), request.match_info().as_str()) {
        let client = ClientAddress::of(request.request());
        if let Err(too_many) = context.throttle.request(kind, client).await {
            let answer = HttpResponse::from_error(Problem::from(too_many));
            return Ok(request.into_response(answer));
        }
    }
    next.call(request).await
}

/// `None` for what only reads.
fn kind(method: &Method, path: &str) -> Option<Kind> {
    if [Method::GET, Method::HEAD, Method::OPTIONS].contains(method) {
        return None;
    }
    Some(match path {
        "/auth/v1/sessions" if method == Method::POST => Kind::LogIn,
        "/auth/v1/step-up" => Kind::LogIn,
        "/auth/v1/tokens/refresh" => Kind::Refresh,
        "/auth/v1/users"
        | "/auth/v1/password-resets"
        | "/auth/v1/email-verifications"
        | "/auth/v1/me/email" => Kind::MailRequest,
        _ => Kind::Other,
    })
}

/// Documents the answer of [`enforce`].
pub(super) struct TooManyRequests;

impl utoipa::Modify for TooManyRequests {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for item in document.paths.paths.values_mut() {
            let limited = [
                &mut item.post,
                &mut item.put,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in limited.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                responses
                    .entry("429".to_owned())
                    .or_insert_with(|| RefOr::T(too_many_requests()));
            }
        }
    }
}

fn too_many_requests() -> Response {
    let problem = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    ResponseBuilder::new()
        .description("`too-many-requests`: wait as long as `Retry-After` says")
        .content("application/problem+json", problem)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_something_is_limited_and_what_reads_is_not() {
        let post = |path| kind(&Method::POST, path);
        assert_eq!(post("/auth/v1/sessions"), Some(Kind::LogIn));
        assert_eq!(post("/auth/v1/step-up"), Some(Kind::LogIn));
        assert_eq!(post("/auth/v1/users"), Some(Kind::MailRequest));
        assert_eq!(post("/auth/v1/tokens/refresh"), Some(Kind::Refresh));
        assert_eq!(post("/auth/v1/what-comes-later"), Some(Kind::Other));
        let delete = kind(&Method::DELETE, "/auth/v1/sessions");
        assert_eq!(delete, Some(Kind::Other));
        assert_eq!(kind(&Method::GET, "/auth/v1/sessions"), None);
    }
}
