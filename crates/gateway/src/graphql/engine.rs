//! From parameters to an answer: guard, parse, check variables, execute within a time limit. Both
//! transports, HTTP and WebSocket, go through here.

use std::time::Duration;

use async_graphql::{
    Executor, Pos, Request, ServerError, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition},
};
use futures_util::{Stream, StreamExt};
use serde_json::{Map, Value};

use super::answer::{Answer, Rejection, Stage};
use super::code::{Code, error};
use super::guard::{self, Limits, OperationKind, Refusal};
use super::parameters::Parameters;
use crate::caller::Caller;

/// Bounds of the engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// What a document may amount to.
    pub limits: Limits,
    /// How long a query or a mutation may take.
    pub timeout: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            timeout: Duration::from_secs(10),
        }
    }
}

/// A schema behind the guard.
#[derive(Clone)]
pub struct Engine<E> {
    executor: E,
    config: EngineConfig,
}

/// A request that passed the guard, ready to be executed.
pub struct Prepared {
    request: Request,
    kind: OperationKind,
    cost: u64,
}

impl Prepared {
    /// What kind of operation it is.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        self.kind
    }

    /// What the operation costs its caller.
    #[must_use]
    pub fn units(&self) -> u32 {
        u32::try_from(self.cost).unwrap_or(u32::MAX)
    }

    /// The same request, made by `caller`; resolvers see it.
    #[must_use]
    pub fn by(mut self, caller: Option<Caller>) -> Self {
        if let Some(caller) = caller {
            self.request = self.request.data(caller);
        }
        self
    }
}

impl<E: Executor> Engine<E> {
    /// Puts `executor` behind the guard.
    pub fn new(executor: E, config: EngineConfig) -> Self {
        Self { executor, config }
    }

    /// Checks everything that needs no schema.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn prepare(&self, parameters: Parameters) -> Result<Prepared, Rejection> {
        let variables = parameters.variables.unwrap_or_default();
        let name = parameters.operation_name;
        let limits = &self.config.limits;
        let inspected = guard::inspect(&parameters.query, &variables, limits).map_err(refuse)?;
        let Some(operation) = inspected.operation(name.as_deref()) else {
            let message = match name {
                Some(name) => format!("The document has no operation named \"{name}\"."),
                None => "The document has several operations: name one.".to_owned(),
            };
            return Err(invalid(
                Code::OperationResolutionFailure,
                message,
                Vec::new(),
            ));
        };
        let (kind, cost) = (operation.kind, operation.cost);
        let mut request = Request::new(parameters.query);
        let document = request.parsed_query().map_err(unparsable)?;
        check_required_variables(document, name.as_deref(), &variables)?;
        request.operation_name = name;
        request.variables = Variables::from_json(Value::Object(variables));
        Ok(Prepared {
            request,
            kind,
            cost,
        })
    }

    /// Executes a query or a mutation.
    pub async fn execute(&self, prepared: Prepared) -> Answer {
        let (cost, kind) = (prepared.cost, prepared.kind.as_str());
        let executed = self.executor.execute(prepared.request);
        let answer = match tokio::time::timeout(self.config.timeout, executed).await {
            Ok(response) => Answer::of_response(response),
            Err(_) => Rejection::refused(504, Code::Timeout, "The operation took too long.").into(),
        };
        metrics::counter!("plumbline_graphql_operations_total", "kind" => kind, "outcome" => answer.outcome())
            .increment(1);
        answer.with_cost(cost, self.config.limits.cost)
    }

    /// Executes a subscription: one answer per event, until its end.
    pub fn subscribe(&self, prepared: Prepared) -> impl Stream<Item = Answer> + Send + 'static {
        self.executor
            .execute_stream(prepared.request, None)
            .map(Answer::of_event)
    }
}

fn refuse(refusal: Refusal) -> Rejection {
    let locations = match &refusal {
        Refusal::Syntax { position, .. } => {
            vec![Pos {
                line: position.line,
                column: position.column,
            }]
        }
        _ => Vec::new(),
    };
    let stage = match &refusal {
        Refusal::Syntax { .. } => Stage::Invalid,
        _ => Stage::Refused(400),
    };
    metrics::counter!("plumbline_graphql_refused_total", "code" => refusal.code()).increment(1);
    Rejection::new(
        stage,
        vec![error(refusal.code(), refusal.to_string(), locations)],
    )
}

fn unparsable(parse_error: ServerError) -> Rejection {
    invalid(
        Code::ParseFailed,
        parse_error.message,
        parse_error.locations,
    )
}

fn invalid(code: Code, message: String, locations: Vec<Pos>) -> Rejection {
    Rejection::new(
        Stage::Invalid,
        vec![error(code.as_str(), message, locations)],
    )
}

/// Refuses a missing or null variable of a non-null type, as "Coercing Variable Values" of the
/// GraphQL specification (§6.1.2) asks. The library notices only where the variable is used.
fn check_required_variables(
    document: &ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Map<String, Value>,
) -> Result<(), Rejection> {
    let Some(operation) = operation(document, operation_name) else {
        return Ok(());
    };
    let mut errors = Vec::new();
    for definition in &operation.variable_definitions {
        let name = definition.node.name.node.as_str();
        let is_required =
            !definition.node.var_type.node.nullable && definition.node.default_value.is_none();
        if is_required && variables.get(name).is_none_or(Value::is_null) {
            let message = format!("The variable \"${name}\" is required and must not be null.");
            errors.push(error(
                Code::BadUserInput.as_str(),
                message,
                vec![definition.pos],
            ));
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(Rejection::new(Stage::Invalid, errors))
    }
}

fn operation<'d>(
    document: &'d ExecutableDocument,
    name: Option<&str>,
) -> Option<&'d OperationDefinition> {
    match (&document.operations, name) {
        (DocumentOperations::Single(operation), _) => Some(&operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get(name).map(|operation| &operation.node)
        }
        (DocumentOperations::Multiple(operations), None) => {
            operations.values().next().map(|operation| &operation.node)
        }
    }
}
