//! Swagger UI, from assets inside the program: it works offline and loads nothing from elsewhere.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    http::header::{
        CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentEncoding, HeaderValue, LOCATION,
    },
    web::{self, ServiceConfig},
};
use contracts::ErrorCode;
use service_kit::problem::Problem;
use utoipa_swagger_ui::Config;

use super::get;

const OPENAPI_URL: &str = "/auth/openapi.json";

/// Swagger UI sets styles from its script and has icons as data URLs.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'",
);

pub(super) fn configure(config: &mut ServiceConfig) {
    let swagger_ui: Config<'static> = Config::new([OPENAPI_URL]);
    config
        .app_data(web::Data::from(Arc::new(swagger_ui)))
        .app_data(web::Data::new(super::openapi()))
        .service(get("/openapi.json", document))
        .service(get("/docs", to_folder))
        .service(get("/docs/{file:.*}", file));
}

async fn document(document: web::Data<utoipa::openapi::OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document.get_ref())
}

/// The page's assets are relative to its folder.
async fn to_folder() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/auth/docs/"))
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
