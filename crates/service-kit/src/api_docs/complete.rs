//! What an OpenAPI document can be told by other tables than its own annotations: who may call an
//! operation, and the problems that it answers.
//!
//! An operation's annotation lists its successes, and the problems that are its own, each by its
//! code in backticks: ``(status = 404, description = "`user-not-found`")``. Everything that follows
//! from the access or from taking a body is added here, and every problem gets its schema and an
//! example.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ErrorCode;
use serde_json::json;
use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Response,
    example::Example,
    path::{Operation, ParameterIn, PathItem},
    security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};

use crate::{
    problem::PROBLEM_JSON,
    routes::{Access, DeclaredRoute},
};

const BEARER: &str = "bearer";
const PROBLEM_SCHEMA: &str = "#/components/schemas/Problem";

/// Adds to every operation what `routes` says of it. `Problem` must be among the schemas.
#[must_use]
pub fn complete(mut document: OpenApi, routes: &[DeclaredRoute]) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let declared = |route: &&DeclaredRoute| route.path == *path && route.method == method;
            let access = routes.iter().find(declared).map(|route| route.access);
            complete_operation(operation, access.unwrap_or(Access::Public));
        }
    }
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    document
        .components
        .get_or_insert_default()
        .add_security_scheme(BEARER, SecurityScheme::Http(bearer));
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("GET", &mut item.get),
        ("POST", &mut item.post),
        ("PUT", &mut item.put),
        ("PATCH", &mut item.patch),
        ("DELETE", &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn complete_operation(operation: &mut Operation, access: Access) {
    // A program of the `Client` kind authenticates as the operation itself says.
    if access != Access::Client {
        let needs_token = matches!(access, Access::Needs(_) | Access::NeedsRecent(_));
        let bearer = SecurityRequirement::new::<_, [&str; 0], &str>(BEARER, []);
        operation.security = Some(needs_token.then_some(bearer).into_iter().collect());
    }
    let mut problems = own_problems(operation);
    problems.extend(of_access(access));
    problems.extend(of_input(operation));
    problems.extend([ErrorCode::Internal, ErrorCode::Unavailable]);
    let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
    for &code in ErrorCode::ALL {
        if problems.contains(code.as_str()) {
            by_status.entry(code.status()).or_default().push(code);
        }
    }
    for (status, codes) in by_status {
        let responses = &mut operation.responses.responses;
        responses.insert(status.to_string(), RefOr::T(response(&codes)));
    }
}

/// The codes of the annotation, and their responses with them.
fn own_problems(operation: &mut Operation) -> Codes {
    let mut codes = Codes::default();
    operation.responses.responses.retain(|status, response| {
        let RefOr::T(response) = response else {
            return true;
        };
        let named = codes_in(&response.description);
        let are_of_status = named
            .iter()
            .all(|code| code.status().to_string() == *status);
        if named.is_empty() || !are_of_status {
            return true;
        }
        codes.extend(named);
        false
    });
    codes
}

fn codes_in(description: &str) -> Vec<ErrorCode> {
    let quoted = description.split('`').skip(1).step_by(2);
    let code = |text: &str| ErrorCode::ALL.iter().find(|code| code.as_str() == text);
    quoted.filter_map(code).copied().collect()
}

fn of_access(access: Access) -> Vec<ErrorCode> {
    let of_token = [
        ErrorCode::Unauthenticated,
        ErrorCode::InvalidToken,
        ErrorCode::Forbidden,
    ];
    match access {
        Access::Public | Access::Client => Vec::new(),
        Access::Needs(_) => of_token.to_vec(),
        Access::NeedsRecent(_) => [&of_token[..], &[ErrorCode::StepUpRequired]].concat(),
    }
}

fn of_input(operation: &Operation) -> Vec<ErrorCode> {
    let mut codes = Vec::new();
    if let Some(RefOr::T(body)) = &operation.request_body {
        codes.push(ErrorCode::PayloadTooLarge);
        if body.content.contains_key("application/json") {
            codes.extend([
                ErrorCode::MalformedJson,
                ErrorCode::UnsupportedMediaType,
                ErrorCode::Validation,
            ]);
        }
    }
    let parameters = operation.parameters.iter().flatten();
    let mut places = parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(&parameter.parameter_in),
        RefOr::Ref(_) => None,
    });
    if places.any(|place| *place == ParameterIn::Query) {
        codes.push(ErrorCode::MalformedRequest);
    }
    codes
}

/// An answer that is one of several problems of the same status.
fn response(codes: &[ErrorCode]) -> Response {
    let titles: Vec<_> = codes
        .iter()
        .map(|code| format!("`{}`: {}", code.as_str(), code.title()))
        .collect();
    let examples = codes.iter().map(|code| {
        let mut example = Example::new();
        code.title().clone_into(&mut example.summary);
        example.value = Some(example_of(*code));
        (code.as_str().to_owned(), RefOr::T(example))
    });
    let mut content = Content::new(Some(Ref::new(PROBLEM_SCHEMA)));
    content.examples = examples.collect();
    let mut response = Response::new(titles.join(" "));
    response
        .content
        .insert(PROBLEM_JSON.to_owned(), RefOr::T(content));
    response
}

fn example_of(code: ErrorCode) -> serde_json::Value {
    let mut problem = json!({
        "type": format!("urn:plumbline:error:{}", code.as_str()),
        "title": code.title(),
        "status": code.status(),
        "code": code.as_str(),
        "request_id": "01997a52-7f0c-7cc3-a4f3-6b1f0c4e9a55",
    });
    if code == ErrorCode::Validation {
        let message = "is missing";
        problem["errors"] = json!([{"field": "name", "code": "invalid", "message": message}]);
    }
    problem
}

/// Codes, each once.
#[derive(Default)]
struct Codes(BTreeSet<&'static str>);

impl Codes {
    fn extend(&mut self, codes: impl IntoIterator<Item = ErrorCode>) {
        self.0.extend(codes.into_iter().map(ErrorCode::as_str));
    }

    fn contains(&self, code: &str) -> bool {
        self.0.contains(code)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::Method;
    use kernel::Permission;
    use utoipa::OpenApi as _;

    use super::*;
    use crate::problem::ProblemBody;

    #[utoipa::path(
        delete,
        path = "/things/{id}",
        responses(
            (status = 204, description = "Gone"),
            (status = 404, description = "`user-not-found`"),
        ),
    )]
    #[allow(dead_code, reason = "only its annotation is used")]
    fn delete() {}

    #[derive(utoipa::OpenApi)]
    #[openapi(paths(delete), components(schemas(ProblemBody)))]
    struct Document;

    fn document(access: Access) -> serde_json::Value {
        let route = DeclaredRoute {
            method: Method::DELETE,
            path: "/things/{id}".to_owned(),
            access,
        };
        let document = complete(Document::openapi(), &[route]);
        let mut document = serde_json::to_value(document).unwrap();
        document["paths"]["/things/{id}"]["delete"].take()
    }

    #[test]
    fn problems_follow_from_the_access_and_have_examples() {
        let operation = document(Access::NeedsRecent(Permission::DisableUsers));
        let statuses: Vec<_> = operation["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["204", "401", "403", "404", "500", "503"]);
        let answer = &operation["responses"]["401"]["content"][PROBLEM_JSON];
        assert_eq!(answer["schema"]["$ref"], PROBLEM_SCHEMA);
        let example = &answer["examples"]["step-up-required"]["value"];
        assert_eq!(example["status"], 401);
        assert_eq!(operation["security"][0]["bearer"], json!([]));
    }

    #[test]
    fn a_public_operation_says_that_it_is() {
        let operation = document(Access::Public);
        assert_eq!(operation["security"], json!([]));
        assert!(operation["responses"].get("401").is_none());
    }
}
