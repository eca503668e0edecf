//! The parameters of a GraphQL request, from a JSON body or a query string (GraphQL over HTTP, §5).

use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded;

/// A GraphQL request as the client sent it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct Parameters {
    /// The document.
    pub document: DocumentSource,
    /// Which of the document's operations is meant.
    pub operation_name: Option<String>,
    /// Values of the operation's variables.
    pub variables: Option<Map<String, Value>>,
}

/// How a request names its document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentSource {
    /// By its text (`query`).
    Text(String),
    /// By the id of a registered one (`documentId`).
    Id(String),
}

/// The request's parameters make no GraphQL request; the message says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidParameters(String);

/// The members by name. Read from a map: the derived parser alone would also take an array of
/// the members in their order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members {
    #[serde(default)]
    query: Option<String>,
    #[serde(default)]
    document_id: Option<String>,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
    /// Reserved for extensions of the protocol; none is known here.
    #[serde(default, rename = "extensions")]
    _extensions: Option<Map<String, Value>>,
}

impl TryFrom<Map<String, Value>> for Parameters {
    type Error = InvalidParameters;

    fn try_from(members: Map<String, Value>) -> Result<Self, InvalidParameters> {
        let members: Members = serde_json::from_value(Value::Object(members))
            .map_err(|error| InvalidParameters(format!("This is no GraphQL request: {error}.")))?;
        let Members {
            query,
            document_id,
            operation_name,
            variables,
            ..
        } = members;
        let document = match (query, document_id) {
            (Some(text), None) => DocumentSource::Text(text),
            (None, Some(id)) => DocumentSource::Id(id),
            (None, None) | (Some(_), Some(_)) => {
                let message = "Give either query or documentId.";
                return Err(InvalidParameters(message.to_owned()));
            }
        };
        Ok(Self {
            document,
            operation_name,
            variables,
        })
    }
}

impl Parameters {
    /// Reads a JSON body.
    ///
    /// # Errors
    /// When it is not JSON, not an object (batches are not served), or has members of other names
    /// or types.
    pub fn from_json(body: &[u8]) -> Result<Self, InvalidParameters> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => members.try_into(),
            Ok(Value::Array(_)) => Err(InvalidParameters("Batches are not supported.".to_owned())),
            Ok(_) => Err(InvalidParameters(
                "The body must be a JSON object.".to_owned(),
            )),
            Err(error) => Err(InvalidParameters(format!("The body is not JSON: {error}."))),
        }
    }

    /// Reads the query string of a GET request.
    ///
    /// # Errors
    /// When `query` is missing, a parameter is unknown or given twice, or `variables` or
    /// `extensions` are no JSON objects.
    pub fn from_query_string(query_string: &str) -> Result<Self, InvalidParameters> {
        let mut members = Map::new();
        for (name, text) in form_urlencoded::parse(query_string.as_bytes()) {
            let value = match name.as_ref() {
                "variables" | "extensions" => serde_json::from_str(&text).map_err(|error| {
                    InvalidParameters(format!("The parameter {name} is not JSON: {error}."))
                })?,
                _ => Value::String(text.into_owned()),
            };
            if members.insert(name.to_string(), value).is_some() {
                return Err(InvalidParameters(format!(
                    "The parameter {name} is given twice."
                )));
            }
        }
        members.try_into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_members_count_as_missing() {
        let body = br#"{"query":"{a}","operationName":null,"variables":null,"extensions":null}"#;
        let parameters = Parameters::from_json(body).unwrap();
        assert_eq!(parameters.variables, None);
    }

    #[test]
    fn anything_else_than_an_object_of_known_members_is_refused() {
        for body in [
            "",
            "null",
            "7",
            "[]",
            r#"[{"query":"{a}"}]"#,
            r#"["{a}", null, null, null]"#,
            "{}",
            r#"{"query":1}"#,
            r#"{"documentId":1}"#,
            r#"{"query":"{a}","documentId":"sha256:00"}"#,
            r#"{"query":"{a}","variables":[]}"#,
            r#"{"query":"{a}","operationName":7}"#,
            r#"{"query":"{a}","extensions":"x"}"#,
            r#"{"query":"{a}","qeury":"{a}"}"#,
            r#"{"query":"{a}"} trailing"#,
        ] {
            assert!(Parameters::from_json(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn a_query_string_carries_json_where_objects_belong() {
        let parameters =
            Parameters::from_query_string("query=%7Ba%7D&variables=%7B%22v%22%3A1%7D").unwrap();
        assert_eq!(parameters.document, DocumentSource::Text("{a}".to_owned()));
        assert_eq!(parameters.variables.unwrap()["v"], 1);
    }

    #[test]
    fn odd_query_strings_are_refused() {
        for text in [
            "",
            "query=a&query=b",
            "query=a&variables=x",
            "query=a&variables=[]",
            "q=a",
        ] {
            assert!(Parameters::from_query_string(text).is_err(), "{text}");
        }
    }
}
