//! Two JSON Schemas of one thing: what those who send it, or those who read it, could do before
//! and can't do any more.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value};

/// Who reads the thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Ours: what was accepted must be accepted still.
    Request,
    /// Our clients: what they relied on must still be there.
    Response,
}

/// Keywords below which less is accepted the larger they are.
const LEAST: [&str; 4] = ["minLength", "minimum", "minItems", "exclusiveMinimum"];
/// Keywords below which less is accepted the smaller they are.
const MOST: [&str; 4] = ["maxLength", "maximum", "maxItems", "exclusiveMaximum"];
/// Keywords that mean something else as soon as they differ.
const SAME: [&str; 2] = ["format", "pattern"];

/// A comparison of the schemas of two documents.
struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    direction: Direction,
    breaks: Vec<String>,
    /// Pairs of `$ref`s that are being compared already: schemas may contain themselves.
    visited: HashSet<(String, String)>,
}

/// What breaks between two schemas, whose `$ref`s point into their documents. `place` says where
/// they stand.
#[must_use]
pub fn breaks(
    documents: (&Value, &Value),
    schemas: (&Value, &Value),
    direction: Direction,
    place: &str,
) -> Vec<String> {
    let mut comparison = Comparison {
        old: documents.0,
        new: documents.1,
        direction,
        breaks: Vec::new(),
        visited: HashSet::new(),
    };
    comparison.compare(schemas.0, schemas.1, place);
    comparison.breaks
}

impl Comparison<'_> {
    fn compare(&mut self, old: &Value, new: &Value, place: &str) {
        if let (Some(old), Some(new)) = (old["$ref"].as_str(), new["$ref"].as_str())
            && !self.visited.insert((old.to_owned(), new.to_owned()))
        {
            return;
        }
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let (old, new) = (flat(self.old, old), flat(self.new, new));
        let (old, new) = (&old, &new);
        self.compare_types(old, new, place);
        self.compare_values(old, new, place);
        self.compare_bounds(old, new, place);
        self.compare_properties(old, new, place);
        self.compare_parts(old, new, place);
        for keyword in ["oneOf", "anyOf"] {
            self.compare_alternatives(keyword, old, new, place);
        }
    }

    fn found(&mut self, place: &str, what: &str) {
        self.breaks.push(format!("{place}: {what}"));
    }

    fn compare_types(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, place: &str) {
        let (old, new) = (types(old), types(new));
        let (narrower, wider) = match self.direction {
            Direction::Request => (&old, &new),
            Direction::Response => (&new, &old),
        };
        let fits =
            |kind: &String| wider.contains(kind) || kind == "integer" && wider.contains("number");
        let is_within = match (narrower.is_empty(), wider.is_empty()) {
            // None named: any.
            (_, true) => true,
            (true, false) => false,
            (false, false) => narrower.iter().all(fits),
        };
        if !is_within {
            self.found(place, &format!("was {}, is {}", named(&old), named(&new)));
        }
    }

    /// A new value of an answer is no break: docs/api/released/README.md asks clients to bear them.
    fn compare_values(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, place: &str) {
        if self.direction == Direction::Response {
            return;
        }
        let Some(allowed) = values(new) else {
            return;
        };
        match values(old) {
            None => self.found(place, "only takes some values now"),
            Some(old) => {
                for value in old.iter().filter(|value| !allowed.contains(value)) {
                    self.found(place, &format!("no longer takes {value}"));
                }
            }
        }
    }

    fn compare_bounds(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, place: &str) {
        for keyword in SAME {
            let is_new_demand = self.direction == Direction::Request || old.contains_key(keyword);
            if old.get(keyword) != new.get(keyword) && is_new_demand {
                let is_lifted = self.direction == Direction::Request && !new.contains_key(keyword);
                if !is_lifted {
                    self.found(place, &format!("{keyword} differs"));
                }
            }
        }
        if self.direction == Direction::Response {
            return;
        }
        let number =
            |schema: &Map<String, Value>, keyword| schema.get(keyword).and_then(Value::as_f64);
        for keyword in LEAST {
            let demand = number(new, keyword).unwrap_or(f64::NEG_INFINITY);
            if demand > number(old, keyword).unwrap_or(f64::NEG_INFINITY) {
                self.found(place, &format!("{keyword} is higher"));
            }
        }
        for keyword in MOST {
            let demand = number(new, keyword).unwrap_or(f64::INFINITY);
            if demand < number(old, keyword).unwrap_or(f64::INFINITY) {
                self.found(place, &format!("{keyword} is lower"));
            }
        }
    }

    fn compare_properties(
        &mut self,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
        place: &str,
    ) {
        let none = Map::new();
        let properties = |schema: &Map<String, Value>| {
            let properties = schema.get("properties").and_then(Value::as_object);
            properties.unwrap_or(&none).clone()
        };
        let (old_properties, new_properties) = (properties(old), properties(new));
        for (name, schema) in &old_properties {
            let place = format!("{place}.{name}");
            match new_properties.get(name) {
                None => self.found(&place, "is gone"),
                Some(other) => self.compare(schema, other, &place),
            }
        }
        let (old, new) = (required(old), required(new));
        match self.direction {
            Direction::Request => {
                for name in new.difference(&old) {
                    self.found(place, &format!("{name} is required now"));
                }
            }
            Direction::Response => {
                let kept = |name: &&String| new_properties.contains_key(*name);
                for name in old.difference(&new).filter(kept) {
                    self.found(place, &format!("{name} may be missing now"));
                }
            }
        }
    }

    fn compare_parts(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, place: &str) {
        for (keyword, sign) in [("items", "[]"), ("additionalProperties", "{}")] {
            let place = format!("{place}{sign}");
            match (old.get(keyword), new.get(keyword)) {
                (Some(Value::Bool(false)), _) | (None, None) => {}
                (_, Some(Value::Bool(false))) if self.direction == Direction::Request => {
                    self.found(&place, "others are refused now");
                }
                (Some(old), Some(new)) if old.is_object() && new.is_object() => {
                    self.compare(old, new, &place);
                }
                _ => {}
            }
        }
    }

    /// Each alternative of a request is accepted still; each of an answer was possible before.
    fn compare_alternatives(
        &mut self,
        keyword: &str,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
        place: &str,
    ) {
        let (Some(old), Some(new)) = (alternatives(old, keyword), alternatives(new, keyword))
        else {
            if old.get(keyword).is_some() != new.get(keyword).is_some() {
                self.found(place, &format!("{keyword} came or went"));
            }
            return;
        };
        let fit = |old: &Value, new: &Value| {
            let mut comparison = Comparison {
                breaks: Vec::new(),
                visited: self.visited.clone(),
                ..*self
            };
            comparison.compare(old, new, place);
            comparison.breaks.is_empty()
        };
        let lost = match self.direction {
            Direction::Request => old
                .iter()
                .filter(|old| !new.iter().any(|new| fit(old, new)))
                .count(),
            Direction::Response => new
                .iter()
                .filter(|new| !old.iter().any(|old| fit(old, new)))
                .count(),
        };
        if lost > 0 {
            self.found(place, &format!("{lost} alternatives of {keyword} differ"));
        }
    }
}

/// The schema that a `$ref` names, in the end.
fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    while let Some(pointer) = schema["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix('#'))
    {
        match document.pointer(pointer) {
            Some(target) => schema = target,
            None => return schema,
        }
    }
    schema
}

/// The schema's keywords together with those of its `allOf`.
fn flat(document: &Value, schema: &Value) -> Map<String, Value> {
    let mut flattened = schema.as_object().cloned().unwrap_or_default();
    let Some(Value::Array(parts)) = flattened.remove("allOf") else {
        return flattened;
    };
    for part in parts {
        for (keyword, value) in flat(document, resolve(document, &part)) {
            match (flattened.get_mut(&keyword), value) {
                (Some(Value::Object(present)), Value::Object(more)) => present.extend(more),
                (Some(Value::Array(present)), Value::Array(more)) => present.extend(more),
                (Some(_), _) => {}
                (None, value) => {
                    flattened.insert(keyword, value);
                }
            }
        }
    }
    flattened
}

fn types(schema: &Map<String, Value>) -> BTreeSet<String> {
    strings(schema.get("type"))
}

fn required(schema: &Map<String, Value>) -> BTreeSet<String> {
    strings(schema.get("required"))
}

fn strings(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::String(one)) => BTreeSet::from([one.clone()]),
        Some(Value::Array(all)) => all
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => BTreeSet::new(),
    }
}

fn values(schema: &Map<String, Value>) -> Option<Vec<Value>> {
    let constant = schema.get("const").map(|value| vec![value.clone()]);
    constant.or_else(|| schema.get("enum")?.as_array().cloned())
}

fn alternatives<'a>(schema: &'a Map<String, Value>, keyword: &str) -> Option<&'a Vec<Value>> {
    schema.get(keyword)?.as_array()
}

fn named(types: &BTreeSet<String>) -> String {
    if types.is_empty() {
        return "anything".to_owned();
    }
    types.iter().cloned().collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests;
