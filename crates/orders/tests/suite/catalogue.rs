use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::future::join_all;
use kernel::{
    Currency, Money, ProductId,
    page::{Direction, Page, PageRequest},
};
use orders::{Product, ProductFilter, ProductKey, ProductSort};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, customer, eur},
};

async fn search(shop: &Shop, text: &str) -> Vec<String> {
    let filter = ProductFilter {
        search: Some(text.to_owned()),
    };
    let request = PageRequest::new(100, Direction::Forward, None).unwrap();
    let page = shop
        .orders
        .products(&filter, ProductSort::default(), request)
        .await
        .unwrap();
    page.items
        .iter()
        .map(|product| product.name.clone())
        .collect()
}

async fn page(shop: &Shop, direction: Direction, from: Option<ProductKey>) -> Page<Product> {
    let request = PageRequest::new(2, direction, from).unwrap();
    let page = shop
        .orders
        .products(&ProductFilter::default(), ProductSort::default(), request)
        .await;
    page.unwrap().as_ref().clone()
}

fn ids(page: &Page<Product>) -> Vec<ProductId> {
    page.items.iter().map(|product| product.id).collect()
}

async fn five_products(shop: &Shop) -> Vec<ProductId> {
    let mut products = Vec::new();
    for number in 0..5 {
        products.push(
            shop.add_product(&format!("No. {number}"), eur(100), 1)
                .await,
        );
    }
    products
}

#[tokio::test]
async fn what_is_searched_for_stands_for_itself() {
    on_each_database(async |shop| {
        for name in [
            "100% wool",
            "1000 nails",
            "a_b",
            "axb",
            r"back\slash",
            "O'Hara",
        ] {
            shop.add_product(name, eur(100), 1).await;
        }
        for (text, expected) in [
            ("100%", vec!["100% wool"]),
            ("0% ", vec!["100% wool"]),
            ("%", vec![]),
            ("%%%", vec![]),
            ("a_b", vec!["a_b"]),
            ("___", vec![]),
            (r"k\s", vec![r"back\slash"]),
            (r"\\\", vec![]),
            ("o'h", vec!["O'Hara"]),
            ("\"100", vec![]),
            ("100\" OR \"nai", vec![]),
            ("100*", vec![]),
            ("'; DROP TABLE products; --", vec![]),
        ] {
            assert_eq!(search(shop, text).await, expected, "{text:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_search_takes_either_case_and_finds_accented_names_as_written() {
    on_each_database(async |shop| {
        shop.add_product("Änderungsmaß", eur(100), 1).await;
        shop.add_product("Spirit Level", eur(100), 1).await;
        assert_eq!(search(shop, "sPIRIT lEVEL").await, ["Spirit Level"]);
        for text in ["Änderung", "nderungsMAß", "Ä"] {
            assert_eq!(search(shop, text).await, ["Änderungsmaß"], "{text:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_search_for_what_no_name_can_be_finds_nothing() {
    on_each_database(async |shop| {
        shop.add_product("Plumb bob", eur(100), 1).await;
        assert_eq!(search(shop, &"b".repeat(60_000)).await, [""; 0]);
        assert_eq!(search(shop, "bob\0").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn a_search_can_be_paged() {
    on_each_database(async |shop| {
        let mut levels = Vec::new();
        for number in 0..5 {
            shop.add_product(&format!("Rule {number}"), eur(100), 1)
                .await;
            levels.push(
                shop.add_product(&format!("Level {number}"), eur(100), 1)
                    .await,
            );
        }
        let filter = ProductFilter {
            search: Some("level".to_owned()),
        };
        let mut seen = Vec::new();
        let mut from = None;
        loop {
            let request = PageRequest::new(2, Direction::Forward, from).unwrap();
            let page = shop
                .orders
                .products(&filter, ProductSort::default(), request)
                .await
                .unwrap();
            seen.extend(ids(&page));
            from = page.items.last().map(Product::key);
            if !page.has_next {
                break;
            }
        }
        assert_eq!(seen, levels);
    })
    .await;
}

const SORTS: [ProductSort; 5] = [
    ProductSort::Newest,
    ProductSort::Oldest,
    ProductSort::Name,
    ProductSort::PriceAscending,
    ProductSort::PriceDescending,
];

/// Names, prices and currencies that meet: whole rows of ties for the id to settle.
async fn a_mixed_catalogue(shop: &Shop) {
    let usd = |amount| Money::new(amount, Currency::parse("USD").unwrap());
    for (name, price) in [
        ("rule", eur(300)),
        ("Rule", eur(300)),
        ("Rule", usd(300)),
        ("bob", usd(100)),
        ("Änderung", eur(100)),
        ("_level", eur(99_999)),
        ("Bob", eur(100)),
        ("bob", eur(100)),
        ("Zange 10", eur(200)),
    ] {
        shop.add_product(name, price, 1).await;
    }
}

/// What the catalogue's sort says of a product, without the id. A letter beyond ASCII keeps its case
/// here, since databases differ on it; it sorts after all others either way.
fn rank(sort: ProductSort, product: &Product) -> (String, i64) {
    let time = product.created_at.timestamp_micros();
    let Money { amount, currency } = product.price;
    match sort {
        ProductSort::Newest | ProductSort::Oldest => (String::new(), time),
        ProductSort::Name => (product.name.to_ascii_lowercase(), 0),
        ProductSort::PriceAscending | ProductSort::PriceDescending => {
            (currency.to_string(), amount)
        }
    }
}

fn goes_down(sort: ProductSort) -> bool {
    matches!(sort, ProductSort::Newest | ProductSort::PriceDescending)
}

async fn all(shop: &Shop, filter: &ProductFilter, sort: ProductSort) -> Vec<Product> {
    let request = PageRequest::new(100, Direction::Forward, None).unwrap();
    let page = shop.orders.products(filter, sort, request).await.unwrap();
    page.items.clone()
}

#[tokio::test]
async fn the_catalogue_is_sorted_as_asked_and_ties_by_id() {
    on_each_database(async |shop| {
        a_mixed_catalogue(shop).await;
        for sort in SORTS {
            let listed = all(shop, &ProductFilter::default(), sort).await;
            let mut expected = listed.clone();
            expected.sort_by_key(|product| (rank(sort, product), product.id));
            if goes_down(sort) {
                expected.reverse();
            }
            assert_eq!(listed.len(), 9);
            assert_eq!(listed, expected, "{sort:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn every_sort_is_paged_both_ways_without_a_gap_or_a_repeat() {
    on_each_database(async |shop| {
        a_mixed_catalogue(shop).await;
        let search = |text: &str| ProductFilter {
            search: Some(text.to_owned()),
        };
        for filter in [ProductFilter::default(), search("rul"), search("b")] {
            for sort in SORTS {
                let expected = all(shop, &filter, sort).await;
                assert!(expected.len() >= 3, "{filter:?}");
                for direction in [Direction::Forward, Direction::Backward] {
                    let walked = walk(shop, &filter, sort, direction).await;
                    assert_eq!(walked, expected, "{filter:?}, {sort:?}, {direction:?}");
                }
            }
        }
    })
    .await;
}

/// All pages of two, put together in the list's order.
async fn walk(
    shop: &Shop,
    filter: &ProductFilter,
    sort: ProductSort,
    direction: Direction,
) -> Vec<Product> {
    let mut walked = Vec::new();
    let mut from = None;
    loop {
        let request = PageRequest::new(2, direction, from).unwrap();
        let page = shop.orders.products(filter, sort, request).await.unwrap();
        let (edge, is_last) = match direction {
            Direction::Forward => {
                walked.extend(page.items.iter().cloned());
                (page.items.last(), !page.has_next)
            }
            Direction::Backward => {
                walked.splice(0..0, page.items.iter().cloned());
                (page.items.first(), !page.has_previous)
            }
        };
        from = edge.map(Product::key);
        if is_last {
            return walked;
        }
    }
}

#[tokio::test]
async fn one_or_two_characters_are_the_beginning_of_a_name() {
    on_each_database(async |shop| {
        a_mixed_catalogue(shop).await;
        assert_eq!(search(shop, "B").await, ["bob", "Bob", "bob"]);
        assert_eq!(search(shop, "ru").await, ["rule", "Rule", "Rule"]);
        assert_eq!(search(shop, "ob").await, [""; 0]);
        assert_eq!(search(shop, "_").await, ["_level"]);
        assert_eq!(search(shop, "Än").await, ["Änderung"]);
        assert_eq!(search(shop, "10").await, [""; 0]);
        assert_eq!(search(shop, " 10").await, ["Zange 10"]);
    })
    .await;
}

#[tokio::test]
async fn a_name_is_found_as_it_is_now() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(100), 1).await;
        let id = || [bob.as_uuid().into()];
        shop.execute(
            "UPDATE products SET name = 'Line level' WHERE id = $1",
            id(),
        )
        .await;
        assert_eq!(search(shop, "plumb").await, [""; 0]);
        assert_eq!(search(shop, "LEVEL").await, ["Line level"]);
        shop.execute("DELETE FROM stock WHERE product_id = $1", id())
            .await;
        shop.execute("DELETE FROM products WHERE id = $1", id())
            .await;
        assert_eq!(search(shop, "line").await, [""; 0]);
    })
    .await;
}

#[tokio::test]
async fn the_catalogue_is_paged_both_ways_while_products_are_added() {
    on_each_database(async |shop| {
        let products = five_products(shop).await;
        let first = page(shop, Direction::Forward, None).await;
        assert_eq!(ids(&first), products[..2]);
        assert!(first.has_next && !first.has_previous);

        let added = shop.add_product("No. 5", eur(100), 1).await;
        let second = page(shop, Direction::Forward, Some(first.items[1].key())).await;
        assert_eq!(ids(&second), products[2..4]);
        let third = page(shop, Direction::Forward, Some(second.items[1].key())).await;
        assert_eq!(ids(&third), [products[4], added]);
        assert!(!third.has_next && third.has_previous);

        let back = page(shop, Direction::Backward, Some(third.items[0].key())).await;
        assert_eq!(back.items, second.items);
        assert!(back.has_next && back.has_previous);
        let last = page(shop, Direction::Backward, None).await;
        assert_eq!(ids(&last), ids(&third));
        assert!(!last.has_next && last.has_previous);
    })
    .await;
}

#[tokio::test]
async fn a_product_tells_what_is_left_of_it() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let order = shop.place(&customer(), &[(bob, 4)]).await;
        shop.reserve(order.id).await;
        let product = shop.orders.product(bob).await.unwrap();
        let product = product.as_ref().as_ref().expect("the product is there");
        assert_eq!((product.price, product.available), (eur(1_250), 6));
    })
    .await;
}

#[tokio::test]
async fn an_unknown_product_is_none() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let unknown: ProductId = Uuid::now_v7().into();
        assert_eq!(*shop.orders.product(unknown).await.unwrap(), None);
        let found = shop.orders.products_by_ids(&[unknown, bob]).await.unwrap();
        assert_eq!(found.into_keys().collect::<Vec<_>>(), [bob]);
        assert!(shop.orders.products_by_ids(&[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_demo_shop_is_filled_once() {
    on_each_database(async |shop| {
        assert_eq!(shop.orders.seed_demo_shop().await.unwrap(), 60);
        assert_eq!(shop.orders.seed_demo_shop().await.unwrap(), 0);
        assert_eq!(search(shop, "tape measure").await.len(), 5);
        let findings = shop.orders.audit().await.unwrap();
        assert!(findings.iter().all(|finding| finding.violations == 0));
    })
    .await;
}

#[tokio::test]
async fn copies_of_a_product_are_forgotten_when_it_is_said_to_have_changed() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let unknown: ProductId = Uuid::now_v7().into();
        for _ in 0..2 {
            assert_eq!(*shop.orders.product(unknown).await.unwrap(), None);
            shop.orders.product(bob).await.unwrap();
            page(shop, Direction::Forward, None).await;
        }
        let renamed = "UPDATE products SET name = 'Plumb bob, new' WHERE name = 'Plumb bob'";
        shop.execute(renamed, []).await;
        shop.orders.forget_product(bob).await;
        let product = shop.orders.product(bob).await.unwrap();
        assert_eq!(product.as_ref().as_ref().unwrap().name, "Plumb bob, new");
        let page = page(shop, Direction::Forward, None).await;
        assert_eq!(page.items[0].name, "Plumb bob, new");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hundred_readers_of_what_is_not_cached_ask_the_database_once() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let count = move |_: &str| {
            counter.fetch_add(1, Ordering::SeqCst);
        };
        let orders = shop.observed_process(count).await;
        for id in [bob, Uuid::now_v7().into()] {
            asked.store(0, Ordering::SeqCst);
            let start = Arc::new(Barrier::new(500));
            let readers = (0..500).map(|_| {
                let (orders, start) = (orders.clone(), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    orders.product(id).await.unwrap().is_some()
                })
            });
            for found in join_all(readers).await {
                assert_eq!(found.unwrap(), id == bob);
            }
            assert_eq!(asked.load(Ordering::SeqCst), 1, "what does not exist, too");
        }
    })
    .await;
}
