//! Lists are answered by indexes on SQLite, which the gate of PostgreSQL's plans does not look at:
//! nothing reads a whole table, and a page that is not searched for is not sorted.

use std::sync::{Arc, Mutex};

use kernel::{
    Role,
    page::{Direction, PageRequest},
};
use orders::{OrderFilter, Orders, Product, ProductFilter, ProductSort, domain::OrderStatus};
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use crate::{
    databases::on_each_database,
    shop::{Shop, eur, someone},
};

const SORTS: [ProductSort; 5] = [
    ProductSort::Newest,
    ProductSort::Oldest,
    ProductSort::Name,
    ProductSort::PriceAscending,
    ProductSort::PriceDescending,
];

/// How SQLite would answer a statement, whatever its parameters are.
async fn plan(shop: &Shop, sql: &str) -> Vec<String> {
    let explain = Statement::from_string(DbBackend::Sqlite, format!("EXPLAIN QUERY PLAN {sql}"));
    let rows = shop.database().reader().query_all_raw(explain).await;
    let detail = |row: sea_orm::QueryResult| row.try_get("", "detail").unwrap();
    rows.expect(sql).into_iter().map(detail).collect()
}

/// The plans of what `ask` asks.
async fn plans(shop: &Shop, ask: impl AsyncFnOnce(&Orders)) -> Vec<(String, Vec<String>)> {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let ear = asked.clone();
    let orders = shop
        .observed(move |sql| ear.lock().unwrap().push(sql.to_owned()))
        .await;
    ask(&orders).await;
    let asked = asked.lock().unwrap().clone();
    assert!(!asked.is_empty());
    let mut plans = Vec::new();
    for sql in asked {
        let plan = plan(shop, &sql).await;
        plans.push((sql, plan));
    }
    plans
}

/// Both the first page and one further on.
async fn ask_for_pages(orders: &Orders, filter: &ProductFilter, sort: ProductSort, from: &Product) {
    for from in [None, Some(from.key())] {
        for direction in [Direction::Forward, Direction::Backward] {
            let request = PageRequest::new(2, direction, from.clone()).unwrap();
            orders.products(filter, sort, request).await.unwrap();
        }
    }
}

fn assert_indexed(plans: &[(String, Vec<String>)], may_sort: bool) {
    for (sql, plan) in plans {
        for step in plan {
            let reads_all = step.starts_with("SCAN")
                && !step.contains("USING INDEX")
                && !step.contains("VIRTUAL TABLE INDEX");
            assert!(!reads_all, "{step}\n{plan:#?}\n{sql}");
            let sorts = step.contains("TEMP B-TREE");
            assert!(may_sort || !sorts, "{step}\n{plan:#?}\n{sql}");
            // From the beginning of an index only when the page begins there.
            let from_the_start = step.starts_with("SCAN") && sql.contains(") > (");
            assert!(!from_the_start, "{step}\n{plan:#?}\n{sql}");
        }
    }
}

#[tokio::test]
async fn the_catalogue_is_sorted_and_searched_by_indexes() {
    on_each_database(async |shop| {
        if shop.database().backend() != DbBackend::Sqlite {
            return;
        }
        let bob = shop.add_product("Plumb bob", eur(100), 1).await;
        let bob = shop.orders.product(bob).await.unwrap();
        let bob = bob.as_ref().as_ref().expect("the product is there");
        for sort in SORTS {
            let all = ProductFilter::default();
            let plans = plans(shop, async |orders| {
                ask_for_pages(orders, &all, sort, bob).await;
            });
            assert_indexed(&plans.await, false);
        }
        for text in ["plumb", "pl"] {
            let search = ProductFilter {
                search: Some(text.to_owned()),
            };
            let plans = plans(shop, async |orders| {
                let request = PageRequest::new(2, Direction::Forward, None).unwrap();
                let page = orders.products(&search, ProductSort::Oldest, request);
                assert_eq!(page.await.unwrap().items.len(), 1);
            });
            let plans = plans.await;
            assert_indexed(&plans, true);
            let index = if text.len() < database::TRIGRAM {
                "products_by_name"
            } else {
                "VIRTUAL TABLE INDEX"
            };
            let is_used = plans[0].1.iter().any(|step| step.contains(index));
            assert!(is_used, "{plans:#?}");
        }
    })
    .await;
}

#[tokio::test]
async fn everybodys_orders_are_listed_by_indexes() {
    on_each_database(async |shop| {
        if shop.database().backend() != DbBackend::Sqlite {
            return;
        }
        let none = OrderFilter::default;
        let filters = [
            none(),
            OrderFilter {
                status: Some(OrderStatus::Placed),
                ..none()
            },
            OrderFilter {
                customer_id: Some(someone(Role::Customer).user_id),
                ..none()
            },
        ];
        for filter in filters {
            let plans = plans(shop, async |orders| {
                let request = PageRequest::new(2, Direction::Forward, None).unwrap();
                let support = someone(Role::Support);
                orders.all_orders(&support, &filter, request).await.unwrap();
            });
            assert_indexed(&plans.await, false);
        }
    })
    .await;
}
