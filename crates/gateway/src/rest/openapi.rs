//! The OpenAPI 3.1 document of `/v1` and `/v2`.

use contracts::ErrorCode;
use service_kit::{api_docs, problem::ProblemBody};
use utoipa::openapi::{
    Deprecated, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema,
    path::{Operation, PathItem},
};

use super::{deprecation, examples};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Plumbline orders",
        description = "The catalogue and orders: the same use-cases as GraphQL. Errors are RFC 9457 \
                       problems with a stable `code`. Lists are paged by cursors, so that rows \
                       which arrive meanwhile are neither skipped nor repeated. Every answer tells \
                       in `RateLimit` and `RateLimit-Policy` what its caller has left. A deprecated \
                       operation tells in `Sunset` until when it is served, and in `Link` what \
                       succeeds it.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The server of this document")),
    paths(
        super::list_products::handle,
        super::get_product::handle,
        super::list_orders::handle,
        super::get_order::handle,
        super::place_order::handle,
        super::v2::list_products::handle,
        super::v2::get_product::handle,
        super::cancel_order::handle,
    ),
    components(schemas(ProblemBody, super::model::ProductSortQuery))
)]
struct Document;

/// The OpenAPI document of all versions.
#[must_use]
pub fn openapi() -> OpenApi {
    use utoipa::OpenApi as _;
    let mut document = Document::openapi();
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            if deprecation::is_deprecated(path) {
                operation.deprecated = Some(Deprecated::True);
            }
            let responses = &mut operation.responses.responses;
            let limited = RefOr::T(too_many_requests());
            responses.insert(ErrorCode::TooManyRequests.status().to_string(), limited);
            responses.values_mut().for_each(add_example);
        }
    }
    api_docs::complete(document, &super::declared())
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// The answer of [`super::metering`].
fn too_many_requests() -> Response {
    let code = ErrorCode::TooManyRequests.as_str();
    ResponseBuilder::new()
        .description(format!("`{code}`"))
        .build()
}

/// Shows what an answer looks like, by the name of its schema.
fn add_example(response: &mut RefOr<Response>) {
    let RefOr::T(response) = response else {
        return;
    };
    for content in response.content.values_mut() {
        let RefOr::T(content) = content else {
            continue;
        };
        let Some(RefOr::<Schema>::Ref(Ref { ref_location, .. })) = &content.schema else {
            continue;
        };
        let name = ref_location.rsplit('/').next().unwrap_or_default();
        content.example = examples::of(name);
    }
}
