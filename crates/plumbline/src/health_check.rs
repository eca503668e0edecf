//! `plumbline health`: asks a process whether it is ready. It is what the image has for health
//! checks instead of curl and a shell.

use std::{net::IpAddr, time::Duration};

use reqwest::{Client, StatusCode};
use url::{ParseError, Url};

use crate::settings::Settings;

/// Longer than the second that a readiness check gives each dependency.
const TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Debug, thiserror::Error)]
pub(crate) enum HealthFailed {
    #[error("the address to ask is not a URL")]
    Url(#[from] ParseError),
    #[error("can't set up an HTTP client")]
    Client(#[source] reqwest::Error),
    #[error("no answer")]
    NoAnswer(#[source] reqwest::Error),
    #[error("unhealthy: {status} {report}")]
    Unhealthy { status: StatusCode, report: String },
}

/// What the process answered, if that was a 2xx.
pub(crate) async fn run(url: Url) -> Result<String, HealthFailed> {
    let client = Client::builder()
        .no_proxy()
        .timeout(TIMEOUT)
        .build()
        .map_err(HealthFailed::Client)?;
    let answer = client.get(url).send().await;
    let mut answer = answer.map_err(HealthFailed::NoAnswer)?;
    let status = answer.status();
    // One chunk holds the whole report of a process of ours, and bounds anybody else's.
    let report = answer.chunk().await.map_err(HealthFailed::NoAnswer)?;
    let report = String::from_utf8_lossy(&report.unwrap_or_default()).into_owned();
    if status.is_success() {
        Ok(report + "\n")
    } else {
        Err(HealthFailed::Unhealthy { status, report })
    }
}

/// The readiness of the process that has the same settings on the same machine.
pub(crate) fn own_url(settings: &Settings) -> Result<Url, HealthFailed> {
    let host = match settings.server.host {
        IpAddr::V4(host) if host.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(host) if host.is_unspecified() => "[::1]".to_owned(),
        IpAddr::V4(host) => host.to_string(),
        IpAddr::V6(host) => format!("[{host}]"),
    };
    let port = settings.server.port;
    Ok(Url::parse(&format!("http://{host}:{port}/health/ready"))?)
}

#[cfg(test)]
mod tests {
    use actix_web::{App, HttpResponse, HttpServer, web};

    use super::*;
    use crate::Role;

    /// A process that answers with this status and says "checked".
    fn answering(status: StatusCode) -> Url {
        let answer = move || async move {
            let status = actix_web::http::StatusCode::from_u16(status.as_u16()).unwrap();
            HttpResponse::build(status).body("checked")
        };
        let server = HttpServer::new(move || App::new().default_service(web::to(answer)))
            .workers(1)
            .disable_signals()
            .bind("127.0.0.1:0")
            .unwrap();
        let url = format!("http://{}/health/ready", server.addrs()[0]);
        tokio::spawn(server.run());
        Url::parse(&url).unwrap()
    }

    #[actix_web::test]
    async fn only_a_success_is_healthy() {
        let healthy = run(answering(StatusCode::OK)).await;
        assert_eq!(healthy.unwrap(), "checked\n");
        let unhealthy = run(answering(StatusCode::SERVICE_UNAVAILABLE)).await;
        let message = unhealthy.unwrap_err().to_string();
        assert!(
            message.ends_with("Service Unavailable checked"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn a_closed_port_is_no_answer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        drop(listener);
        assert!(matches!(run(url).await, Err(HealthFailed::NoAnswer(_))));
    }

    #[test]
    fn a_process_on_every_interface_is_asked_on_the_loopback() {
        for (host, expected) in [
            ("0.0.0.0", "http://127.0.0.1:8081/health/ready"),
            ("::", "http://[::1]:8081/health/ready"),
            ("::1", "http://[::1]:8081/health/ready"),
            ("10.0.0.7", "http://10.0.0.7:8081/health/ready"),
        ] {
            let loader = Settings::loader().unwrap();
            let loader = loader.set("server.host", host).set("server.port", "8081");
            let settings = Settings::load(loader, Role::All).unwrap();
            assert_eq!(own_url(&settings).unwrap().as_str(), expected);
        }
    }
}
