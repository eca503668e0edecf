//! One JSON Schema an event.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::settle;
use crate::command::{Failure, capture};
use crate::workspace;

pub const FOLDER: &str = "docs/api/events";
pub const SUFFIX: &str = ".schema.json";

/// Writes or checks the schema of each event, and removes those of events that are gone. Returns
/// what is not as it should be.
///
/// # Errors
/// When plumbline can't be asked, or a file not be written.
pub fn settle_all(binary: &Path, check: bool) -> Result<Vec<String>, Failure> {
    let question = ["schema", "events"];
    let printed = capture(Command::new(binary).args(question))?;
    let output = |source| Failure::Output {
        command: question.join(" "),
        source,
    };
    let schemas: BTreeMap<String, Value> = serde_json::from_slice(&printed).map_err(output)?;
    let mut outdated = Vec::new();
    for (event_type, schema) in &schemas {
        let file = Path::new(FOLDER).join(format!("{event_type}{SUFFIX}"));
        let text = serde_json::to_string_pretty(schema).map_err(output)? + "\n";
        outdated.extend(settle(&file, text.as_bytes(), check)?);
    }
    for event_type in event_types(FOLDER)? {
        if schemas.contains_key(&event_type) {
            continue;
        }
        let file = format!("{FOLDER}/{event_type}{SUFFIX}");
        if check {
            eprintln!("{file}: there is no such event");
            outdated.push(file);
        } else {
            fs::remove_file(workspace::root().join(&file))?;
            eprintln!("{file}: removed");
        }
    }
    Ok(outdated)
}

/// The events that have a schema in a folder, in the order of their names.
///
/// # Errors
/// When the folder can't be read.
pub fn event_types(folder: &str) -> Result<Vec<String>, Failure> {
    let path = workspace::root().join(folder);
    let file = |source| Failure::File {
        path: path.clone(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(&path).map_err(file)? {
        let name = entry.map_err(file)?.file_name();
        found.extend(
            name.to_str()
                .and_then(|name| name.strip_suffix(SUFFIX))
                .map(str::to_owned),
        );
    }
    found.sort();
    Ok(found)
}
