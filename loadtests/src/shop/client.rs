//! HTTP against the shop. Anything but a well-formed answer with the expected status is a failure,
//! and so is a GraphQL answer with `errors`, although its status is 200.

use reqwest::header::ACCEPT;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use super::OPERATION_TIMEOUT;
use crate::failure::Failure;

/// No answer of the shop is near this size.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Where the system under test listens. Both are the same origin in the embedded mode.
#[derive(Clone, Debug)]
pub struct Targets {
    /// Serves `/auth/v1/...`.
    pub auth: Url,
    /// Serves `/graphql` and `/v1/...`.
    pub gateway: Url,
}

/// A connection pool and the two addresses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ShopClient {
    http: reqwest::Client,
    targets: Targets,
}

impl ShopClient {
    /// # Errors
    /// When the TLS back end cannot be initialised.
    pub fn new(targets: Targets) -> Result<Self, reqwest::Error> {
        // No proxy from the environment: the figures would be the proxy's. One connection carries
        // one request at a time, as most API clients still do.
        let http = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .timeout(OPERATION_TIMEOUT)
            .user_agent(concat!("plumbline-loadtests/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, targets })
    }

    #[must_use]
    pub fn targets(&self) -> &Targets {
        &self.targets
    }

    /// `path` starts with a slash and may have a query.
    pub fn auth(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, address(&self.targets.auth, path))
    }

    /// `path` starts with a slash and may have a query.
    pub fn gateway(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, address(&self.targets.gateway, path))
    }

    /// Performs one GraphQL operation and returns its `data`.
    ///
    /// # Errors
    /// When there is no answer, or one with another status than 200, with `errors`, or without the
    /// expected data.
    pub async fn graphql<T: DeserializeOwned>(
        &self,
        access_token: Option<&str>,
        document: &str,
        variables: Value,
    ) -> Result<T, Failure> {
        let mut request = self
            .gateway(Method::POST, "/graphql")
            .header(
                ACCEPT,
                "application/graphql-response+json, application/json;q=0.9",
            )
            .json(&json!({ "query": document, "variables": variables }));
        if let Some(token) = access_token {
            request = request.bearer_auth(token);
        }
        let answer: GraphqlAnswer<T> = json(request, StatusCode::OK).await?;
        if let Some(error) = answer.errors.into_iter().flatten().next() {
            return Err(Failure::Graphql {
                code: error.extensions.code,
                message: error.message,
            });
        }
        answer
            .data
            .ok_or_else(|| Failure::UnexpectedAnswer("no data in GraphQL answer".to_owned()))
    }
}

/// Sends a request whose answer must have the `expected` status and a JSON body.
///
/// # Errors
/// When there is no answer, or another one.
pub async fn json<T: DeserializeOwned>(
    request: RequestBuilder,
    expected: StatusCode,
) -> Result<T, Failure> {
    let body = body(request, expected).await?;
    serde_json::from_slice(&body).map_err(|error| Failure::UnexpectedAnswer(error.to_string()))
}

/// Sends a request whose answer must have the `expected` status; reads the body to its end, since
/// an answer has arrived only then.
///
/// # Errors
/// When there is no answer, or another one.
pub async fn body(request: RequestBuilder, expected: StatusCode) -> Result<Vec<u8>, Failure> {
    let response = request.send().await?;
    let status = response.status();
    let body = read(response).await?;
    if status == expected {
        Ok(body)
    } else {
        Err(refusal(status, &body))
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(Failure::UnexpectedAnswer(format!(
                "more than {MAX_BODY_BYTES} bytes"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Understands problem+json (RFC 9457) and a GraphQL request error; quotes anything else.
fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    if let Ok(answer) = serde_json::from_slice::<GraphqlAnswer<Value>>(body)
        && let Some(error) = answer.errors.into_iter().flatten().next()
        && !error.message.is_empty()
    {
        return Failure::Status {
            status,
            code: error.extensions.code,
            detail: error.message,
        };
    }
    match serde_json::from_slice::<Problem>(body) {
        Ok(Problem {
            code,
            detail,
            title,
        }) => Failure::Status {
            status,
            code,
            detail: detail.or(title).unwrap_or_default(),
        },
        Err(_) => {
            let detail = String::from_utf8_lossy(body).chars().take(120).collect();
            Failure::Status {
                status,
                code: None,
                detail,
            }
        }
    }
}

fn address(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

#[derive(Deserialize)]
struct GraphqlAnswer<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Option<Vec<GraphqlError>>,
}

#[derive(Deserialize)]
struct GraphqlError {
    /// Empty where the entry is one of a problem's own `errors`.
    #[serde(default)]
    message: String,
    #[serde(default)]
    extensions: ErrorExtensions,
}

#[derive(Default, Deserialize)]
struct ErrorExtensions {
    code: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    code: Option<String>,
    detail: Option<String>,
    title: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_named_by_their_code() {
        let problem = br#"{"code":"rate-limited","title":"Too many","errors":[{"path":"x"}]}"#;
        let graphql = br#"{"errors":[{"message":"no","extensions":{"code":"BAD_USER_INPUT"}}]}"#;
        let code = |status, body: &[u8]| refusal(status, body).code();
        assert_eq!(
            code(StatusCode::TOO_MANY_REQUESTS, problem),
            "http-429-rate-limited"
        );
        assert_eq!(
            code(StatusCode::BAD_REQUEST, graphql),
            "http-400-bad-user-input"
        );
        assert_eq!(code(StatusCode::BAD_GATEWAY, b"<html>"), "http-502");
    }

    #[test]
    fn addresses_keep_a_base_path() {
        let base = Url::parse("http://localhost:8080/shop/").unwrap();
        assert_eq!(
            address(&base, "/v1/products"),
            "http://localhost:8080/shop/v1/products"
        );
    }
}
