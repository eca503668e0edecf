//! `cargo xtask architecture`: the Architecture Invariants of ARCHITECTURE.md, checked over the
//! dependencies that cargo knows and the paths that sources name. Also a test of this crate.

mod dependencies;
mod rules;
mod security;
mod sources;

use std::fmt;

use crate::command::Failure;
use crate::workspace;

/// Something that an invariant forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Violation {
    /// The crate, or the file and line.
    place: String,
    problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Checks the workspace and prints every violation.
///
/// # Errors
/// When there is one, or when the workspace can't be read.
pub fn run() -> Result<(), Failure> {
    let violations = violations()?;
    for violation in &violations {
        eprintln!("{violation}");
    }
    if violations.is_empty() {
        println!("the architecture invariants hold");
        return Ok(());
    }
    Err(Failure::Architecture(violations.len()))
}

fn violations() -> Result<Vec<Violation>, Failure> {
    let crates = dependencies::workspace_crates(&workspace::metadata()?);
    let mut violations = dependencies::check(&crates);
    violations.extend(sources::check(&workspace::root())?);
    violations.extend(security::check(&workspace::root())?);
    Ok(violations)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_architecture_invariants_hold() {
        let violations = super::violations().unwrap();
        let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
