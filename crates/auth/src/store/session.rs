use chrono::{DateTime, Utc};
use database::{Database, lock_for_update};
use kernel::{SessionId, UserId};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, DbErr, QueryOrder as _, QuerySelect as _, QueryTrait,
    entity::prelude::*,
};

use crate::{authentication::Methods, origin::Origin, refresh_chain::RefreshChain};

use super::expiring::Expiring;

/// Of one user, as many are listed.
pub(crate) const MAX_LISTED: u64 = 100;

/// A log-in.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub user_id: Uuid,
    /// Of the current refresh token; see [`RefreshChain`] for this and the next.
    pub generation: i32,
    pub rotated_at: DateTime<Utc>,
    pub grace_uses: i16,
    /// When the person last proved who they are.
    pub authenticated_at: DateTime<Utc>,
    /// How: see [`Methods`].
    pub amr: String,
    /// The browser or program that logged in, as it describes itself.
    pub device: Option<String>,
    /// From where the session was used last.
    pub ip: Option<String>,
    pub last_used_at: DateTime<Utc>,
    pub idle_expires_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub revoked_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id"
    )]
    User,
}

impl ActiveModelBehavior for ActiveModel {}

impl Expiring for Entity {
    const EXPIRES_AT: Column = Column::ExpiresAt;
}

impl Model {
    pub(crate) fn session_id(&self) -> SessionId {
        self.id.into()
    }

    pub(crate) fn methods(&self) -> Methods {
        Methods::parse(&self.amr)
    }

    pub(crate) fn chain(&self) -> RefreshChain {
        RefreshChain {
            generation: self.generation.unsigned_abs(),
            rotated_at: self.rotated_at,
            grace_uses: u8::try_from(self.grace_uses).unwrap_or(u8::MAX),
            idle_expires_at: self.idle_expires_at,
            expires_at: self.expires_at,
            revoked: self.revoked_at.is_some(),
        }
    }
}

/// What a log-in sets.
pub(crate) struct NewSession<'a> {
    pub id: SessionId,
    pub user_id: UserId,
    pub methods: &'a Methods,
    pub origin: &'a Origin,
}

pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    session: NewSession<'_>,
    chain: RefreshChain,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut row = ActiveModel {
        id: Set(session.id.as_uuid()),
        user_id: Set(session.user_id.as_uuid()),
        authenticated_at: Set(now),
        amr: Set(session.methods.to_string()),
        device: Set(session.origin.device.clone()),
        ip: Set(session.origin.ip.map(|ip| ip.to_string())),
        last_used_at: Set(now),
        created_at: Set(now),
        ..Default::default()
    };
    set_chain(&mut row, chain, now);
    Entity::insert(row)
        .exec_without_returning(connection)
        .await?;
    Ok(())
}

/// Reads a session and holds it until the transaction ends: whoever else wants to change it waits.
pub(crate) async fn find_for_update(
    database: &Database,
    transaction: &impl ConnectionTrait,
    id: Uuid,
) -> Result<Option<Model>, DbErr> {
    let mut select = Entity::find_by_id(id);
    lock_for_update(QueryTrait::query(&mut select), database.backend());
    select.one(transaction).await
}

pub(crate) async fn update_chain(
    connection: &impl ConnectionTrait,
    id: Uuid,
    chain: RefreshChain,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let mut row = ActiveModel {
        ip: Set(origin.ip.map(|ip| ip.to_string())),
        last_used_at: Set(now),
        ..Default::default()
    };
    set_chain(&mut row, chain, now);
    Entity::update_many()
        .set(row)
        .filter(Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

/// Some of a user's sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    AllBut(SessionId),
    Only(SessionId),
}

/// Revokes those that have not ended, and returns which they were.
pub(crate) async fn revoke(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    which: Which,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>, DbErr> {
    let mut update = Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now))
        .filter(active_of(user_id, now));
    update = match which {
        Which::All => update,
        Which::AllBut(id) => update.filter(Column::Id.ne(id.as_uuid())),
        Which::Only(id) => update.filter(Column::Id.eq(id.as_uuid())),
    };
    let revoked = update.exec_with_returning(connection).await?;
    Ok(revoked.into_iter().map(|session| session.id).collect())
}

/// The last used first.
pub(crate) async fn list_active(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(active_of(user_id, now))
        .order_by_desc(Column::LastUsedAt)
        .order_by_desc(Column::Id)
        .limit(MAX_LISTED)
        .all(connection)
        .await
}

/// All of a user's, ended ones too, the newest first.
pub(crate) async fn list_of(
    connection: &impl ConnectionTrait,
    user_id: UserId,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(connection)
        .await
}

/// Forgets from where a user's sessions were used.
pub(crate) async fn forget_origins(
    connection: &impl ConnectionTrait,
    user_id: UserId,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Device, Expr::value(None::<String>))
        .col_expr(Column::Ip, Expr::value(None::<String>))
        .filter(Column::UserId.eq(user_id.as_uuid()))
        .exec(connection)
        .await?;
    Ok(())
}

/// Of all users, with the time.
pub(crate) async fn revoked_since(
    connection: &impl ConnectionTrait,
    since: DateTime<Utc>,
) -> Result<Vec<(Uuid, DateTime<Utc>)>, DbErr> {
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::RevokedAt])
        .filter(Column::RevokedAt.gte(since))
        .into_tuple()
        .all(connection)
        .await
}

fn active_of(user_id: UserId, now: DateTime<Utc>) -> sea_orm::Condition {
    sea_orm::Condition::all()
        .add(Column::UserId.eq(user_id.as_uuid()))
        .add(Column::RevokedAt.is_null())
        .add(Column::ExpiresAt.gt(now))
        .add(Column::IdleExpiresAt.gt(now))
}

/// The owner of a live session has proved anew who they are. Says whether there is such a session.
pub(crate) async fn step_up(
    connection: &impl ConnectionTrait,
    id: SessionId,
    user_id: UserId,
    methods: &Methods,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::AuthenticatedAt, Expr::value(now))
        .col_expr(Column::Amr, Expr::value(methods.to_string()))
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(id.as_uuid()))
        .filter(active_of(user_id, now))
        .exec(connection)
        .await?;
    Ok(updated.rows_affected == 1)
}

fn set_chain(row: &mut ActiveModel, chain: RefreshChain, now: DateTime<Utc>) {
    row.generation = Set(i32::try_from(chain.generation).unwrap_or(i32::MAX));
    row.rotated_at = Set(chain.rotated_at);
    row.grace_uses = Set(chain.grace_uses.into());
    row.idle_expires_at = Set(chain.idle_expires_at);
    row.expires_at = Set(chain.expires_at);
    row.revoked_at = Set(chain.revoked.then_some(now));
}
