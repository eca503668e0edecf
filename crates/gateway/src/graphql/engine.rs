//! From parameters to an answer: find the document, or guard, parse and validate it; coerce the
//! variables; execute within a time limit. Both transports, HTTP and WebSocket, go through here.

use std::sync::Arc;
use std::time::Duration;

use async_graphql::{Name, Pos, Request, ServerError, Value, Variables, indexmap::IndexMap};
use futures_util::{Stream, StreamExt};
use serde_json::{Map, Value as Json};

use super::answer::{Answer, Rejection, Stage};
use super::checked::CheckedExecutor;
use super::code::{Code, error};
use super::documents::{Document, Documents, Key, operation, witnesses};
use super::guard::{self, Limits, Operation, OperationKind, Refusal};
use super::input_types::InputTypes;
use super::parameters::Parameters;
use super::trusted::TrustedDocuments;
use crate::caller::Caller;

/// Bounds of the engine.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// What a document may amount to.
    pub limits: Limits,
    /// How long a query or a mutation may take.
    pub timeout: Duration,
    /// Validated documents are remembered up to so many lexical tokens in all, of about 300 bytes
    /// each. 0: none is.
    pub remembered_tokens: usize,
    /// The allow-list.
    pub trusted: TrustedDocuments,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            timeout: Duration::from_secs(10),
            remembered_tokens: 100_000,
            trusted: TrustedDocuments::default(),
        }
    }
}

/// A schema behind the guard. Clones share everything.
#[derive(Clone)]
pub struct Engine<E> {
    executor: E,
    shared: Arc<Shared>,
}

struct Shared {
    config: EngineConfig,
    input_types: InputTypes,
    documents: Documents,
}

/// A request that passed the guard, ready to be executed.
pub struct Prepared {
    request: Request,
    operation: Operation,
}

impl Prepared {
    /// What kind of operation it is.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        self.operation.kind
    }

    /// What it may cost.
    #[must_use]
    pub fn cost(&self) -> u64 {
        self.operation.cost
    }

    /// What the operation costs its caller.
    #[must_use]
    pub fn units(&self) -> u32 {
        u32::try_from(self.operation.cost).unwrap_or(u32::MAX)
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

impl<E: CheckedExecutor> Engine<E> {
    /// Puts `executor` behind the guard.
    pub fn new(executor: E, config: EngineConfig) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the library reads what it wrote, from a schema that is part of the program"
        )]
        let input_types =
            InputTypes::of_schema(&executor.sdl()).expect("the schema is well-formed");
        let documents = Documents::new(config.remembered_tokens);
        Self {
            executor,
            shared: Arc::new(Shared {
                config,
                input_types,
                documents,
            }),
        }
    }

    /// Checks everything before execution.
    ///
    /// # Errors
    /// Why the request is refused.
    pub fn prepare(&self, parameters: Parameters) -> Result<Prepared, Rejection> {
        let Parameters {
            document: source,
            operation_name,
            variables,
        } = parameters;
        let Shared {
            config, documents, ..
        } = &*self.shared;
        let variables = variables.unwrap_or_default();
        let (hash, text) = config.trusted.resolve(&source)?;
        let key = Key {
            document: hash,
            operation: operation_name,
        };
        let (document, operation) = if let Some(document) = documents.get(&key) {
            metrics::counter!("plumbline_graphql_documents_total", "found" => "yes").increment(1);
            let name = key.operation.as_deref();
            let operation = document
                .inspected
                .operation_with(name, &variables, &config.limits)
                .map_err(refuse)?;
            (document, operation)
        } else {
            metrics::counter!("plumbline_graphql_documents_total", "found" => "no").increment(1);
            let (document, operation) = self.read(text, key.operation.as_deref(), &variables)?;
            let document = Arc::new(document);
            documents.insert(key, Arc::clone(&document));
            (document, Some(operation))
        };
        // A remembered document has the operation that its key names.
        let operation = operation.ok_or_else(|| unresolved(None))?;
        let mut request = Request::new(String::new()).variables(self.coerce(&document, variables)?);
        request.set_parsed_query(document.executable.clone());
        Ok(Prepared { request, operation })
    }

    /// The names of a document's operations, each of which could be executed.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, text: &str) -> Result<Vec<Option<String>>, Rejection> {
        let parsed = async_graphql::parser::parse_query(text);
        let parsed = parsed.map_err(|error| unparsable(error.into()))?;
        let operations = parsed.operations.iter();
        let names: Vec<_> = operations
            .map(|(name, _)| name.map(Name::to_string))
            .collect();
        for name in &names {
            self.read(text, name.as_deref(), &Map::new())?;
        }
        Ok(names)
    }

    /// Guards, parses and validates a document that is not remembered.
    fn read(
        &self,
        text: &str,
        name: Option<&str>,
        variables: &Map<String, Json>,
    ) -> Result<(Document, Operation), Rejection> {
        let limits = &self.shared.config.limits;
        let inspected = guard::inspect(text, variables, limits).map_err(refuse)?;
        let found = inspected.operation(name).ok_or_else(|| unresolved(name))?;
        let mut request = Request::new(text);
        let parsed = request.parsed_query().map_err(unparsable)?.clone();
        let (name, definition) = operation(&parsed, name).ok_or_else(|| unresolved(name))?;
        request.operation_name = name.map(Name::to_string);
        request.variables = witnesses(definition, &self.shared.input_types);
        let errors = self.executor.validate(request);
        if !errors.is_empty() {
            return Err(Rejection::new(Stage::Invalid, errors));
        }
        let name = name.cloned();
        let document = Document::new(parsed, inspected, name.as_deref());
        let document = document.ok_or_else(|| unresolved(name.as_deref()))?;
        Ok((document, found))
    }

    /// "Coercing Variable Values" of the GraphQL specification (§6.1.2). Variables that the
    /// operation does not define are ignored.
    fn coerce(
        &self,
        document: &Document,
        mut given: Map<String, Json>,
    ) -> Result<Variables, Rejection> {
        let definitions = document.variables();
        let mut values = IndexMap::with_capacity(definitions.len());
        let mut errors = Vec::new();
        for definition in definitions {
            let name = &definition.node.name.node;
            let var_type = &definition.node.var_type.node;
            let wrong =
                |message: String| error(Code::BadUserInput.as_str(), message, vec![definition.pos]);
            match (given.remove(name.as_str()), &definition.node.default_value) {
                (Some(json), _) => match self.shared.input_types.coerce(var_type, json) {
                    Ok(value) => {
                        values.insert(name.clone(), value);
                    }
                    Err(mismatch) => errors.push(wrong(mismatch.describe(name))),
                },
                (None, Some(default)) => {
                    values.insert(name.clone(), default.node.clone());
                }
                (None, None) if var_type.nullable => {}
                (None, None) => errors.push(wrong(format!(
                    "The variable \"${name}\" must be given and not null."
                ))),
            }
        }
        if errors.is_empty() {
            Ok(Variables::from_value(Value::Object(values)))
        } else {
            Err(Rejection::new(Stage::Invalid, errors))
        }
    }

    /// Executes a query or a mutation.
    pub async fn execute(&self, prepared: Prepared) -> Answer {
        let Operation { cost, kind } = prepared.operation;
        let config = &self.shared.config;
        let executed = self.executor.execute(prepared.request);
        let answer = match tokio::time::timeout(config.timeout, executed).await {
            Ok(response) => Answer::of_response(response),
            Err(_) => Rejection::refused(504, Code::Timeout, "The operation took too long.").into(),
        };
        metrics::counter!("plumbline_graphql_operations_total", "kind" => kind.as_str(), "outcome" => answer.outcome())
            .increment(1);
        answer.with_cost(cost, config.limits.cost)
    }

    /// Executes a subscription: one answer per event, until its end.
    pub fn subscribe(&self, prepared: Prepared) -> impl Stream<Item = Answer> + Send + 'static {
        self.executor
            .execute_stream(prepared.request, None)
            .map(Answer::of_event)
    }
}

fn refuse(refusal: Refusal) -> Rejection {
    let (stage, locations) = match &refusal {
        Refusal::Syntax { position, .. } => {
            let position = Pos {
                line: position.line,
                column: position.column,
            };
            (Stage::Unparsable, vec![position])
        }
        _ => (Stage::Refused(400), Vec::new()),
    };
    metrics::counter!("plumbline_graphql_refused_total", "code" => refusal.code()).increment(1);
    let message = refusal.to_string();
    Rejection::new(stage, vec![error(refusal.code(), message, locations)])
}

fn unparsable(parse_error: ServerError) -> Rejection {
    let ServerError {
        message, locations, ..
    } = parse_error;
    let error = error(Code::ParseFailed.as_str(), message, locations);
    Rejection::new(Stage::Unparsable, vec![error])
}

fn unresolved(name: Option<&str>) -> Rejection {
    let message = match name {
        Some(name) => format!("The document has no operation named \"{name}\"."),
        None => "The document has several operations: name one.".to_owned(),
    };
    let code = Code::OperationResolutionFailure.as_str();
    Rejection::new(Stage::Invalid, vec![error(code, message, Vec::new())])
}
