use serde_json::json;

use super::*;

fn found(direction: Direction, old: &Value, new: &Value) -> Vec<String> {
    breaks((old, new), (old, new), direction, "it")
}

fn request(old: Value, new: Value) -> Vec<String> {
    found(Direction::Request, &old, &new)
}

fn response(old: Value, new: Value) -> Vec<String> {
    found(Direction::Response, &old, &new)
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

#[test]
fn the_same_breaks_nothing() {
    let schema = object(json!({"a": {"type": "string", "enum": ["x"]}}), &["a"]);
    assert!(request(schema.clone(), schema.clone()).is_empty());
    assert!(response(schema.clone(), schema).is_empty());
}

#[test]
fn a_new_property_is_harmless_unless_it_must_be_sent() {
    let old = object(json!({"a": {}}), &["a"]);
    let optional = object(json!({"a": {}, "b": {}}), &["a"]);
    let required = object(json!({"a": {}, "b": {}}), &["a", "b"]);
    assert!(request(old.clone(), optional.clone()).is_empty());
    assert!(response(old.clone(), optional).is_empty());
    assert!(response(old.clone(), required.clone()).is_empty());
    assert_eq!(request(old, required), ["it: b is required now"]);
}

#[test]
fn a_lost_property_breaks_both_sides() {
    let old = object(json!({"a": {}, "b": {}}), &["a"]);
    let new = object(json!({"a": {}}), &["a"]);
    assert_eq!(request(old.clone(), new.clone()), ["it.b: is gone"]);
    assert_eq!(response(old, new), ["it.b: is gone"]);
}

#[test]
fn what_was_always_answered_must_always_be() {
    let old = object(json!({"a": {}}), &["a"]);
    let new = object(json!({"a": {}}), &[]);
    assert_eq!(
        response(old.clone(), new.clone()),
        ["it: a may be missing now"]
    );
    assert!(request(old, new).is_empty());
}

#[test]
fn a_wider_type_is_harmless_where_we_read_and_breaks_where_clients_do() {
    let (narrow, wide) = (
        json!({"type": "string"}),
        json!({"type": ["string", "null"]}),
    );
    assert!(request(narrow.clone(), wide.clone()).is_empty());
    assert_eq!(
        response(narrow.clone(), wide.clone()),
        ["it: was string, is null or string"]
    );
    assert_eq!(
        request(wide.clone(), narrow.clone()),
        ["it: was null or string, is string"]
    );
    assert!(response(wide, narrow).is_empty());
    let (integer, number) = (json!({"type": "integer"}), json!({"type": "number"}));
    assert!(request(integer.clone(), number.clone()).is_empty());
    assert!(response(number, integer).is_empty());
}

#[test]
fn a_value_is_taken_as_long_as_it_was() {
    let (few, many) = (json!({"enum": ["a"]}), json!({"enum": ["a", "b"]}));
    assert!(request(few.clone(), many.clone()).is_empty());
    assert!(response(few.clone(), many.clone()).is_empty());
    assert_eq!(request(many, few.clone()), [r#"it: no longer takes "b""#]);
    assert_eq!(request(json!({}), few), ["it: only takes some values now"]);
}

#[test]
fn a_tighter_bound_breaks_requests_alone() {
    let loose = json!({"type": "string", "maxLength": 10});
    let tight = json!({"type": "string", "maxLength": 9, "minLength": 1, "pattern": "^a"});
    let expected = [
        "it: pattern differs",
        "it: minLength is higher",
        "it: maxLength is lower",
    ];
    assert_eq!(request(loose.clone(), tight.clone()), expected);
    assert!(request(tight.clone(), loose.clone()).is_empty());
    assert!(response(loose, tight).is_empty());
}

#[test]
fn references_and_all_of_are_followed_and_may_return_to_themselves() {
    let document = |leaf: &str| {
        json!({
            "allOf": [{"$ref": "#/defs/node"}],
            "defs": {"node": {"type": "object", "properties": {
                "leaf": {"type": leaf},
                "children": {"type": "array", "items": {"$ref": "#/defs/node"}},
                "either": {"oneOf": [{"$ref": "#/defs/node"}, {"type": "null"}]},
            }}},
        })
    };
    assert!(response(document("string"), document("string")).is_empty());
    let breaks = response(document("string"), document("integer"));
    assert!(
        breaks.contains(&"it.leaf: was string, is integer".to_owned()),
        "{breaks:?}"
    );
}

#[test]
fn an_alternative_may_come_in_requests_and_go_in_answers() {
    let (text, number) = (json!({"type": "string"}), json!({"type": "number"}));
    let (one, two) = (json!({"oneOf": [text]}), json!({"oneOf": [text, number]}));
    assert!(request(one.clone(), two.clone()).is_empty());
    assert!(response(two.clone(), one.clone()).is_empty());
    assert_eq!(
        request(two.clone(), one.clone()),
        ["it: 1 alternatives of oneOf differ"]
    );
    assert_eq!(response(one, two), ["it: 1 alternatives of oneOf differ"]);
}
