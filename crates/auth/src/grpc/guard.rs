//! What stands before every gRPC method: who calls, whether they may, how many at a time and for
//! how long, and what is told of it.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use kernel::{Actor, Permission};
use service_kit::{access_token::Verifier, problem::chain};
use tokio::{sync::Semaphore, time::timeout};
use tonic::{
    Code, Status,
    body::Body,
    codegen::{BoxFuture, Service, http},
    server::NamedService,
};
use tracing::{Instrument as _, Span, field::Empty};

/// Calls in hand at a time, of all connections; more are refused at once.
const MAX_CALLS: usize = 256;
/// For a whole call. A client's own deadline may be shorter.
const TIMEOUT: Duration = Duration::from_secs(5);

type Request = http::Request<Body>;
type Response = http::Response<Body>;

/// Lets a call through to `S` if its service token has the permission that the method needs. The
/// method finds the [`Actor`] among the request's extensions.
#[derive(Clone)]
pub(super) struct Guard<S> {
    inner: S,
    gate: Arc<Gate>,
}

struct Gate {
    methods: &'static [(&'static str, Permission)],
    verifier: Verifier,
    turns: Semaphore,
}

impl<S> Guard<S> {
    pub(super) fn new(
        inner: S,
        methods: &'static [(&'static str, Permission)],
        verifier: Verifier,
    ) -> Self {
        let gate = Gate {
            methods,
            verifier,
            turns: Semaphore::new(MAX_CALLS),
        };
        Self {
            inner,
            gate: Arc::new(gate),
        }
    }
}

impl<S: NamedService> NamedService for Guard<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<Response, Infallible>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The one that is ready goes, its clone stays.
        let ready = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, ready);
        let gate = Arc::clone(&self.gate);
        let span = span(&request);
        let answering = async move {
            let started = Instant::now();
            let path = request.uri().path();
            let method = gate.methods.iter().find(|(known, _)| *known == path);
            let answered = timeout(TIMEOUT, gate.answer(inner, method, request)).await;
            let answered = answered.unwrap_or(Err(Status::deadline_exceeded("it took too long")));
            let response = answered.unwrap_or_else(Status::into_http);
            record(
                &response,
                method.map_or("unknown", |(path, _)| path),
                started,
            );
            Ok(response)
        };
        Box::pin(answering.instrument(span))
    }
}

impl Gate {
    async fn answer<S>(
        &self,
        mut inner: S,
        method: Option<&(&'static str, Permission)>,
        mut request: Request,
    ) -> Result<Response, Status>
    where
        S: Service<Request, Response = Response, Error = Infallible>,
    {
        let busy = |_| Status::resource_exhausted("too many calls at this moment");
        let _turn = self.turns.try_acquire().map_err(busy)?;
        let (_, permission) = method.ok_or_else(|| Status::unimplemented("no such method"))?;
        let actor = self.admit(request.headers(), *permission).await?;
        request.extensions_mut().insert(actor);
        let Ok(response) = inner.call(request).await;
        Ok(response)
    }

    async fn admit(
        &self,
        headers: &http::HeaderMap,
        permission: Permission,
    ) -> Result<Actor, Status> {
        let header = headers.get(http::header::AUTHORIZATION);
        let token = header
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim_matches(' '))
            .ok_or_else(|| Status::unauthenticated("a service token is required"))?;
        let verified = self.verifier.verify(token).await.map_err(|rejected| {
            tracing::debug!(cause = chain(&rejected), "service token rejected");
            if rejected.is_unavailable() {
                Status::unavailable("tokens can't be checked at this moment")
            } else {
                Status::unauthenticated("the service token is not valid")
            }
        })?;
        if verified.actor.may(permission) {
            Ok(verified.actor.clone())
        } else {
            Err(Status::permission_denied("the token does not allow this"))
        }
    }
}

fn span(request: &Request) -> Span {
    let path = request.uri().path();
    let span = tracing::info_span!(
        "grpc.request",
        otel.name = path.trim_start_matches('/'),
        otel.kind = "server",
        rpc.system = "grpc",
        rpc.grpc.status_code = Empty,
    );
    let traceparent = request.headers().get("traceparent");
    trace_context::continue_trace(&span, traceparent.and_then(|value| value.to_str().ok()));
    span
}

fn record(response: &Response, method: &'static str, started: Instant) {
    // tonic leaves the status of a refusal among the extensions; a success has none.
    let status = response.extensions().get::<Status>();
    let code = status.map_or(Code::Ok, Status::code);
    Span::current().record("rpc.grpc.status_code", code as i32);
    let elapsed = started.elapsed();
    tracing::debug!(method, ?code, ?elapsed, "gRPC call answered");
    let labels = [
        ("method", method.to_owned()),
        ("status", format!("{code:?}")),
    ];
    metrics::counter!("plumbline_grpc_requests_total", &labels).increment(1);
    metrics::histogram!("plumbline_grpc_request_seconds", &labels).record(elapsed.as_secs_f64());
}
