//! Routes that say who may call them. A [`RouteTable`] denies by default: it lets nobody through to
//! a handler whose [`Access`] the caller does not meet, whatever the handler does.
//!
//! A method that a path does not know is answered 405 with `Allow` (RFC 9110 §15.5.6), and a path
//! that nobody knows 404.

use std::collections::BTreeMap;

use actix_web::{
    FromRequest, Handler, HttpMessage as _, HttpRequest, HttpResponse, Resource, Responder, Route,
    Scope,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{ALLOW, HeaderValue, WWW_AUTHENTICATE},
    },
    middleware::{Next, from_fn},
    web::{self, ServiceConfig},
};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::ErrorCode;
use kernel::Permission;

use crate::{
    access_token::{Authenticated, verifier},
    problem::Problem,
};

/// How long a proof of identity counts as recent (RFC 9470).
pub const RECENT: TimeDelta = TimeDelta::minutes(5);

/// Whom a route lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// A program that the handler authenticates otherwise than by a token: an OAuth client
    /// (RFC 6749 §2.3), a webhook by its signature.
    Client,
    /// Who is granted this.
    Needs(Permission),
    /// Who is granted this and has proved who they are within [`RECENT`].
    NeedsRecent(Permission),
}

/// A route, as documents and tests want to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredRoute {
    pub method: Method,
    /// With the prefix; parameters in braces.
    pub path: String,
    pub access: Access,
}

/// The routes below a prefix.
pub struct RouteTable {
    prefix: &'static str,
    declared: Vec<DeclaredRoute>,
    paths: BTreeMap<String, Path>,
    data: Vec<AddData>,
}

type AddData = Box<dyn Fn(Resource) -> Resource>;

struct Path {
    routes: Vec<Route>,
    allowed: Vec<String>,
}

impl RouteTable {
    /// The prefix is empty or begins with a slash.
    #[must_use]
    pub fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            declared: Vec::new(),
            paths: BTreeMap::new(),
            data: Vec::new(),
        }
    }

    /// Serves HEAD, too.
    #[must_use]
    pub fn get<F, Args>(self, path: &str, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let head = guarded(Method::HEAD, access, handler.clone());
        let mut table = self.route(Method::GET, path, access, handler);
        table.add(path, Method::HEAD, head);
        table
    }

    #[must_use]
    pub fn post<F, Args>(self, path: &str, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(Method::POST, path, access, handler)
    }

    #[must_use]
    pub fn put<F, Args>(self, path: &str, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(Method::PUT, path, access, handler)
    }

    #[must_use]
    pub fn patch<F, Args>(self, path: &str, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(Method::PATCH, path, access, handler)
    }

    #[must_use]
    pub fn delete<F, Args>(self, path: &str, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route(Method::DELETE, path, access, handler)
    }

    /// What the handlers of these routes alone are given.
    #[must_use]
    pub fn app_data<T: Clone + 'static>(mut self, data: T) -> Self {
        let add = move |resource: Resource| resource.app_data(data.clone());
        self.data.push(Box::new(add));
        self
    }

    /// Every route, in the order of its declaration; HEAD goes without saying.
    #[must_use]
    pub fn declared(&self) -> &[DeclaredRoute] {
        &self.declared
    }

    /// Adds the routes to the scope of the prefix.
    #[must_use]
    pub fn mount(self, scope: Scope) -> Scope {
        self.into_resources("").fold(scope, Scope::service)
    }

    /// Adds the routes to an application.
    pub fn configure(self, config: &mut ServiceConfig) {
        let prefix = self.prefix;
        for resource in self.into_resources(prefix) {
            config.service(resource);
        }
    }

    fn route<F, Args>(mut self, method: Method, path: &str, access: Access, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.declared.push(DeclaredRoute {
            method: method.clone(),
            path: format!("{}{path}", self.prefix),
            access,
        });
        let route = guarded(method.clone(), access, handler);
        self.add(path, method, route);
        self
    }

    fn add(&mut self, path: &str, method: Method, route: Route) {
        let entry = self.paths.entry(path.to_owned()).or_insert_with(|| Path {
            routes: Vec::new(),
            allowed: Vec::new(),
        });
        entry.routes.push(route);
        entry.allowed.push(method.to_string());
    }

    fn into_resources(self, prefix: &str) -> impl Iterator<Item = Resource> {
        let Self { paths, data, .. } = self;
        paths
            .into_iter()
            .map(move |(path, Path { routes, allowed })| {
                let allowed = allowed.join(", ");
                let resource = web::resource(format!("{prefix}{path}"));
                let resource = data.iter().fold(resource, |resource, add| add(resource));
                let resource = routes.into_iter().fold(resource, Resource::route);
                resource.default_service(web::to(move || method_not_allowed(allowed.clone())))
            })
    }
}

fn guarded<F, Args>(method: Method, access: Access, handler: F) -> Route
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let enforce =
        move |request: ServiceRequest, next: Next<BoxBody>| enforce(access, request, next);
    web::method(method).to(handler).wrap(from_fn(enforce))
}

async fn enforce(
    access: Access,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    match admit(access, request.request()).await {
        Ok(()) => next.call(request).await,
        Err(problem) => Ok(request.into_response(HttpResponse::from_error(problem))),
    }
}

async fn admit(access: Access, request: &HttpRequest) -> Result<(), Problem> {
    let (permission, recent) = match access {
        Access::Public | Access::Client => return Ok(()),
        Access::Needs(permission) => (permission, false),
        Access::NeedsRecent(permission) => (permission, true),
    };
    let caller = Authenticated::of(request).await?;
    if !caller.actor().may(permission) {
        return Err(Problem::new(ErrorCode::Forbidden));
    }
    let verifier = verifier(request)?;
    if permission.is_privileged() && !verifier.revocations().is_current() {
        return Err(Problem::unavailable("it can't be told who was revoked"));
    }
    if recent {
        check_recent(&caller, verifier.now())?;
    }
    request.extensions_mut().insert(caller);
    Ok(())
}

/// A program can't prove who it is again: to it the route is closed.
fn check_recent(caller: &Authenticated, now: DateTime<Utc>) -> Result<(), Problem> {
    let Some(authenticated_at) = caller.0.authenticated_at() else {
        return Err(Problem::new(ErrorCode::Forbidden));
    };
    if now - authenticated_at <= RECENT {
        return Ok(());
    }
    // RFC 9470 §3.
    let challenge = format!(
        "Bearer error=\"insufficient_user_authentication\", max_age={}",
        RECENT.num_seconds()
    );
    let problem = Problem::new(ErrorCode::StepUpRequired);
    Err(match HeaderValue::from_str(&challenge) {
        Ok(challenge) => problem.header(WWW_AUTHENTICATE, challenge),
        Err(_) => problem,
    })
}

/// The answer to a method that is none of `allowed`.
pub async fn method_not_allowed(allowed: String) -> Result<HttpResponse, Problem> {
    let problem = Problem::new(ErrorCode::MethodNotAllowed);
    Err(match HeaderValue::from_str(&allowed) {
        Ok(allowed) => problem.header(ALLOW, allowed),
        Err(_) => problem,
    })
}

/// The answer to a path that no route knows.
pub async fn not_found() -> Result<HttpResponse, Problem> {
    Err(Problem::new(ErrorCode::NotFound))
}
