//! What was published, against the schemas that are published.

use chrono::DateTime;
use contracts::DeclaredEvent;
use database::Database;
use messaging::outbox;
use sea_orm::EntityTrait;
use serde_json::Value;
use uuid::Uuid;

/// Fails unless every event that these databases hold is declared and as its schema says.
pub async fn assert_as_declared(databases: &[Database]) {
    let declared = plumbline::declared_events();
    for database in databases {
        for row in outbox::Entity::find().all(database.reader()).await.unwrap() {
            let complaints = complaints(&declared, &row.event_type, &row.body);
            assert!(complaints.is_empty(), "{complaints:#?} in {}", row.body);
        }
    }
}

/// What is wrong with an event.
pub fn complaints(declared: &[DeclaredEvent], event_type: &str, body: &str) -> Vec<String> {
    let mut of_type = declared
        .iter()
        .filter(|event| event.event_type == event_type);
    let Some(event) = of_type.next() else {
        return vec![format!("{event_type} is not declared")];
    };
    let body: Value = serde_json::from_str(body).unwrap();
    let mut found = Vec::new();
    judge(event.schema(), &body, "", &mut found);
    found
}

/// As much of JSON Schema as our schemas use; it fails on a keyword that it does not know, so that
/// none is passed over.
fn judge(schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    for (keyword, wanted) in schema.as_object().unwrap() {
        let fits = match keyword.as_str() {
            "$schema" | "$id" | "title" | "description" => true,
            "type" => is_of_type(wanted, value),
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "format" => has_format(wanted.as_str().unwrap(), value),
            "required" => {
                let mut names = wanted.as_array().unwrap().iter();
                names.all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "additionalProperties" => {
                assert_eq!(wanted, &Value::Bool(false), "{place}: not understood");
                let known = &schema["properties"];
                let members = value.as_object().into_iter().flatten();
                members
                    .map(|(name, _)| name)
                    .all(|name| known.get(name).is_some())
            }
            "properties" => {
                for (name, schema) in wanted.as_object().unwrap() {
                    if let Some(value) = value.get(name) {
                        judge(schema, value, &format!("{place}/{name}"), found);
                    }
                }
                true
            }
            "oneOf" => {
                let fits = |schema: &&Value| {
                    let mut found = Vec::new();
                    judge(schema, value, place, &mut found);
                    found.is_empty()
                };
                wanted.as_array().unwrap().iter().filter(fits).count() == 1
            }
            other => panic!("{place}: teach this validator the keyword {other}"),
        };
        if !fits {
            found.push(format!("{place}: {value} against {keyword}: {wanted}"));
        }
    }
}

fn is_of_type(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str().unwrap() {
        "object" => value.is_object(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("teach this validator the type {other}"),
    }
}

fn has_format(wanted: &str, value: &Value) -> bool {
    match wanted {
        "uuid" => value
            .as_str()
            .is_some_and(|text| Uuid::try_parse(text).is_ok()),
        "date-time" => {
            let is_time = |text: &str| DateTime::parse_from_rfc3339(text).is_ok();
            value.as_str().is_some_and(is_time)
        }
        "int32" => value
            .as_i64()
            .is_some_and(|number| i32::try_from(number).is_ok()),
        other => panic!("teach this validator the format {other}"),
    }
}
