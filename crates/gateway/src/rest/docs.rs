//! Swagger UI, from files inside the program: it works offline and loads nothing from elsewhere.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentEncoding, LOCATION},
    web,
};
use contracts::ErrorCode;
use service_kit::problem::Problem;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

const OPENAPI_URL: &str = "/openapi.json";

/// Swagger UI sets styles from its script and has icons as data URLs.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    frame-ancestors 'none'; base-uri 'none'";

pub(super) fn configure(config: &mut web::ServiceConfig) {
    let document = super::get(OPENAPI_URL, document).app_data(web::Data::new(super::openapi()));
    let page = web::scope("/docs")
        .app_data(web::Data::from(Arc::new(Config::new([OPENAPI_URL]))))
        .service(super::get("", to_folder))
        .service(super::get("/{file:.*}", file));
    config.service(document).service(page);
}

async fn document(document: web::Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document.get_ref())
}

/// The page names its files relative to its folder.
async fn to_folder() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .finish()
}

async fn file(
    path: web::Path<String>,
    config: web::Data<Config<'static>>,
) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&path, config.into_inner())
        .map_err(|error| Problem::internal(error.to_string()))?;
    let file = found.ok_or_else(|| Problem::new(ErrorCode::NotFound))?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header((CONTENT_ENCODING, ContentEncoding::Gzip));
    }
    Ok(response
        .content_type(file.content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(file.bytes.into_owned()))
}
