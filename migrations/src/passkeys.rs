//! Passkeys, and the ceremonies that make or use them.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_passkeys"
    }
}

#[derive(DeriveIden)]
enum Users {
    Table,
    Id,
}

#[derive(DeriveIden)]
enum Passkeys {
    Table,
    Id,
    UserId,
    /// As the authenticator chose it.
    CredentialId,
    Name,
    /// The public key and its counter.
    Credential,
    CreatedAt,
    LastUsedAt,
}

/// A challenge that waits for its answer.
#[derive(DeriveIden)]
enum PasskeyCeremonies {
    Table,
    TokenHash,
    /// Who adds a passkey; none for a log-in.
    UserId,
    State,
    CreatedAt,
    ExpiresAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(passkeys()).await?;
        manager.create_table(ceremonies()).await?;
        let of_user = Index::create()
            .name("passkeys_user")
            .table(Passkeys::Table)
            .col(Passkeys::UserId)
            .to_owned();
        manager.create_index(of_user).await?;
        let expiry = Index::create()
            .name("passkey_ceremonies_expiry")
            .table(PasskeyCeremonies::Table)
            .col(PasskeyCeremonies::ExpiresAt)
            .to_owned();
        manager.create_index(expiry).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let ceremonies = Table::drop().table(PasskeyCeremonies::Table).to_owned();
        manager.drop_table(ceremonies).await?;
        let passkeys = Table::drop().table(Passkeys::Table).to_owned();
        manager.drop_table(passkeys).await
    }
}

fn passkeys() -> TableCreateStatement {
    Table::create()
        .table(Passkeys::Table)
        .col(pk_uuid(Passkeys::Id))
        .col(uuid(Passkeys::UserId))
        .col(blob(Passkeys::CredentialId).unique_key())
        .col(text(Passkeys::Name))
        .col(json(Passkeys::Credential))
        .col(timestamp_with_time_zone(Passkeys::CreatedAt))
        .col(timestamp_with_time_zone_null(Passkeys::LastUsedAt))
        .foreign_key(&mut of_user(Passkeys::Table, Passkeys::UserId))
        .to_owned()
}

fn ceremonies() -> TableCreateStatement {
    use PasskeyCeremonies as T;
    Table::create()
        .table(T::Table)
        .col(blob(T::TokenHash).primary_key())
        .col(uuid_null(T::UserId))
        .col(json(T::State))
        .col(timestamp_with_time_zone(T::CreatedAt))
        .col(timestamp_with_time_zone(T::ExpiresAt))
        .foreign_key(&mut of_user(T::Table, T::UserId))
        .to_owned()
}

fn of_user(table: impl IntoTableRef, column: impl IntoIden) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from(table, column)
        .to(Users::Table, Users::Id)
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
