//! Reading the catalogue.

use std::{collections::HashMap, sync::Arc, time::Duration};

use cache::Key;
use chrono::{DateTime, Utc};
use kernel::{
    Currency, Money, ProductId,
    page::{Page, PageRequest},
};
use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect,
    Select,
    sea_query::{BinOper, Expr, Func},
};
use uuid::Uuid;

use crate::{
    OrderError, Orders, Product,
    read::keyset,
    store::{products, stock},
};

/// In bytes. No product's name is longer.
const MAX_SEARCH: usize = 1_000;

/// A page of the catalogue may be this old. Stock is checked again when an order is worked on.
const CATALOGUE_TTL: Duration = Duration::from_secs(1);

/// The group of all cached pages.
const PAGES: &str = "products";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProductFilter {
    /// Part of the name, in any case. How far letters beyond ASCII have case is the database's to
    /// say: on SQLite they have none.
    pub search: Option<String>,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    name: String,
    description: String,
    price_amount: i64,
    price_currency: String,
    created_at: DateTime<Utc>,
    available: i64,
}

impl Orders {
    /// A page of the catalogue, oldest first, at most a second old.
    pub async fn products(
        &self,
        filter: &ProductFilter,
        request: PageRequest,
    ) -> Result<Arc<Page<Product>>, OrderError> {
        if !filter.search.as_deref().is_none_or(may_be_in_a_name) {
            return Ok(Arc::new(request.page(Vec::new())));
        }
        let key = format!("products:{:?}:{request:?}", filter.search);
        let page = self.cache.get_or_load(
            Key::of(PAGES, &key),
            CATALOGUE_TTL,
            self.load_products(filter, request),
        );
        Ok(page.await?)
    }

    /// One product, at most a second old.
    pub async fn product(&self, id: ProductId) -> Result<Arc<Option<Product>>, OrderError> {
        let load = async { Ok(self.products_by_ids(&[id]).await?.remove(&id)) };
        Ok(self
            .cache
            .get_or_load(&product_key(id), CATALOGUE_TTL, load)
            .await?)
    }

    /// Forgets the copies of a product, which has changed, and of every page it may be on.
    pub async fn forget_product(&self, id: ProductId) {
        self.cache.invalidate(&product_key(id)).await;
        self.cache.invalidate(PAGES).await;
    }

    /// Forgets the copies that this process has of anything: it may have missed a change.
    pub fn forget_copies(&self) {
        self.cache.forget_all();
    }

    /// Any number of products with one query, as they are now.
    pub async fn products_by_ids(
        &self,
        ids: &[ProductId],
    ) -> Result<HashMap<ProductId, Product>, OrderError> {
        let ids = ids.iter().map(|id| id.as_uuid());
        let rows = with_stock()
            .filter(products::Column::Id.is_in(ids))
            .into_model::<Row>()
            .all(self.database.reader())
            .await?;
        rows.into_iter()
            .map(|row| Product::try_from(row).map(|product| (product.id, product)))
            .collect()
    }

    async fn load_products(
        &self,
        filter: &ProductFilter,
        request: PageRequest,
    ) -> Result<Page<Product>, OrderError> {
        let mut query = with_stock();
        if let Some(search) = &filter.search {
            query = query.filter(name_contains(search));
        }
        let columns = (products::Column::CreatedAt, products::Column::Id);
        let rows = keyset(query, columns, request)
            .into_model::<Row>()
            .all(self.database.reader());
        let rows = rows
            .await?
            .into_iter()
            .map(Product::try_from)
            .collect::<Result<Vec<_>, _>>()?;
        Ok(request.page(rows))
    }
}

fn product_key(id: ProductId) -> String {
    format!("product:{id}")
}

/// Whether the database need be asked: SQLite refuses patterns of more than 50,000 bytes, and
/// PostgreSQL text with a NUL.
fn may_be_in_a_name(search: &str) -> bool {
    search.len() <= MAX_SEARCH && !search.contains('\0')
}

fn with_stock() -> Select<products::Entity> {
    let stock_of_product = products::Entity::belongs_to(stock::Entity)
        .from(products::Column::Id)
        .to(stock::Column::ProductId)
        .into();
    products::Entity::find()
        .select_only()
        .columns([
            products::Column::Id,
            products::Column::Name,
            products::Column::Description,
            products::Column::PriceAmount,
            products::Column::PriceCurrency,
            products::Column::CreatedAt,
        ])
        .column(stock::Column::Available)
        .join(JoinType::InnerJoin, stock_of_product)
}

/// What is searched for stands for itself, `%` and `_` too. The database lowers both sides: it and
/// Rust do not agree on what a lower-case letter is.
fn name_contains(search: &str) -> Expr {
    let literal = search
        .replace('\\', r"\\")
        .replace('%', r"\%")
        .replace('_', r"\_");
    let name = Func::lower(Expr::col((products::Entity, products::Column::Name)));
    let pattern = Func::lower(Expr::value(format!("%{literal}%")));
    Expr::from(name).binary(
        BinOper::Like,
        Expr::from(pattern).binary(BinOper::Escape, Expr::Constant('\\'.into())),
    )
}

impl TryFrom<Row> for Product {
    type Error = OrderError;

    fn try_from(row: Row) -> Result<Self, OrderError> {
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            price: Money::new(row.price_amount, Currency::parse(&row.price_currency)?),
            available: row.available,
            created_at: row.created_at,
        })
    }
}
