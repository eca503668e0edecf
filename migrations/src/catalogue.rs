//! What administrating, searching and sorting the catalogue and listing all orders needs.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0007_catalogue"
    }
}

#[derive(DeriveIden)]
enum Products {
    Table,
    Id,
    PriceAmount,
    PriceCurrency,
    /// Counts the changes, so that of two people who edit at once the second is told.
    Version,
}

#[derive(DeriveIden)]
enum Orders {
    Table,
    Id,
    Status,
    CreatedAt,
}

/// What was asked of the catalogue under an idempotency key.
#[derive(DeriveIden)]
enum CatalogueRequests {
    Table,
    ActorId,
    IdempotencyKey,
    BodyHash,
    ProductId,
    CreatedAt,
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let version = Table::alter()
            .table(Products::Table)
            .add_column(integer(Products::Version).default(1))
            .to_owned();
        manager.alter_table(version).await?;
        manager.create_table(catalogue_requests()).await?;
        for index in indexes() {
            manager.create_index(index).await?;
        }
        execute(manager, text_indexes(manager.get_database_backend())).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let indexes: &[&str] = match manager.get_database_backend() {
            // The extension stays: others may use it.
            DbBackend::Postgres => &["DROP INDEX products_search", "DROP INDEX products_by_name"],
            _ => &[
                "DROP TRIGGER products_search_insert",
                "DROP TRIGGER products_search_update",
                "DROP TRIGGER products_search_delete",
                "DROP TABLE products_search",
                "DROP INDEX products_by_name",
            ],
        };
        execute(manager, indexes).await?;
        for index in ["products_by_price", "orders_page", "orders_by_status"] {
            manager
                .drop_index(Index::drop().name(index).to_owned())
                .await?;
        }
        let requests = Table::drop().table(CatalogueRequests::Table).to_owned();
        manager.drop_table(requests).await?;
        let version = Table::alter()
            .table(Products::Table)
            .drop_column(Products::Version)
            .to_owned();
        manager.alter_table(version).await
    }
}

fn catalogue_requests() -> TableCreateStatement {
    Table::create()
        .table(CatalogueRequests::Table)
        .col(uuid(CatalogueRequests::ActorId))
        .col(text(CatalogueRequests::IdempotencyKey))
        .col(text(CatalogueRequests::BodyHash))
        .col(uuid(CatalogueRequests::ProductId))
        .col(timestamp_with_time_zone(CatalogueRequests::CreatedAt))
        .primary_key(
            Index::create()
                .col(CatalogueRequests::ActorId)
                .col(CatalogueRequests::IdempotencyKey),
        )
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        Index::create()
            .name("products_by_price")
            .table(Products::Table)
            .col(Products::PriceCurrency)
            .col(Products::PriceAmount)
            .col(Products::Id)
            .to_owned(),
        Index::create()
            .name("orders_page")
            .table(Orders::Table)
            .col(Orders::CreatedAt)
            .col(Orders::Id)
            .to_owned(),
        Index::create()
            .name("orders_by_status")
            .table(Orders::Table)
            .col(Orders::Status)
            .col(Orders::CreatedAt)
            .col(Orders::Id)
            .to_owned(),
    ]
}

/// Parts of a name are found by their trigrams. `pg_trgm` comes with PostgreSQL's contrib and is
/// trusted: the owner of the database may create it.
const fn text_indexes(backend: DbBackend) -> &'static [&'static str] {
    match backend {
        DbBackend::Postgres => &[
            "CREATE EXTENSION IF NOT EXISTS pg_trgm",
            "CREATE INDEX products_search ON products USING gin (lower(name) gin_trgm_ops)",
            r#"CREATE INDEX products_by_name ON products (lower(name) COLLATE "C", id)"#,
        ],
        _ => &[
            "CREATE INDEX products_by_name ON products (lower(name), id)",
            "CREATE VIRTUAL TABLE products_search
                USING fts5(id UNINDEXED, name, tokenize = 'trigram')",
            "INSERT INTO products_search (id, name) SELECT id, name FROM products",
            "CREATE TRIGGER products_search_insert AFTER INSERT ON products BEGIN
                INSERT INTO products_search (id, name) VALUES (new.id, new.name);
            END",
            "CREATE TRIGGER products_search_update AFTER UPDATE OF name ON products BEGIN
                UPDATE products_search SET name = new.name WHERE id = old.id;
            END",
            "CREATE TRIGGER products_search_delete AFTER DELETE ON products BEGIN
                DELETE FROM products_search WHERE id = old.id;
            END",
        ],
    }
}

async fn execute(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}
