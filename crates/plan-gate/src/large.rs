//! One of the two databases with the large data set.

use std::collections::{BTreeMap, BTreeSet};

use migrations::MigratorTrait;
use sea_orm::sqlx::{self, Connection as _, PgConnection, Row as _, raw_sql};
use sea_orm::{ConnectOptions, Database};
use testkit::postgres::{FreshDatabase, fresh_database};

use crate::explain::{self, Plan, Prepared};
use crate::judge::{self, BIG, Problem, Sizes};
use crate::ledger::{Entry, Ledger};
use crate::report::Finding;
use crate::schema::{self, Schema};
use crate::statement::with_limits;
use crate::{GateError, arguments, seed};

/// A database of its own, dropped with this value.
pub struct Large {
    name: &'static str,
    connection: PgConnection,
    schema: Schema,
    sizes: Sizes,
    server: u32,
    unindexed_references: Vec<String>,
    on_file: Ledger,
    /// Statements on file that the database doesn't understand any more, and why.
    gone: BTreeMap<String, String>,
    found: BTreeMap<String, Found>,
    _database: FreshDatabase,
}

/// What was found out about a statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub plan: Plan,
    pub problems: Vec<Problem>,
}

impl Large {
    /// Creates, migrates and fills it; `rows_of` says how many rows a table gets.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn fill<M: MigratorTrait>(
        admin_url: &str,
        name: &'static str,
        rows_of: impl Fn(&str) -> u64,
    ) -> Result<Self, GateError> {
        let database = fresh_database(admin_url, &format!("plans_{name}")).await?;
        migrate::<M>(database.url()).await?;
        let mut connection = PgConnection::connect(database.url()).await?;
        let schema = schema::read(&mut connection).await?;
        seed::fill(&mut connection, &schema, rows_of).await?;
        explain::settle(&mut connection).await?;
        Ok(Self {
            name,
            sizes: sizes(&mut connection).await?,
            server: server(&mut connection).await?,
            unindexed_references: schema::unindexed_references(&mut connection, BIG).await?,
            connection,
            schema,
            on_file: Ledger::default(),
            gone: BTreeMap::new(),
            found: BTreeMap::new(),
            _database: database,
        })
    }

    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    #[must_use]
    pub fn found(&self) -> &BTreeMap<String, Found> {
        &self.found
    }

    /// Takes the plans on file, and explains their statements anew.
    ///
    /// # Errors
    /// When the server doesn't answer.
    pub async fn explain_on_file(&mut self, ledger: Ledger) -> Result<(), GateError> {
        for statement in ledger.entries.keys() {
            if let Err(why) = self.explain(statement).await? {
                self.gone.insert(statement.clone(), why);
            }
        }
        self.on_file = ledger;
        Ok(())
    }

    /// Explains a normalised statement once; what the server says, if it is not this database's.
    ///
    /// # Errors
    /// When the server doesn't answer.
    pub async fn explain(&mut self, statement: &str) -> Result<Result<(), String>, GateError> {
        if self.found.contains_key(statement) {
            return Ok(Ok(()));
        }
        let explained = with_limits(statement);
        let mut prepared = match Prepared::new(&mut self.connection, &explained).await? {
            Ok(prepared) => prepared,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let plan = prepared.plan().await?;
        prepared.forget().await?;
        let problems = judge::problems(&plan, &self.sizes);
        let found = Found { plan, problems };
        self.found.insert(statement.to_owned(), found);
        Ok(Ok(()))
    }

    /// Prints each statement that contains `filter`, its plan and what it did.
    pub(crate) async fn show(&mut self, filter: &str) -> Result<(), GateError> {
        for (statement, found) in self.found.iter().filter(|(sql, _)| sql.contains(filter)) {
            println!("\n{}: {statement}", self.name);
            for line in &found.plan.lines {
                println!("    {line}");
            }
            for problem in &found.problems {
                println!("  ! {problem}");
            }
            let statement = with_limits(statement);
            let Ok(prepared) = Prepared::new(&mut self.connection, &statement).await? else {
                continue;
            };
            let types = prepared.types().to_vec();
            prepared.forget().await?;
            let arguments =
                arguments::sample(&mut self.connection, &self.schema, &statement, &types).await?;
            println!("  with {}", arguments.join(", "));
            if let Ok(mut prepared) = Prepared::new(&mut self.connection, &statement).await? {
                match prepared.run(&arguments).await? {
                    Ok(lines) => lines.iter().for_each(|line| println!("    {line}")),
                    Err(refusal) => println!("    not run: {refusal}"),
                }
                prepared.forget().await?;
            }
        }
        Ok(())
    }

    /// Everything that is wrong.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (statement, why) in &self.gone {
            findings.push(Finding::gone(self.name, statement, why));
        }
        for (statement, found) in &self.found {
            let entry = self.on_file.entries.get(statement);
            findings.extend(self.about(statement, found, entry));
        }
        let unindexed = self.unindexed_references.iter();
        findings.extend(unindexed.map(|column| Finding::unindexed_reference(self.name, column)));
        findings
    }

    fn about(&self, statement: &str, found: &Found, entry: Option<&Entry>) -> Vec<Finding> {
        let mut findings = Vec::new();
        match entry {
            None => findings.push(Finding::new_statement(
                self.name,
                statement,
                &found.plan.lines,
            )),
            // Another version may choose otherwise.
            Some(entry) if self.on_file.server == Some(self.server) => {
                if entry.plan != found.plan.lines {
                    let (then, now) = (&entry.plan, &found.plan.lines);
                    findings.push(Finding::changed(self.name, statement, then, now));
                }
            }
            Some(_) => {}
        }
        let is_accepted = entry.is_some_and(|entry| entry.accepted.is_some());
        if !is_accepted {
            let problems = found.problems.iter();
            findings.extend(
                problems.map(|problem| {
                    Finding::problem(self.name, statement, problem, &found.plan.lines)
                }),
            );
        } else if found.problems.is_empty() {
            findings.push(Finding::needless_reason(self.name, statement));
        }
        findings
    }

    /// Forgets all other statements.
    pub(crate) fn keep(&mut self, statements: &BTreeSet<String>) {
        self.found
            .retain(|statement, _| statements.contains(statement));
    }

    /// What is to be on file.
    pub(crate) fn ledger(&self) -> Ledger {
        let entries = self.found.iter().map(|(statement, found)| {
            let on_file = self.on_file.entries.get(statement);
            let reason = on_file.and_then(|entry| entry.accepted.clone());
            let entry = Entry {
                accepted: reason.filter(|_| !found.problems.is_empty()),
                plan: found.plan.lines.clone(),
            };
            (statement.clone(), entry)
        });
        Ledger {
            server: Some(self.server),
            entries: entries.collect(),
        }
    }
}

async fn migrate<M: MigratorTrait>(url: &str) -> Result<(), GateError> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    let database = Database::connect(options).await?;
    M::up(&database, None).await?;
    database.close().await?;
    Ok(())
}

/// Rows of every table and index.
async fn sizes(connection: &mut PgConnection) -> Result<Sizes, sqlx::Error> {
    let query = "SELECT relname::text, GREATEST(reltuples, 0)::bigint FROM pg_class \
                 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')";
    let rows = raw_sql(query).fetch_all(connection).await?;
    let sizes = rows.iter().map(|row| {
        let rows: i64 = row.try_get(1)?;
        Ok((row.try_get(0)?, rows.unsigned_abs()))
    });
    sizes.collect()
}

/// The server's major version.
async fn server(connection: &mut PgConnection) -> Result<u32, sqlx::Error> {
    let query = "SELECT current_setting('server_version_num')::int / 10000";
    let version: i32 = sqlx::query_scalar(query).fetch_one(connection).await?;
    Ok(version.unsigned_abs())
}
