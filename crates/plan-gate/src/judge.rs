//! What a plan must not do to a table that grows with the shop.

use std::collections::HashMap;
use std::fmt;

use serde_json::Value;

use crate::explain::Plan;

/// Tables and indexes with at least so many rows are big.
pub const BIG: u64 = 10_000;
/// A sort of so many rows is one that an index should save.
const MANY: u64 = 1_000;

/// The number of rows of every table and every index, by name.
pub type Sizes = HashMap<String, u64>;

/// Something that a plan must not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It reads a big table from end to end.
    ReadsTable { table: String, rows: u64 },
    /// It reads a big index from end to end.
    ReadsIndex { index: String, rows: u64 },
    /// It sorts rows of a big table although they are many or, if they are not, to show a page of
    /// them: somebody has more than the planner expects.
    Sorts { table: String, is_page: bool },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadsTable { table, rows } => {
                write!(f, "reads the whole table {table} ({rows} rows)")
            }
            Self::ReadsIndex { index, rows } => {
                write!(f, "reads the whole index {index} ({rows} rows)")
            }
            Self::Sorts { table, .. } => {
                write!(f, "sorts rows of {table} which no index has in order")
            }
        }
    }
}

/// The problems of a plan.
#[must_use]
pub fn problems(plan: &Plan, sizes: &Sizes) -> Vec<Problem> {
    let mut problems = Vec::new();
    visit(&plan.root, Above::default(), sizes, &mut problems);
    problems.dedup();
    // A few rows are sorted where an index has them in order too: the planner's choice.
    let sorts_few = |problem: &Problem| matches!(problem, Problem::Sorts { is_page: true, .. });
    if problems.iter().any(sorts_few) {
        let mut without = Vec::new();
        visit(&plan.unsorted, Above::default(), sizes, &mut without);
        if without.is_empty() {
            problems.retain(|problem| !sorts_few(problem));
        }
    }
    problems
}

/// What stands above a node.
#[derive(Debug, Clone, Copy, Default)]
struct Above {
    /// A limit, to which the rows flow one by one: no more are read than it wants.
    ends_early: bool,
    /// A limit, whatever is between.
    is_page: bool,
}

fn visit(node: &Value, above: Above, sizes: &Sizes, problems: &mut Vec<Problem>) {
    let kind = text(node, "Node Type");
    match kind {
        "Seq Scan" => problems.extend(whole_table(node, sizes)),
        "Index Scan" | "Index Only Scan" | "Bitmap Index Scan" => {
            problems.extend(whole_index(node, above, sizes));
        }
        "Sort" => problems.extend(sort(node, above, sizes)),
        // The others read what these give them.
        _ => {}
    }
    let below = match kind {
        "Limit" => Above {
            ends_early: true,
            is_page: true,
        },
        // They pass a row on as soon as they have one.
        "LockRows" | "Nested Loop" | "Result" | "Subquery Scan" | "Append" | "Merge Append"
        | "Unique" | "Memoize" => above,
        // The others want all rows first, or may.
        _ => Above {
            ends_early: false,
            ..above
        },
    };
    let children = node["Plans"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for child in children {
        let is_another_query =
            ["SubPlan", "InitPlan"].contains(&text(child, "Parent Relationship"));
        let above = if is_another_query {
            Above::default()
        } else {
            below
        };
        visit(child, above, sizes, problems);
    }
}

fn whole_table(node: &Value, sizes: &Sizes) -> Option<Problem> {
    let table = text(node, "Relation Name");
    let rows = big(table, sizes)?;
    Some(Problem::ReadsTable {
        table: table.to_owned(),
        rows,
    })
}

/// Without a condition on it, unless a limit ends it early: the first rows do, or the first that a
/// filter lets through, if it is expected to let a tenth through.
fn whole_index(node: &Value, above: Above, sizes: &Sizes) -> Option<Problem> {
    let index = text(node, "Index Name");
    let rows = big(index, sizes)?;
    let passes = node.get("Filter").is_none() || expected_rows(node) >= rows / 10;
    if above.ends_early && passes || node.get("Index Cond").is_some() {
        return None;
    }
    Some(Problem::ReadsIndex {
        index: index.to_owned(),
        rows,
    })
}

fn sort(node: &Value, above: Above, sizes: &Sizes) -> Option<Problem> {
    let rows = expected_rows(node);
    if rows <= 1 || !above.is_page && rows < MANY {
        return None;
    }
    let table = big_table_below(node, sizes)?;
    Some(Problem::Sorts {
        table,
        is_page: rows < MANY,
    })
}

fn big_table_below(node: &Value, sizes: &Sizes) -> Option<String> {
    let table = text(node, "Relation Name");
    if big(table, sizes).is_some() {
        return Some(table.to_owned());
    }
    let children = node["Plans"].as_array()?;
    children
        .iter()
        .find_map(|child| big_table_below(child, sizes))
}

fn expected_rows(node: &Value) -> u64 {
    node["Plan Rows"].as_u64().unwrap_or(u64::MAX)
}

fn big(name: &str, sizes: &Sizes) -> Option<u64> {
    sizes.get(name).copied().filter(|rows| *rows >= BIG)
}

fn text<'a>(node: &'a Value, key: &str) -> &'a str {
    node[key].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
