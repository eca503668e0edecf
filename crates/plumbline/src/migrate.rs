//! Schema migrations of both databases.

use database::Database;
use migrations::{AuthMigrator, MigrationStatus, MigratorTrait, OrdersMigrator};

use crate::{StartError, settings::Settings};

/// What `plumbline migrate` is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Direction {
    /// Apply what is missing.
    Up,
    /// Take the last migration back.
    Down,
    /// List them, applied or not.
    Status,
}

pub(crate) async fn run(settings: &Settings, direction: Direction) -> Result<String, StartError> {
    let auth = connect("auth", &settings.auth.database_url, 1).await?;
    let orders = connect("orders", &settings.orders.database_url, 1).await?;
    let auth = migrate::<AuthMigrator>("auth", &auth, direction).await?;
    let orders = migrate::<OrdersMigrator>("orders", &orders, direction).await?;
    Ok(auth + &orders)
}

pub(crate) async fn connect(
    context: &'static str,
    url: &str,
    max_connections: u32,
) -> Result<Database, StartError> {
    Database::connect(url, max_connections)
        .await
        .map_err(|source| StartError::Database { context, source })
}

pub(crate) async fn up<M: MigratorTrait>(
    context: &'static str,
    database: &Database,
) -> Result<(), StartError> {
    let migrated = M::up(database.writer(), None).await;
    migrated.map_err(|source| StartError::Migrate { context, source })
}

/// Refuses a schema that is not the newest.
pub(crate) async fn check<M: MigratorTrait>(
    context: &'static str,
    database: &Database,
) -> Result<(), StartError> {
    let pending = M::get_pending_migrations(database.writer()).await;
    match pending
        .map_err(|source| StartError::Migrate { context, source })?
        .len()
    {
        0 => Ok(()),
        pending => Err(StartError::Unmigrated { context, pending }),
    }
}

async fn migrate<M: MigratorTrait>(
    context: &'static str,
    database: &Database,
    direction: Direction,
) -> Result<String, StartError> {
    let failed = |source| StartError::Migrate { context, source };
    match direction {
        Direction::Up => M::up(database.writer(), None).await.map_err(failed)?,
        Direction::Down => M::down(database.writer(), Some(1)).await.map_err(failed)?,
        Direction::Status => {}
    }
    let migrations = M::get_migration_with_status(database.writer())
        .await
        .map_err(failed)?;
    let lines = migrations.iter().map(|migration| {
        let status = match migration.status() {
            MigrationStatus::Applied => "applied",
            MigrationStatus::Pending => "pending",
        };
        format!("{context:<8}{status:<9}{}\n", migration.name())
    });
    Ok(lines.collect())
}
