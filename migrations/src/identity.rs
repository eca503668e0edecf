//! The rest of the identity context: second factors, keys and accounts of programs, external
//! identities, mails that change something, and the audit log.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_identity"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    /// The row stays, anonymous: orders and the audit log name its id.
    DeletedAt,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Amr,
    Device,
    Ip,
    LastUsedAt,
    RevokedAt,
}

#[derive(DeriveIden)]
enum PasswordResets {
    Table,
    Id,
    UserId,
    TokenHash,
    CreatedAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum EmailChanges {
    Table,
    Id,
    UserId,
    /// In which the change was asked for: it goes on afterwards.
    SessionId,
    TokenHash,
    NewEmail,
    CreatedAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum TotpCredentials {
    Table,
    UserId,
    /// 160 bits, sealed with a key of the keyring.
    Secret,
    /// Until then it is not asked for.
    ConfirmedAt,
    /// The last time step that was accepted: none is accepted twice (RFC 6238 §5.2).
    LastStep,
    FailedAttempts,
    LockedUntil,
    CreatedAt,
}

#[derive(DeriveIden)]
enum RecoveryCodes {
    Table,
    CodeHash,
    UserId,
    UsedAt,
}

/// A log-in whose password was right and whose second factor is awaited.
#[derive(DeriveIden)]
enum MfaChallenges {
    Table,
    TokenHash,
    UserId,
    /// What has been proved so far.
    Amr,
    Attempts,
    CreatedAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum ApiKeys {
    Table,
    Id,
    UserId,
    Name,
    SecretHash,
    Scopes,
    CreatedAt,
    ExpiresAt,
    LastUsedAt,
    RevokedAt,
}

#[derive(DeriveIden)]
enum ServiceAccounts {
    Table,
    Id,
    Name,
    SecretHash,
    Audience,
    Scopes,
    CreatedAt,
    DisabledAt,
}

#[derive(DeriveIden)]
enum ExternalIdentities {
    Table,
    Id,
    UserId,
    Provider,
    Issuer,
    Subject,
    Email,
    CreatedAt,
}

/// A log-in that is under way at an external provider.
#[derive(DeriveIden)]
enum ExternalLogins {
    Table,
    StateHash,
    Provider,
    /// Which browser began it.
    BindingHash,
    /// Nonce and PKCE verifier, sealed with a key of the keyring.
    Secrets,
    /// Whose account the identity is to be linked to; none for a log-in.
    UserId,
    CreatedAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum AuditEvents {
    Table,
    Id,
    OccurredAt,
    ActorKind,
    ActorId,
    Action,
    TargetKind,
    TargetId,
    Ip,
    RequestId,
    Outcome,
    Details,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(manager).await?;
        for table in tables() {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        for statement in insert_only(manager.get_database_backend()) {
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            AuditEvents::Table.into_table_ref(),
            ExternalLogins::Table.into_table_ref(),
            ExternalIdentities::Table.into_table_ref(),
            ServiceAccounts::Table.into_table_ref(),
            ApiKeys::Table.into_table_ref(),
            MfaChallenges::Table.into_table_ref(),
            RecoveryCodes::Table.into_table_ref(),
            TotpCredentials::Table.into_table_ref(),
            EmailChanges::Table.into_table_ref(),
            PasswordResets::Table.into_table_ref(),
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            let drop = "DROP FUNCTION refuse_audit_change";
            manager.get_connection().execute_unprepared(drop).await?;
        }
        drop_columns(manager).await
    }
}

async fn add_columns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let epoch = "1970-01-01 00:00:00+00:00";
    let last_used = timestamp_with_time_zone(Sessions::LastUsedAt)
        .default(epoch)
        .to_owned();
    for column in [
        text(Sessions::Amr).default("pwd").to_owned(),
        text_null(Sessions::Device),
        text_null(Sessions::Ip),
        last_used,
    ] {
        alter(manager, Sessions::Table, |table| {
            table.add_column(column);
        })
        .await?;
    }
    alter(manager, Users::Table, |table| {
        table.add_column(timestamp_with_time_zone_null(Users::DeletedAt));
    })
    .await?;
    // What has been revoked a moment ago is told to every service again.
    let revoked = Index::create()
        .name("sessions_revoked")
        .table(Sessions::Table)
        .col(Sessions::RevokedAt)
        .cond_where(Expr::col(Sessions::RevokedAt).is_not_null())
        .to_owned();
    manager.create_index(revoked).await
}

async fn drop_columns(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let index = Index::drop()
        .name("sessions_revoked")
        .table(Sessions::Table)
        .to_owned();
    manager.drop_index(index).await?;
    for column in [
        Sessions::LastUsedAt,
        Sessions::Ip,
        Sessions::Device,
        Sessions::Amr,
    ] {
        alter(manager, Sessions::Table, |table| {
            table.drop_column(column);
        })
        .await?;
    }
    alter(manager, Users::Table, |table| {
        table.drop_column(Users::DeletedAt);
    })
    .await
}

async fn alter(
    manager: &SchemaManager<'_>,
    table: impl IntoTableRef,
    change: impl FnOnce(&mut TableAlterStatement),
) -> Result<(), DbErr> {
    let mut statement = Table::alter().table(table).to_owned();
    change(&mut statement);
    manager.alter_table(statement).await
}

fn tables() -> Vec<TableCreateStatement> {
    vec![
        password_resets(),
        email_changes(),
        totp_credentials(),
        recovery_codes(),
        mfa_challenges(),
        api_keys(),
        service_accounts(),
        external_identities(),
        external_logins(),
        audit_events(),
    ]
}

fn password_resets() -> TableCreateStatement {
    use PasswordResets as T;
    Table::create()
        .table(T::Table)
        .col(pk_uuid(T::Id))
        .col(uuid(T::UserId))
        .col(blob(T::TokenHash).unique_key())
        .col(timestamp_with_time_zone(T::CreatedAt))
        .col(timestamp_with_time_zone(T::ExpiresAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn email_changes() -> TableCreateStatement {
    use EmailChanges as T;
    Table::create()
        .table(T::Table)
        .col(pk_uuid(T::Id))
        .col(uuid(T::UserId))
        .col(uuid(T::SessionId))
        .col(blob(T::TokenHash).unique_key())
        .col(text(T::NewEmail))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .col(timestamp_with_time_zone(T::ExpiresAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn totp_credentials() -> TableCreateStatement {
    use TotpCredentials as T;
    Table::create()
        .table(T::Table)
        .col(pk_uuid(T::UserId))
        .col(text(T::Secret))
        .col(timestamp_with_time_zone_null(T::ConfirmedAt))
        .col(big_integer_null(T::LastStep))
        .col(integer(T::FailedAttempts).default(0))
        .col(timestamp_with_time_zone_null(T::LockedUntil))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn recovery_codes() -> TableCreateStatement {
    use RecoveryCodes as T;
    Table::create()
        .table(T::Table)
        .col(blob(T::CodeHash).primary_key())
        .col(uuid(T::UserId))
        .col(timestamp_with_time_zone_null(T::UsedAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn mfa_challenges() -> TableCreateStatement {
    use MfaChallenges as T;
    Table::create()
        .table(T::Table)
        .col(blob(T::TokenHash).primary_key())
        .col(uuid(T::UserId))
        .col(text(T::Amr))
        .col(integer(T::Attempts).default(0))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .col(timestamp_with_time_zone(T::ExpiresAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn api_keys() -> TableCreateStatement {
    use ApiKeys as T;
    Table::create()
        .table(T::Table)
        .col(pk_uuid(T::Id))
        .col(uuid(T::UserId))
        .col(text(T::Name))
        .col(blob(T::SecretHash))
        .col(text(T::Scopes))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .col(timestamp_with_time_zone(T::ExpiresAt))
        .col(timestamp_with_time_zone_null(T::LastUsedAt))
        .col(timestamp_with_time_zone_null(T::RevokedAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn service_accounts() -> TableCreateStatement {
    use ServiceAccounts as T;
    Table::create()
        .table(T::Table)
        .col(pk_uuid(T::Id))
        .col(text_uniq(T::Name))
        .col(blob(T::SecretHash))
        .col(text(T::Audience))
        .col(text(T::Scopes))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .col(timestamp_with_time_zone_null(T::DisabledAt))
        .to_owned()
}

fn external_identities() -> TableCreateStatement {
    use ExternalIdentities as T;
    Table::create()
        .table(T::Table)
        .col(pk_uuid(T::Id))
        .col(uuid(T::UserId))
        .col(text(T::Provider))
        .col(text(T::Issuer))
        .col(text(T::Subject))
        .col(text_null(T::Email))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn external_logins() -> TableCreateStatement {
    use ExternalLogins as T;
    Table::create()
        .table(T::Table)
        .col(blob(T::StateHash).primary_key())
        .col(text(T::Provider))
        .col(blob(T::BindingHash))
        .col(text(T::Secrets))
        .col(uuid_null(T::UserId))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .col(timestamp_with_time_zone(T::ExpiresAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn audit_events() -> TableCreateStatement {
    use AuditEvents as T;
    Table::create()
        .table(T::Table)
        .col(pk_uuid(T::Id))
        .col(timestamp_with_time_zone(T::OccurredAt))
        .col(text(T::ActorKind))
        .col(uuid_null(T::ActorId))
        .col(text(T::Action))
        .col(text(T::TargetKind))
        .col(text_null(T::TargetId))
        .col(text_null(T::Ip))
        .col(text_null(T::RequestId))
        .col(text(T::Outcome))
        .col(json(T::Details))
        .to_owned()
}

fn of_user(table: impl IntoTableRef, column: impl IntoIden) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &str, table: TableRef, columns: Vec<DynIden>| {
        let mut index = Index::create().name(name).table(table).to_owned();
        for column in columns {
            index.col(column);
        }
        index
    };
    let one = |name: &str, table: TableRef, column: DynIden| index(name, table, vec![column]);
    vec![
        one(
            "password_resets_user",
            PasswordResets::Table.into_table_ref(),
            PasswordResets::UserId.into_iden(),
        ),
        one(
            "password_resets_expiry",
            PasswordResets::Table.into_table_ref(),
            PasswordResets::ExpiresAt.into_iden(),
        ),
        one(
            "email_changes_user",
            EmailChanges::Table.into_table_ref(),
            EmailChanges::UserId.into_iden(),
        ),
        one(
            "email_changes_expiry",
            EmailChanges::Table.into_table_ref(),
            EmailChanges::ExpiresAt.into_iden(),
        ),
        one(
            "recovery_codes_user",
            RecoveryCodes::Table.into_table_ref(),
            RecoveryCodes::UserId.into_iden(),
        ),
        one(
            "mfa_challenges_user",
            MfaChallenges::Table.into_table_ref(),
            MfaChallenges::UserId.into_iden(),
        ),
        one(
            "mfa_challenges_expiry",
            MfaChallenges::Table.into_table_ref(),
            MfaChallenges::ExpiresAt.into_iden(),
        ),
        one(
            "api_keys_user",
            ApiKeys::Table.into_table_ref(),
            ApiKeys::UserId.into_iden(),
        ),
        one(
            "external_identities_user",
            ExternalIdentities::Table.into_table_ref(),
            ExternalIdentities::UserId.into_iden(),
        ),
        // An identity belongs to one account.
        index(
            "external_identities_subject",
            ExternalIdentities::Table.into_table_ref(),
            vec![
                ExternalIdentities::Issuer.into_iden(),
                ExternalIdentities::Subject.into_iden(),
            ],
        )
        .unique()
        .to_owned(),
        one(
            "external_logins_expiry",
            ExternalLogins::Table.into_table_ref(),
            ExternalLogins::ExpiresAt.into_iden(),
        ),
        index(
            "audit_events_actor",
            AuditEvents::Table.into_table_ref(),
            vec![
                AuditEvents::ActorId.into_iden(),
                AuditEvents::Id.into_iden(),
            ],
        ),
        index(
            "audit_events_target",
            AuditEvents::Table.into_table_ref(),
            vec![
                AuditEvents::TargetId.into_iden(),
                AuditEvents::Id.into_iden(),
            ],
        ),
        index(
            "audit_events_action",
            AuditEvents::Table.into_table_ref(),
            vec![AuditEvents::Action.into_iden(), AuditEvents::Id.into_iden()],
        ),
    ]
}

/// Nobody changes what the audit log says, whatever the code does.
fn insert_only(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Postgres => &[
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'the audit log is insert-only'; END $$",
            "CREATE TRIGGER audit_events_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE \
             ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()",
        ],
        _ => &[
            "CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events \
             BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END",
            "CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events \
             BEGIN SELECT RAISE(ABORT, 'the audit log is insert-only'); END",
        ],
    }
}
