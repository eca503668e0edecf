//! `plumbline keys`: the keys that sign access tokens, and the one that seals secrets in the
//! database. docs/operations/keys.md says when to use which.

use std::{fmt::Write as _, sync::Arc};

use auth::{
    AuthError, Haste, KeyAdministration, KeyCommandError, KeyRecord, ReEncrypted, SigningKeyError,
};
use chrono::{DateTime, Utc};
use kernel::SystemClock;
use migrations::AuthMigrator;

use crate::{StartError, migrate, services::auth_config, settings::Settings};

#[derive(Clone, Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Show every key, oldest first.
    List,
    /// Let the next key sign, as the schedule does every 30 days.
    Rotate {
        /// Even if verifiers may not have the next key yet: some may refuse tokens for 30 s.
        #[arg(long)]
        now: bool,
    },
    /// Withdraw a key that is not the current one. Tokens that it signed are refused.
    Retire {
        /// As `plumbline keys list` shows it.
        // Base64url, which may begin with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
    },
    /// Seal every secret of the auth database anew with auth.encryption_key; exits with 1 if
    /// there is one that no key opens.
    ReEncrypt,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysFailed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Command(#[from] KeyCommandError),
    #[error(transparent)]
    Keys(#[from] SigningKeyError),
    #[error("can't re-encrypt the auth database")]
    ReEncrypt(#[from] AuthError),
}

/// What the command has to say, and whether everything it was asked for is done.
pub(crate) async fn run(
    settings: &Settings,
    command: Command,
) -> Result<(String, bool), KeysFailed> {
    let database = migrate::connect("auth", &settings.auth.database_url, 1).await?;
    migrate::check::<AuthMigrator>("auth", &database).await?;
    let public_url = settings.public_url().ok_or(StartError::PublicUrl)?;
    let config = auth_config(settings, &public_url)?;
    let keys = KeyAdministration::new(&config, database, Arc::new(SystemClock));
    match command {
        Command::List => Ok((table(&keys.list().await?), true)),
        Command::Rotate { now } => {
            let haste = if now {
                Haste::Now
            } else {
                Haste::WhenPublished
            };
            let current = keys.rotate(haste).await?;
            Ok((format!("{} signs from now on\n", current.kid), true))
        }
        Command::Retire { kid } => {
            keys.retire(&kid).await?;
            Ok((format!("{kid} is retired\n"), true))
        }
        Command::ReEncrypt => {
            let columns = keys.re_encrypt().await?;
            let is_done = columns.iter().all(|column| column.unreadable.is_empty());
            Ok((report(&columns, is_done), is_done))
        }
    }
}

fn table(keys: &[KeyRecord]) -> String {
    let mut table = line(&[
        "KEY",
        "ALGORITHM",
        "STATE",
        "PUBLISHED",
        "SIGNS SINCE",
        "UNTIL",
        "RETIRED",
    ]);
    for key in keys {
        let [activated, superseded, retired] =
            [key.activated_at, key.superseded_at, key.retired_at].map(time);
        table += &line(&[
            &key.kid,
            key.algorithm.as_str(),
            key.state.as_str(),
            &time(Some(key.created_at)),
            &activated,
            &superseded,
            &retired,
        ]);
    }
    table
}

fn line([kid, algorithm, state, times @ ..]: &[&str; 7]) -> String {
    let mut line = format!("{kid:<43}  {algorithm:<9}  {state:<8}");
    for time in times {
        let _ = write!(line, "  {time:<17}");
    }
    format!("{}\n", line.trim_end())
}

fn time(time: Option<DateTime<Utc>>) -> String {
    time.map_or_else(
        || "-".to_owned(),
        |time| time.format("%Y-%m-%d %H:%MZ").to_string(),
    )
}

fn report(columns: &[ReEncrypted], is_done: bool) -> String {
    let mut report = String::new();
    for column in columns {
        let ReEncrypted {
            table,
            column,
            re_encrypted,
            up_to_date,
            unreadable,
        } = column;
        let name = format!("{table}.{column}");
        let unreadable_count = unreadable.len();
        let _ = writeln!(
            report,
            "{name:<40} {re_encrypted:>6} re-encrypted  {up_to_date:>6} up to date  \
             {unreadable_count:>6} unreadable",
        );
        for (row, why) in unreadable {
            let _ = writeln!(report, "  {row}: {why}");
        }
    }
    report += if is_done {
        "auth.former_encryption_keys can be emptied\n"
    } else {
        "keep auth.former_encryption_keys: there are values that could not be read\n"
    };
    report
}

#[cfg(test)]
mod tests {
    use auth::{KeyState, SigningAlgorithm};

    use super::*;

    #[test]
    fn keys_are_listed_one_a_line() {
        let key = KeyRecord {
            kid: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k".to_owned(),
            algorithm: SigningAlgorithm::EdDsa,
            state: KeyState::Next,
            created_at: DateTime::UNIX_EPOCH,
            activated_at: None,
            superseded_at: None,
            retired_at: None,
        };
        let text = table(&[key]);
        let (header, row) = text.trim_end().split_once('\n').unwrap();
        assert!(header.starts_with("KEY"), "{header}");
        let words: Vec<_> = row.split_whitespace().collect();
        assert_eq!(
            words[1..],
            ["EdDSA", "next", "1970-01-01", "00:00Z", "-", "-", "-"]
        );
    }
}
