//! The events' schemas. Who writes and who reads an event are of different releases for a while,
//! either way round: a newer consumer meets what lay in an outbox, an older one what a newer
//! producer tells. So a version of an event never changes in either direction.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::read;
use super::schema::{self, Direction};
use crate::command::Failure;
use crate::generate::events::{FOLDER, SUFFIX, event_types};
use crate::workspace;

const RELEASED: &str = "docs/api/released/events";

/// What breaks between the released schemas and today's.
pub fn check() -> Result<Vec<String>, Failure> {
    let today = event_types(FOLDER)?;
    let mut found = Vec::new();
    for event_type in event_types(RELEASED)? {
        if !today.contains(&event_type) {
            found.push(format!(
                "{event_type}: is gone, and may lie in an outbox still"
            ));
            continue;
        }
        let name = format!("{event_type}{SUFFIX}");
        let (old, new) = (read(RELEASED, &name)?, read(FOLDER, &name)?);
        found.extend(breaks(&old, &new, &event_type));
    }
    Ok(found)
}

/// What breaks between two schemas of one event.
fn breaks(old: &Value, new: &Value, event_type: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (direction, who) in [
        (Direction::Request, "for events written before"),
        (Direction::Response, "for consumers of before"),
    ] {
        let breaks = schema::breaks((old, new), (old, new), direction, event_type);
        found.extend(breaks.into_iter().map(|what| format!("{what} ({who})")));
    }
    found
}

/// Takes today's schemas as released.
pub fn accept() -> Result<(), Failure> {
    let (from, to) = (folder(FOLDER), folder(RELEASED));
    let file = |source| Failure::File {
        path: to.clone(),
        source,
    };
    if to.exists() {
        fs::remove_dir_all(&to).map_err(file)?;
    }
    fs::create_dir_all(&to).map_err(file)?;
    for event_type in event_types(FOLDER)? {
        let name = format!("{event_type}{SUFFIX}");
        fs::copy(from.join(&name), to.join(&name)).map_err(file)?;
        eprintln!("{RELEASED}/{name}: written");
    }
    Ok(())
}

fn folder(name: &str) -> std::path::PathBuf {
    workspace::root().join(Path::new(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(data: Value, required: &[&str]) -> Value {
        let data = json!({"type": "object", "properties": data, "required": required});
        json!({"type": "object", "properties": {"data": data}, "required": ["data"]})
    }

    fn between(old: Value, new: Value) -> String {
        breaks(&old, &new, "e.v1").join("\n")
    }

    #[test]
    fn a_member_more_is_harmless_as_long_as_nobody_may_rely_on_it() {
        let id = json!({"id": {"type": "string"}});
        let both = json!({"id": {"type": "string"}, "at": {"type": "string"}});
        let old = event(id, &["id"]);
        assert_eq!(between(old.clone(), event(both.clone(), &["id"])), "");
        let demanded = between(old, event(both, &["id", "at"]));
        assert_eq!(
            demanded,
            "e.v1.data: at is required now (for events written before)"
        );
    }

    #[test]
    fn a_member_less_or_of_another_type_breaks_those_who_read_it() {
        let id = json!({"id": {"type": "string"}});
        let old = event(id.clone(), &["id"]);
        let gone = between(old.clone(), event(json!({}), &[]));
        assert!(
            gone.contains("e.v1.data.id: is gone (for consumers of before)"),
            "{gone}"
        );
        let missing = between(old.clone(), event(id, &[]));
        assert_eq!(
            missing,
            "e.v1.data: id may be missing now (for consumers of before)"
        );
        let number = between(old, event(json!({"id": {"type": "integer"}}), &["id"]));
        assert!(number.contains("was string, is integer"), "{number}");
    }

    #[test]
    fn every_released_event_is_there_and_unbroken() {
        assert_eq!(check().unwrap(), Vec::<String>::new());
    }
}
