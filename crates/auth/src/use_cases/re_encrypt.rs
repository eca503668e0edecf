//! Seals anew, with the key that seals now, what an earlier one has sealed. Then the earlier one
//! may go. Repeating it does no harm, nor does stopping it halfway.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use database::Database;
use sea_orm::{
    ConnectionTrait, DbErr, Iterable as _, QueryResult, Value,
    entity::prelude::Uuid,
    sea_query::{Alias, Expr, ExprTrait as _, Order, Query},
};
use secrecy::ExposeSecret as _;

use crate::secret::{Keyring, RowId, SealedColumn, UnsealError};

/// Rows that are read at a time.
const BATCH: u64 = 200;

/// What became of one column's values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReEncrypted {
    pub table: &'static str,
    pub column: &'static str,
    pub re_encrypted: u64,
    /// Sealed with the first key before.
    pub up_to_date: u64,
    /// Their row, and why no key opens them. As long as there are any, no key may go.
    pub unreadable: Vec<(String, String)>,
}

pub(crate) async fn all(database: &Database, keyring: &Keyring) -> Result<Vec<ReEncrypted>, DbErr> {
    let mut reports = Vec::new();
    for column in SealedColumn::iter() {
        reports.push(one_column(database, keyring, column).await?);
    }
    Ok(reports)
}

async fn one_column(
    database: &Database,
    keyring: &Keyring,
    column: SealedColumn,
) -> Result<ReEncrypted, DbErr> {
    let mut report = ReEncrypted {
        table: column.table(),
        column: column.column(),
        re_encrypted: 0,
        up_to_date: 0,
        unreadable: Vec::new(),
    };
    let mut after = None;
    loop {
        let batch = read(database, column, after.take()).await?;
        let Some(last) = batch.last() else {
            return Ok(report);
        };
        after = Some(last.id.clone());
        for row in batch {
            if keyring.is_up_to_date(&row.sealed) {
                report.up_to_date += 1;
                continue;
            }
            match reseal(keyring, column, &row) {
                Ok(sealed) => {
                    report.re_encrypted += write(database, column, row, sealed).await?;
                }
                Err(error) => report.unreadable.push((row.name, error.to_string())),
            }
        }
    }
}

struct Row {
    id: Value,
    /// The id, as the seal knows it.
    name: String,
    sealed: String,
}

fn reseal(keyring: &Keyring, column: SealedColumn, row: &Row) -> Result<String, UnsealError> {
    let place = column.of(&row.name);
    let secret = keyring.open(place, &row.sealed)?;
    keyring.seal(place, secret.expose_secret())
}

/// The next rows that have a value, by their id.
async fn read(
    database: &Database,
    column: SealedColumn,
    after: Option<Value>,
) -> Result<Vec<Row>, DbErr> {
    let (id, sealed) = (id_column(column), Alias::new(column.column()));
    let mut select = Query::select();
    select
        .column(id.clone())
        .column(sealed.clone())
        .from(Alias::new(column.table()))
        .and_where(Expr::col(sealed.clone()).is_not_null())
        .and_where(Expr::col(sealed).ne(""))
        .order_by(id.clone(), Order::Asc)
        .limit(BATCH);
    if let Some(after) = after {
        select.and_where(Expr::col(id).gt(after));
    }
    let rows = database.reader().query_all(&select).await?;
    rows.iter().map(|row| parse(row, column)).collect()
}

fn parse(row: &QueryResult, column: SealedColumn) -> Result<Row, DbErr> {
    let (id, name) = match column.row_id() {
        RowId::Text(_) => {
            let id: String = row.try_get_by_index(0)?;
            (Value::from(id.clone()), id)
        }
        RowId::Uuid(_) => {
            let id: Uuid = row.try_get_by_index(0)?;
            (Value::from(id), id.to_string())
        }
        RowId::Bytes(_) => {
            let id: Vec<u8> = row.try_get_by_index(0)?;
            let name = URL_SAFE_NO_PAD.encode(&id);
            (Value::from(id), name)
        }
    };
    let sealed = row.try_get_by_index(1)?;
    Ok(Row { id, name, sealed })
}

/// Unless somebody has changed the value meanwhile: that one is sealed with the first key. Says
/// how many rows were written.
async fn write(
    database: &Database,
    column: SealedColumn,
    row: Row,
    sealed: String,
) -> Result<u64, DbErr> {
    let value = Alias::new(column.column());
    let update = Query::update()
        .table(Alias::new(column.table()))
        .value(value.clone(), sealed)
        .and_where(Expr::col(id_column(column)).eq(row.id))
        .and_where(Expr::col(value).eq(row.sealed))
        .to_owned();
    let written = database.writer().execute(&update).await?;
    Ok(written.rows_affected())
}

fn id_column(column: SealedColumn) -> Alias {
    let (RowId::Text(name) | RowId::Uuid(name) | RowId::Bytes(name)) = column.row_id();
    Alias::new(name)
}

#[cfg(test)]
mod tests {
    use migrations::{AuthMigrator, MigratorTrait as _};

    use super::*;
    use crate::secret::EncryptionKey;

    /// More than a batch.
    const LOG_INS: u64 = BATCH + 1;
    const USER: Uuid = Uuid::from_u128(7);

    fn keyring(bytes: &[u8]) -> Keyring {
        let key = |byte: &u8| EncryptionKey::new(&format!("k{byte}"), vec![*byte; 32]).unwrap();
        let former = bytes[1..].iter().map(key).collect();
        Keyring::new(key(&bytes[0]), former)
    }

    /// Fills the two tables whose keys are no text.
    async fn fill(database: &Database, keyring: &Keyring) {
        let execute = async |sql: String| {
            database.writer().execute_unprepared(&sql).await.unwrap();
        };
        let user = USER.simple();
        execute(format!(
            "INSERT INTO users (id, email, name, role, created_at, updated_at)
             VALUES (x'{user}', 'ada@example.com', 'Ada', 'customer', 0, 0)"
        ))
        .await;
        let place = USER.to_string();
        let sealed = keyring.seal(SealedColumn::TotpSecret.of(&place), b"totp");
        execute(format!(
            "INSERT INTO totp_credentials (user_id, secret, created_at)
             VALUES (x'{user}', '{}', 0)",
            sealed.unwrap()
        ))
        .await;
        for number in 0..LOG_INS {
            let place = URL_SAFE_NO_PAD.encode(number.to_be_bytes());
            let sealed = keyring.seal(SealedColumn::ExternalLogin.of(&place), b"login");
            execute(format!(
                "INSERT INTO external_logins
                     (state_hash, provider, binding_hash, secrets, created_at, expires_at)
                 VALUES (x'{number:016x}', 'p', x'00', '{}', 0, 0)",
                sealed.unwrap()
            ))
            .await;
        }
    }

    #[tokio::test]
    async fn every_sealed_column_is_sealed_anew_however_its_rows_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/auth.db", folder.path().display());
        let database = Database::connect(&url, 1).await.unwrap();
        AuthMigrator::up(database.writer(), None).await.unwrap();
        fill(&database, &keyring(&[1])).await;

        let counts = async |keyring: &Keyring| {
            let reports = all(&database, keyring).await.unwrap();
            let count = |report: &ReEncrypted| {
                (
                    report.re_encrypted,
                    report.up_to_date,
                    report.unreadable.len(),
                )
            };
            let [_, totp, log_ins] = reports.as_slice() else {
                panic!("a new sealed column needs rows in this test: {reports:?}");
            };
            (count(totp), count(log_ins))
        };
        let both = keyring(&[2, 1]);
        assert_eq!(counts(&both).await, ((1, 0, 0), (LOG_INS, 0, 0)));
        assert_eq!(counts(&both).await, ((0, 1, 0), (0, LOG_INS, 0)));
        assert_eq!(counts(&keyring(&[2])).await, ((0, 1, 0), (0, LOG_INS, 0)));
    }
}
