use super::*;

const SCHEMA: &str = "type Query { order(id: ID!): Order } type Order { id: ID! number: String! }";

/// What breaks between [`SCHEMA`] and another; `None`, said, without Node.js.
fn breaks(new: &str) -> Option<String> {
    let modules = testkit::environment::node_modules("breaking changes of a GraphQL schema")?;
    let folder = tempfile::tempdir().unwrap();
    let files = [("old.graphql", SCHEMA), ("new.graphql", new)].map(|(name, text)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    });
    Some(compare(&modules, &files).unwrap().join("\n"))
}

#[test]
fn a_field_more_is_harmless_and_a_field_less_breaks() {
    let Some(more) = breaks(&SCHEMA.replace("number:", "total: Int! number:")) else {
        return;
    };
    assert_eq!(more, "");
    let less = breaks(&SCHEMA.replace(" number: String!", "")).unwrap();
    assert_eq!(
        less,
        "schema.graphql: FIELD_REMOVED: Order.number was removed."
    );
}

#[test]
fn an_optional_argument_is_harmless_and_a_required_one_breaks() {
    let Some(optional) = breaks(&SCHEMA.replace("(id: ID!)", "(id: ID!, at: Int)")) else {
        return;
    };
    assert_eq!(optional, "");
    let required = breaks(&SCHEMA.replace("(id: ID!)", "(id: ID!, at: Int!)")).unwrap();
    assert!(required.contains("REQUIRED_ARG_ADDED"), "{required}");
}

#[test]
fn deprecating_a_field_is_harmless() {
    let deprecated = SCHEMA.replace("number: String!", "number: String! @deprecated");
    let directive = "directive @deprecated(reason: String) on FIELD_DEFINITION";
    let Some(found) = breaks(&format!("{directive} {deprecated}")) else {
        return;
    };
    assert_eq!(found, "");
}
