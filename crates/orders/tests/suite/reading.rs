use chrono::TimeDelta;
use kernel::{
    Actor, Clock, OrderId, Role,
    page::{Direction, Key, Page, PageRequest},
};
use orders::{ChargeOutcome, Order, OrderError, OrderFilter, PaymentStatus, domain::OrderStatus};

use crate::{
    databases::on_each_database,
    shop::{Shop, customer, eur, ids, someone, succeeded},
};

async fn page(shop: &Shop, actor: &Actor, direction: Direction, from: Option<Key>) -> Page<Order> {
    let request = PageRequest::new(3, direction, from).unwrap();
    shop.orders.orders_of_actor(actor, request).await.unwrap()
}

/// Orders of one customer, oldest first; every other one at the same moment as the one before.
async fn placed(shop: &Shop, actor: &Actor, count: usize) -> Vec<OrderId> {
    let bob = shop.add_product("Plumb bob", eur(1_250), 1_000).await;
    let mut orders = Vec::new();
    for number in 0..count {
        if number % 2 == 0 {
            shop.clock.advance(TimeDelta::microseconds(1));
        }
        orders.push(shop.place(actor, &[(bob, 1)]).await);
    }
    orders.sort_by_key(Order::key);
    ids(&orders)
}

#[tokio::test]
async fn someone_elses_order_is_as_if_it_did_not_exist() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let owner = customer();
        let order = shop.place(&owner, &[(bob, 1)]).await;
        let seen_by = async |actor: &Actor| shop.orders.order(actor, order.id).await;
        assert_eq!(seen_by(&owner).await.unwrap(), Some(order.clone()));
        assert_eq!(seen_by(&customer()).await.unwrap(), None);
        for staff in [Role::Support, Role::Admin] {
            let seen = seen_by(&someone(staff)).await.unwrap();
            assert_eq!(seen.as_ref(), Some(&order), "{staff:?}");
        }
        let nobody = Actor {
            roles: vec![],
            ..owner.clone()
        };
        let seen = seen_by(&nobody).await;
        assert!(matches!(seen, Err(OrderError::Forbidden)), "{seen:?}");
        let request = PageRequest::new(3, Direction::Forward, None).unwrap();
        let listed = shop.orders.orders_of_actor(&nobody, request).await;
        assert!(matches!(listed, Err(OrderError::Forbidden)), "{listed:?}");
    })
    .await;
}

#[tokio::test]
async fn a_list_has_the_actors_own_orders_only() {
    on_each_database(async |shop| {
        let (mine, theirs) = (customer(), someone(Role::Admin));
        let own = placed(shop, &mine, 2).await;
        placed(shop, &theirs, 2).await;
        let listed = ids(&page(shop, &mine, Direction::Forward, None).await.items);
        assert_eq!(listed, [own[1], own[0]]);
    })
    .await;
}

#[tokio::test]
async fn paging_forwards_neither_skips_nor_repeats_while_orders_come_in() {
    on_each_database(async |shop| {
        let actor = customer();
        let mut expected = placed(shop, &actor, 8).await;
        expected.reverse();
        let mut seen = Vec::new();
        let mut from = None;
        loop {
            let page = page(shop, &actor, Direction::Forward, from).await;
            assert_eq!(page.has_previous, from.is_some());
            seen.extend(ids(&page.items));
            from = page.items.last().map(Order::key);
            // Newer than any page: it would move every offset.
            placed(shop, &actor, 1).await;
            if !page.has_next {
                break;
            }
        }
        assert_eq!(seen, expected);
    })
    .await;
}

#[tokio::test]
async fn paging_backwards_sees_every_order_that_came_in_meanwhile() {
    on_each_database(async |shop| {
        let actor = customer();
        let mut all = placed(shop, &actor, 8).await;
        let mut pages = Vec::new();
        let mut from = None;
        loop {
            let page = page(shop, &actor, Direction::Backward, from).await;
            assert_eq!(page.has_next, from.is_some());
            from = page.items.first().map(Order::key);
            pages.push(ids(&page.items));
            if pages.len() == 1 {
                all.extend(placed(shop, &actor, 2).await);
            }
            if !page.has_previous {
                break;
            }
        }
        let newest_first: Vec<_> = pages.into_iter().rev().flatten().collect();
        all.reverse();
        assert_eq!(newest_first, all);
    })
    .await;
}

async fn all(shop: &Shop, filter: &OrderFilter) -> Vec<OrderId> {
    let request = PageRequest::new(100, Direction::Forward, None).unwrap();
    let support = someone(Role::Support);
    let page = shop.orders.all_orders(&support, filter, request).await;
    ids(&page.unwrap().items)
}

#[tokio::test]
async fn staff_lists_everybodys_orders_by_what_they_look_for() {
    on_each_database(async |shop| {
        let (ada, eve) = (customer(), customer());
        let of_ada = placed(shop, &ada, 3).await;
        shop.clock.advance(TimeDelta::hours(1));
        let noon = shop.clock.now();
        let of_eve = placed(shop, &eve, 2).await;
        shop.reserve(of_ada[1]).await;
        let newest_first: Vec<_> = of_ada.iter().chain(&of_eve).rev().copied().collect();
        let of_eve_newest_first: Vec<_> = of_eve.iter().rev().copied().collect();

        let none = OrderFilter::default;
        assert_eq!(all(shop, &none()).await, newest_first);
        let by_status = OrderFilter {
            status: Some(OrderStatus::StockReserved),
            ..none()
        };
        assert_eq!(all(shop, &by_status).await, [of_ada[1]]);
        let by_customer = OrderFilter {
            customer_id: Some(eve.user_id),
            ..none()
        };
        assert_eq!(all(shop, &by_customer).await, of_eve_newest_first);
        let since_noon = OrderFilter {
            created_from: Some(noon),
            ..none()
        };
        assert_eq!(all(shop, &since_noon).await, of_eve_newest_first);
        let before_noon = OrderFilter {
            created_before: Some(noon),
            status: Some(OrderStatus::Placed),
            ..none()
        };
        assert_eq!(all(shop, &before_noon).await, [of_ada[2], of_ada[0]]);
        let order = shop.orders.order(&ada, of_ada[0]).await.unwrap().unwrap();
        let by_number = OrderFilter {
            number: Some(order.number.to_lowercase()),
            ..none()
        };
        assert_eq!(all(shop, &by_number).await, [order.id]);
        let nobodys = OrderFilter {
            customer_id: Some(eve.user_id),
            ..by_number
        };
        assert_eq!(all(shop, &nobodys).await, []);
    })
    .await;
}

#[tokio::test]
async fn everybodys_orders_are_paged_without_a_gap_or_a_repeat() {
    on_each_database(async |shop| {
        let mut expected = placed(shop, &customer(), 4).await;
        expected.extend(placed(shop, &customer(), 4).await);
        expected.reverse();
        let support = someone(Role::Support);
        let filter = OrderFilter {
            status: Some(OrderStatus::Placed),
            ..OrderFilter::default()
        };
        for direction in [Direction::Forward, Direction::Backward] {
            let mut seen = Vec::new();
            let mut from = None;
            loop {
                let request = PageRequest::new(3, direction, from).unwrap();
                let page = shop.orders.all_orders(&support, &filter, request).await;
                let page = page.unwrap();
                let (edge, is_last) = match direction {
                    Direction::Forward => {
                        seen.extend(ids(&page.items));
                        (page.items.last(), !page.has_next)
                    }
                    Direction::Backward => {
                        seen.splice(0..0, ids(&page.items));
                        (page.items.first(), !page.has_previous)
                    }
                };
                from = edge.map(Order::key);
                if is_last {
                    break;
                }
            }
            assert_eq!(seen, expected, "{direction:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn only_staff_lists_everybodys_orders() {
    on_each_database(async |shop| {
        let request = PageRequest::new(3, Direction::Forward, None).unwrap();
        for actor in [customer(), someone(Role::Service)] {
            let any = OrderFilter::default();
            let listed = shop.orders.all_orders(&actor, &any, request).await;
            assert!(matches!(listed, Err(OrderError::Forbidden)), "{listed:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn of_many_ids_everyone_reads_what_they_may() {
    on_each_database(async |shop| {
        let (ada, eve) = (customer(), customer());
        let of_ada = placed(shop, &ada, 2).await;
        let of_eve = placed(shop, &eve, 1).await;
        let wanted = [of_ada[0], of_eve[0], uuid::Uuid::now_v7().into()];
        let read_by = async |actor: &Actor| {
            let read = shop.orders.orders_by_ids(actor, &wanted).await;
            let mut read: Vec<_> = read.unwrap().into_keys().collect();
            read.sort();
            read
        };
        assert_eq!(read_by(&ada).await, [of_ada[0]]);
        let support = someone(Role::Support);
        let mut both = [of_ada[0], of_eve[0]];
        both.sort();
        assert_eq!(read_by(&support).await, both);
        let service = someone(Role::Service);
        let refused = shop.orders.orders_by_ids(&service, &wanted).await;
        assert!(matches!(refused, Err(OrderError::Forbidden)));
    })
    .await;
}

#[tokio::test]
async fn payments_of_many_orders_come_sorted_to_their_orders() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let unasked = shop.place(&customer(), &[(bob, 1)]).await;
        let (pending, paid) = (shop.charging(bob).await, shop.charging(bob).await);
        let declined = shop.charging(bob).await;
        shop.clock.advance(TimeDelta::seconds(1));
        let _ = shop.settle(paid.id, &succeeded(&paid)).await;
        let no = ChargeOutcome::Declined { intent_id: None };
        let _ = shop.settle(declined.id, &no).await;

        let asked = ids(&[
            unasked.clone(),
            pending.clone(),
            paid.clone(),
            declined.clone(),
        ]);
        let payments = shop.orders.payments_of(&asked).await.unwrap();
        assert!(!payments.contains_key(&unasked.id));
        let status = |order: &Order| payments[&order.id].status;
        assert_eq!(status(&pending), PaymentStatus::Pending);
        assert_eq!(status(&declined), PaymentStatus::Declined);
        let payment = &payments[&paid.id];
        assert_eq!(
            (payment.status, payment.amount),
            (PaymentStatus::Succeeded, paid.total)
        );
        assert_eq!(payment.reference, Some(format!("pi_{}", paid.id)));
        assert_eq!(
            payment.updated_at - payment.created_at,
            TimeDelta::seconds(1)
        );
        assert!(shop.orders.payments_of(&[]).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn lines_and_history_of_many_orders_come_sorted_to_their_orders() {
    on_each_database(async |shop| {
        let bob = shop.add_product("Plumb bob", eur(1_250), 10).await;
        let rule = shop.add_product("Folding rule", eur(990), 10).await;
        let actor = customer();
        let first = shop.place(&actor, &[(rule, 1), (bob, 2)]).await;
        let second = shop.place(&actor, &[(bob, 3)]).await;
        shop.clock.advance(TimeDelta::seconds(1));
        shop.reserve(second.id).await;

        let orders = [second.clone(), first.clone()];
        let lines = shop.orders.lines_of(&orders).await.unwrap();
        let products = |order: &Order| -> Vec<_> {
            let lines = lines[&order.id].iter();
            lines.map(|line| (line.product_id, line.quantity)).collect()
        };
        assert_eq!(products(&first), [(rule, 1), (bob, 2)]);
        assert_eq!(products(&second), [(bob, 3)]);

        let history = shop.orders.history_of(&ids(&orders)).await.unwrap();
        let steps = |order: &Order| -> Vec<_> {
            let steps = history[&order.id].iter();
            steps
                .map(|step| (step.status, step.at - order.created_at))
                .collect()
        };
        let at_once = (OrderStatus::Placed, TimeDelta::zero());
        assert_eq!(steps(&first), [at_once]);
        let reserved = (OrderStatus::StockReserved, TimeDelta::seconds(1));
        assert_eq!(steps(&second), [at_once, reserved]);

        assert!(shop.orders.lines_of(&[]).await.unwrap().is_empty());
        assert!(shop.orders.history_of(&[]).await.unwrap().is_empty());
    })
    .await;
}
