//! `/health/live` says that the process answers; `/health/ready`, that its dependencies do.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use actix_web::{HttpResponse, web};
use futures_util::future::join_all;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::routes::{Access, RouteTable};

/// A dependency that has not answered by then counts as away.
const CHECK_TIMEOUT: Duration = Duration::from_secs(1);

type Check =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;

struct Dependency {
    name: &'static str,
    /// Whether the process is of no use without it.
    required: bool,
    ask: Check,
}

/// The dependencies of a process, each with the question that shows whether it answers.
#[derive(Default)]
pub struct Readiness {
    checks: Vec<Dependency>,
    stopping: CancellationToken,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    /// `ok`, or what is wrong.
    checks: BTreeMap<&'static str, String>,
}

impl Readiness {
    /// Not ready any more once `stopping` is cancelled, so that no new traffic is sent here.
    #[must_use]
    pub fn new(stopping: CancellationToken) -> Self {
        Self {
            checks: Vec::new(),
            stopping,
        }
    }

    #[must_use]
    pub fn check<F, R>(self, name: &'static str, ask: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name, true, ask)
    }

    /// A dependency without which the process works on: reported, and no reason to send traffic
    /// elsewhere.
    #[must_use]
    pub fn optional<F, R>(self, name: &'static str, ask: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.add(name, false, ask)
    }

    fn add<F, R>(mut self, name: &'static str, required: bool, ask: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push(Dependency {
            name,
            required,
            ask: Box::new(move || Box::pin(ask())),
        });
        self
    }

    /// Whether every dependency answers and the process is not stopping.
    pub async fn is_ready(&self) -> bool {
        self.report().await.status == "ready"
    }

    async fn report(&self) -> Report {
        let asked = self.checks.iter().map(|dependency| async move {
            let answer = tokio::time::timeout(CHECK_TIMEOUT, (dependency.ask)()).await;
            let answer = answer.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            (dependency, answer)
        });
        let mut ready = !self.stopping.is_cancelled();
        let mut checks = BTreeMap::new();
        for (dependency, answer) in join_all(asked).await {
            ready &= answer.is_ok() || !dependency.required;
            checks.insert(
                dependency.name,
                answer.map_or_else(|wrong| wrong, |()| "ok".to_owned()),
            );
        }
        Report {
            status: if ready { "ready" } else { "unavailable" },
            checks,
        }
    }
}

pub fn configure(readiness: Arc<Readiness>) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        routes()
            .app_data(web::Data::from(readiness))
            .configure(config);
    }
}

#[must_use]
pub fn routes() -> RouteTable {
    RouteTable::new("/health")
        .get("/live", Access::Public, live)
        .get("/ready", Access::Public, ready)
}

async fn live() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "live" }))
}

async fn ready(readiness: web::Data<Readiness>) -> HttpResponse {
    let report = readiness.report().await;
    if report.status == "ready" {
        HttpResponse::Ok().json(report)
    } else {
        HttpResponse::ServiceUnavailable().json(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_silent_dependency_makes_the_whole_unready_and_is_named() {
        let readiness = Readiness::default()
            .check("database", || async { Ok(()) })
            .check("broker", std::future::pending);
        let report = readiness.report().await;
        assert_eq!(report.status, "unavailable");
        assert_eq!(report.checks["database"], "ok");
        assert_eq!(report.checks["broker"], "no answer in time");
    }

    #[tokio::test]
    async fn a_dependency_that_can_be_done_without_is_only_reported() {
        let away = || async { Err("it is away".to_owned()) };
        let report = Readiness::default().optional("cache", away).report().await;
        assert_eq!(report.status, "ready");
        assert_eq!(report.checks["cache"], "it is away");
    }

    #[tokio::test]
    async fn a_process_that_stops_is_not_ready() {
        let stopping = CancellationToken::new();
        let readiness = Readiness::new(stopping.clone());
        assert_eq!(readiness.report().await.status, "ready");
        stopping.cancel();
        assert_eq!(readiness.report().await.status, "unavailable");
    }
}
