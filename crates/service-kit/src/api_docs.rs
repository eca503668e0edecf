//! An OpenAPI document and Swagger UI for it, from files inside the program: it works offline and
//! loads nothing from elsewhere.

mod complete;

use actix_web::{
    HttpResponse,
    http::header::{
        CONTENT_ENCODING, CONTENT_SECURITY_POLICY, ContentEncoding, HeaderValue, LOCATION,
    },
    web,
};
use contracts::ErrorCode;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::{
    problem::Problem,
    routes::{Access, RouteTable},
};

pub use complete::complete;

/// Swagger UI sets styles from its script and has icons as data URLs.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     frame-ancestors 'none'; base-uri 'none'",
);

/// Mounts `{prefix}/openapi.json` and `{prefix}/docs/`. The prefix is empty or begins with `/`.
pub fn configure(prefix: &str, document: OpenApi) -> impl FnOnce(&mut web::ServiceConfig) {
    let swagger_ui: Config<'static> = Config::new([format!("{prefix}/openapi.json")]);
    let routes = routes(prefix)
        .app_data(web::Data::new(document))
        .app_data(web::Data::new(swagger_ui));
    move |config| routes.configure(config)
}

#[must_use]
pub fn routes(prefix: &str) -> RouteTable {
    let folder = format!("{prefix}/docs/");
    let to_folder = move || {
        // The page names its files relative to its folder.
        let redirect = HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, folder.clone()))
            .finish();
        std::future::ready(redirect)
    };
    let at = |path| format!("{prefix}{path}");
    RouteTable::new("")
        .get(&at("/openapi.json"), Access::Public, serve_document)
        .get(&at("/docs"), Access::Public, to_folder)
        .get(&at("/docs/{file:.*}"), Access::Public, serve_file)
}

async fn serve_document(document: web::Data<OpenApi>) -> HttpResponse {
    HttpResponse::Ok().json(document.get_ref())
}

async fn serve_file(
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
