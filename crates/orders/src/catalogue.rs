//! Reading the catalogue.

use std::{collections::HashMap, sync::Arc, time::Duration};

use cache::Key;
use chrono::{DateTime, Utc};
use kernel::{
    Currency, Money, ProductId,
    page::{Direction, Page, PageRequest},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, ExprTrait, FromQueryResult, QueryFilter,
    QuerySelect, Select,
    sea_query::{Expr, Func, Query},
};
use uuid::Uuid;

use crate::{
    OrderError, Orders, Product, ProductKey,
    keyset::Sorting,
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
    /// Part of the name, in either case; one or two characters are its beginning. How far letters
    /// beyond ASCII have case is the database's to say.
    pub search: Option<String>,
}

/// How the catalogue is sorted. What sorts alike is sorted by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ProductSort {
    Newest,
    #[default]
    Oldest,
    /// In lower case, by bytes.
    Name,
    /// By currency, then the cheapest first.
    PriceAscending,
    /// The same backwards.
    PriceDescending,
}

#[derive(FromQueryResult)]
struct Row {
    id: Uuid,
    name: String,
    description: String,
    price_amount: i64,
    price_currency: String,
    version: i32,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    /// Every product has stock; one that has none yet can't be ordered.
    available: Option<i64>,
}

impl Orders {
    /// A page of the catalogue, at most a second old.
    pub async fn products(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        request: PageRequest<ProductKey>,
    ) -> Result<Arc<Page<Product>>, OrderError> {
        if !filter.search.as_deref().is_none_or(may_be_in_a_name) {
            return Ok(Arc::new(request.page(Vec::new())));
        }
        let key = format!("{PAGES}:{:?}:{sort:?}:{request:?}", filter.search);
        let load = self.load_products(filter, sort, request);
        let key = Key::of(PAGES, &key);
        Ok(self.cache.get_or_load(key, CATALOGUE_TTL, load).await?)
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
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = by_ids(self.database.reader(), ids).await?;
        Ok(rows
            .into_iter()
            .map(|product| (product.id, product))
            .collect())
    }

    async fn load_products(
        &self,
        filter: &ProductFilter,
        sort: ProductSort,
        request: PageRequest<ProductKey>,
    ) -> Result<Page<Product>, OrderError> {
        let backend = self.database.backend();
        let mut query = with_stock();
        if let Some(search) = &filter.search {
            query = query.filter(name_contains(search, backend));
        }
        if let (ProductSort::Name, Some(from)) = (sort, &request.from) {
            // It follows from the row comparison; only, SQLite does not see in that one where to
            // begin in an index over an expression.
            let (name, from) = (lower_name(backend), lower(&from.name));
            query = query.filter(if request.direction == Direction::Forward {
                name.gte(from)
            } else {
                name.lte(from)
            });
        }
        let rows = sort
            .sorting(backend)
            .page(query, &request, |key| sort.rank(key))
            .into_model::<Row>()
            .all(self.database.reader())
            .await?;
        let products = rows.into_iter().map(Product::try_from);
        Ok(request.page(products.collect::<Result<_, _>>()?))
    }
}

fn product_key(id: ProductId) -> String {
    format!("product:{id}")
}

/// Any number of products with one query, as `connection` sees them.
pub(crate) async fn by_ids(
    connection: &impl ConnectionTrait,
    ids: &[ProductId],
) -> Result<Vec<Product>, OrderError> {
    let rows = with_stock()
        .filter(products::Column::Id.is_in(ids.iter().map(|id| id.as_uuid())))
        .into_model::<Row>()
        .all(connection)
        .await?;
    rows.into_iter().map(Product::try_from).collect()
}

impl ProductSort {
    fn sorting(self, backend: DbBackend) -> Sorting {
        use products::Column::{CreatedAt, Id, PriceAmount, PriceCurrency};
        let (columns, is_ascending) = match self {
            Self::Newest => (vec![column(CreatedAt)], false),
            Self::Oldest => (vec![column(CreatedAt)], true),
            Self::Name => (vec![lower_name(backend)], true),
            Self::PriceAscending => (vec![column(PriceCurrency), column(PriceAmount)], true),
            Self::PriceDescending => (vec![column(PriceCurrency), column(PriceAmount)], false),
        };
        Sorting {
            columns: [columns, vec![column(Id)]].concat(),
            is_ascending,
        }
    }

    /// The values of the sorted columns.
    fn rank(self, key: &ProductKey) -> Vec<Expr> {
        let id = Expr::value(key.id.as_uuid());
        match self {
            Self::Newest | Self::Oldest => vec![Expr::value(key.created_at), id],
            Self::Name => vec![lower(&key.name), id],
            Self::PriceAscending | Self::PriceDescending => {
                let Money { amount, currency } = key.price;
                vec![Expr::value(currency.code()), Expr::value(amount), id]
            }
        }
    }
}

fn column(column: products::Column) -> Expr {
    Expr::col((products::Entity, column))
}

/// The database lowers both sides of a comparison: it and Rust do not agree on what a lower-case
/// letter is.
fn lower(text: &str) -> Expr {
    Func::lower(Expr::value(text)).into()
}

fn lower_name(backend: DbBackend) -> Expr {
    let name = Func::lower(column(products::Column::Name)).into();
    database::in_byte_order(name, backend)
}

/// Whether the database need be asked: SQLite refuses patterns of more than 50,000 bytes, and
/// PostgreSQL text with a NUL.
fn may_be_in_a_name(search: &str) -> bool {
    search.len() <= MAX_SEARCH && !search.contains('\0')
}

/// Stock is looked up row by row, and only for rows that are shown: a join might read all of it.
fn with_stock() -> Select<products::Entity> {
    let available = Query::select()
        .column((stock::Entity, stock::Column::Available))
        .from(stock::Entity)
        .and_where(
            Expr::col((stock::Entity, stock::Column::ProductId))
                .equals((products::Entity, products::Column::Id)),
        )
        .take();
    products::Entity::find().expr_as(available, "available")
}

/// What is searched for stands for itself, `%` and `_` too.
fn name_contains(search: &str, backend: DbBackend) -> Expr {
    if search.chars().count() >= database::TRIGRAM {
        return database::contains("products", "name", search, backend);
    }
    // No name that begins so sorts after it with the last character there is.
    let end = format!("{search}{}", char::MAX);
    let name = lower_name(backend);
    name.clone().gte(lower(search)).and(name.lt(lower(&end)))
}

impl TryFrom<Row> for Product {
    type Error = OrderError;

    fn try_from(row: Row) -> Result<Self, OrderError> {
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            description: row.description,
            price: Money::new(row.price_amount, Currency::parse(&row.price_currency)?),
            available: row.available.unwrap_or_default(),
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}
