//! What sources name: every identifier and path in them, outside comments and strings.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::Violation;
use super::rules::{MAY_MAKE_ROUTES, NEVER_NAME, ROUTE_MAKERS};
use crate::command::Failure;

/// Every violation of the rules about names, in the workspace at `root`.
pub fn check(root: &Path) -> Result<Vec<Violation>, Failure> {
    let mut violations = check_names(root)?;
    violations.extend(check_routes(root)?);
    Ok(violations)
}

/// Every route that is made elsewhere than where it declares who may call it.
fn check_routes(root: &Path) -> Result<Vec<Violation>, Failure> {
    let mut violations = Vec::new();
    for file in files_of(&root.join("crates"))? {
        let name = relative(&file, root);
        let is_of_sources = name.split('/').nth(2) == Some("src");
        if !is_of_sources || MAY_MAKE_ROUTES.iter().any(|may| name.starts_with(may)) {
            continue;
        }
        // What is no Rust, the compiler tells.
        let tokens = read(&file)?.parse::<TokenStream>().unwrap_or_default();
        let made = paths(tokens);
        let made = made
            .iter()
            .filter(|(_, path)| ROUTE_MAKERS.contains(&path.as_str()));
        violations.extend(made.map(|(line, path)| Violation {
            place: format!("{name}:{line}"),
            problem: format!("must not name {path}: declare the route in a RouteTable"),
        }));
    }
    Ok(violations)
}

fn check_names(root: &Path) -> Result<Vec<Violation>, Failure> {
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
            let source = read(&file)?;
            violations.extend(check_source(&relative(&file, root), &source, never));
        }
    }
    Ok(violations)
}

pub(super) fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|source| Failure::File {
        path: file.to_owned(),
        source,
    })
}

fn relative(file: &Path, root: &Path) -> String {
    let file = file.strip_prefix(root).unwrap_or(file);
    file.display().to_string()
}

/// The Rust files of a module: `place.rs`, and everything under the folder `place`.
pub(super) fn files_of(place: &Path) -> Result<Vec<PathBuf>, Failure> {
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

fn is_call(next: Option<&TokenTree>) -> bool {
    matches!(next, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// Every `a::b` and every `.method()` with its line.
fn paths(tokens: TokenStream) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open = vec![tokens];
    while let Some(tokens) = open.pop() {
        let trees: Vec<_> = tokens.into_iter().collect();
        for group in &trees {
            if let TokenTree::Group(group) = group {
                open.push(group.stream());
            }
        }
        for (at, tree) in trees.iter().enumerate() {
            let TokenTree::Ident(name) = tree else {
                continue;
            };
            let before: Vec<_> = trees[at.saturating_sub(3)..at]
                .iter()
                .map(ToString::to_string)
                .collect();
            let path = match before.as_slice() {
                [.., dot] if dot == "." && is_call(trees.get(at + 1)) => format!(".{name}"),
                [parent, first, second] if [first, second] == [":", ":"] => {
                    format!("{parent}::{name}")
                }
                _ => continue,
            };
            found.push((name.span().start().line, path));
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
        let violations = check_names(empty.path()).unwrap();
        assert_eq!(violations.len(), NEVER_NAME.len());
    }

    #[test]
    fn a_route_outside_of_a_table_is_reported() {
        let workspace = tempfile::tempdir().unwrap();
        let source = "fn add(app: App) {\n    app.route(\"/\", web::get().to(page))\n        .service(actix_web::web::resource(\"/x\"));\n}";
        for file in ["crates/auth/src/pages.rs", MAY_MAKE_ROUTES[0]] {
            let file = workspace.path().join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, source).unwrap();
        }
        let violations = check_routes(workspace.path()).unwrap();
        let places: Vec<_> = violations.iter().map(ToString::to_string).collect();
        assert_eq!(
            places,
            [
                "crates/auth/src/pages.rs:2: must not name .route: declare the route in a RouteTable",
                "crates/auth/src/pages.rs:2: must not name web::get: declare the route in a RouteTable",
                "crates/auth/src/pages.rs:3: must not name web::resource: declare the route in a RouteTable",
            ]
        );
    }
}
