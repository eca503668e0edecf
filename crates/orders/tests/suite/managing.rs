//! Changing the catalogue: products, their prices and their stock.

use contracts::product_event::CHANGED;
use futures_util::future::join_all;
use kernel::{Actor, Permission, ProductId, Role, Scope};
use orders::{
    CatalogueError, Order, OrderError, Product,
    domain::{AdjustStock, CreateProduct, MAX_STOCK, UpdateProduct},
};
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Counters, Shop, counters, customer, eur, someone},
};

fn admin() -> Actor {
    someone(Role::Admin)
}

fn new_product(key: &str) -> CreateProduct {
    CreateProduct {
        idempotency_key: key.parse().unwrap(),
        name: "Plumb bob".to_owned(),
        description: "Points straight down.".to_owned(),
        price: eur(1_250),
        stock: 10,
    }
}

fn renaming(product: &Product, name: &str) -> UpdateProduct {
    UpdateProduct {
        product_id: product.id,
        version: product.version,
        name: Some(name.to_owned()),
        description: None,
        price: None,
    }
}

fn adjusting(product_id: ProductId, key: &str, delta: i64) -> AdjustStock {
    AdjustStock {
        idempotency_key: key.parse().unwrap(),
        product_id,
        delta,
    }
}

async fn created(shop: &Shop) -> Product {
    let (admin, request) = (admin(), new_product("first"));
    let created = shop.orders.create_product(&admin, &request).await;
    created.unwrap()
}

async fn adjust(shop: &Shop, product: ProductId, delta: i64) -> Result<Product, CatalogueError> {
    let request = adjusting(product, &Uuid::now_v7().to_string(), delta);
    shop.orders.adjust_stock(&admin(), &request).await
}

async fn told(shop: &Shop, product: ProductId) -> i64 {
    let id = product.as_uuid().into();
    let sql = "SELECT COUNT(*) FROM outbox WHERE event_type = $1 AND aggregate_id = $2";
    shop.count(sql, [CHANGED.into(), id]).await
}

/// The invariants of stock, whatever has been done to it.
async fn assert_sound(shop: &Shop) {
    let findings = shop.orders.audit().await.unwrap();
    for finding in findings {
        if finding.invariant.contains("stock") {
            assert_eq!(finding.violations, 0, "{}", finding.invariant);
        }
    }
}

#[tokio::test]
async fn a_new_product_can_be_found_and_ordered_and_is_told_of() {
    on_each_database(async |shop| {
        let product = created(shop).await;
        assert_eq!((product.name.as_str(), product.version), ("Plumb bob", 1));
        assert_eq!((product.price, product.available), (eur(1_250), 10));
        let read = shop.orders.product(product.id).await.unwrap();
        assert_eq!(read.as_ref().as_ref(), Some(&product));
        assert_eq!(told(shop, product.id).await, 1);
        shop.place(&customer(), &[(product.id, 10)]).await;
        assert_sound(shop).await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_makes_one_product() {
    on_each_database(async |shop| {
        let admin = admin();
        let create = async |request: CreateProduct| {
            let created = shop.orders.create_product(&admin, &request).await;
            created.map(|product| product.id)
        };
        let (one, other) = tokio::join!(create(new_product("key")), create(new_product("key")));
        let product = one.unwrap();
        assert_eq!(product, other.unwrap());
        assert_eq!(create(new_product("key")).await.unwrap(), product);
        assert_eq!(told(shop, product).await, 1);

        let another = CreateProduct {
            stock: 11,
            ..new_product("key")
        };
        let reused = create(another).await;
        assert!(
            matches!(reused, Err(CatalogueError::IdempotencyKeyReused)),
            "{reused:?}"
        );
        assert_ne!(create(new_product("another-key")).await.unwrap(), product);
        let of_another_admin = shop
            .orders
            .create_product(&someone(Role::Admin), &new_product("key"))
            .await;
        assert_ne!(of_another_admin.unwrap().id, product);
    })
    .await;
}

#[tokio::test]
async fn of_two_who_edit_at_once_the_second_is_told() {
    on_each_database(async |shop| {
        let product = created(shop).await;
        let (one, other) = (renaming(&product, "One"), renaming(&product, "Other"));
        let admin = admin();
        let (one, other) = tokio::join!(
            shop.orders.update_product(&admin, &one),
            shop.orders.update_product(&admin, &other),
        );
        let (changed, late) = if one.is_ok() {
            (one, other)
        } else {
            (other, one)
        };
        let changed = changed.unwrap();
        assert_eq!(changed.version, 2);
        assert!(
            matches!(late, Err(CatalogueError::VersionConflict { current: 2 })),
            "{late:?}"
        );
        assert_eq!(told(shop, product.id).await, 2, "creation and one change");
        let read = shop.orders.product(product.id).await.unwrap();
        assert_eq!(read.as_ref().as_ref(), Some(&changed));
    })
    .await;
}

#[tokio::test]
async fn what_is_not_given_stays_and_orders_keep_their_price() {
    on_each_database(async |shop| {
        let product = created(shop).await;
        let order = shop.place(&customer(), &[(product.id, 2)]).await;
        shop.clock.advance(chrono::TimeDelta::seconds(1));
        let dearer = UpdateProduct {
            name: None,
            price: Some(eur(9_900)),
            ..renaming(&product, "")
        };
        let changed = shop.orders.update_product(&admin(), &dearer).await.unwrap();
        let expected = Product {
            price: eur(9_900),
            version: 2,
            updated_at: changed.updated_at,
            ..product.clone()
        };
        assert_eq!(changed, expected);
        assert!(changed.updated_at > product.updated_at);
        let lines = shop
            .orders
            .lines_of(std::slice::from_ref(&order))
            .await
            .unwrap();
        assert_eq!(lines[&order.id][0].unit_price, eur(1_250));
        assert_eq!(
            shop.place(&customer(), &[(product.id, 1)]).await.total,
            eur(9_900)
        );
    })
    .await;
}

#[tokio::test]
async fn stock_comes_in_and_goes_but_never_what_is_promised() {
    on_each_database(async |shop| {
        let product = created(shop).await.id;
        let order = shop.place(&customer(), &[(product, 4)]).await;
        shop.reserve(order.id).await;
        assert_eq!(adjust(shop, product, 5).await.unwrap().available, 11);
        assert_eq!(shop.stock(product).await, counters(11, 4, 0));
        let refused = adjust(shop, product, -12).await;
        assert!(
            matches!(
                refused,
                Err(CatalogueError::InsufficientStock { available: 11 })
            ),
            "{refused:?}"
        );
        assert_eq!(adjust(shop, product, -11).await.unwrap().available, 0);
        shop.confirm(&order).await;
        assert_eq!(shop.stock(product).await, counters(0, 0, 4));
        let flood = adjust(shop, product, MAX_STOCK).await;
        assert_eq!(flood.unwrap().available, MAX_STOCK);
        let too_much = adjust(shop, product, 1).await;
        assert!(
            matches!(too_much, Err(CatalogueError::Invalid(_))),
            "{too_much:?}"
        );
        assert_eq!(told(shop, product).await, 4, "creation and three changes");
        assert_sound(shop).await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_adjustment_counts_once_and_a_refused_one_keeps_no_key() {
    on_each_database(async |shop| {
        let (admin, product) = (admin(), created(shop).await.id);
        let adjust = async |delta| {
            let request = adjusting(product, "delivery", delta);
            shop.orders.adjust_stock(&admin, &request).await
        };
        assert!(adjust(-11).await.is_err());
        let repeated = join_all((0..5).map(|_| adjust(7))).await;
        for adjusted in repeated {
            assert_eq!(adjusted.unwrap().available, 17);
        }
        let other = adjust(8).await;
        assert!(
            matches!(other, Err(CatalogueError::IdempotencyKeyReused)),
            "{other:?}"
        );
        let create = shop
            .orders
            .create_product(&admin, &new_product("delivery"))
            .await;
        assert!(
            matches!(create, Err(CatalogueError::IdempotencyKeyReused)),
            "{create:?}"
        );
        assert_eq!(shop.stock(product).await, counters(17, 0, 0));
    })
    .await;
}

#[tokio::test]
async fn whoever_takes_at_the_same_time_there_are_never_fewer_than_none() {
    on_each_database(async |shop| {
        let product = created(shop).await.id;
        let mut orders: Vec<Order> = Vec::new();
        for _ in 0..8 {
            orders.push(shop.place(&customer(), &[(product, 1)]).await);
        }
        let taken = join_all((0..8).map(|_| adjust(shop, product, -1)));
        let reserved = join_all(orders.iter().map(|order| shop.reserve(order.id)));
        let (taken, _) = tokio::join!(taken, reserved);
        let gone = taken.iter().filter(|taken| taken.is_ok()).count();
        let refused =
            |taken: &Result<_, _>| matches!(taken, Err(CatalogueError::InsufficientStock { .. }));
        assert_eq!(
            gone + taken.iter().filter(|taken| refused(taken)).count(),
            8
        );
        let Counters {
            available,
            reserved,
            sold,
        } = shop.stock(product).await;
        assert_eq!((available, sold), (0, 0));
        assert_eq!(reserved + i64::try_from(gone).unwrap(), 10);
        assert_sound(shop).await;
    })
    .await;
}

#[tokio::test]
async fn what_does_not_exist_is_not_changed() {
    on_each_database(async |shop| {
        let unknown = Product {
            id: Uuid::now_v7().into(),
            ..created(shop).await
        };
        let update = renaming(&unknown, "Nothing");
        let updated = shop.orders.update_product(&admin(), &update).await;
        assert!(
            matches!(updated, Err(CatalogueError::ProductNotFound)),
            "{updated:?}"
        );
        let adjusted = adjust(shop, unknown.id, 1).await;
        assert!(
            matches!(adjusted, Err(CatalogueError::ProductNotFound)),
            "{adjusted:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn only_who_may_manage_the_catalogue_does() {
    on_each_database(async |shop| {
        let product = created(shop).await;
        let unscoped = Actor {
            scope: Scope::of_claim(Permission::ReadAnyOrder.as_str()),
            ..admin()
        };
        for actor in [
            customer(),
            someone(Role::Support),
            someone(Role::Service),
            unscoped,
        ] {
            let orders = &shop.orders;
            let request = new_product("key");
            let refusals = [
                orders.create_product(&actor, &request).await,
                orders
                    .update_product(&actor, &renaming(&product, "Mine"))
                    .await,
                orders
                    .adjust_stock(&actor, &adjusting(product.id, "key", 1))
                    .await,
            ];
            for refused in refusals {
                assert!(
                    matches!(refused, Err(CatalogueError::Order(OrderError::Forbidden))),
                    "{actor:?}: {refused:?}"
                );
            }
        }
        let key = Actor {
            scope: Scope::of_claim(Permission::ManageCatalogue.as_str()),
            ..admin()
        };
        let adjusted = shop
            .orders
            .adjust_stock(&key, &adjusting(product.id, "key", 1))
            .await;
        assert_eq!(adjusted.unwrap().available, 11);
    })
    .await;
}

#[tokio::test]
async fn a_request_that_is_wrong_by_itself_changes_nothing() {
    on_each_database(async |shop| {
        let wrong = CreateProduct {
            name: "a\0b".to_owned(),
            ..new_product("key")
        };
        let refused = shop.orders.create_product(&admin(), &wrong).await;
        let Err(CatalogueError::Invalid(problems)) = refused else {
            panic!("not refused for its fields: {refused:?}");
        };
        assert_eq!(problems[0].field, "name");
        assert_eq!(shop.count("SELECT COUNT(*) FROM products", []).await, 0);
        assert_eq!(
            shop.count("SELECT COUNT(*) FROM catalogue_requests", [])
                .await,
            0
        );
    })
    .await;
}
