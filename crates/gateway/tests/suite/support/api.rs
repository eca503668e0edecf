//! HTTP against a running server.

use std::time::Duration;

use actix_web::{App, HttpServer, dev::ServerHandle, web};
use gateway::graphql::websocket::SocketConfig;
use gateway::prepare_socket;
use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};

pub const MODERN: &str = "application/graphql-response+json";

/// A running server; stopped when dropped.
pub struct Api {
    pub address: String,
    client: Client,
    handle: ServerHandle,
}

impl Api {
    /// Serves what `configure` mounts, on a free port.
    pub fn serve(configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) -> Self {
        Self::serve_within(SocketConfig::default().write_timeout, configure)
    }

    /// The same, where clients that take nothing for `write_timeout` are cut.
    pub fn serve_within(
        write_timeout: Duration,
        configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    ) -> Self {
        let server = HttpServer::new(move || App::new().configure(configure.clone()))
            .on_connect(prepare_socket(write_timeout))
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .unwrap();
        let address = server.addrs()[0].to_string();
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            address,
            client: Client::new(),
            handle,
        }
    }

    pub fn graphql_url(&self) -> String {
        format!("http://{}/graphql", self.address)
    }

    /// A request to any path.
    pub fn call(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("http://{}{path}", self.address);
        self.client.request(method.parse().unwrap(), url)
    }

    /// A GET of the GraphQL endpoint.
    pub fn get(&self, query: &[(&str, &str)]) -> RequestBuilder {
        self.call("GET", "/graphql").query(query)
    }

    /// A request to the GraphQL endpoint.
    pub fn request(&self, method: &str) -> RequestBuilder {
        self.call(method, "/graphql")
    }

    /// A POST of a GraphQL request that accepts the newer media type.
    pub fn post(&self, body: &Value) -> RequestBuilder {
        self.request("POST").header("accept", MODERN).json(body)
    }

    /// The answer to a GraphQL document.
    pub async fn query(&self, query: &str) -> Reply {
        Reply::to(self.post(&json!({ "query": query }))).await
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        // Stopping begins at the call; nobody waits for its end.
        drop(self.handle.stop(false));
    }
}

/// An answer with a JSON body.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: HeaderMap,
    pub body: Value,
}

impl Reply {
    pub async fn to(request: RequestBuilder) -> Self {
        Self::read(request.send().await.unwrap()).await
    }

    /// The body as it was sent.
    pub async fn text(request: RequestBuilder) -> String {
        request.send().await.unwrap().text().await.unwrap()
    }

    async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
        }
    }

    /// A header's value; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the first GraphQL error, or of a problem.
    pub fn code(&self) -> &str {
        let graphql = &self.body["errors"][0]["extensions"]["code"];
        let code = graphql.as_str().or_else(|| self.body["code"].as_str());
        code.unwrap_or("no code")
    }

    /// Asserts a GraphQL request error: this status and code, and no `data`.
    #[track_caller]
    pub fn refuses(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        assert!(self.body.get("data").is_none(), "{self:?}");
    }

    /// Asserts an RFC 9457 problem with this status and code.
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        let content_type = self.header("content-type");
        assert_eq!(content_type, "application/problem+json", "{self:?}");
        let names_code = format!("urn:plumbline:error:{code}");
        assert_eq!(self.body["type"], names_code, "{self:?}");
    }
}
