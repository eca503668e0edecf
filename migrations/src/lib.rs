//! The schema of both databases: one migrator each, the same on PostgreSQL and SQLite.
//!
//! A migration that has been released is never changed; a later one amends it. On SQLite an
//! `ALTER TABLE` statement makes one change only.

mod auth;
mod catalogue;
mod identity;
mod identity_lists;
mod messaging_tables;
mod orders;
mod passkeys;
mod payments;
mod refunds;
mod retries;
mod signing_keys;
mod timeline;
mod user_search;

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::{DbErr, MigrationStatus, MigratorTrait};

/// Schema of the identity context.
pub struct AuthMigrator;

impl MigratorTrait for AuthMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(messaging_tables::Migration),
            Box::new(auth::Migration),
            Box::new(signing_keys::Migration),
            Box::new(identity::Migration),
            Box::new(passkeys::Migration),
            Box::new(user_search::Migration),
            Box::new(identity_lists::Migration),
            Box::new(retries::Migration),
        ]
    }
}

/// Schema of the ordering context.
pub struct OrdersMigrator;

impl MigratorTrait for OrdersMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(messaging_tables::Migration),
            Box::new(orders::Migration),
            Box::new(catalogue::Migration),
            Box::new(refunds::Migration),
            Box::new(payments::Migration),
            Box::new(retries::Migration),
            Box::new(timeline::Migration),
        ]
    }
}
