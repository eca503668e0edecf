//! What clients and verifiers find out by themselves.

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, HeaderValue},
    web,
};
use kernel::{Permission, Role};
use serde::Serialize;
use service_kit::{
    jwks::JwkSet,
    routes::{Access, RouteTable},
};
use url::Url;

use crate::service::AuthService;

/// Verifiers fetch the keys again after five minutes.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// The ways that `OAuthRequest` takes (RFC 7591 §2).
const CLIENT_AUTHENTICATION: [&str; 2] = ["client_secret_basic", "client_secret_post"];

pub(super) struct Documents {
    service: AuthService,
    /// Made once: it is the same for everyone, always.
    metadata: Metadata,
}

/// RFC 8414 §2. There is no flow with a browser, and the document says so: where a list would
/// default to flows when it is left out, it stands there empty.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Metadata {
    #[schema(example = "http://localhost:8080/auth")]
    issuer: String,
    #[schema(example = "http://localhost:8080/auth/.well-known/jwks.json")]
    jwks_uri: String,
    #[schema(example = "http://localhost:8080/auth/docs/")]
    service_documentation: String,
    #[schema(example = "http://localhost:8080/auth/oauth2/token")]
    token_endpoint: String,
    #[schema(example = json!(["client_secret_basic", "client_secret_post"]))]
    token_endpoint_auth_methods_supported: [&'static str; 2],
    #[schema(example = "http://localhost:8080/auth/oauth2/introspect")]
    introspection_endpoint: String,
    #[schema(example = json!(["client_secret_basic", "client_secret_post"]))]
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    #[schema(example = "http://localhost:8080/auth/oauth2/revoke")]
    revocation_endpoint: String,
    /// `none` for the tokens of people.
    #[schema(example = json!(["client_secret_basic", "client_secret_post", "none"]))]
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    #[schema(example = json!(["client_credentials"]))]
    grant_types_supported: [&'static str; 1],
    response_types_supported: [String; 0],
    /// What programs can have.
    #[schema(example = json!(["users:look-up"]))]
    scopes_supported: Vec<&'static str>,
}

impl Documents {
    pub(super) fn of(service: &AuthService) -> Self {
        let issuer = service.issuer();
        Self {
            service: service.clone(),
            metadata: Metadata {
                issuer: issuer.to_owned(),
                jwks_uri: format!("{issuer}/.well-known/jwks.json"),
                service_documentation: format!("{issuer}/docs/"),
                token_endpoint: format!("{issuer}/oauth2/token"),
                token_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
                introspection_endpoint: format!("{issuer}/oauth2/introspect"),
                introspection_endpoint_auth_methods_supported: CLIENT_AUTHENTICATION,
                revocation_endpoint: format!("{issuer}/oauth2/revoke"),
                revocation_endpoint_auth_methods_supported: {
                    let [basic, post] = CLIENT_AUTHENTICATION;
                    [basic, post, "none"]
                },
                grant_types_supported: ["client_credentials"],
                response_types_supported: [],
                scopes_supported: program_scopes(),
            },
        }
    }

    pub(super) fn issuer_path(&self) -> String {
        let issuer = Url::parse(&self.metadata.issuer);
        issuer.map_or_else(|_| String::new(), |issuer| issuer.path().to_owned())
    }
}

/// Where RFC 8414 §3 looks for the metadata: the well-known part stands before the issuer's path.
/// The path below the issuer is OpenID Connect's, and what people try first.
pub(super) fn metadata_routes(issuer_path: &str) -> RouteTable {
    let issuer_path = issuer_path.trim_end_matches('/');
    let path = format!("/.well-known/oauth-authorization-server{issuer_path}");
    RouteTable::new("").get(&path, Access::Public, metadata)
}

fn program_scopes() -> Vec<&'static str> {
    let all = Permission::ALL.iter();
    all.filter(|permission| Role::Service.grants(**permission))
        .map(|permission| permission.as_str())
        .collect()
}

/// The keys that verify access tokens.
///
/// RFC 7517. The current key, the one that signs next, and those whose tokens may still be about.
/// May be cached for five minutes.
#[utoipa::path(
    get,
    path = "/auth/.well-known/jwks.json",
    operation_id = "getJwks",
    tag = "discovery",
    responses((status = 200, description = "The public keys", body = JwkSet)),
)]
pub(super) async fn jwks(documents: web::Data<Documents>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, CACHE))
        .json(documents.service.jwks())
}

/// Authorization server metadata.
///
/// RFC 8414. May be cached for five minutes.
#[utoipa::path(
    get,
    path = "/auth/.well-known/oauth-authorization-server",
    operation_id = "getMetadata",
    tag = "discovery",
    responses((status = 200, description = "The metadata", body = Metadata)),
)]
pub(super) async fn metadata(documents: web::Data<Documents>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, CACHE))
        .json(&documents.metadata)
}
