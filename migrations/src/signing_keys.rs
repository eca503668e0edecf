//! Rotation of the keys that sign access tokens.

use sea_orm_migration::{prelude::*, schema::*};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0003_signing_keys"
    }
}

#[derive(DeriveIden)]
enum SigningKeys {
    Table,
    Status,
    /// `EdDSA` or `ES256`.
    Algorithm,
    /// When it was published, before it signed anything.
    CreatedAt,
    /// When it began to sign.
    ActivatedAt,
    /// When it stopped signing. It still verifies.
    SupersededAt,
    /// When it stopped verifying. Its private key is gone.
    RetiredAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            text(SigningKeys::Algorithm).default("EdDSA").take(),
            timestamp_with_time_zone_null(SigningKeys::ActivatedAt),
            timestamp_with_time_zone_null(SigningKeys::SupersededAt),
            timestamp_with_time_zone_null(SigningKeys::RetiredAt),
        ] {
            let add = Table::alter()
                .table(SigningKeys::Table)
                .add_column(column)
                .to_owned();
            manager.alter_table(add).await?;
        }
        // Until now every key has signed from the start.
        let activate = Query::update()
            .table(SigningKeys::Table)
            .value(SigningKeys::ActivatedAt, Expr::col(SigningKeys::CreatedAt))
            .to_owned();
        manager.execute(activate).await?;
        manager.create_index(one_next_key()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop()
            .name("signing_keys_next")
            .table(SigningKeys::Table)
            .to_owned();
        manager.drop_index(index).await?;
        for column in [
            SigningKeys::RetiredAt,
            SigningKeys::SupersededAt,
            SigningKeys::ActivatedAt,
            SigningKeys::Algorithm,
        ] {
            let drop = Table::alter()
                .table(SigningKeys::Table)
                .drop_column(column)
                .to_owned();
            manager.alter_table(drop).await?;
        }
        Ok(())
    }
}

/// As `signing_keys_current` of the first migration.
fn one_next_key() -> IndexCreateStatement {
    Index::create()
        .name("signing_keys_next")
        .table(SigningKeys::Table)
        .col(SigningKeys::Status)
        .unique()
        .cond_where(Expr::col(SigningKeys::Status).eq("next"))
        .to_owned()
}
