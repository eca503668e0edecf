use std::{collections::BTreeMap, future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderMap},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use service_kit::json::read;
use url::form_urlencoded;

use super::{super::BODY_LIMIT, OAuthError};
use crate::use_cases::authenticate_client::ClientCredentials;

/// A form from a client, which says who it is in it or in a header (RFC 6749 §2.3.1).
#[derive(Debug)]
pub(crate) struct OAuthRequest {
    /// `None` for a public client, which has no secret.
    credentials: Option<ClientCredentials>,
    client_id: Option<String>,
    /// Without `client_id` and `client_secret`, and without what has no value (§3.2).
    parameters: BTreeMap<String, String>,
}

impl OAuthRequest {
    /// What the client shows; refused if it shows nothing.
    pub(crate) fn credentials(&self) -> Result<&ClientCredentials, OAuthError> {
        self.credentials.as_ref().ok_or(OAuthError::InvalidClient)
    }

    /// Whether it says that it is this client, without proving it.
    pub(crate) fn is_public_client(&self, client_id: &str) -> bool {
        self.credentials.is_none() && self.client_id.as_deref() == Some(client_id)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    pub(crate) fn require(&self, name: &str, missing: &'static str) -> Result<&str, OAuthError> {
        self.get(name).ok_or(OAuthError::InvalidRequest(missing))
    }

    fn parse(headers: &HeaderMap, body: &[u8]) -> Result<Self, OAuthError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if value.is_empty() {
                continue;
            }
            if parameters
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return Err(OAuthError::InvalidRequest("A parameter is sent twice."));
            }
        }
        let client_id = parameters.remove("client_id");
        let in_body = parameters.remove("client_secret");
        let in_header = headers.get(AUTHORIZATION).map(|value| value.as_bytes());
        let credentials = match (in_header, &client_id, in_body) {
            (Some(_), _, Some(_)) => {
                return Err(OAuthError::InvalidRequest(
                    "Authenticate by the header or in the body, not both.",
                ));
            }
            (Some(header), client_id, None) => {
                let credentials = basic(header).ok_or(OAuthError::InvalidClient)?;
                if client_id
                    .as_ref()
                    .is_some_and(|also| *also != credentials.client_id)
                {
                    return Err(OAuthError::InvalidRequest("There are two client ids."));
                }
                Some(credentials)
            }
            (None, Some(client_id), Some(client_secret)) => Some(ClientCredentials {
                client_id: client_id.clone(),
                client_secret,
            }),
            (None, None, Some(_)) => return Err(OAuthError::InvalidClient),
            (None, _, None) => None,
        };
        Ok(Self {
            credentials,
            client_id,
            parameters,
        })
    }
}

/// Both halves are form-encoded before they are joined (§2.3.1).
fn basic(header: &[u8]) -> Option<ClientCredentials> {
    let (scheme, encoded) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (client_id, client_secret) = decoded.split_once(':')?;
    Some(ClientCredentials {
        client_id: form_decoded(client_id)?,
        client_secret: form_decoded(client_secret)?,
    })
}

/// Text that would be more than one value was not encoded.
fn form_decoded(text: &str) -> Option<String> {
    if text.contains(['&', '=']) {
        return None;
    }
    let (value, _) = form_urlencoded::parse(text.as_bytes()).next()?;
    Some(value.into_owned())
}

impl FromRequest for OAuthRequest {
    type Error = OAuthError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, OAuthError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let form = "application/x-www-form-urlencoded";
            if !request.content_type().eq_ignore_ascii_case(form) {
                let description = "The body is application/x-www-form-urlencoded.";
                return Err(OAuthError::InvalidRequest(description));
            }
            let body = read(payload, BODY_LIMIT).await?;
            Self::parse(request.headers(), &body)
        })
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn parse(authorization: Option<&str>, body: &str) -> Result<(String, String), String> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let text = |error: OAuthError| error.to_string();
        let request = OAuthRequest::parse(&headers, body.as_bytes()).map_err(text)?;
        let credentials = request.credentials().map_err(text)?;
        Ok((
            credentials.client_id.clone(),
            credentials.client_secret.clone(),
        ))
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", BASE64.encode(text))
    }

    #[test]
    fn a_client_shows_who_it_is_in_the_header_or_in_the_body() {
        let expected = Ok(("gateway".to_owned(), "s%c".to_owned()));
        assert_eq!(parse(Some(&basic("gateway:s%25c")), ""), expected);
        assert_eq!(
            parse(Some(&basic("gateway:s%25c")), "client_id=gateway"),
            expected
        );
        assert_eq!(
            parse(None, "client_id=gateway&client_secret=s%25c"),
            expected
        );
    }

    #[test]
    fn never_in_two_ways_and_never_by_halves() {
        let good = basic("a:b");
        for (header, body, error) in [
            (
                Some(good.as_str()),
                "client_id=a&client_secret=b",
                "invalid_request",
            ),
            (Some(&good), "client_id=c", "invalid_request"),
            (
                None,
                "client_id=a&client_id=a&client_secret=b",
                "invalid_request",
            ),
            (
                None,
                "client_id=a&scope=x&scope=x&client_secret=b",
                "invalid_request",
            ),
            (None, "", "invalid_client"),
            (None, "client_id=a", "invalid_client"),
            (None, "client_id=a&client_secret=", "invalid_client"),
            (Some("Bearer abc"), "", "invalid_client"),
            (Some("Basic"), "", "invalid_client"),
            (Some("Basic !!!"), "", "invalid_client"),
            (Some(&basic("nothing")), "", "invalid_client"),
            (Some(&basic("a=x:b")), "", "invalid_client"),
        ] {
            let refused = parse(header, body).unwrap_err();
            assert!(refused.starts_with(error), "{header:?} {body}: {refused}");
        }
    }
}
