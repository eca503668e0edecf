//! Two OpenAPI documents of one service: what its clients could do before and can't any more.

use serde_json::{Map, Value};

use super::schema::{self, Direction};

const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// What breaks between two documents. More answers that tell of an error, and values that answers
/// may have besides, break nothing: clients are asked to bear both.
#[must_use]
pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in entries(&old["paths"]) {
        for method in METHODS {
            let Some(operation) = item.get(method) else {
                continue;
            };
            let place = format!("{} {path}", method.to_uppercase());
            match new["paths"].get(path).and_then(|item| item.get(method)) {
                None => found.push(format!("{place}: is gone")),
                Some(other) => {
                    let shared = (&item["parameters"], &new["paths"][path]["parameters"]);
                    let comparison = Operation {
                        old,
                        new,
                        place: &place,
                    };
                    found.extend(comparison.breaks(operation, other, shared));
                }
            }
        }
    }
    found
}

struct Operation<'a> {
    old: &'a Value,
    new: &'a Value,
    place: &'a str,
}

impl Operation<'_> {
    fn breaks(&self, old: &Value, new: &Value, shared: (&Value, &Value)) -> Vec<String> {
        let mut found = self.parameters(old, new, shared);
        found.extend(self.body(&old["requestBody"], &new["requestBody"]));
        found.extend(self.responses(&old["responses"], &new["responses"]));
        found.extend(self.security(old, new));
        found
    }

    fn parameters(&self, old: &Value, new: &Value, shared: (&Value, &Value)) -> Vec<String> {
        let mut found = Vec::new();
        let before = parameters(self.old, &[&old["parameters"], shared.0]);
        let after = parameters(self.new, &[&new["parameters"], shared.1]);
        let same =
            |one: &Value, other: &Value| one["name"] == other["name"] && one["in"] == other["in"];
        for parameter in &before {
            if !after.iter().any(|other| same(parameter, other)) {
                found.push(format!("{}: is gone", self.parameter(parameter)));
            }
        }
        for parameter in &after {
            let place = self.parameter(parameter);
            let known = before.iter().find(|other| same(parameter, other));
            let is_required = |parameter: &Value| parameter["required"] == true;
            if is_required(parameter) && !known.is_some_and(|known| is_required(known)) {
                found.push(format!("{place}: is required now"));
            }
            if let Some(known) = known {
                let schemas = (&known["schema"], &parameter["schema"]);
                found.extend(self.schemas(schemas, Direction::Request, &place));
            }
        }
        found
    }

    fn parameter(&self, parameter: &Value) -> String {
        let text = |key: &str| parameter[key].as_str().unwrap_or_default().to_owned();
        format!("{}, {} parameter {}", self.place, text("in"), text("name"))
    }

    fn body(&self, old: &Value, new: &Value) -> Vec<String> {
        let place = format!("{}, body", self.place);
        let (old, new) = (target(self.old, old), target(self.new, new));
        let mut found = Vec::new();
        if new["required"] == true && old["required"] != true {
            found.push(format!("{place}: is required now"));
        }
        found.extend(self.contents(old, new, Direction::Request, &place));
        found
    }

    fn responses(&self, old: &Value, new: &Value) -> Vec<String> {
        let mut found = Vec::new();
        for (status, response) in entries(old) {
            let place = format!("{}, {status}", self.place);
            let old = target(self.old, response);
            match new.get(status) {
                // An error that no longer happens is missed by nobody.
                None if status.starts_with(['4', '5']) => {}
                None => found.push(format!("{place}: is gone")),
                Some(other) => {
                    let new = target(self.new, other);
                    found.extend(self.contents(old, new, Direction::Response, &place));
                }
            }
        }
        found
    }

    fn contents(&self, old: &Value, new: &Value, direction: Direction, place: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (kind, content) in entries(&old["content"]) {
            let place = format!("{place} as {kind}");
            match new["content"].get(kind) {
                None => found.push(format!("{place}: is gone")),
                Some(other) => {
                    let schemas = (&content["schema"], &other["schema"]);
                    found.extend(self.schemas(schemas, direction, &place));
                }
            }
        }
        found
    }

    /// Whoever may call it in some way may still.
    fn security(&self, old: &Value, new: &Value) -> Vec<String> {
        let ways = |document: &Value, operation: &Value| {
            let own = operation.get("security").or(document.get("security"));
            let ways = own.and_then(Value::as_array).cloned().unwrap_or_default();
            // No way at all named: anybody may.
            if ways.is_empty() {
                vec![Value::Object(Map::new())]
            } else {
                ways
            }
        };
        let allowed = ways(self.new, new);
        let lost = ways(self.old, old);
        let anybody = allowed.contains(&Value::Object(Map::new()));
        let lost = lost.iter().filter(|way| !anybody && !allowed.contains(way));
        lost.map(|way| format!("{}: {way} no longer lets in", self.place))
            .collect()
    }

    fn schemas(&self, schemas: (&Value, &Value), direction: Direction, place: &str) -> Vec<String> {
        schema::breaks((self.old, self.new), schemas, direction, place)
    }
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn target<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix('#'));
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}

fn parameters<'a>(document: &'a Value, lists: &[&'a Value]) -> Vec<&'a Value> {
    let all = lists.iter().filter_map(|list| list.as_array()).flatten();
    all.map(|parameter| target(document, parameter)).collect()
}

#[cfg(test)]
mod tests;
