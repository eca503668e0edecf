//! What is asked of a database, for those who want to know: tests that count statements, and the
//! gate that looks at the plan of each (`cargo xtask plans`).

use std::{
    collections::HashSet,
    ffi::OsString,
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    sync::{Arc, Mutex, PoisonError},
};

use sea_orm::DatabaseConnection;

/// Names a file. Each database that is opened while it is set adds the statements to it that it
/// answered, each once, with a NUL after each. For the suites; nothing is recorded without it.
pub const RECORDING: &str = "PLUMBLINE_RECORD_STATEMENTS";

/// Called with the text of a statement, whose parameters are `$1` on PostgreSQL and `?` on SQLite.
pub(crate) type Observer = Arc<dyn Fn(&str) + Send + Sync>;

/// The file that [`RECORDING`] names, and what this database has added to it.
#[derive(Clone)]
pub(crate) struct Recording {
    file: Arc<File>,
    seen: Arc<Mutex<HashSet<String>>>,
}

impl Recording {
    /// `None` if nobody wants one.
    pub(crate) fn from_environment() -> io::Result<Option<Self>> {
        std::env::var_os(RECORDING).map(Self::append_to).transpose()
    }

    fn append_to(path: OsString) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            file: Arc::new(file),
            seen: Arc::default(),
        })
    }

    fn add(&self, statement: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.contains(statement) {
            return;
        }
        seen.insert(statement.to_owned());
        // One write to a file opened for appending: other processes do the same meanwhile.
        let line = format!("{statement}\0");
        if let Err(error) = (&*self.file).write_all(line.as_bytes()) {
            tracing::error!(%error, "a statement is missing in the recording");
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

/// From now on the recording and the observer hear of the connection's statements, and of those
/// of its transactions. Both hear of a statement once it has ended, the recording only if it went
/// well: what the database doesn't understand has no plan.
pub(crate) fn observe(
    connection: &mut DatabaseConnection,
    recording: Option<Recording>,
    observer: Option<Observer>,
) {
    connection.set_metric_callback(move |info| {
        let statement = &info.statement.sql;
        tell(
            statement,
            info.failed,
            recording.as_ref(),
            observer.as_ref(),
        );
    });
}

/// Tells both of a statement that has ended.
pub(crate) fn tell(
    statement: &str,
    failed: bool,
    recording: Option<&Recording>,
    observer: Option<&Observer>,
) {
    if let Some(observer) = observer {
        observer(statement);
    }
    if let Some(recording) = recording.filter(|_| !failed) {
        recording.add(statement);
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait as _, Statement};

    use super::*;
    use crate::Database;

    async fn ask(database: &Database, sql: &str) {
        let statement = Statement::from_string(database.backend(), sql);
        // Some are refused.
        let _ = database.reader().query_all_raw(statement).await;
    }

    async fn empty_database(folder: &tempfile::TempDir) -> Database {
        let url = format!("sqlite:{}", folder.path().join("empty.db").display());
        Database::connect(&url, 1).await.unwrap()
    }

    #[tokio::test]
    async fn an_observer_hears_of_both_pools_and_of_transactions() {
        let folder = tempfile::tempdir().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let ear = heard.clone();
        let database = empty_database(&folder)
            .await
            .observed(move |statement| ear.lock().unwrap().push(statement.to_owned()));
        let clone = database.clone();
        ask(&clone, "SELECT 1").await;
        let transaction = database.begin().await.unwrap();
        let statement = Statement::from_string(database.backend(), "SELECT 2");
        transaction.query_one_raw(statement).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(*heard.lock().unwrap(), ["SELECT 1", "SELECT 2"]);
    }

    #[tokio::test]
    async fn a_recording_has_each_answered_statement_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("recording");
        let mut database = empty_database(&folder).await;
        let recording = Recording::append_to(file.clone().into()).unwrap();
        observe(database.reader.pool_mut(), Some(recording), None);
        for sql in [
            "SELECT 1",
            "SELECT 'a\nb'",
            "SELECT 1",
            "SELECT * FROM absent",
        ] {
            ask(&database, sql).await;
        }
        let recorded = std::fs::read_to_string(file).unwrap();
        assert_eq!(recorded, "SELECT 1\0SELECT 'a\nb'\0");
    }
}
