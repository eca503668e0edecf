//! Finds users by the beginning of their address or name without reading them all.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_user_search"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // The unique index on the address does for SQLite, which compares bytes; PostgreSQL's is
        // in the order of a language.
        let indexes: &[&str] = match manager.get_database_backend() {
            DbBackend::Postgres => &[
                "CREATE INDEX users_email_start ON users (email text_pattern_ops)",
                "CREATE INDEX users_name_start ON users (lower(name) text_pattern_ops)",
            ],
            _ => &["CREATE INDEX users_name_start ON users (lower(name))"],
        };
        execute(manager, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let indexes = [
            "DROP INDEX IF EXISTS users_name_start",
            "DROP INDEX IF EXISTS users_email_start",
        ];
        execute(manager, &indexes).await
    }
}

async fn execute(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}
