use futures_util::future::join_all;
use kernel::{Actor, Currency, Money, Role};
use orders::{
    OrderError, PlaceOrderError, Placed,
    domain::{MAX_LINES, MAX_QUANTITY, OrderStatus, PlaceOrder},
};
use uuid::Uuid;

use crate::{
    databases::on_each_database,
    shop::{Shop, customer, eur, refused, request, someone},
};

async fn written(shop: &Shop) -> [i64; 4] {
    let mut rows = [0; 4];
    for (count, table) in rows
        .iter_mut()
        .zip(["orders", "order_lines", "order_history", "outbox"])
    {
        *count = shop
            .count(&format!("SELECT COUNT(*) FROM {table}"), [])
            .await;
    }
    rows
}

#[tokio::test]
async fn an_order_is_priced_from_the_catalogue() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let rule = shop.add_product("Folding rule", eur(990), 10).await;
        let actor = customer();
        let placed = shop
            .orders
            .place(&actor, &request(&[(bob, 2), (rule, 3)]))
            .await;
        let Placed::New(order) = placed.unwrap() else {
            panic!("not new");
        };
        assert_eq!(order.status, OrderStatus::Placed);
        assert_eq!(order.customer_id, actor.user_id);
        assert_eq!(order.total, eur(2 * 1_250 + 3 * 990));
        assert!(order.number.starts_with("PL-"), "{}", order.number);

        let lines = shop
            .orders
            .lines_of(std::slice::from_ref(&order))
            .await
            .unwrap();
        let lines: Vec<_> = lines[&order.id]
            .iter()
            .map(|line| (line.product_name.as_str(), line.quantity, line.total))
            .collect();
        let expected = [
            ("Plumb bob", 2, eur(2_500)),
            ("Folding rule", 3, eur(2_970)),
        ];
        assert_eq!(lines, expected);
        assert_eq!(written(shop).await, [1, 2, 1, 1]);
        assert_eq!(shop.events("orders.order.placed.v1", order.id).await, 1);
    })
    .await;
}

#[tokio::test]
async fn the_same_request_twice_is_one_order_as_it_stands_now() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let (actor, request) = (customer(), request(&[(bob, 2)]));
        let first = shop
            .orders
            .place(&actor, &request)
            .await
            .unwrap()
            .into_order();
        shop.reserve(first.id).await;
        shop.execute("UPDATE products SET price_amount = 9999", [])
            .await;

        let Placed::Replayed(again) = shop.orders.place(&actor, &request).await.unwrap() else {
            panic!("a second order");
        };
        assert_eq!((again.id, again.total), (first.id, first.total));
        assert_eq!(again.status, OrderStatus::StockReserved);
        assert_eq!(shop.count("SELECT COUNT(*) FROM orders", []).await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_request_finds_its_order_after_the_product_is_gone() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let (actor, request) = (customer(), request(&[(bob, 2)]));
        let first = shop
            .orders
            .place(&actor, &request)
            .await
            .unwrap()
            .into_order();
        shop.execute("DELETE FROM stock", []).await;
        shop.execute("DELETE FROM products", []).await;

        let again = shop.orders.place(&actor, &request).await.unwrap();
        assert_eq!(again, Placed::Replayed(first));
    })
    .await;
}

#[tokio::test]
async fn another_body_with_a_used_key_is_a_conflict() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let (actor, first) = (customer(), request(&[(bob, 2)]));
        shop.orders.place(&actor, &first).await.unwrap();

        let mut more = request(&[(bob, 3)]);
        more.idempotency_key = first.idempotency_key.clone();
        let other_card = PlaceOrder {
            payment_method: "pm_card_mastercard".to_owned(),
            ..first
        };
        for other in [more, other_card] {
            let placed = shop.orders.place(&actor, &other).await;
            assert!(
                matches!(placed, Err(PlaceOrderError::IdempotencyKeyReused)),
                "{placed:?}"
            );
        }
        assert_eq!(written(shop).await, [1, 1, 1, 1]);
    })
    .await;
}

#[tokio::test]
async fn a_key_belongs_to_its_customer() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let request = request(&[(bob, 1)]);
        let mine = shop.orders.place(&customer(), &request).await.unwrap();
        let theirs = shop.orders.place(&customer(), &request).await.unwrap();
        assert!(matches!(theirs, Placed::New(_)));
        assert_ne!(mine.into_order().id, theirs.into_order().id);
    })
    .await;
}

#[tokio::test]
async fn twenty_placings_at_once_with_one_key_make_one_order() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 100).await;
        let other = shop.another_process().await;
        let (actor, request) = (customer(), request(&[(bob, 1)]));
        let placings = (0..20).map(|number| {
            let orders = if number % 2 == 0 {
                &shop.orders
            } else {
                &other
            };
            orders.place(&actor, &request)
        });
        let placed: Vec<Placed> = join_all(placings)
            .await
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap();
        let new = placed
            .iter()
            .filter(|placed| matches!(placed, Placed::New(_)));
        assert_eq!(new.count(), 1);
        let mut ids: Vec<_> = placed
            .into_iter()
            .map(|placed| placed.into_order().id)
            .collect();
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
        assert_eq!(written(shop).await, [1, 1, 1, 1]);
    })
    .await;
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_with_its_field_and_nothing_is_written() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let rule = shop.add_product("Folding rule", eur(990), 10).await;
        let actor = customer();
        let refusal =
            async |request: &PlaceOrder| refused(shop.orders.place(&actor, request).await);

        let none = refusal(&request(&[])).await;
        assert_eq!(none, [("lines".to_owned(), "out_of_range")]);
        let many: Vec<_> = (0..=MAX_LINES)
            .map(|_| (Uuid::now_v7().into(), 1))
            .collect();
        let many = refusal(&request(&many)).await;
        assert_eq!(many, [("lines".to_owned(), "out_of_range")]);

        let mut wrong = request(&[(bob, 0), (rule, MAX_QUANTITY + 1), (bob, i64::MIN)]);
        wrong.payment_method = "4242 4242 4242 4242".to_owned();
        let expected = [
            ("lines[0].quantity", "out_of_range"),
            ("lines[1].quantity", "out_of_range"),
            ("lines[2].quantity", "out_of_range"),
            ("lines[2].product_id", "duplicate"),
            ("payment_method", "invalid"),
        ];
        let expected = expected.map(|(field, code)| (field.to_owned(), code));
        assert_eq!(refusal(&wrong).await, expected);
        assert_eq!(written(shop).await, [0; 4]);
    })
    .await;
}

#[tokio::test]
async fn an_unknown_product_is_told_by_its_line() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let unknown = || Uuid::now_v7().into();
        let request = request(&[(unknown(), 1), (bob, 1), (unknown(), 1)]);
        assert_eq!(
            refused(shop.orders.place(&customer(), &request).await),
            [
                ("lines[0].product_id".to_owned(), "not_found"),
                ("lines[2].product_id".to_owned(), "not_found"),
            ]
        );
        assert_eq!(written(shop).await, [0; 4]);
    })
    .await;
}

#[tokio::test]
async fn a_total_that_does_not_fit_is_refused() {
    on_each_database(async |shop| {
        let dear = shop.add_product("Golden bob", eur(i64::MAX / 2), 10).await;
        let dearer = shop.add_product("Diamond bob", eur(i64::MAX / 2), 10).await;
        let too_dear = [
            (vec![(dear, 3)], "lines[0].product_id"),
            (vec![(dear, 1), (dearer, 1)], "lines"),
            (vec![(dear, 2), (dearer, 1)], "lines[1].product_id"),
        ];
        for (lines, field) in too_dear {
            let placed = shop.orders.place(&customer(), &request(&lines)).await;
            assert_eq!(refused(placed), [(field.to_owned(), "total")]);
        }
        assert_eq!(written(shop).await, [0; 4]);
    })
    .await;
}

/// The payment provider takes at most 999,999.99: an order beyond it could never be paid.
#[tokio::test]
async fn a_total_that_nobody_could_charge_is_refused() {
    on_each_database(async |shop| {
        let level = shop.add_product("Laser level", eur(99_999_999), 10).await;
        let nail = shop.add_product("Nail", eur(1), 10).await;
        shop.place(&customer(), &[(level, 1)]).await;
        let request = request(&[(level, 1), (nail, 1)]);
        assert_eq!(
            refused(shop.orders.place(&customer(), &request).await),
            [("lines".to_owned(), "total")]
        );
    })
    .await;
}

#[tokio::test]
async fn one_order_has_one_currency() {
    on_each_database(async |shop| {
        let usd = Currency::parse("USD").unwrap();
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let import = shop
            .add_product("Imported bob", Money::new(900, usd), 10)
            .await;
        let mixed = request(&[(bob, 1), (import, 1)]);
        assert_eq!(
            refused(shop.orders.place(&customer(), &mixed).await),
            [("lines[1].product_id".to_owned(), "total")]
        );
        let order = shop.place(&customer(), &[(import, 2)]).await;
        assert_eq!(order.total, Money::new(1_800, usd));
    })
    .await;
}

#[tokio::test]
async fn who_may_not_order_is_told_so() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let nobody = Actor {
            roles: vec![],
            ..someone(Role::Customer)
        };
        let placed = shop.orders.place(&nobody, &request(&[(bob, 1)])).await;
        let forbidden = PlaceOrderError::Order(OrderError::Forbidden);
        assert_eq!(placed.unwrap_err().to_string(), forbidden.to_string());
        assert_eq!(written(shop).await, [0; 4]);
    })
    .await;
}
