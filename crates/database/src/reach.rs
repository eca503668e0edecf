//! Waiting for a PostgreSQL server that is not there yet.

use std::{io::ErrorKind, str::FromStr, time::Duration};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{
        self, ConnectOptions, Connection,
        postgres::{PgConnectOptions, PgConnection},
    },
};
use tokio::time::{Instant, sleep, timeout_at};

use crate::{ConnectError, is_transient};

/// Servers and services often start together, and PostgreSQL is the slower one.
const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Returns once the server lets us in. It is asked again while it is away, starting or full; what
/// time does not mend, such as a wrong password, is an error at once.
///
/// The pool could wait too, but would only say that it timed out.
pub(crate) async fn reach(url: &str) -> Result<(), ConnectError> {
    let options = PgConnectOptions::from_str(url).map_err(|error| failed(error, None))?;
    let address = format!("{}:{}", options.get_host(), options.get_port());
    let deadline = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let attempt = timeout_at(deadline, let_in(&options)).await;
        let silence = |_| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()));
        let error = match attempt.unwrap_or_else(silence) {
            Ok(()) => return Ok(()),
            Err(error) => failed(error, Some(&address)),
        };
        let ConnectError::Unreachable { source, .. } = &error else {
            return Err(error);
        };
        if Instant::now() + pause >= deadline {
            return Err(error);
        }
        tracing::warn!(address, error = %source, "PostgreSQL is not there yet");
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn let_in(options: &PgConnectOptions) -> Result<(), sqlx::Error> {
    let connection: PgConnection = options
        .clone()
        .disable_statement_logging()
        .connect()
        .await?;
    connection.close().await
}

fn failed(error: sqlx::Error, address: Option<&str>) -> ConnectError {
    let error = DbErr::Conn(RuntimeErr::SqlxError(error.into()));
    match address {
        Some(address) if is_transient(&error) => ConnectError::Unreachable {
            address: address.to_owned(),
            source: error,
        },
        _ => ConnectError::Connect(error),
    }
}
