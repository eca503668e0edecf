//! The plan gate: what PostgreSQL does for every statement that the suites ask, over a data set
//! that is large, and what it must not do.
//!
//! A statement is explained once for any parameters (a generic plan), since that is what a
//! connection settles on that asks the same thing all day.

#![allow(clippy::print_stdout, reason = "the words of a command-line tool")]

mod arguments;
mod explain;
mod judge;
mod large;
mod ledger;
mod report;
mod schema;
mod seed;
mod statement;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use migrations::{AuthMigrator, OrdersMigrator};
use sea_orm::{DbErr, sqlx};

pub use judge::{BIG, Problem};
pub use large::{Found, Large};
pub use ledger::{Entry, Ledger};
pub use seed::rows;
pub use statement::{has_a_plan, normalise};

use report::Finding;

/// Why the gate stays closed.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    #[error("PostgreSQL: {0}")]
    Query(#[from] sqlx::Error),
    #[error("cannot prepare a database: {0}")]
    Prepare(#[from] DbErr),
    #[error("{}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(
        "{0} findings. A statement that is new or planned otherwise: look at its plan, then \
         `cargo xtask plans --write` and commit the files. One with a problem: give it an index, or \
         a line `-- Accepted: <why>` above it in docs/plans. One that only a test asks: \
         `testkit::statement::own`"
    )]
    Refused(usize),
}

/// Both databases with the large data set, the plans on file and those of today.
pub struct Gate {
    databases: [Large; 2],
    folder: PathBuf,
    /// What the suites asked, where that is known.
    recorded: Option<BTreeSet<String>>,
    /// Recorded statements that neither database understands, and why.
    unknown: Vec<(String, String)>,
}

impl Gate {
    /// Fills two databases on the server of `admin_url`, a superuser's, each table with as many rows
    /// as `rows_of` says ([`rows`] takes half a minute), and explains what is on file in `folder`.
    ///
    /// # Errors
    /// When the server refuses, or a file can't be read.
    pub async fn open(
        admin_url: &str,
        folder: &Path,
        rows_of: fn(&str) -> u64,
    ) -> Result<Self, GateError> {
        let (auth, orders) = tokio::try_join!(
            Large::fill::<AuthMigrator>(admin_url, "auth", rows_of),
            Large::fill::<OrdersMigrator>(admin_url, "orders", rows_of),
        )?;
        let mut databases = [auth, orders];
        for database in &mut databases {
            let path = file(folder, database.name());
            let text = match std::fs::read_to_string(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
                read => read.map_err(|source| GateError::File { path, source })?,
            };
            database.explain_on_file(Ledger::parse(&text)).await?;
        }
        Ok(Self {
            databases,
            folder: folder.to_owned(),
            recorded: None,
            unknown: Vec::new(),
        })
    }

    /// Explains what a run of the suites has recorded.
    ///
    /// # Errors
    /// When the server refuses, or the file can't be read.
    pub async fn add_recorded(&mut self, path: &Path) -> Result<(), GateError> {
        let text = std::fs::read_to_string(path).map_err(|source| GateError::File {
            path: path.to_owned(),
            source,
        })?;
        let statements = text
            .split('\0')
            .filter(|sql| has_a_plan(sql))
            .map(normalise);
        let recorded: BTreeSet<_> = statements.collect();
        for statement in &recorded {
            let mut why = String::new();
            let mut is_known = false;
            for database in &mut self.databases {
                match database.explain(statement).await? {
                    Ok(()) => is_known = true,
                    Err(refusal) => why = refusal,
                }
            }
            if !is_known {
                self.unknown.push((statement.clone(), why));
            }
        }
        self.recorded = Some(recorded);
        Ok(())
    }

    /// Prints the statements on file that contain `filter`, each with its plan and, for arguments
    /// out of the data, with the buffers and times that it took.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn show(&mut self, filter: &str) -> Result<(), GateError> {
        for database in &mut self.databases {
            database.show(filter).await?;
        }
        Ok(())
    }

    /// Prints what is wrong.
    ///
    /// # Errors
    /// When anything is.
    pub fn check(&self) -> Result<(), GateError> {
        let mut findings: Vec<_> = self.databases.iter().flat_map(Large::findings).collect();
        let unknown = self.unknown.iter();
        findings.extend(unknown.map(|(statement, why)| Finding::unknown(statement, why)));
        if let Some(recorded) = &self.recorded {
            report::print_unrecorded(&self.databases, recorded);
        }
        settle(&findings)
    }

    /// Writes the files; with `prune` without the statements that were not recorded. Reasons stay
    /// with the statements that need them.
    ///
    /// # Errors
    /// When a file can't be written, or a plan has a problem that is not accepted.
    pub fn write(&mut self, prune: bool) -> Result<(), GateError> {
        let recorded = self.recorded.as_ref().filter(|_| prune);
        for database in &mut self.databases {
            if let Some(recorded) = recorded {
                database.keep(recorded);
            }
            let path = file(&self.folder, database.name());
            let text = database.ledger().render(database.name());
            std::fs::create_dir_all(&self.folder)
                .and_then(|()| std::fs::write(&path, text))
                .map_err(|source| GateError::File { path, source })?;
        }
        let findings = self.databases.iter().flat_map(Large::findings);
        let findings: Vec<_> = findings
            .filter(|finding| !finding.is_mended_by_writing())
            .collect();
        settle(&findings)
    }
}

fn settle(findings: &[Finding]) -> Result<(), GateError> {
    report::print(findings);
    match findings.len() {
        0 => Ok(()),
        count => Err(GateError::Refused(count)),
    }
}

fn file(folder: &Path, database: &str) -> PathBuf {
    folder.join(format!("{database}.sql"))
}
