//! What the gate has to say.

use std::collections::BTreeSet;

use crate::judge::Problem;
use crate::large::Large;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    place: &'static str,
    what: String,
    details: Vec<String>,
    /// Writing the files is all that it takes.
    is_mended_by_writing: bool,
}

impl Finding {
    fn of(place: &'static str, what: String, details: Vec<String>) -> Self {
        Self {
            place,
            what,
            details,
            is_mended_by_writing: false,
        }
    }

    fn of_files(place: &'static str, what: String, details: Vec<String>) -> Self {
        Self {
            is_mended_by_writing: true,
            ..Self::of(place, what, details)
        }
    }

    pub(crate) fn unknown(statement: &str, why: &str) -> Self {
        let what = format!("neither database understands what was recorded ({why})");
        Self::of("auth, orders", what, vec![statement.to_owned()])
    }

    pub(crate) fn gone(place: &'static str, statement: &str, why: &str) -> Self {
        let what = format!("a statement on file is not understood any more ({why})");
        Self::of_files(place, what, vec![statement.to_owned()])
    }

    pub(crate) fn new_statement(place: &'static str, statement: &str, plan: &[String]) -> Self {
        let what = "a new statement, whose plan is not on file".to_owned();
        Self::of_files(place, what, with_plan(statement, "", plan))
    }

    pub(crate) fn changed(
        place: &'static str,
        statement: &str,
        then: &[String],
        now: &[String],
    ) -> Self {
        let mut details = with_plan(statement, "- ", then);
        details.extend(now.iter().map(|line| format!("    + {line}")));
        Self::of_files(place, "another plan than on file".to_owned(), details)
    }

    pub(crate) fn needless_reason(place: &'static str, statement: &str) -> Self {
        let what = "a reason on file for a problem that is gone".to_owned();
        Self::of_files(place, what, vec![statement.to_owned()])
    }

    pub(crate) fn problem(
        place: &'static str,
        statement: &str,
        problem: &Problem,
        plan: &[String],
    ) -> Self {
        Self::of(place, problem.to_string(), with_plan(statement, "", plan))
    }

    pub(crate) fn unindexed_reference(place: &'static str, column: &str) -> Self {
        let what = format!("no index for the foreign key {column}");
        Self::of(place, what, Vec::new())
    }

    pub(crate) fn is_mended_by_writing(&self) -> bool {
        self.is_mended_by_writing
    }
}

fn with_plan(statement: &str, sign: &str, plan: &[String]) -> Vec<String> {
    let plan = plan.iter().map(|line| format!("    {sign}{line}"));
    std::iter::once(statement.to_owned()).chain(plan).collect()
}

pub(crate) fn print(findings: &[Finding]) {
    for finding in findings {
        println!("\n{}: {}", finding.place, finding.what);
        for line in &finding.details {
            println!("  {line}");
        }
    }
}

/// Says how many statements are on file that the suites did not ask this time.
pub(crate) fn print_unrecorded(databases: &[Large], recorded: &BTreeSet<String>) {
    for database in databases {
        let statements = database.found().keys();
        let unrecorded = statements.filter(|sql| !recorded.contains(*sql)).count();
        println!(
            "{}: {} statements; {unrecorded} of them are on file and were not asked this time",
            database.name(),
            database.found().len(),
        );
    }
}
