//! Who depends on whom.

use std::collections::{BTreeSet, HashMap};

use super::Violation;
use super::rules::{MAY_DEPEND_ON, NEVER_REACH, ONLY_IN, TESTS_MAY_ALSO_USE};
use crate::workspace::Metadata;

/// A crate of the workspace, as far as the rules look.
#[derive(Debug, Clone, Default)]
pub struct Crate {
    name: String,
    /// Direct, without those of tests.
    dependencies: BTreeSet<String>,
    /// Direct, of tests only.
    test_dependencies: BTreeSet<String>,
    /// Direct and indirect, without those of tests.
    reaches: BTreeSet<String>,
}

/// The workspace's crates.
pub fn workspace_crates(metadata: &Metadata) -> Vec<Crate> {
    let members = &metadata.workspace_members;
    let packages = metadata
        .packages
        .iter()
        .filter(|package| members.contains(&package.id));
    let to_crate = |package: &crate::workspace::Package| {
        let of_tests = |wanted: bool| {
            let dependencies = package.dependencies.iter();
            let chosen = dependencies.filter(|one| (one.kind.as_deref() == Some("dev")) == wanted);
            chosen.map(|dependency| dependency.name.clone()).collect()
        };
        Crate {
            name: package.name.clone(),
            dependencies: of_tests(false),
            test_dependencies: of_tests(true),
            reaches: reach(metadata, &package.id),
        }
    };
    packages.map(to_crate).collect()
}

/// The names of all packages that `start` is linked with.
fn reach(metadata: &Metadata, start: &str) -> BTreeSet<String> {
    let names: HashMap<_, _> = metadata
        .packages
        .iter()
        .map(|one| (&one.id, &one.name))
        .collect();
    let nodes: HashMap<_, _> = metadata
        .resolve
        .nodes
        .iter()
        .map(|one| (&one.id, one))
        .collect();
    let mut seen = BTreeSet::new();
    let mut open = vec![start];
    while let Some(id) = open.pop() {
        let Some(node) = nodes.get(&id.to_owned()) else {
            continue;
        };
        let linked = node
            .deps
            .iter()
            .filter(|edge| edge.dep_kinds.iter().any(|one| one.kind.is_none()));
        open.extend(
            linked
                .map(|edge| edge.pkg.as_str())
                .filter(|id| seen.insert(*id)),
        );
    }
    seen.into_iter()
        .filter_map(|id| names.get(&id.to_owned()).map(|name| (*name).clone()))
        .collect()
}

/// Every violation of the rules about dependencies.
pub fn check(crates: &[Crate]) -> Vec<Violation> {
    let members: BTreeSet<&str> = crates.iter().map(|one| one.name.as_str()).collect();
    crates
        .iter()
        .flat_map(|one| {
            let mut problems = undeclared(one, &members);
            problems.extend(misplaced(one));
            problems.extend(out_of_reach(one));
            problems.into_iter().map(|problem| Violation {
                place: one.name.clone(),
                problem,
            })
        })
        .collect()
}

fn undeclared(one: &Crate, members: &BTreeSet<&str>) -> Vec<String> {
    let rule = MAY_DEPEND_ON.iter().find(|(name, _)| *name == one.name);
    let Some((_, allowed)) = rule else {
        return vec!["is not in the table of crates (xtask, architecture/rules.rs)".to_owned()];
    };
    let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
    let forbidden = |names: &BTreeSet<String>, also: &[&str]| -> Vec<String> {
        let ours = names
            .iter()
            .map(String::as_str)
            .filter(|name| members.contains(name));
        ours.filter(|name| *name != one.name && !allowed.contains(name) && !also.contains(name))
            .map(str::to_owned)
            .collect()
    };
    let normal = forbidden(&one.dependencies, &[]).into_iter();
    let normal = normal.map(|name| format!("must not depend on {name}"));
    let tests = forbidden(&one.test_dependencies, TESTS_MAY_ALSO_USE).into_iter();
    normal
        .chain(tests.map(|name| format!("must not depend on {name}, not even in tests")))
        .collect()
}

fn misplaced(one: &Crate) -> Vec<String> {
    let elsewhere = ONLY_IN
        .iter()
        .filter(|(_, owners)| !owners.contains(&one.name.as_str()));
    let misplaced = elsewhere.filter(|(library, _)| one.dependencies.contains(*library));
    misplaced
        .map(|(library, owners)| {
            format!(
                "must not depend on {library}, only {} may",
                owners.join(", ")
            )
        })
        .collect()
}

fn out_of_reach(one: &Crate) -> Vec<String> {
    let rules = NEVER_REACH.iter().filter(|(name, _)| *name == one.name);
    let reached = rules
        .flat_map(|(_, never)| never.iter())
        .filter(|name| one.reaches.contains(**name));
    reached
        .map(|name| format!("must not reach {name}, not even through others"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn named(name: &str) -> Crate {
        Crate {
            name: name.to_owned(),
            ..Crate::default()
        }
    }

    /// `one` checked beside all the crates of the table.
    fn problems(one: Crate) -> Vec<String> {
        let others = MAY_DEPEND_ON
            .iter()
            .map(|(name, _)| named(name))
            .filter(|other| other.name != one.name);
        let crates: Vec<_> = others.chain([one.clone()]).collect();
        check(&crates).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_crate_within_the_rules_passes() {
        let dependencies = names(&["kernel", "database", "lapin", "tokio"]);
        let test_dependencies = names(&["testkit", "redis"]);
        let one = Crate {
            dependencies,
            test_dependencies,
            ..named("messaging")
        };
        assert_eq!(problems(one), [""; 0]);
    }

    #[test]
    fn services_that_depend_on_each_other_are_reported() {
        let one = Crate {
            dependencies: names(&["auth", "orders"]),
            ..named("gateway")
        };
        assert_eq!(problems(one), ["gateway: must not depend on auth"]);
        let one = Crate {
            test_dependencies: names(&["orders"]),
            ..named("auth")
        };
        assert_eq!(
            problems(one),
            ["auth: must not depend on orders, not even in tests"]
        );
    }

    #[test]
    fn an_arrow_that_points_up_is_reported() {
        let one = Crate {
            dependencies: names(&["messaging"]),
            ..named("contracts")
        };
        assert_eq!(problems(one), ["contracts: must not depend on messaging"]);
    }

    #[test]
    fn a_library_outside_its_owner_is_reported() {
        let one = Crate {
            dependencies: names(&["lapin"]),
            ..named("order-worker")
        };
        assert_eq!(
            problems(one),
            ["order-worker: must not depend on lapin, only messaging may"]
        );
    }

    #[test]
    fn tokio_in_the_kernel_is_reported_also_through_others() {
        let one = Crate {
            reaches: names(&["chrono", "tokio"]),
            ..named("kernel")
        };
        assert_eq!(
            problems(one),
            ["kernel: must not reach tokio, not even through others"]
        );
    }

    #[test]
    fn an_unknown_crate_is_reported() {
        let problems = problems(named("utils"));
        assert_eq!(problems.len(), 1);
        assert!(
            problems[0].starts_with("utils: is not in the table"),
            "{problems:?}"
        );
    }
}
