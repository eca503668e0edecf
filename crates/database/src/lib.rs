//! One context's database, PostgreSQL or SQLite, and every difference between the two.
//!
//! Queries are written once, through sea-orm. What the dialects do differently is here, so that
//! nothing above asks which one it talks to.

mod errors;
mod lane;
mod reach;
mod reader;
mod statements;

use std::{path::Path, str::FromStr as _, sync::Arc, time::Duration};

use sea_orm::{
    Condition, ConnectOptions, ConnectionTrait as _, DatabaseConnection, DatabaseTransaction,
    DbBackend, DbErr, RuntimeErr, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sea_query::{
        BinOper, Expr, ExprTrait as _, Func, LockBehavior, LockType, Query, SelectStatement,
    },
    sqlx::{
        postgres::PgConnectOptions,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};

pub use errors::is_transient;
pub use reader::Reader;
pub use statements::RECORDING;

use lane::Lane;
use statements::Recording;

/// How long a caller waits for a free connection before it is told that there is none.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(2);
/// With fewer connections to PostgreSQL, reading has none of its own.
const ENOUGH_FOR_BOTH: u32 = 4;
/// A connection that was not used for so long is tested before it is.
const TEST_IF_IDLE_FOR: Duration = Duration::from_secs(1);
/// How long SQLite waits for another process's write, for example a migration by hand.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// A statement that runs longer than this is ended by PostgreSQL.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections for reading and connections for writing. On PostgreSQL they share the number that is
/// configured, and a few are one pool for both; on SQLite the
/// writing pool has a single connection, so that writers queue here and never meet
/// `database is locked`.
#[derive(Clone, Debug)]
pub struct Database {
    reader: Reader,
    writer: DatabaseConnection,
    recording: Option<Recording>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("`{0}` is neither a sqlite: nor a postgres:// URL")]
    UnknownScheme(String),
    #[error("sqlite::memory: gives every pooled connection a database of its own: name a file")]
    InMemory,
    #[error("can't create the folder of {path}")]
    Folder {
        path: String,
        source: std::io::Error,
    },
    #[error("no PostgreSQL answers at {address}")]
    Unreachable {
        /// Host and port, without credentials.
        address: String,
        source: DbErr,
    },
    #[error("the database refuses us")]
    Connect(#[from] DbErr),
    #[error("can't record statements")]
    Recording(#[source] std::io::Error),
}

impl Database {
    /// Connects, with at most `max_connections` on PostgreSQL and as many readers on SQLite.
    /// Creates a missing SQLite file and its folder; waits up to 10 s for PostgreSQL, whose
    /// statements it records if [`RECORDING`] asks for that.
    pub async fn connect(url: &str, max_connections: u32) -> Result<Self, ConnectError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            reach::reach(url).await?;
            let readers = if max_connections < ENOUGH_FOR_BOTH {
                0
            } else {
                max_connections / 2
            };
            let mut options = options(url, max_connections - readers);
            options.statement_timeout(STATEMENT_TIMEOUT);
            let mut pool = sea_orm::Database::connect(options).await?;
            let recording = Recording::from_environment().map_err(ConnectError::Recording)?;
            if recording.is_some() {
                statements::observe(&mut pool, recording.clone(), None);
            }
            let lane = (readers > 0).then(|| lane_options(url)).transpose()?;
            let lane = lane.map(|options| Lane::new(options, readers));
            return Ok(Self {
                reader: Reader::new(pool.clone(), lane, recording.clone()),
                writer: pool,
                recording,
            });
        }
        let Some(file) = url.strip_prefix("sqlite:") else {
            let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
            return Err(ConnectError::UnknownScheme(scheme.to_owned()));
        };
        Self::open_sqlite(file.trim_start_matches("//"), max_connections).await
    }

    async fn open_sqlite(file: &str, readers: u32) -> Result<Self, ConnectError> {
        if file.starts_with(":memory:") || file.is_empty() {
            return Err(ConnectError::InMemory);
        }
        if let Some(folder) = Path::new(file).parent() {
            std::fs::create_dir_all(folder).map_err(|source| ConnectError::Folder {
                path: file.to_owned(),
                source,
            })?;
        }
        let url = format!("sqlite://{file}?mode=rwc");
        let connect = |max_connections| {
            let mut options = options(&url, max_connections);
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .journal_mode(SqliteJournalMode::Wal)
                    // With WAL, NORMAL survives a crash of the process; FULL would also survive
                    // a power cut, at an fsync a commit.
                    .synchronous(SqliteSynchronous::Normal)
                    .busy_timeout(SQLITE_BUSY_TIMEOUT)
                    .foreign_keys(true)
            });
            sea_orm::Database::connect(options)
        };
        // The writer first: it creates the file and switches it to WAL.
        let writer = connect(1).await?;
        Ok(Self {
            reader: Reader::new(connect(readers).await?, None, None),
            writer,
            recording: None,
        })
    }

    /// Calls `observer` with the text of every statement that this handle and its clones have
    /// asked, its transactions' too, but not for `BEGIN`, `COMMIT` and what is executed unprepared.
    /// For tests: a page costs as many statements for one row as for a hundred.
    #[must_use]
    pub fn observed(mut self, observer: impl Fn(&str) + Send + Sync + 'static) -> Self {
        let observer: statements::Observer = Arc::new(observer);
        for connection in [self.reader.pool_mut(), &mut self.writer] {
            let (recording, observer) = (self.recording.clone(), observer.clone());
            statements::observe(connection, recording, Some(observer));
        }
        self.reader.observe(observer);
        self
    }

    /// For queries outside a transaction. What it reads has been committed.
    #[must_use]
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// For a single writing statement. Never use it while holding a transaction of
    /// [`Self::begin`]: SQLite's only writing connection is taken then.
    #[must_use]
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Starts a writing transaction; dropping it rolls back. On SQLite it is the one that may write
    /// from its beginning: one that has read first is refused when somebody else has written
    /// meanwhile.
    pub async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.writer.begin_with_options(options).await
    }

    pub async fn ping(&self) -> Result<(), DbErr> {
        self.reader.ping().await
    }

    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    pub async fn close(&self) -> Result<(), DbErr> {
        self.reader.close().await?;
        self.writer.close_by_ref().await
    }
}

/// The same for connections outside a pool.
fn lane_options(url: &str) -> Result<PgConnectOptions, DbErr> {
    let options = PgConnectOptions::from_str(url);
    let options = options.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
    let timeout = STATEMENT_TIMEOUT.as_millis().to_string();
    Ok(options.options([("statement_timeout", timeout)]))
}

fn options(url: &str, max_connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(max_connections)
        .min_connections(1)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_timeout(ACQUIRE_TIMEOUT)
        // A connection that a restarted server has closed is found before it is used.
        .test_before_acquire_if_idle_for(TEST_IF_IDLE_FOR)
        .sqlx_logging(false);
    options
}

/// Locks the selected rows and passes over those that another transaction holds. SQLite has one
/// writer, who needs no lock.
pub fn lock_skipping_locked(query: &mut SelectStatement, backend: DbBackend) {
    if backend == DbBackend::Postgres {
        query.lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
    }
}

/// Locks the selected rows until the transaction ends. SQLite has one writer, who needs no lock.
pub fn lock_for_update(query: &mut SelectStatement, backend: DbBackend) {
    if backend == DbBackend::Postgres {
        query.lock(LockType::Update);
    }
}

/// Keeps every other writer out of `table` until the transaction ends; readers go on reading.
/// Take it first of all: SQLite refuses to turn a reading transaction into a writing one when
/// somebody else has written meanwhile.
pub async fn lock_table(
    transaction: &DatabaseTransaction,
    table: &'static str,
) -> Result<(), DbErr> {
    let statement = if transaction.get_database_backend() == DbBackend::Postgres {
        format!(r#"LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE"#)
    } else {
        // It changes nothing, and makes this the one transaction that may write.
        format!(r#"DELETE FROM "{table}" WHERE FALSE"#)
    };
    transaction.execute_unprepared(&statement).await?;
    Ok(())
}

/// A text that sorts and compares by its bytes: the same order on both databases, whatever language
/// PostgreSQL speaks. There, an index answers it that says `COLLATE "C"`.
#[must_use]
pub fn in_byte_order(text: Expr, backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Postgres => Expr::cust_with_expr(r#"$1 COLLATE "C""#, text),
        _ => text,
    }
}

/// The fewest characters that [`contains`] finds: what an index of trigrams is made of.
pub const TRIGRAM: usize = 3;

/// Whether the text column of a row contains `part`, of [`TRIGRAM`] characters or more, in either
/// case, in a form that an index answers: on PostgreSQL one over `lower(column)` with
/// `gin_trgm_ops`, on SQLite the FTS5 table `<table>_search` with the tokenizer `trigram`, which
/// keeps the rows' `id` beside the column. Every character of `part` stands for itself.
#[must_use]
pub fn contains(table: &'static str, column: &'static str, part: &str, backend: DbBackend) -> Expr {
    match backend {
        DbBackend::Postgres => {
            let literal = part
                .replace('\\', r"\\")
                .replace('%', r"\%")
                .replace('_', r"\_");
            let pattern = Func::lower(Expr::value(format!("%{literal}%")));
            let text = Func::lower(Expr::col((table, column)));
            Expr::from(text).binary(BinOper::Like, Expr::from(pattern))
        }
        _ => {
            let phrase = format!("\"{}\"", part.replace('"', "\"\""));
            let matching = Query::select()
                .column("id")
                .from(format!("{table}_search"))
                .and_where(Expr::col(column).binary(BinOper::Custom("MATCH"), phrase))
                .take();
            Expr::col((table, "id")).in_subquery(matching)
        }
    }
}

/// Whether a text begins with `prefix`, byte by byte, in a form that an index answers: on PostgreSQL
/// one with `text_pattern_ops`, on SQLite any.
#[must_use]
pub fn starts_with(text: Expr, prefix: &str, backend: DbBackend) -> Condition {
    let (at_least, less) = match backend {
        DbBackend::Postgres => ("~>=~", "~<~"),
        _ => (">=", "<"),
    };
    let from = text.clone().binary(BinOper::Custom(at_least), prefix);
    // No text that begins with the prefix sorts after it with the last character there is.
    let end = format!("{prefix}{}", char::MAX);
    let to = text.binary(BinOper::Custom(less), end);
    Condition::all().add(from).add(to)
}

/// The driver's own words, for an operator's eyes.
fn driver_error(error: &DbErr) -> Option<&sea_orm::sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}
