//! How many statements a list costs: as many for a hundred rows as for one. What belongs to each
//! row comes from a loader, once for all.

use std::collections::BTreeSet;

use async_graphql_parser::types::{
    ServiceDocument, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use serde_json::json;

use crate::support::{Reply, Shop};

const SIZES: [u32; 3] = [1, 10, 100];

/// Every object that an order has. One at a time: the cost of one document would be too high for
/// a hundred orders.
const OF_ORDERS: &[&str] = &[
    "lines { quantity product { name available } }",
    "history { at }",
    "customer { name }",
    "payment { status }",
    "timeline { at }",
];

/// Every connection of `Query`, who asks, and every object that its nodes have.
const CONNECTIONS: &[(&str, &str, &[&str])] = &[
    ("orders", "customer", OF_ORDERS),
    ("allOrders", "admin", OF_ORDERS),
    ("products", "customer", &["name available"]),
];

/// What auth has: a page is one call of it, which `people.rs` counts.
const OF_AUTH: [&str; 2] = ["customers", "auditLog"];

/// Objects that are columns of their parent's row, and cost nothing.
const INLINE: [&str; 1] = ["Money"];

/// The same over REST.
const LISTS: [&str; 3] = ["/v1/orders", "/v1/products", "/v2/products"];

/// A shop whose customer 1 has a hundred orders, of different products.
async fn busy_shop() -> Shop {
    let shop = Shop::open().await;
    let products = shop.products(100).await;
    let products = products.iter().filter(|(_, is_available)| *is_available);
    for (id, _) in products.cycle().take(100) {
        shop.place(1, id).await;
    }
    shop
}

/// More rows never cost more statements than one row does, which are at least one.
fn assert_constant(what: &str, costs: &[Vec<String>]) {
    let one = &costs[0];
    assert!(!one.is_empty(), "{what} asks nothing");
    for (size, cost) in SIZES.iter().zip(costs) {
        assert!(
            cost.len() <= one.len(),
            "{what}: {} statements for one row, {} for {size}: {cost:#?}",
            one.len(),
            cost.len(),
        );
    }
}

#[actix_web::test]
async fn a_connection_costs_as_many_statements_for_a_hundred_nodes_as_for_one() {
    let shop = busy_shop().await;
    for (field, role, parts) in CONNECTIONS {
        for part in *parts {
            let document = format!(
                "query($n: Int) {{ {field}(first: $n) {{ edges {{ node {{ id {part} }} }} }} }}"
            );
            let mut costs = Vec::new();
            for size in SIZES {
                let variables = json!({ "n": size });
                shop.statements.take();
                let reply = match *role {
                    "customer" => shop.ask(1, &document, variables).await,
                    role => shop.ask_as(role, &document, variables).await,
                };
                costs.push(shop.statements.take());
                assert_eq!(reply.body["errors"], json!(null), "{reply:?}");
                let found = reply.body["data"][field]["edges"].as_array().unwrap().len();
                assert!(found > 1 || size == 1, "{field} has {found} nodes");
            }
            assert_constant(&format!("{field}: {part}"), &costs);
        }
    }
}

#[actix_web::test]
async fn a_list_over_rest_costs_as_many_statements_for_a_hundred_rows_as_for_one() {
    for path in LISTS {
        // Each its own: the versions of a list share a cache.
        let shop = busy_shop().await;
        let mut costs = Vec::new();
        for size in SIZES {
            shop.statements.take();
            let reply = Reply::to(shop.rest(1, "GET", &format!("{path}?first={size}"))).await;
            costs.push(shop.statements.take());
            assert_eq!(reply.status, 200, "{reply:?}");
        }
        assert_constant(path, &costs);
    }
}

#[test]
#[should_panic = "orders: 1 statements for one row, 2 for 10"]
fn a_statement_a_row_is_noticed() {
    let cost = |statements| vec!["SELECT".to_owned(); statements];
    assert_constant("orders", &[cost(1), cost(2), cost(3)]);
}

#[test]
fn every_connection_and_every_object_of_its_nodes_is_counted() {
    let schema = include_str!("../../../../docs/api/schema.graphql");
    let schema = async_graphql_parser::parse_schema(schema).unwrap();
    let mut missing = BTreeSet::new();
    for (field, kind) in objects_of(&schema, "Query") {
        let Some(node) = kind.strip_suffix("Connection") else {
            continue;
        };
        if OF_AUTH.contains(&field.as_str()) {
            continue;
        }
        let counted: String = CONNECTIONS
            .iter()
            .filter(|(name, _, _)| *name == field)
            .map(|(_, _, parts)| format!("{field} {}", parts.join(" ")))
            .collect();
        let mut wanted = vec![field.clone()];
        collect_objects(&schema, node, &mut wanted, &mut BTreeSet::new());
        let words: BTreeSet<_> = counted.split_whitespace().collect();
        missing.extend(
            wanted
                .iter()
                .filter(|name| !words.contains(name.as_str()))
                .map(|name| format!("{field}: {name}")),
        );
    }
    assert!(missing.is_empty(), "not in CONNECTIONS: {missing:?}");
}

/// The names of the fields below a type that have fields themselves.
fn collect_objects(
    schema: &ServiceDocument,
    kind: &str,
    found: &mut Vec<String>,
    visited: &mut BTreeSet<String>,
) {
    if !visited.insert(kind.to_owned()) {
        return;
    }
    for (field, kind) in objects_of(schema, kind) {
        if INLINE.contains(&kind.as_str()) || visited.contains(&kind) {
            continue;
        }
        found.push(field);
        collect_objects(schema, &kind, found, visited);
    }
}

/// The fields of a type whose own type is an object, with its name.
fn objects_of(schema: &ServiceDocument, name: &str) -> Vec<(String, String)> {
    let Some(TypeKind::Object(object)) = definition(schema, name).map(|found| &found.kind) else {
        return Vec::new();
    };
    let fields = object.fields.iter().map(|field| {
        let kind = field.node.ty.node.to_string();
        let kind = kind.replace(['[', ']', '!'], "");
        (field.node.name.node.to_string(), kind)
    });
    let is_object = |kind: &str| {
        definition(schema, kind).is_some_and(|found| matches!(found.kind, TypeKind::Object(_)))
    };
    fields.filter(|(_, kind)| is_object(kind)).collect()
}

fn definition<'a>(schema: &'a ServiceDocument, name: &str) -> Option<&'a TypeDefinition> {
    schema
        .definitions
        .iter()
        .find_map(|definition| match definition {
            TypeSystemDefinition::Type(found) if found.node.name.node == name => Some(&found.node),
            TypeSystemDefinition::Schema(_)
            | TypeSystemDefinition::Type(_)
            | TypeSystemDefinition::Directive(_) => None,
        })
}
