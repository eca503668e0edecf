//! An HTTP client for tests: it speaks JSON, and its answers know how to be asserted on.
//!
//! A helper panics where a test would: with the answer shown.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, RequestBuilder, redirect};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The longest that a test waits for one answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one origin, perhaps with an access token. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    bearer: Option<String>,
}

impl Client {
    /// A client of `base_url`, for example `http://127.0.0.1:8080`. It follows no redirect and
    /// uses no proxy.
    #[must_use]
    pub fn new(base_url: impl Into<String>) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(PATIENCE)
            .build();
        let http = http.unwrap_or_else(|error| panic!("no HTTP client: {error}"));
        Self {
            http,
            base_url: base_url.into(),
            bearer: None,
        }
    }

    /// The same client, sending `Authorization: Bearer <token>`.
    #[must_use]
    pub fn with_bearer(&self, token: impl Into<String>) -> Self {
        Self {
            bearer: Some(token.into()),
            ..self.clone()
        }
    }

    /// The origin, without a trailing slash as given.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A request to refine by hand (headers, raw bodies), then [`send`] it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self
            .http
            .request(method, format!("{}{path}", self.base_url));
        match &self.bearer {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Response {
        send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        send(self.request(Method::DELETE, path)).await
    }

    /// POSTs `body` as JSON.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Response {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// Runs a GraphQL document at `/graphql` and returns `data`; an answer with `errors` fails.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let response = self.post("/graphql", &body).await.expect_status(200);
        let mut answer: Value = response.json();
        assert!(
            answer.get("errors").is_none(),
            "GraphQL errors: {answer:#}\n{query}"
        );
        answer["data"].take()
    }
}

/// Sends a request made by [`Client::request`] and reads the whole answer.
pub async fn send(request: RequestBuilder) -> Response {
    let answer = async {
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.bytes().await?.to_vec();
        Ok::<_, reqwest::Error>(Response {
            status,
            headers,
            body,
        })
    };
    answer
        .await
        .unwrap_or_else(|error| panic!("no answer: {error:?}"))
}

/// An answer that was read to its end.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Response {
    /// Fails, showing the body, unless the status is `status`.
    #[track_caller]
    #[must_use]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The body read as JSON.
    #[track_caller]
    #[must_use]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not the JSON expected: {error}: {}", self.text()))
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value, if it is there and readable.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Fails unless this is a problem document (RFC 9457) with this status and code, whole and
    /// true to its status line. Returns the document.
    #[track_caller]
    #[must_use]
    pub fn expect_problem(self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        let content_type = self.header(CONTENT_TYPE.as_str());
        assert_eq!(
            content_type,
            Some("application/problem+json"),
            "{}",
            self.text()
        );
        let problem: Value = self.json();
        assert_eq!(problem["code"], code, "{problem:#}");
        assert_eq!(
            problem["type"],
            format!("urn:plumbline:error:{code}"),
            "{problem:#}"
        );
        assert_eq!(problem["status"], status, "{problem:#}");
        assert!(problem["title"].is_string(), "{problem:#}");
        problem
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers one request with `answer` and returns what was asked.
    async fn exchange(
        answer: &str,
        ask: impl AsyncFnOnce(Client) -> Response,
    ) -> (String, Response) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(format!("http://{}", listener.local_addr().unwrap()));
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        };
        tokio::join!(serve, ask(client))
    }

    fn problem(code: &str) -> String {
        let body = json!({
            "type": "urn:plumbline:error:not-found", "title": "Not found", "status": 404, "code": code
        });
        let body = body.to_string();
        let length = body.len();
        format!(
            "HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
    }

    #[tokio::test]
    async fn a_request_carries_the_token_and_a_problem_is_recognised() {
        let (request, response) = exchange(&problem("not-found"), async |client| {
            client.with_bearer("secret").get("/v1/orders/1").await
        })
        .await;
        assert!(request.starts_with("GET /v1/orders/1 HTTP/1.1\r\n"));
        assert!(
            request
                .to_lowercase()
                .contains("authorization: bearer secret")
        );
        assert_eq!(
            response.expect_problem(404, "not-found")["title"],
            "Not found"
        );
    }

    #[tokio::test]
    #[should_panic(expected = "not-found")]
    async fn a_problem_whose_type_and_code_differ_is_refused() {
        let (_, response) = exchange(&problem("gone"), async |client| client.get("/").await).await;
        let _ = response.expect_problem(404, "gone");
    }
}
