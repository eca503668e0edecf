//! The bodies of requests and answers.

use chrono::{DateTime, Utc};
use kernel::page::{Key, Page};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursor::{CursorKey, Cursors, List};

/// An amount of money.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Money, example = json!({"amount": 1250, "currency": "EUR"}))]
pub(super) struct MoneyBody {
    /// In the currency's minor units: cents for EUR.
    amount: i64,
    /// An ISO 4217 code.
    currency: String,
}

/// Something that can be ordered.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub(super) struct ProductBody {
    id: Uuid,
    #[schema(example = "Green tea")]
    name: String,
    description: String,
    price: MoneyBody,
    /// How many pieces can be ordered now.
    #[schema(example = 120)]
    available: i64,
}

/// Someone's order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(super) struct OrderBody {
    pub(super) id: Uuid,
    /// What people call it.
    number: String,
    /// How far it has come, for example `PLACED` or `CONFIRMED`.
    #[schema(example = "CONFIRMED")]
    status: &'static str,
    lines: Vec<LineBody>,
    total: MoneyBody,
    created_at: DateTime<Utc>,
    /// The states it has been in, the oldest first.
    history: Vec<HistoryBody>,
}

/// One product of an order.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderLine)]
pub(super) struct LineBody {
    product_id: Uuid,
    /// The product's name when it was ordered.
    #[schema(example = "Green tea")]
    name: String,
    #[schema(example = 2)]
    quantity: u32,
    unit_price: MoneyBody,
    total: MoneyBody,
}

/// An order came into a state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderEvent)]
pub(super) struct HistoryBody {
    #[schema(example = "PLACED")]
    status: &'static str,
    at: DateTime<Utc>,
}

/// An order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaceOrder)]
pub(super) struct PlaceOrderBody {
    /// What is ordered, each product once.
    #[schema(min_items = 1, max_items = 50)]
    pub(super) lines: Vec<PlaceOrderLine>,
    /// The payment provider's token.
    #[schema(
        example = "pm_card_visa",
        min_length = 1,
        max_length = 100,
        pattern = "^[A-Za-z0-9_]+$"
    )]
    pub(super) payment_method: String,
}

/// One product of an order to be placed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaceOrderLine)]
pub(super) struct PlaceOrderLine {
    pub(super) product_id: Uuid,
    #[schema(example = 2, minimum = 1, maximum = 1000)]
    pub(super) quantity: i64,
}

/// A page of products.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProductPage)]
pub(super) struct ProductPageBody {
    items: Vec<ProductBody>,
    page: PageBody,
}

/// A page of orders.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OrderPage)]
pub(super) struct OrderPageBody {
    items: Vec<OrderBody>,
    page: PageBody,
}

/// How the catalogue is sorted. What sorts alike is sorted by id.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProductSort)]
pub(super) enum ProductSortQuery {
    /// What was added last comes first.
    Newest,
    /// What was added first comes first.
    #[default]
    Oldest,
    /// By name, in lower case.
    Name,
    /// The cheapest first, in each currency.
    PriceAscending,
    /// The dearest first, in each currency.
    PriceDescending,
}

/// Cursors of the neighbouring pages.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Page)]
pub(super) struct PageBody {
    /// For `after`, if there is a next page.
    next: Option<String>,
    /// For `before`, if there is a previous page.
    previous: Option<String>,
}

impl ProductPageBody {
    pub(super) fn new(page: &Page<orders::Product>, cursors: &Cursors, list: List) -> Self {
        let neighbours = PageBody::new(page, cursors, list, orders::Product::key);
        let items = page.items.iter().cloned().map(ProductBody::from).collect();
        Self {
            items,
            page: neighbours,
        }
    }
}

impl OrderPageBody {
    pub(super) fn new(page: Page<OrderBody>, cursors: &Cursors) -> Self {
        let neighbours = PageBody::new(&page, cursors, List::Orders, OrderBody::key);
        Self {
            items: page.items,
            page: neighbours,
        }
    }
}

impl PageBody {
    pub(super) fn new<T, K: CursorKey>(
        page: &Page<T>,
        cursors: &Cursors,
        list: List,
        key: impl Fn(&T) -> K,
    ) -> Self {
        let cursor = |row: Option<&T>| row.map(|row| cursors.encode(list, &key(row)));
        Self {
            next: cursor(page.items.last().filter(|_| page.has_next)),
            previous: cursor(page.items.first().filter(|_| page.has_previous)),
        }
    }
}

impl OrderBody {
    pub(super) fn new(
        order: orders::Order,
        lines: Vec<orders::OrderLine>,
        history: Vec<orders::HistoryEntry>,
    ) -> Self {
        Self {
            id: order.id.into(),
            number: order.number,
            status: order.status.as_str(),
            lines: lines.into_iter().map(LineBody::from).collect(),
            total: order.total.into(),
            created_at: order.created_at,
            history: history.into_iter().map(HistoryBody::from).collect(),
        }
    }

    fn key(&self) -> Key {
        Key {
            created_at: self.created_at,
            id: self.id,
        }
    }
}

impl From<ProductSortQuery> for orders::ProductSort {
    fn from(sort: ProductSortQuery) -> Self {
        match sort {
            ProductSortQuery::Newest => Self::Newest,
            ProductSortQuery::Oldest => Self::Oldest,
            ProductSortQuery::Name => Self::Name,
            ProductSortQuery::PriceAscending => Self::PriceAscending,
            ProductSortQuery::PriceDescending => Self::PriceDescending,
        }
    }
}

impl From<kernel::Money> for MoneyBody {
    fn from(money: kernel::Money) -> Self {
        Self {
            amount: money.amount,
            currency: money.currency.to_string(),
        }
    }
}

impl From<orders::Product> for ProductBody {
    fn from(product: orders::Product) -> Self {
        Self {
            id: product.id.into(),
            name: product.name,
            description: product.description,
            price: product.price.into(),
            available: product.available,
        }
    }
}

impl From<orders::OrderLine> for LineBody {
    fn from(line: orders::OrderLine) -> Self {
        Self {
            product_id: line.product_id.into(),
            name: line.product_name,
            quantity: line.quantity,
            unit_price: line.unit_price.into(),
            total: line.total.into(),
        }
    }
}

impl From<orders::HistoryEntry> for HistoryBody {
    fn from(entry: orders::HistoryEntry) -> Self {
        Self {
            status: entry.status.as_str(),
            at: entry.at,
        }
    }
}
