use actix_web::{HttpResponse, web};
use serde::Serialize;
use service_kit::problem::Problem;

use crate::context::Context;

#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::routes) struct Providers {
    providers: Vec<ProviderAnswer>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct ProviderAnswer {
    /// For `POST /auth/v1/external-logins`.
    #[schema(example = "example")]
    name: String,
    /// For people to read.
    #[schema(example = "Example")]
    display_name: String,
}

/// List the providers.
///
/// Where one can log in instead of here, in the order in which to offer them.
#[utoipa::path(
    get,
    path = "/auth/v1/external-logins/providers",
    operation_id = "listExternalProviders",
    tag = "external log-in",
    responses((status = 200, description = "The providers; none if none is configured", body = Providers)),
)]
pub(in crate::routes) async fn handle(
    context: web::Data<Context>,
) -> Result<HttpResponse, Problem> {
    let providers = context.external_providers.iter();
    let providers = providers.map(|provider| ProviderAnswer {
        name: provider.name().to_owned(),
        display_name: provider.display_name().to_owned(),
    });
    Ok(HttpResponse::Ok().json(Providers {
        providers: providers.collect(),
    }))
}
