//! docs/security.md promises tests by name: each of them must exist.

use std::path::Path;

use super::{Violation, sources};
use crate::command::Failure;

const DOCUMENT: &str = "docs/security.md";

/// Every test that the document names and that is not there.
pub fn check(root: &Path) -> Result<Vec<Violation>, Failure> {
    let document = sources::read(&root.join(DOCUMENT))?;
    let mut violations = Vec::new();
    for (number, line) in document.lines().enumerate() {
        for name in names_in(line) {
            if !exists(root, &name)? {
                violations.push(Violation {
                    place: format!("{DOCUMENT}:{}", number + 1),
                    problem: format!("there is no test {}", name.join("::")),
                });
            }
        }
    }
    Ok(violations)
}

/// What stands in backticks and is `crate::file` or `crate::file::test`.
fn names_in(line: &str) -> Vec<Vec<&str>> {
    let quoted = line.split('`').skip(1).step_by(2);
    let names = quoted.map(|text| text.split("::").collect::<Vec<_>>());
    let is_test = |name: &Vec<&str>| matches!(name.as_slice(), [_, "file", ..]);
    names
        .filter(|name| matches!(name.len(), 2 | 3) && !is_test(name))
        .collect()
}

fn exists(root: &Path, name: &[&str]) -> Result<bool, Failure> {
    let [of_crate, module, test @ ..] = name else {
        return Ok(false);
    };
    for file in sources::files_of(&root.join("crates").join(of_crate))? {
        let is_module = file.file_stem().is_some_and(|stem| stem == *module);
        // A folder's own file is `mod.rs`.
        let is_folder = file.ends_with(format!("{module}/mod.rs"));
        if !is_module && !is_folder {
            continue;
        }
        let source = sources::read(&file)?;
        let has = |test: &&str| source.contains(&format!("fn {test}("));
        if test.iter().all(has) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_that_is_not_there_is_reported_with_its_line() {
        let workspace = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = workspace.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write(
            "crates/auth/tests/suite/me.rs",
            "async fn nobody_is_seen() {}",
        );
        write(
            DOCUMENT,
            "`crate::file::name`\n`auth::me::nobody_is_seen` `auth::me`\n`auth::me::gone`",
        );
        let violations = check(workspace.path()).unwrap();
        let lines: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            ["docs/security.md:3: there is no test auth::me::gone"]
        );
    }
}
