use sea_orm::{DbErr, sqlx};

/// Whether the same statement may succeed a moment later: the database is away, out of
/// connections, or chose this transaction as the one to give way.
#[must_use]
pub fn is_transient(error: &DbErr) -> bool {
    if matches!(error, DbErr::ConnectionAcquire(_)) {
        return true;
    }
    match crate::driver_error(error) {
        Some(sqlx::Error::Database(error)) => {
            error.code().is_some_and(|code| is_transient_code(&code))
        }
        Some(
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed,
        ) => true,
        _ => false,
    }
}

/// SQLSTATE classes 08 (connection), 40 (rollback), 53 (resources), 57 (operator intervention)
/// and 55P03 (lock not available); SQLITE_BUSY is 5, SQLITE_LOCKED 6.
fn is_transient_code(code: &str) -> bool {
    let sqlstate = code.len() == 5;
    if sqlstate {
        matches!(&code[..2], "08" | "40" | "53" | "57") || code == "55P03"
    } else {
        code.parse::<u32>()
            .is_ok_and(|code| matches!(code & 0xff, 5 | 6))
    }
}

#[cfg(test)]
mod tests {
    use super::is_transient_code;

    #[test]
    fn a_serialization_failure_may_be_retried_and_a_broken_constraint_may_not() {
        for transient in ["40001", "40P01", "57P01", "55P03", "5", "517"] {
            assert!(is_transient_code(transient), "{transient}");
        }
        for permanent in ["23505", "23514", "42601", "19", "2067"] {
            assert!(!is_transient_code(permanent), "{permanent}");
        }
    }
}
