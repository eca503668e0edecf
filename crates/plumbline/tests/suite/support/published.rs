//! What the OpenAPI documents promise, for tests that go through every operation.

use kernel::Permission;
use reqwest::Method;
use serde_json::{Map, Value, json};
use service_kit::routes::{Access, DeclaredRoute};

/// An id of nothing.
pub const NOBODYS: &str = "01890000-0000-7000-8000-000000000000";

pub struct Operation {
    pub method: Method,
    pub path: String,
    pub description: Value,
    document: Value,
}

/// Every operation of both documents.
pub fn operations() -> Vec<Operation> {
    let documents = [auth::openapi(), gateway::openapi()];
    let documents = documents.map(|document| serde_json::to_value(document).unwrap());
    let mut operations = Vec::new();
    for document in documents {
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, description) in item.as_object().unwrap() {
                operations.push(Operation {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    description: description.clone(),
                    document: document.clone(),
                });
            }
        }
    }
    operations
}

/// The path with ids of nothing.
pub fn concrete(path: &str) -> String {
    let mut concrete = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (parameter, after) = after.split_once('}').unwrap();
        let value = if parameter.contains(':') {
            "x"
        } else {
            NOBODYS
        };
        concrete += before;
        concrete += value;
        rest = after;
    }
    concrete + rest
}

/// What a caller of this route must be granted.
pub fn permission_of(route: &DeclaredRoute) -> Option<Permission> {
    match route.access {
        Access::Public | Access::Client => None,
        Access::Needs(permission) | Access::NeedsRecent(permission) => Some(permission),
    }
}

impl Operation {
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn takes_json(&self) -> bool {
        self.json_body().is_some()
    }

    pub fn has_parameter(&self, name: &str) -> bool {
        let parameters = self.description["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|parameter| parameter["name"] == name))
    }

    /// A body as the document describes it, with what is required.
    pub fn example(&self) -> Value {
        self.example_of(&self.body_schema())
    }

    pub fn body_properties(&self) -> Map<String, Value> {
        let properties = self.body_schema()["properties"].take();
        properties.as_object().cloned().unwrap_or_default()
    }

    pub fn has_required_properties(&self) -> bool {
        !self.body_schema()["required"].is_null()
    }

    fn json_body(&self) -> Option<&Value> {
        self.description["requestBody"]["content"].get("application/json")
    }

    fn body_schema(&self) -> Value {
        self.resolve(&self.json_body().unwrap()["schema"])
    }

    fn resolve(&self, schema: &Value) -> Value {
        match schema["$ref"].as_str() {
            Some(reference) => {
                let pointer = reference.trim_start_matches('#');
                self.document.pointer(pointer).unwrap().clone()
            }
            None => schema.clone(),
        }
    }

    fn example_of(&self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        let given = [
            &schema["example"],
            &schema["examples"][0],
            &schema["enum"][0],
        ];
        if let Some(given) = given.into_iter().find(|given| !given.is_null()) {
            return given.clone();
        }
        let of_types = schema["type"].as_array().map(|types| &types[0]);
        match of_types.unwrap_or(&schema["type"]).as_str() {
            Some("object") => {
                let required = schema["required"].as_array().cloned().unwrap_or_default();
                let properties = required.iter().map(|name| {
                    let name = name.as_str().unwrap();
                    (
                        name.to_owned(),
                        self.example_of(&schema["properties"][name]),
                    )
                });
                Value::Object(properties.collect())
            }
            Some("array") => json!([self.example_of(&schema["items"])]),
            Some("integer" | "number") => json!(1),
            Some("boolean") => json!(true),
            _ if schema["format"] == "uuid" => json!(NOBODYS),
            _ => json!("text"),
        }
    }
}
