use chrono::{DateTime, Utc};
use database::{Database, lock_for_update, starts_with};
use kernel::{Email, Role, UnknownRole, UserId};
use sea_orm::{
    ActiveValue::Set,
    Condition, ConnectionTrait, DbErr, Iterable as _, Order, QueryOrder as _, QueryTrait, SqlErr,
    TryInsertResult, Value,
    entity::prelude::*,
    sea_query::{Expr, Func, Query},
};

use super::Rows;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Normalised, unique.
    pub email: String,
    pub name: String,
    pub role: String,
    /// `None` for an account that has no password.
    pub password_hash: Option<String>,
    pub email_verified_at: Option<DateTime<Utc>>,
    pub disabled_at: Option<DateTime<Utc>>,
    /// The row stays for those who refer to it, without whom it was.
    pub deleted_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    pub(crate) fn user_id(&self) -> UserId {
        self.id.into()
    }

    /// Whether its owner can use it.
    pub(crate) fn is_active(&self) -> bool {
        self.email_verified_at.is_some() && self.disabled_at.is_none() && self.deleted_at.is_none()
    }

    /// Whether its address is its own: one that nobody has confirmed is anyone's.
    pub(crate) fn holds_address(&self) -> bool {
        self.email_verified_at.is_some() || self.disabled_at.is_some()
    }

    pub(crate) fn role(&self) -> Result<Role, UnknownRole> {
        self.role.parse()
    }
}

/// What a registration sets.
#[derive(Clone, Copy)]
pub(crate) struct NewUser<'a> {
    pub id: UserId,
    pub email: &'a Email,
    pub name: &'a str,
    pub role: Role,
    /// `None` for a person who logs in elsewhere.
    pub password_hash: Option<&'a str>,
    pub email_verified_at: Option<DateTime<Utc>>,
}

/// Inserts unless the address is taken. Says whether it did.
pub(crate) async fn insert_if_absent(
    connection: &impl ConnectionTrait,
    user: NewUser<'_>,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = ActiveModel {
        id: Set(user.id.as_uuid()),
        email: Set(user.email.as_str().to_owned()),
        name: Set(user.name.to_owned()),
        role: Set(user.role.as_str().to_owned()),
        password_hash: Set(user.password_hash.map(str::to_owned)),
        email_verified_at: Set(user.email_verified_at),
        disabled_at: Set(None),
        deleted_at: Set(None),
        created_at: Set(now),
        updated_at: Set(now),
    };
    let inserted = Entity::insert(row)
        .on_conflict_do_nothing_on([Column::Email])
        .exec_without_returning(connection)
        .await?;
    Ok(matches!(inserted, TryInsertResult::Inserted(1..)))
}

pub(crate) async fn find_by_email(
    connection: &impl ConnectionTrait,
    email: &Email,
) -> Result<Option<Model>, DbErr> {
    Entity::find()
        .filter(Column::Email.eq(email.as_str()))
        .one(connection)
        .await
}

/// Reads a user and holds them until the transaction ends: whoever else wants to change them waits.
pub(crate) async fn find_by_email_for_update(
    database: &Database,
    transaction: &impl ConnectionTrait,
    email: &Email,
) -> Result<Option<Model>, DbErr> {
    let mut select = Entity::find().filter(Column::Email.eq(email.as_str()));
    lock_for_update(QueryTrait::query(&mut select), database.backend());
    select.one(transaction).await
}

pub(crate) async fn find_active(
    connection: &impl ConnectionTrait,
    id: UserId,
) -> Result<Option<Model>, DbErr> {
    Ok(find(connection, id).await?.filter(Model::is_active))
}

pub(crate) async fn find(
    connection: &impl ConnectionTrait,
    id: UserId,
) -> Result<Option<Model>, DbErr> {
    Entity::find_by_id(id.as_uuid()).one(connection).await
}

/// Those of `ids` who have not left, in no particular order.
pub(crate) async fn find_present(
    connection: &impl ConnectionTrait,
    ids: &[UserId],
) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    Entity::find()
        .filter(Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
        .filter(Column::DeletedAt.is_null())
        .all(connection)
        .await
}

/// Reads a user and holds the row until the transaction ends: whoever else wants to change it waits.
pub(crate) async fn find_for_update(
    database: &Database,
    transaction: &impl ConnectionTrait,
    id: UserId,
) -> Result<Option<Model>, DbErr> {
    let mut select = Entity::find_by_id(id.as_uuid());
    lock_for_update(QueryTrait::query(&mut select), database.backend());
    select.one(transaction).await
}

/// The password and name of an account that is not verified yet are those of its last
/// registration.
pub(crate) async fn replace_unverified(
    connection: &impl ConnectionTrait,
    id: Uuid,
    name: &str,
    password_hash: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::PasswordHash, Expr::value(password_hash))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::EmailVerifiedAt.is_null())
        .exec(connection)
        .await?;
    Ok(())
}

/// Activates an account with the name and password of the registration that was confirmed.
/// Says whether it was still unverified.
pub(crate) async fn verify_email(
    connection: &impl ConnectionTrait,
    id: Uuid,
    name: &str,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let updated = Entity::update_many()
        .col_expr(Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(Column::Name, Expr::value(name))
        .col_expr(Column::PasswordHash, Expr::value(password_hash))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(Column::EmailVerifiedAt.is_null())
        .exec(connection)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// Replaces a hash by one of the same password, unless the password was changed meanwhile.
pub(crate) async fn rehash(
    connection: &impl ConnectionTrait,
    user: &Model,
    password_hash: &str,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(password_hash))
        .filter(Column::Id.eq(user.id))
        .filter(Column::PasswordHash.eq(user.password_hash.as_deref()))
        .exec(connection)
        .await?;
    Ok(())
}

/// Which users are wanted: those of whom all that is given is true.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UserFilter<'a> {
    /// How the address or the name begins.
    pub search: Option<&'a str>,
    pub role: Option<Role>,
    pub without_the_deleted: bool,
}

/// The oldest first. Both that a search looks at come from an index. In any case: addresses are
/// kept in lower case; of names SQLite knows that of ASCII only.
pub(crate) async fn list(
    database: &Database,
    filter: UserFilter<'_>,
    rows: Rows,
) -> Result<Vec<Model>, DbErr> {
    let begins = |text, prefix: &String| starts_with(text, prefix, database.backend());
    let found = filter.search.map(str::to_lowercase).map(|prefix| {
        let name = Func::lower(Expr::col(Column::Name));
        Condition::any()
            .add(begins(Expr::col(Column::Email), &prefix))
            .add(begins(name.into(), &prefix))
    });
    let of_role = filter.role.map(|role| Column::Role.eq(role.as_str()));
    let present = filter
        .without_the_deleted
        .then(|| Column::DeletedAt.is_null());
    let wanted = Condition::all()
        .add_option(found)
        .add_option(of_role)
        .add_option(present);
    rows.of(Entity::find().filter(wanted), Column::Id, Order::Asc)
        .all(database.reader())
        .await
}

/// Those who have a role and may log in, held until the transaction ends.
pub(crate) async fn lock_active_of_role(
    database: &Database,
    transaction: &impl ConnectionTrait,
    role: Role,
) -> Result<Vec<Uuid>, DbErr> {
    let mut select = Entity::find()
        .filter(Column::Role.eq(role.as_str()))
        .filter(Column::EmailVerifiedAt.is_not_null())
        .filter(Column::DisabledAt.is_null())
        .filter(Column::DeletedAt.is_null())
        .order_by_asc(Column::Id);
    lock_for_update(QueryTrait::query(&mut select), database.backend());
    let users = select.all(transaction).await?;
    Ok(users.into_iter().map(|user| user.id).collect())
}

pub(crate) async fn set_role(
    connection: &impl ConnectionTrait,
    id: UserId,
    role: Role,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    set(connection, id, Column::Role, role.as_str(), now).await
}

pub(crate) async fn set_disabled(
    connection: &impl ConnectionTrait,
    id: UserId,
    disabled_at: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    set(connection, id, Column::DisabledAt, disabled_at, now).await
}

pub(crate) async fn set_password(
    connection: &impl ConnectionTrait,
    id: UserId,
    password_hash: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    set(connection, id, Column::PasswordHash, password_hash, now).await
}

pub(crate) async fn rename(
    connection: &impl ConnectionTrait,
    id: UserId,
    name: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    set(connection, id, Column::Name, name, now).await
}

/// Leaves nothing that tells who it was. Whatever refuses a disabled account refuses this one, and
/// the address is free.
pub(crate) async fn anonymise(
    connection: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        // RFC 2606 §2: no mail ever arrives there.
        .col_expr(Column::Email, Expr::value(format!("{id}@deleted.invalid")))
        .col_expr(Column::Name, Expr::value("Deleted account"))
        .col_expr(Column::Role, Expr::value(Role::Customer.as_str()))
        .col_expr(Column::PasswordHash, Expr::value(None::<String>))
        .col_expr(Column::DisabledAt, Expr::value(now))
        .col_expr(Column::DeletedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .exec(connection)
        .await?;
    Ok(())
}

async fn set(
    connection: &impl ConnectionTrait,
    id: UserId,
    column: Column,
    value: impl Into<Value>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(column, Expr::value(value))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id.as_uuid()))
        .exec(connection)
        .await?;
    Ok(())
}

/// Gives a user an address that they have confirmed, unless another account holds it: says whether
/// it did. Then the transaction must end. A registration that nobody confirmed gives way.
pub(crate) async fn change_email(
    connection: &impl ConnectionTrait,
    id: Uuid,
    email: &Email,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    Entity::delete_many()
        .filter(Column::Email.eq(email.as_str()))
        .filter(Column::EmailVerifiedAt.is_null())
        .filter(Column::DisabledAt.is_null())
        .exec(connection)
        .await?;
    let changed = Entity::update_many()
        .col_expr(Column::Email, Expr::value(email.as_str()))
        .col_expr(Column::EmailVerifiedAt, Expr::value(now))
        .col_expr(Column::UpdatedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .exec(connection)
        .await;
    match changed {
        Ok(changed) => Ok(changed.rows_affected == 1),
        Err(error) => match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => Ok(false),
            _ => Err(error),
        },
    }
}

/// Inserts a row that belongs to a user, or nothing if there is no such user: by the same
/// statement, so that time does not tell.
pub(crate) async fn insert_if_user_exists<E: EntityTrait>(
    connection: &impl ConnectionTrait,
    row: &impl ActiveModelTrait<Entity = E>,
    user_id: Uuid,
) -> Result<(), DbErr> {
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for column in E::Column::iter() {
        if let Some(value) = row.get(column).into_value() {
            columns.push(column);
            values.push(Expr::value(value));
        }
    }
    let row = Query::select()
        .exprs(values)
        .from(Entity)
        .and_where(Column::Id.eq(user_id))
        .take();
    let mut insert = Query::insert();
    insert.into_table(E::default()).columns(columns);
    let inserted = insert.select_from(row);
    inserted.map_err(|error| DbErr::Query(sea_orm::RuntimeErr::Internal(error.to_string())))?;
    connection.execute(&insert).await?;
    Ok(())
}
