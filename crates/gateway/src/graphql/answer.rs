//! What a GraphQL request is answered with, before a transport writes it.

use std::collections::BTreeMap;

use async_graphql::{Name, PathSegment, Response, ServerError, Value, indexmap::IndexMap};
use serde::Serialize;

use super::code::{Code, error, extensions_of, set_code};

/// How far a request came. The HTTP status follows from it; over WebSocket everything but
/// [`Stage::Executed`] is an `error` message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was no GraphQL request, or was refused by a limit: this HTTP status in every case.
    Refused(u16),
    /// The document is not well-formed: 400, or 200 where `application/json` was asked for.
    Unparsable,
    /// The document or its variables are not valid: the same, or 422 (see
    /// [`super::http::HttpConfig`]).
    Invalid,
    /// It was executed, whatever errors its fields had.
    Executed,
}

/// Why nothing was executed.
#[derive(Debug, thiserror::Error)]
#[error("{}", messages(.errors))]
pub struct Rejection {
    pub(super) stage: Stage,
    pub(super) errors: Vec<ServerError>,
}

/// Of a request that is not executed.
const MAX_ERRORS: usize = 20;

fn messages(errors: &[ServerError]) -> String {
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    messages.join(" ")
}

impl Rejection {
    /// The first errors tell enough: a short document must not earn a long answer.
    pub(super) fn new(stage: Stage, mut errors: Vec<ServerError>) -> Self {
        errors.truncate(MAX_ERRORS);
        complete_errors(&mut errors, stage);
        Self { stage, errors }
    }

    /// Refused with one error and this HTTP status.
    pub(super) fn refused(status: u16, code: Code, message: impl Into<String>) -> Self {
        let error = error(code.as_str(), message, Vec::new());
        Self::new(Stage::Refused(status), vec![error])
    }
}

/// An answer. `data` is left out, not null, when nothing was executed.
#[derive(Debug, Serialize)]
pub struct Answer {
    #[serde(skip)]
    pub(super) stage: Stage,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) errors: Vec<ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<String, Value>,
}

impl From<Rejection> for Answer {
    fn from(rejection: Rejection) -> Self {
        let Rejection { stage, errors } = rejection;
        Self {
            stage,
            errors,
            data: None,
            extensions: BTreeMap::new(),
        }
    }
}

impl Answer {
    /// What the library answered.
    pub(super) fn of_response(response: Response) -> Self {
        let Response {
            mut data,
            mut errors,
            extensions,
            ..
        } = response;
        let has_failed = data == Value::Null && !errors.is_empty();
        // The library marks what went wrong before execution by an error without a path.
        if has_failed && errors.iter().all(|error| error.path.is_empty()) {
            let answer = Self::from(Rejection::new(Stage::Invalid, errors));
            return Self {
                extensions,
                ..answer
            };
        }
        for error in &errors {
            fill_in_null(&mut data, &error.path);
        }
        complete_errors(&mut errors, Stage::Executed);
        Self {
            stage: Stage::Executed,
            errors,
            data: Some(data),
            extensions,
        }
    }

    /// What the library answered about one event of a subscription. One without data ends it: the
    /// source could not be opened, or has failed.
    pub(super) fn of_event(response: Response) -> Self {
        if response.data == Value::Null && !response.errors.is_empty() {
            return Rejection::new(Stage::Invalid, response.errors).into();
        }
        Self::of_response(response)
    }

    /// Whether there is data in spite of errors.
    pub(super) fn is_partial(&self) -> bool {
        let has_data = self.data.as_ref().is_some_and(|data| *data != Value::Null);
        has_data && !self.errors.is_empty()
    }

    /// A label for metrics.
    pub(super) fn outcome(&self) -> &'static str {
        match self.stage {
            Stage::Refused(_) => "refused",
            Stage::Unparsable | Stage::Invalid => "invalid",
            Stage::Executed if self.errors.is_empty() => "ok",
            Stage::Executed => "errors",
        }
    }

    /// Reports what the operation cost and what it might have cost.
    #[must_use]
    pub(super) fn with_cost(mut self, cost: u64, limit: u64) -> Self {
        let report = async_graphql::value!({ "requested": cost, "limit": limit });
        self.extensions.insert("cost".to_owned(), report);
        self
    }
}

/// Gives every error a code and the trace id, and masks what is nobody's business.
fn complete_errors(errors: &mut [ServerError], stage: Stage) {
    if errors.is_empty() {
        return;
    }
    let trace_id = trace_context::current_trace_id();
    for error in errors {
        complete(error, stage);
        if let Some(trace_id) = &trace_id {
            extensions_of(error).set("traceId", trace_id.as_str());
        }
    }
}

/// Puts the null in the place of a field that failed: the library leaves such a field out (GraphQL
/// specification, §6.4.4, "Handling Field Errors").
fn fill_in_null(data: &mut Value, path: &[PathSegment]) {
    let Some((PathSegment::Field(field), parents)) = path.split_last() else {
        return;
    };
    if parents.is_empty() && *data == Value::Null {
        *data = Value::Object(IndexMap::new());
    }
    let mut place = data;
    for segment in parents {
        let next = match (segment, place) {
            (PathSegment::Field(name), Value::Object(fields)) => fields.get_mut(name.as_str()),
            (PathSegment::Index(index), Value::List(items)) => items.get_mut(*index),
            _ => None,
        };
        let Some(next) = next else {
            return;
        };
        place = next;
    }
    if let Value::Object(fields) = place {
        fields.entry(Name::new(field)).or_insert(Value::Null);
    }
}

fn complete(error: &mut ServerError, stage: Stage) {
    let has_code = error
        .extensions
        .as_ref()
        .is_some_and(|values| values.get("code").is_some());
    if has_code {
        return;
    }
    // Resolvers give their errors a code. One without comes from the library, unless it has a
    // source: then a resolver used `?` on a foreign error, whose text is not for the client.
    let is_unexpected = error.source.is_some() || error.message.starts_with("internal:");
    if is_unexpected {
        tracing::error!(cause = %error.message, path = ?error.path, "a field failed unexpectedly");
        error.message = "Something went wrong on our side.".to_owned();
        set_code(error, Code::InternalServerError.as_str());
    } else if stage == Stage::Executed {
        set_code(error, Code::BadUserInput.as_str());
    } else {
        set_code(error, Code::ValidationFailed.as_str());
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn json(answer: &Answer) -> serde_json::Value {
        serde_json::to_value(answer).unwrap()
    }

    #[test]
    fn a_request_error_has_no_data_and_a_code() {
        let response = Response::from_errors(vec![ServerError::new("Unknown field.", None)]);
        let answer = Answer::of_response(response);
        assert_eq!(answer.stage, Stage::Invalid);
        assert_eq!(
            json(&answer),
            serde_json::json!({"errors": [{
                "message": "Unknown field.",
                "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
            }]})
        );
    }

    #[test]
    fn the_text_of_a_foreign_error_stays_inside() {
        let foreign = async_graphql::Error::from(std::io::Error::other("password=hunter2"));
        let mut error = foreign.into_server_error(async_graphql::Pos::default());
        error.path = vec![PathSegment::Field("me".to_owned())];
        let mut response = Response::new(Value::Null);
        response.errors.push(error);
        let body = json(&Answer::of_response(response));
        assert_eq!(
            body["errors"][0]["extensions"]["code"],
            "INTERNAL_SERVER_ERROR"
        );
        assert_eq!(body["data"], serde_json::json!({"me": null}));
        assert!(!body.to_string().contains("hunter2"));
    }
}
