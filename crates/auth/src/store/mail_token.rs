//! What tables of mailed tokens have in common: a row waits until its mail is answered or it
//! expires, and its token works once.

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, DbErr, QuerySelect as _, QueryTrait as _, Select, entity::prelude::*,
};

use super::{expiring::Expiring, user};
use crate::secret::TokenHash;

/// A table whose rows each wait for the token of a mail.
pub(crate) trait MailToken:
    Expiring + EntityTrait<PrimaryKey: PrimaryKeyTrait<ValueType = Uuid>> + Related<user::Entity>
{
    /// Whose row it is.
    const USER_ID: Self::Column;
    /// The hash of the token in the mail.
    const TOKEN_HASH: Self::Column;

    fn token_hash(row: &Self::Model) -> &[u8];
}

/// What a token is for, and whose it is; it stays good.
pub(crate) async fn find<E: MailToken>(
    connection: &impl ConnectionTrait,
    token: TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<(E::Model, user::Model)>, DbErr> {
    let of_token = E::find().filter(E::TOKEN_HASH.eq(Vec::from(token)));
    with_owner(connection, of_token, now).await
}

/// What the mail of this id is about, and whose it is.
pub(crate) async fn find_pending<E: MailToken>(
    connection: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<(E::Model, user::Model)>, DbErr> {
    with_owner(connection, E::find_by_id(id), now).await
}

async fn with_owner<E: MailToken>(
    connection: &impl ConnectionTrait,
    rows: Select<E>,
    now: DateTime<Utc>,
) -> Result<Option<(E::Model, user::Model)>, DbErr> {
    let found = rows
        .filter(E::EXPIRES_AT.gt(now))
        .find_also_related(user::Entity)
        .one(connection)
        .await?;
    Ok(found.and_then(|(row, user)| Some((row, user?))))
}

/// Takes the row of a token out of its table, and with it every other one of the same user. Of any
/// number of callers one gets it.
pub(crate) async fn take<E: MailToken>(
    connection: &impl ConnectionTrait,
    token: TokenHash,
    now: DateTime<Utc>,
) -> Result<Option<E::Model>, DbErr> {
    let token = Vec::from(token);
    let user = E::find()
        .select_only()
        .column(E::USER_ID)
        .filter(E::TOKEN_HASH.eq(token.as_slice()))
        .filter(E::EXPIRES_AT.gt(now))
        .into_query();
    let taken = E::delete_many()
        .filter(E::USER_ID.in_subquery(user))
        .exec_with_returning(connection)
        .await?;
    Ok(taken.into_iter().find(|row| E::token_hash(row) == token))
}

/// Voids what a user could still answer.
pub(crate) async fn delete_of<E: MailToken>(
    connection: &impl ConnectionTrait,
    user_id: Uuid,
) -> Result<(), DbErr> {
    E::delete_many()
        .filter(E::USER_ID.eq(user_id))
        .exec(connection)
        .await?;
    Ok(())
}
