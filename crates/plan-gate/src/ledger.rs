//! The plans on file: one SQL file a database, which anybody can read, run and review.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Begins the line that says why a plan with a problem is right.
const ACCEPTED: &str = "-- Accepted: ";
/// Begins the line before the plans that names the server.
const SERVER: &str = "-- PostgreSQL ";
const PLAN: &str = "--   ";

/// The statements on file for a database, in the order of their texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The major version of the PostgreSQL that made the plans.
    pub server: Option<u32>,
    pub entries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// Why it may do what no plan should.
    pub accepted: Option<String>,
    pub plan: Vec<String>,
}

impl Ledger {
    /// Reads what [`Self::render`] has written, and reasons that were added by hand.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut ledger = Self::default();
        let mut accepted = None;
        let mut current: Option<&mut Entry> = None;
        for line in text.lines() {
            if let Some(version) = line.strip_prefix(SERVER) {
                ledger.server = version.trim().parse().ok();
            } else if let Some(reason) = line.strip_prefix(ACCEPTED) {
                accepted = Some(reason.trim().to_owned());
            } else if let Some(step) = line.strip_prefix(PLAN) {
                if let Some(entry) = &mut current {
                    entry.plan.push(step.to_owned());
                }
            } else if let Some(statement) =
                line.strip_suffix(';').filter(|_| !line.starts_with("--"))
            {
                let entry = ledger.entries.entry(statement.to_owned()).or_default();
                entry.accepted = accepted.take();
                current = Some(entry);
            }
        }
        ledger
    }

    /// The file.
    #[must_use]
    pub fn render(&self, database: &str) -> String {
        let mut text = format!(
            "-- Every statement that the suites ask of the {database} database, with its plan for any \
             parameters,\n-- and a limit of 100, over the large data set of crates/plan-gate. Written by \
             `cargo xtask plans --write`.\n-- By hand, only add a line `{ACCEPTED}<reason>` above a \
             statement whose plan is right although the\n-- gate refuses it.\n"
        );
        if let Some(server) = self.server {
            // Writing to a string can't fail.
            let _ = writeln!(text, "{SERVER}{server}");
        }
        for (statement, entry) in &self.entries {
            text.push('\n');
            if let Some(reason) = &entry.accepted {
                let _ = writeln!(text, "{ACCEPTED}{reason}");
            }
            let _ = writeln!(text, "{statement};");
            for step in &entry.plan {
                let _ = writeln!(text, "{PLAN}{step}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let entry = |accepted: Option<&str>, plan: &[&str]| Entry {
            accepted: accepted.map(str::to_owned),
            plan: plan.iter().map(|line| (*line).to_owned()).collect(),
        };
        let scan = [
            "Limit",
            "  ->  Seq Scan on orders",
            "        Filter: (a = $1)",
        ];
        Ledger {
            server: Some(15),
            entries: BTreeMap::from([
                ("SELECT 1 FROM a".to_owned(), entry(None, &["Result"])),
                (
                    "SELECT 2 FROM b".to_owned(),
                    entry(Some("once a day"), &scan),
                ),
            ]),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        assert_eq!(Ledger::parse(&ledger().render("orders")), ledger());
    }

    #[test]
    fn a_reason_belongs_to_the_statement_below_it_alone() {
        let text = "-- Accepted: few rows\nSELECT 1;\n--   Result\n\nSELECT 2;\n--   Result\n";
        let parsed = Ledger::parse(text);
        assert_eq!(
            parsed.entries["SELECT 1"].accepted.as_deref(),
            Some("few rows")
        );
        assert_eq!(parsed.entries["SELECT 2"].accepted, None);
    }
}
