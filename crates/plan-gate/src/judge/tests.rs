use serde_json::json;

use super::*;

fn sizes() -> Sizes {
    let named = [
        ("orders", 100_000),
        ("orders_pkey", 100_000),
        ("orders_overdue", 100),
        ("keys", 5),
    ];
    named.map(|(name, rows)| (name.to_owned(), rows)).into()
}

fn found(root: &Value) -> Vec<String> {
    found_with(root, root)
}

/// With the plan that avoids sorting.
fn found_with(root: &Value, unsorted: &Value) -> Vec<String> {
    let plan = Plan {
        lines: Vec::new(),
        root: root.clone(),
        unsorted: unsorted.clone(),
    };
    let problems = problems(&plan, &sizes());
    problems.iter().map(ToString::to_string).collect()
}

fn table_scan(table: &str) -> Value {
    json!({"Node Type": "Seq Scan", "Relation Name": table, "Plan Rows": 50})
}

fn index_scan(index: &str) -> Value {
    json!({"Node Type": "Index Scan", "Relation Name": "orders", "Index Name": index, "Plan Rows": 50})
}

fn above(kind: &str, child: Value) -> Value {
    json!({"Node Type": kind, "Plan Rows": child["Plan Rows"], "Plans": [child]})
}

const WHOLE_TABLE: &str = "reads the whole table orders (100000 rows)";
const WHOLE_INDEX: &str = "reads the whole index orders_pkey (100000 rows)";
const SORTS: &str = "sorts rows of orders which no index has in order";

#[test]
fn a_big_table_is_not_read_from_end_to_end_wherever_in_the_plan() {
    assert_eq!(found(&table_scan("orders")), [WHOLE_TABLE]);
    let deep = above("Limit", above("Nested Loop", table_scan("orders")));
    assert_eq!(found(&deep), [WHOLE_TABLE]);
    assert!(found(&table_scan("keys")).is_empty());
}

#[test]
fn a_whole_index_is_read_only_as_far_as_a_limit_wants() {
    assert_eq!(found(&index_scan("orders_pkey")), [WHOLE_INDEX]);
    let first = above("Limit", above("LockRows", index_scan("orders_pkey")));
    assert!(found(&first).is_empty());
    // Counted before the limit.
    let counted = above("Limit", above("Aggregate", index_scan("orders_pkey")));
    assert_eq!(found(&counted), [WHOLE_INDEX]);
    assert!(found(&index_scan("orders_overdue")).is_empty());
}

#[test]
fn a_filter_may_let_nothing_through_before_the_limit() {
    let mut scan = index_scan("orders_pkey");
    scan["Filter"] = json!("(status = $1)");
    assert_eq!(found(&above("Limit", scan.clone())), [WHOLE_INDEX]);
    scan["Plan Rows"] = json!(10_000);
    assert!(found(&above("Limit", scan)).is_empty());
}

#[test]
fn a_condition_on_the_index_is_what_it_is_for() {
    let mut scan = index_scan("orders_pkey");
    scan["Index Cond"] = json!("(id = $1)");
    assert!(found(&scan).is_empty());
    // A few rows are sorted gladly, but not to show a page of them.
    assert!(found(&above("Sort", scan.clone())).is_empty());
    assert_eq!(found(&above("Limit", above("Sort", scan.clone()))), [SORTS]);
    scan["Plan Rows"] = json!(1_000);
    assert_eq!(found(&above("Sort", scan.clone())), [SORTS]);
    // One row is in order.
    scan["Plan Rows"] = json!(1);
    assert!(found(&above("Limit", above("Sort", scan))).is_empty());
}

#[test]
fn a_page_may_be_sorted_where_an_index_has_the_order_too() {
    let mut few = index_scan("orders_pkey");
    few["Index Cond"] = json!("(id = $1)");
    let sorted = above("Limit", above("Sort", few.clone()));
    assert!(found_with(&sorted, &above("Limit", few)).is_empty());
    // Walking a whole index until enough rows have passed is no order to be glad of.
    let mut walk = index_scan("orders_pkey");
    walk["Filter"] = json!("(status = $1)");
    assert_eq!(found_with(&sorted, &above("Limit", walk)), [SORTS]);
}

#[test]
fn a_limit_does_not_reach_into_a_subquery() {
    let mut subquery = index_scan("orders_pkey");
    subquery["Parent Relationship"] = json!("SubPlan");
    let plan = json!({"Node Type": "Limit", "Plans": [subquery]});
    assert_eq!(found(&plan), [WHOLE_INDEX]);
}
