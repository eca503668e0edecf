//! Statements of the tests' own.

/// Marks SQL that a test asks on its own account, so that `cargo xtask plans` doesn't take it for
/// the product's.
#[must_use]
pub fn own(sql: &str) -> String {
    format!("/* test */ {sql}")
}
