//! What sources name: every identifier in them, outside comments and strings.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use super::Violation;
use super::rules::NEVER_NAME;
use crate::command::Failure;

/// Every violation of the rules about names, in the workspace at `root`.
pub fn check(root: &Path) -> Result<Vec<Violation>, Failure> {
    let mut violations = Vec::new();
    for (place, never) in NEVER_NAME {
        let files = files_of(&root.join(place))?;
        if files.is_empty() {
            // A renamed folder must not switch its rule off.
            let problem = "is not there: the rule about it protects nothing".to_owned();
            violations.push(Violation {
                place: (*place).to_owned(),
                problem,
            });
        }
        for file in files {
            let source = std::fs::read_to_string(&file).map_err(|source| Failure::File {
                path: file.clone(),
                source,
            })?;
            let name = file
                .strip_prefix(root)
                .unwrap_or(&file)
                .display()
                .to_string();
            violations.extend(check_source(&name, &source, never));
        }
    }
    Ok(violations)
}

/// The Rust files of a module: `place.rs`, and everything under the folder `place`.
fn files_of(place: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files: Vec<_> = Some(place.with_extension("rs"))
        .filter(|file| file.is_file())
        .into_iter()
        .collect();
    let mut folders: Vec<_> = Some(place.to_owned())
        .filter(|folder| folder.is_dir())
        .into_iter()
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn check_source(file: &str, source: &str, never: &[&str]) -> Vec<Violation> {
    let violation = |line: usize, problem: String| Violation {
        place: format!("{file}:{line}"),
        problem,
    };
    match source.parse::<TokenStream>() {
        Ok(tokens) => {
            let named = identifiers(tokens);
            let named = named
                .into_iter()
                .filter(|(_, name)| never.contains(&name.as_str()));
            named
                .map(|(line, name)| violation(line, format!("must not name {name}")))
                .collect()
        }
        Err(error) => vec![violation(
            error.span().start().line,
            format!("is not Rust: {error}"),
        )],
    }
}

/// Every identifier with its line.
fn identifiers(tokens: TokenStream) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open = vec![tokens];
    while let Some(tokens) = open.pop() {
        for tree in tokens {
            match tree {
                TokenTree::Group(group) => open.push(group.stream()),
                TokenTree::Ident(name) => found.push((name.span().start().line, name.to_string())),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(source: &str) -> Vec<String> {
        let violations = check_source("order.rs", source, &["tokio", "sea_orm"]);
        violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_forbidden_name_is_reported_wherever_it_stands() {
        let source = "use std::fmt;\nuse tokio::sync::Mutex;\n\nfn save() {\n    let _ = [sea_orm::Set(1)];\n}";
        assert_eq!(
            problems(source),
            [
                "order.rs:2: must not name tokio",
                "order.rs:5: must not name sea_orm"
            ]
        );
        assert_eq!(problems("use {std::fmt, tokio as runtime};").len(), 1);
        assert_eq!(problems("#[tokio::test]\nasync fn works() {}").len(), 1);
    }

    #[test]
    fn comments_strings_and_longer_names_are_not_names() {
        let source = "//! No tokio here.\n/* tokio */\nconst NAME: &str = \"sea_orm::Set\"; /// tokio\nfn tokio_free() {}";
        assert_eq!(problems(source), [""; 0]);
    }

    #[test]
    fn a_file_that_is_not_rust_is_reported() {
        assert_eq!(problems("fn broken( {").len(), 1);
    }

    #[test]
    fn a_rule_about_a_folder_that_is_gone_is_reported() {
        let empty = tempfile::tempdir().unwrap();
        let violations = check(empty.path()).unwrap();
        assert_eq!(violations.len(), NEVER_NAME.len());
    }
}
