//! Indexes in the order in which a person's things are listed, and for the foreign keys that had
//! none: found by `cargo xtask plans`.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0008_identity_lists"
    }
}

/// Each with its table, its columns and the index whose work it takes over.
const INDEXES: &[(&str, &str, &[&str], Option<&str>)] = &[
    (
        "sessions_list",
        "sessions",
        &["user_id", "id"],
        Some("sessions_user"),
    ),
    (
        "api_keys_list",
        "api_keys",
        &["user_id", "id"],
        Some("api_keys_user"),
    ),
    (
        "external_identities_list",
        "external_identities",
        &["user_id", "created_at", "id"],
        Some("external_identities_user"),
    ),
    (
        "external_logins_user",
        "external_logins",
        &["user_id"],
        None,
    ),
    (
        "passkey_ceremonies_user",
        "passkey_ceremonies",
        &["user_id"],
        None,
    ),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for &(name, table, columns, replaced) in INDEXES {
            create(manager, name, table, columns).await?;
            if let Some(replaced) = replaced {
                drop_index(manager, replaced, table).await?;
            }
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for &(name, table, columns, replaced) in INDEXES {
            if let Some(replaced) = replaced {
                create(manager, replaced, table, &columns[..1]).await?;
            }
            drop_index(manager, name, table).await?;
        }
        Ok(())
    }
}

async fn create(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create().name(name).table(table).to_owned();
    for column in columns {
        index.col(*column);
    }
    manager.create_index(index).await
}

async fn drop_index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
) -> Result<(), DbErr> {
    let index = Index::drop().name(name).table(table).to_owned();
    manager.drop_index(index).await
}
