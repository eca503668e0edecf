use serde_json::json;

use super::*;

/// One operation that reads a page and one that writes.
fn document() -> Value {
    json!({
        "paths": {"/v1/orders": {
            "get": {
                "security": [{"bearer": []}],
                "parameters": [
                    {"in": "query", "name": "first", "required": false,
                        "schema": {"type": "integer", "maximum": 100}},
                ],
                "responses": {
                    "200": {"description": "", "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Page"}}}},
                    "401": {"description": ""},
                },
            },
            "post": {
                "security": [{"bearer": []}],
                "requestBody": {"required": true, "content": {"application/json": {
                    "schema": {"type": "object", "required": ["lines"],
                        "properties": {"lines": {"type": "array"}}}}}},
                "responses": {"201": {"description": ""}},
            },
        }},
        "components": {"schemas": {"Page": {"type": "object", "required": ["items"],
            "properties": {"items": {"type": "array"}}}}},
    })
}

fn changed(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut new = document();
    change(&mut new);
    breaks(&document(), &new)
}

const GET: &str = "/paths/~1v1~1orders/get";
const POST: &str = "/paths/~1v1~1orders/post";

fn set(document: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
}

#[test]
fn more_than_before_is_harmless() {
    let none: [&str; 0] = [];
    assert_eq!(changed(|_| {}), none);
    let more = changed(|new| {
        new["paths"]["/v2/orders"] = json!({"get": {}});
        set(
            new,
            &format!("{GET}/responses/429"),
            json!({"description": ""}),
        );
        set(
            new,
            "/components/schemas/Page/properties/total",
            json!({"type": "integer"}),
        );
        let parameter = json!({"in": "query", "name": "sort", "schema": {}});
        let parameters = new.pointer_mut(&format!("{GET}/parameters")).unwrap();
        parameters.as_array_mut().unwrap().push(parameter);
        set(
            new,
            &format!("{GET}/security"),
            json!([{"bearer": []}, {"api_key": []}]),
        );
    });
    assert_eq!(more, none);
}

#[test]
fn what_is_gone_is_named() {
    assert_eq!(
        changed(|new| {
            new["paths"]["/v1/orders"]
                .as_object_mut()
                .unwrap()
                .remove("post");
        }),
        ["POST /v1/orders: is gone"]
    );
    assert_eq!(
        changed(|new| set(new, &format!("{GET}/parameters"), json!([]))),
        ["GET /v1/orders, query parameter first: is gone"]
    );
    assert_eq!(
        changed(|new| set(new, &format!("{POST}/responses"), json!({"202": {}}))),
        ["POST /v1/orders, 201: is gone"]
    );
    assert_eq!(
        changed(|new| set(new, "/components/schemas/Page/properties", json!({}))),
        ["GET /v1/orders, 200 as application/json.items: is gone"]
    );
}

#[test]
fn what_is_asked_besides_is_named() {
    assert_eq!(
        changed(|new| {
            let parameter = json!([
                {"in": "query", "name": "first", "required": true,
                    "schema": {"type": "integer", "maximum": 50}},
                {"in": "header", "name": "idempotency-key", "required": true, "schema": {}},
            ]);
            set(new, &format!("{GET}/parameters"), parameter);
        }),
        [
            "GET /v1/orders, query parameter first: is required now",
            "GET /v1/orders, query parameter first: maximum is lower",
            "GET /v1/orders, header parameter idempotency-key: is required now",
        ]
    );
    let body = "requestBody/content/application~1json/schema/required";
    assert_eq!(
        changed(|new| set(new, &format!("{POST}/{body}"), json!(["lines", "method"]))),
        ["POST /v1/orders, body as application/json: method is required now"]
    );
    assert_eq!(
        changed(|new| set(new, &format!("{GET}/security"), json!([{"mtls": []}]))),
        [r#"GET /v1/orders: {"bearer":[]} no longer lets in"#]
    );
}
