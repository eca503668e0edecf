//! GraphQL over HTTP (<https://graphql.github.io/graphql-over-http/draft/>): POST with a JSON body,
//! GET for queries.
//!
//! A POST must be `application/json`. A page of another origin can't send that without asking first
//! (a CORS preflight), which only configured origins are granted: that is the defence against forged
//! requests. GET
//! executes queries only, which change nothing.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web,
};
use service_kit::access_token::Verifier;
use service_kit::client_address::ClientAddress;
use service_kit::problem::chain;
use service_kit::rate_limit::TooMany;

use super::answer::{Answer, Rejection, Stage};
use super::body::{check_content_type, read_body};
use super::checked::CheckedExecutor;
use super::code::{Code, too_many_error};
use super::engine::{Engine, Prepared};
use super::guard::OperationKind;
use super::negotiation::{MediaType, negotiate, prefers_html};
use super::parameters::Parameters;
use super::websocket;
use crate::assets;
use crate::caller::{Caller, NotAuthenticated, caller_of};
use crate::conditional::{self, Audience};
use crate::limits::{Limits, Payer, REFUSED};

/// Bounds of the HTTP transport.
#[derive(Debug, Clone)]
pub struct HttpConfig {
    /// The longest request body, in bytes.
    pub body_bytes: usize,
    /// How long a client may take to send it.
    pub body_timeout: Duration,
    /// Which statuses clients of `application/graphql-response+json` get.
    pub statuses: Statuses,
}

/// Two drafts of GraphQL over HTTP, which contradict each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statuses {
    /// 400 for what is not valid, 200 for whatever was executed: what clients expect, and the audit
    /// of npm `graphql-http` checks.
    #[default]
    Usual,
    /// 422 for a well-formed request that is not valid, 294 for data with errors: the draft of
    /// August 2026.
    Draft2026,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            body_bytes: 100 * 1024,
            body_timeout: Duration::from_secs(10),
            statuses: Statuses::Usual,
        }
    }
}

/// What the endpoint needs; shared by its handlers as app data.
pub struct Endpoint<E> {
    /// Executes what was asked.
    pub engine: Engine<E>,
    /// Tells who asks.
    pub verifier: Verifier,
    /// How much callers may use.
    pub limits: Limits,
    /// Bounds of the HTTP transport.
    pub http: HttpConfig,
}

/// Mounts the endpoint at `path`: HTTP, WebSocket and, for browsers, GraphiQL.
pub fn configure<E: CheckedExecutor>(
    path: &str,
    endpoint: web::Data<Endpoint<E>>,
    sockets: web::Data<websocket::Sockets<E>>,
) -> impl FnOnce(&mut web::ServiceConfig) {
    let resource = web::resource(path)
        .app_data(endpoint)
        .app_data(sockets)
        .route(
            web::get()
                .guard(websocket::is_upgrade)
                .to(websocket::open::<E>),
        )
        .route(web::get().to(get::<E>))
        .route(web::post().to(post::<E>))
        .default_service(web::to(other_method));
    move |config| {
        config.service(resource);
    }
}

type Header = (HeaderName, HeaderValue);

/// An answer that ends the request early, with the headers it needs beyond the usual ones.
struct Stop {
    rejection: Rejection,
    headers: Vec<Header>,
}

/// An answer to an operation, with the headers that tell what its caller has left.
struct Executed {
    answer: Answer,
    headers: [Header; 2],
    /// Nobody in particular asked.
    is_anonymous: bool,
}

/// Who asks, and who pays.
struct Tab {
    caller: Option<Caller>,
    payer: Payer,
}

impl From<Rejection> for Stop {
    fn from(rejection: Rejection) -> Self {
        Self {
            rejection,
            headers: Vec::new(),
        }
    }
}

impl From<TooMany> for Stop {
    fn from(too_many: TooMany) -> Self {
        let error = too_many_error(&too_many);
        Self {
            rejection: Rejection::new(Stage::Refused(429), vec![error]),
            headers: too_many.headers().into(),
        }
    }
}

impl Stop {
    fn with(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }
}

async fn post<E: CheckedExecutor>(
    request: HttpRequest,
    body: web::Payload,
    endpoint: web::Data<Endpoint<E>>,
) -> HttpResponse {
    let statuses = endpoint.http.statuses;
    let Some(media_type) = media_type(&request) else {
        return not_acceptable();
    };
    let outcome = async {
        check_content_type(&request)?;
        let tab = endpoint.open_tab(&request).await?;
        let body = read_body(&request, body, &endpoint.http).await?;
        let parameters = Parameters::from_json(&body)
            .map_err(|error| Rejection::refused(400, Code::BadRequest, error.to_string()));
        let prepared = parameters.and_then(|parameters| endpoint.engine.prepare(parameters));
        endpoint.execute(tab, prepared.map_err(Stop::from)).await
    };
    respond(media_type, statuses, outcome.await)
}

async fn get<E: CheckedExecutor>(
    request: HttpRequest,
    endpoint: web::Data<Endpoint<E>>,
) -> HttpResponse {
    let accept = accept(&request);
    if prefers_html(accept.as_deref()) {
        return assets::GRAPHIQL_PAGE.answer(&request);
    }
    let statuses = endpoint.http.statuses;
    let Some(media_type) = negotiate(accept.as_deref()) else {
        return not_acceptable();
    };
    let outcome = async {
        let tab = endpoint.open_tab(&request).await?;
        let parameters = Parameters::from_query_string(request.query_string())
            .map_err(|error| Rejection::refused(400, Code::BadRequest, error.to_string()));
        let prepared = parameters.and_then(|parameters| endpoint.engine.prepare(parameters));
        let prepared = prepared.map_err(Stop::from).and_then(not_a_mutation);
        endpoint.execute(tab, prepared).await
    };
    match outcome.await {
        Ok(executed) if executed.is_public() => publish(&request, media_type, executed),
        outcome => respond(media_type, statuses, outcome),
    }
}

fn not_a_mutation(prepared: Prepared) -> Result<Prepared, Stop> {
    if prepared.kind() == OperationKind::Mutation {
        let message = "Mutations are executed by POST only.";
        let rejection = Rejection::refused(405, Code::MethodNotAllowed, message);
        return Err(Stop::from(rejection).with(header::ALLOW, "POST"));
    }
    Ok(prepared)
}

async fn other_method(request: HttpRequest) -> HttpResponse {
    let media_type = media_type(&request).unwrap_or(MediaType::Json);
    let message = "The endpoint answers GET and POST.";
    let rejection = Rejection::refused(405, Code::MethodNotAllowed, message);
    let stop = Stop::from(rejection).with(header::ALLOW, "GET, POST");
    respond(media_type, Statuses::Usual, Err(stop))
}

impl<E: CheckedExecutor> Endpoint<E> {
    /// Authenticates, and refuses who has used up what they may, before anything is read.
    async fn open_tab(&self, request: &HttpRequest) -> Result<Tab, Stop> {
        let client = || self.limits.client(ClientAddress::of(request));
        let caller = match authenticate(&self.verifier, request).await {
            Ok(caller) => caller,
            Err(stop) => {
                self.limits.spend(client(), REFUSED).await?;
                return Err(stop);
            }
        };
        let payer = match &caller {
            Some(caller) => self.limits.user(caller),
            None => client(),
        };
        self.limits.check(payer)?;
        Ok(Tab { caller, payer })
    }

    /// Executes what is valid. What is not is paid for, too.
    async fn execute(&self, tab: Tab, prepared: Result<Prepared, Stop>) -> Result<Executed, Stop> {
        let cost = prepared.as_ref().map_or(REFUSED, Prepared::units);
        let headers = self.limits.spend(tab.payer, cost).await?.headers();
        match prepared {
            Ok(prepared) if prepared.kind() == OperationKind::Subscription => {
                let message = "Subscriptions are served over WebSocket (graphql-transport-ws).";
                Err(Rejection::refused(400, Code::BadRequest, message).into())
            }
            Ok(prepared) => {
                let is_anonymous = tab.caller.is_none();
                let answer = self.engine.execute(prepared.by(tab.caller)).await;
                Ok(Executed {
                    answer,
                    headers,
                    is_anonymous,
                })
            }
            Err(mut stop) => {
                stop.headers.extend(headers);
                Err(stop)
            }
        }
    }
}

async fn authenticate(verifier: &Verifier, request: &HttpRequest) -> Result<Option<Caller>, Stop> {
    caller_of(verifier, request.headers())
        .await
        .map_err(|error| match error {
            NotAuthenticated::NotBearer | NotAuthenticated::Rejected(_) => {
                let rejection = Rejection::refused(401, Code::Unauthenticated, error.to_string());
                // RFC 6750, §3.1.
                let challenge = "Bearer error=\"invalid_token\"";
                Stop::from(rejection).with(header::WWW_AUTHENTICATE, challenge)
            }
            NotAuthenticated::Unavailable(_) => {
                let message = error.to_string();
                let rejection = Rejection::refused(503, Code::ServiceUnavailable, message);
                Stop::from(rejection).with(header::RETRY_AFTER, "1")
            }
        })
}

fn accept(request: &HttpRequest) -> Option<String> {
    let values = request.headers().get_all(header::ACCEPT);
    let values: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
    if values.is_empty() {
        None
    } else {
        Some(values.join(","))
    }
}

fn media_type(request: &HttpRequest) -> Option<MediaType> {
    negotiate(accept(request).as_deref())
}

fn not_acceptable() -> HttpResponse {
    let message = "Accept application/graphql-response+json or application/json.";
    let rejection = Rejection::refused(406, Code::NotAcceptable, message);
    respond(MediaType::Json, Statuses::Usual, Err(rejection.into()))
}

impl Executed {
    /// Whether the same request by anybody else would be answered the same.
    fn is_public(&self) -> bool {
        self.is_anonymous && self.answer.stage == Stage::Executed && self.answer.errors.is_empty()
    }
}

/// An answer to a GET that caches may keep for a moment. It differs by what `Vary` names alone.
fn publish(request: &HttpRequest, media_type: MediaType, executed: Executed) -> HttpResponse {
    let Executed {
        answer, headers, ..
    } = executed;
    match conditional::answer(request, &answer, Audience::Everybody) {
        Ok(mut response) => {
            let content_type = HeaderValue::from_static(media_type.content_type());
            let vary = HeaderValue::from_static("Accept, Authorization");
            let own = [(header::CONTENT_TYPE, content_type), (header::VARY, vary)];
            for (name, value) in own.into_iter().chain(headers) {
                response.headers_mut().insert(name, value);
            }
            response
        }
        Err(problem) => {
            tracing::error!(error = %chain(&problem), "an answer could not be written as JSON");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn respond(
    media_type: MediaType,
    statuses: Statuses,
    outcome: Result<Executed, Stop>,
) -> HttpResponse {
    let (answer, headers) = match outcome {
        Ok(executed) => (executed.answer, Vec::from(executed.headers)),
        Err(stop) => (stop.rejection.into(), stop.headers),
    };
    let status = status(&answer, media_type, statuses);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.content_type(media_type.content_type());
    response.insert_header((header::VARY, "Accept"));
    for header in headers {
        response.insert_header(header);
    }
    match serde_json::to_vec(&answer) {
        Ok(body) => response.body(body),
        Err(error) => {
            tracing::error!(%error, "an answer could not be written as JSON");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn status(answer: &Answer, media_type: MediaType, statuses: Statuses) -> u16 {
    match (answer.stage, media_type, statuses) {
        (Stage::Refused(status), _, _) => status,
        (Stage::Executed, MediaType::GraphqlResponse, Statuses::Draft2026)
            if answer.is_partial() =>
        {
            294
        }
        (Stage::Unparsable | Stage::Invalid, MediaType::Json, _) | (Stage::Executed, _, _) => 200,
        (Stage::Unparsable, MediaType::GraphqlResponse, _)
        | (Stage::Invalid, MediaType::GraphqlResponse, Statuses::Usual) => 400,
        (Stage::Invalid, MediaType::GraphqlResponse, Statuses::Draft2026) => 422,
    }
}
