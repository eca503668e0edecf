//! The identity context's tables: users, their sessions, and the keys that sign access tokens.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_auth"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
    /// Normalised (`kernel::Email`).
    Email,
    Name,
    Role,
    PasswordHash,
    EmailVerifiedAt,
    DisabledAt,
    CreatedAt,
    UpdatedAt,
}

/// A registration that waits for its mail to be confirmed. It carries the password that was
/// chosen with it: the mail that is confirmed decides whose password becomes the account's.
#[derive(DeriveIden)]
enum EmailVerifications {
    Table,
    Id,
    UserId,
    TokenHash,
    Name,
    PasswordHash,
    CreatedAt,
    ExpiresAt,
}

#[derive(DeriveIden)]
enum Sessions {
    Table,
    Id,
    UserId,
    Generation,
    RotatedAt,
    GraceUses,
    AuthenticatedAt,
    IdleExpiresAt,
    ExpiresAt,
    RevokedAt,
    CreatedAt,
}

/// Every refresh token of a session's chain, by its hash.
#[derive(DeriveIden)]
enum RefreshTokens {
    Table,
    TokenHash,
    SessionId,
    Generation,
}

#[derive(DeriveIden)]
enum SigningKeys {
    Table,
    /// RFC 7638 thumbprint of the public key.
    Kid,
    Status,
    /// PKCS#8, sealed with a key of the keyring.
    PrivateKey,
    CreatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            users(),
            email_verifications(),
            sessions(),
            refresh_tokens(),
            signing_keys(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            SigningKeys::Table.into_table_ref(),
            RefreshTokens::Table.into_table_ref(),
            Sessions::Table.into_table_ref(),
            EmailVerifications::Table.into_table_ref(),
            Users::Table.into_table_ref(),
        ] {
            manager
                .drop_table(Table::drop().table(table).to_owned())
                .await?;
        }
        Ok(())
    }
}

fn users() -> TableCreateStatement {
    Table::create()
        .table(Users::Table)
        .col(pk_uuid(Users::Id))
        .col(text_uniq(Users::Email))
        .col(text(Users::Name))
        .col(text(Users::Role))
        .col(text_null(Users::PasswordHash))
        .col(timestamp_with_time_zone_null(Users::EmailVerifiedAt))
        .col(timestamp_with_time_zone_null(Users::DisabledAt))
        .col(timestamp_with_time_zone(Users::CreatedAt))
        .col(timestamp_with_time_zone(Users::UpdatedAt))
        .to_owned()
}

fn email_verifications() -> TableCreateStatement {
    Table::create()
        .table(EmailVerifications::Table)
        .col(pk_uuid(EmailVerifications::Id))
        .col(uuid(EmailVerifications::UserId))
        .col(blob(EmailVerifications::TokenHash).unique_key())
        .col(text(EmailVerifications::Name))
        .col(text(EmailVerifications::PasswordHash))
        .col(timestamp_with_time_zone(EmailVerifications::CreatedAt))
        .col(timestamp_with_time_zone(EmailVerifications::ExpiresAt))
        .foreign_key(&mut of_user(
            EmailVerifications::Table,
            EmailVerifications::UserId,
        ))
        .to_owned()
}

fn sessions() -> TableCreateStatement {
    Table::create()
        .table(Sessions::Table)
        .col(pk_uuid(Sessions::Id))
        .col(uuid(Sessions::UserId))
        .col(integer(Sessions::Generation))
        .col(timestamp_with_time_zone(Sessions::RotatedAt))
        .col(small_integer(Sessions::GraceUses))
        .col(timestamp_with_time_zone(Sessions::AuthenticatedAt))
        .col(timestamp_with_time_zone(Sessions::IdleExpiresAt))
        .col(timestamp_with_time_zone(Sessions::ExpiresAt))
        .col(timestamp_with_time_zone_null(Sessions::RevokedAt))
        .col(timestamp_with_time_zone(Sessions::CreatedAt))
        .foreign_key(&mut of_user(Sessions::Table, Sessions::UserId))
        .to_owned()
}

fn refresh_tokens() -> TableCreateStatement {
    Table::create()
        .table(RefreshTokens::Table)
        .col(blob(RefreshTokens::TokenHash).primary_key())
        .col(uuid(RefreshTokens::SessionId))
        .col(integer(RefreshTokens::Generation))
        .foreign_key(
            ForeignKey::create()
                .from(RefreshTokens::Table, RefreshTokens::SessionId)
                .to(Sessions::Table, Sessions::Id)
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn signing_keys() -> TableCreateStatement {
    Table::create()
        .table(SigningKeys::Table)
        .col(text(SigningKeys::Kid).primary_key())
        .col(text(SigningKeys::Status))
        .col(text(SigningKeys::PrivateKey))
        .col(timestamp_with_time_zone(SigningKeys::CreatedAt))
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
    vec![
        Index::create()
            .name("email_verifications_user")
            .table(EmailVerifications::Table)
            .col(EmailVerifications::UserId)
            .to_owned(),
        Index::create()
            .name("email_verifications_expiry")
            .table(EmailVerifications::Table)
            .col(EmailVerifications::ExpiresAt)
            .to_owned(),
        Index::create()
            .name("sessions_user")
            .table(Sessions::Table)
            .col(Sessions::UserId)
            .to_owned(),
        Index::create()
            .name("sessions_expiry")
            .table(Sessions::Table)
            .col(Sessions::ExpiresAt)
            .to_owned(),
        // One token a generation: a chain that forks can't be stored.
        Index::create()
            .name("refresh_tokens_generation")
            .table(RefreshTokens::Table)
            .col(RefreshTokens::SessionId)
            .col(RefreshTokens::Generation)
            .unique()
            .to_owned(),
        // Two processes that start on an empty database agree on one key.
        Index::create()
            .name("signing_keys_current")
            .table(SigningKeys::Table)
            .col(SigningKeys::Status)
            .unique()
            .cond_where(Expr::col(SigningKeys::Status).eq("current"))
            .to_owned(),
    ]
}
