//! Resources that answer 405 with `Allow` (RFC 9110 §15.5.6) to methods they don't know, and 404
//! as a problem where there is nothing.

use actix_web::{
    FromRequest, Handler, HttpResponse, Resource, Responder,
    http::header::{ALLOW, HeaderValue},
    web,
};
use contracts::ErrorCode;

use crate::problem::Problem;

/// A resource that is only read.
pub fn get<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
        .default_service(web::to(|| method_not_allowed("GET, HEAD")))
}

/// A resource that only takes.
pub fn post<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::post().to(handler))
        .default_service(web::to(|| method_not_allowed("POST")))
}

/// The answer to a method that is none of `allowed`.
pub async fn method_not_allowed(allowed: &'static str) -> Result<HttpResponse, Problem> {
    Err(Problem::new(ErrorCode::MethodNotAllowed).header(ALLOW, HeaderValue::from_static(allowed)))
}

/// The answer to a path that no route knows.
pub async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::new(ErrorCode::NotFound))
}
