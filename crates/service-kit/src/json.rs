//! A JSON body that says what is wrong with it: 413, 415, 400 or 422 with the field's path.
//! Give request types `#[serde(deny_unknown_fields)]`.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpMessage, HttpRequest, dev::Payload, web};
use contracts::ErrorCode;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

pub struct Json<T>(pub T);

/// The largest body that [`Json`] reads, in bytes; set it as app data.
#[derive(Clone, Copy, Debug)]
pub struct JsonLimit(pub usize);

impl Default for JsonLimit {
    fn default() -> Self {
        Self(64 * 1024)
    }
}

impl<T: DeserializeOwned> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let limit = request.app_data::<JsonLimit>().copied().unwrap_or_default();
        let is_json = request
            .content_type()
            .eq_ignore_ascii_case("application/json");
        let declared = request
            .headers()
            .get("content-length")
            .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let payload = payload.take();
        Box::pin(async move {
            if !is_json {
                return Err(Problem::new(ErrorCode::UnsupportedMediaType)
                    .detail("Send the body as application/json."));
            }
            if declared.is_some_and(|length| length > limit.0) {
                return Err(too_large(limit));
            }
            let body = read(payload, limit).await?;
            parse(&body).map(Self)
        })
    }
}

/// Reads a whole body, or refuses as soon as it is larger than `limit`.
pub async fn read(mut payload: Payload, limit: JsonLimit) -> Result<web::Bytes, Problem> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|error| Problem::new(ErrorCode::MalformedRequest).cause(error))?;
        if body.len() + chunk.len() > limit.0 {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Parses a body: text that is not JSON is 400, JSON of another shape 422 and names the field.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.classify() == serde_json::error::Category::Data {
            let path = if path == "." { String::new() } else { path };
            Problem::new(ErrorCode::Validation).field(path, "invalid", describe(&error))
        } else {
            Problem::new(ErrorCode::MalformedJson).detail(error.to_string())
        }
    })?;
    json.end()
        .map_err(|error| Problem::new(ErrorCode::MalformedJson).detail(error.to_string()))?;
    // serde would also take a list as the fields in order.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::new(ErrorCode::Validation).field("", "invalid", "expected an object"));
    }
    Ok(value)
}

/// The parser's message without its position, which the path makes needless.
fn describe(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn too_large(limit: JsonLimit) -> Problem {
    Problem::new(ErrorCode::PayloadTooLarge).detail(format!("At most {} bytes.", limit.0))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[allow(dead_code, reason = "only its parsing is tested")]
        lines: Vec<u8>,
    }

    fn refuse(body: &str) -> (ErrorCode, String) {
        let problem = parse::<Body>(body.as_bytes()).unwrap_err();
        (
            problem.code(),
            problem
                .body()
                .errors
                .first()
                .map_or(String::new(), |e| e.field.clone()),
        )
    }

    #[test]
    fn text_that_is_not_json_is_malformed() {
        for body in ["", "{", "{\"lines\":[1]} x", "\u{feff}{}"] {
            assert_eq!(refuse(body).0, ErrorCode::MalformedJson, "{body:.20}");
        }
    }

    #[test]
    fn json_of_another_shape_names_the_field() {
        assert_eq!(
            refuse(r#"{"lines":[1,"a"]}"#),
            (ErrorCode::Validation, "lines[1]".into())
        );
        assert_eq!(
            refuse(r#"{"lines":[],"admin":true}"#),
            (ErrorCode::Validation, "admin".into())
        );
        assert_eq!(refuse("[[1]]"), (ErrorCode::Validation, String::new()));
        assert_eq!(refuse(&"[".repeat(100_000)).0, ErrorCode::Validation);
        assert_eq!(refuse("{}"), (ErrorCode::Validation, String::new()));
    }
}
