//! What the database keeps about a person beside the account itself.

use sea_orm::{
    ConnectionTrait, DbErr,
    sea_query::{Alias, Expr, ExprTrait as _, Query},
};
use uuid::Uuid;

/// Tables whose rows belong to a user by `user_id` and end with the account. Sessions do not: what
/// was revoked must be known for a while.
const TABLES: [&str; 11] = [
    "api_keys",
    "email_changes",
    "email_verifications",
    "external_identities",
    "external_logins",
    "mfa_challenges",
    "passkey_ceremonies",
    "passkeys",
    "password_resets",
    "recovery_codes",
    "totp_credentials",
];

/// Deletes a user's rows in [`TABLES`].
pub(crate) async fn delete_of(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<(), DbErr> {
    for table in TABLES {
        let delete = Query::delete()
            .from_table(Alias::new(table))
            .and_where(Expr::col(Alias::new("user_id")).eq(user_id))
            .take();
        connection.execute(&delete).await?;
    }
    Ok(())
}
